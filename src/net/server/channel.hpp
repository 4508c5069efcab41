// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "net/http.hpp"
#include "net/server/event_loop.hpp"
#include "net/server/stream.hpp"

namespace clouddocs::net {

using SteadyDuration = std::chrono::steady_clock::duration;

// A stream with deadlines and byte counts. Used by one connection on its event loop; a read and a write may wait at the same time.
class Channel {
 public:
  Channel(EventLoop& loop, std::unique_ptr<Stream> stream) : loop_(loop), stream_(std::move(stream)) {}

  core::Task<bool> handshake(SteadyDuration timeout);
  // Waits for bytes until `deadline`. The error is timed_out, after which the channel is still usable, eof, or what broke it.
  core::Task<IoResult> read(std::span<char> into, SteadyTime deadline);
  // Writes all of it; `stall` is how long no byte may move. False when the channel is broken. Changes `pieces`.
  core::Task<bool> write(std::span<iovec> pieces, SteadyDuration stall, bool more = false);
  core::Task<bool> write(std::string_view text, SteadyDuration stall, bool more = false);
  core::Task<bool> write_file(const FileRegion& region, SteadyDuration stall);
  // Writes what fits now; drops what was written from the front of `pieces`.
  IoResult try_write(std::span<iovec>& pieces, bool more = false);
  // Says that no more bytes come and drops what still arrives, so that the peer gets to read the last answer (RFC 9112, 9.6).
  core::Task<> linger(SteadyDuration limit);

  void set_write_deadline(SteadyTime deadline);
  void sweep(SteadyTime now);
  // Ends waits in progress; later ones fail at once.
  void cut();
  void interrupt_read();  // as if its deadline had passed
  void close() { stream_->close(); }

  bool is_broken() const { return broken_ || input_ended_; }
  EventLoop& loop() { return loop_; }
  Stream& stream() { return *stream_; }
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  core::Task<bool> wait_writable(SteadyDuration stall);
  core::Task<bool> copy_file(const FileRegion& region, SteadyDuration stall);

  EventLoop& loop_;
  std::unique_ptr<Stream> stream_;
  SteadyTime read_deadline_ = SteadyTime::max();
  SteadyTime write_deadline_ = SteadyTime::max();
  bool read_expired_ = false;
  bool broken_ = false;
  bool input_ended_ = false;  // nothing more comes; the peer may still read
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace clouddocs::net
