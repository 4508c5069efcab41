// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <limits>
#include <optional>

#include "net/http.hpp"
#include "net/server/channel.hpp"
#include "net/server/chunked_decoder.hpp"
#include "net/server/input_buffer.hpp"
#include "net/server/request_head.hpp"

namespace clouddocs::net {

// Reads a request's body from its connection: what came with the head first, then straight from the socket into a 256 KiB buffer of the
// event loop, held only while the body is being read.
class RequestBody : public BodyReader {
 public:
  RequestBody(Channel& channel, InputBuffer& input, const Framing& framing, SteadyDuration stall)
      : channel_(channel),
        input_(input),
        framing_(framing),
        stall_(stall),
        buffer_(channel.loop().buffers),
        left_(framing.content_length) {}

  std::optional<std::uint64_t> content_length() const override;
  core::Task<core::Result<core::ByteView>> read() override;
  void set_limit(std::uint64_t bytes) override { limit_ = bytes; }
  void end_when(std::shared_ptr<const std::atomic<bool>> revoked) override { revoked_ = std::move(revoked); }

  bool is_finished() const { return framing_.chunked ? decoder_.is_done() : left_ == 0; }
  // Whether the rest of the body is little enough to be read for the sake of keeping the connection.
  bool can_finish() const;
  // Reads and drops that rest. False when the next request cannot follow.
  core::Task<bool> finish();

 private:
  core::Task<core::Result<core::ByteView>> read_raw();
  core::Task<core::Result<std::string_view>> receive(std::size_t most);
  core::Task<core::Result<core::ByteView>> read_chunked();
  core::Task<IoResult> read_socket(std::span<char> room);
  bool is_revoked() const { return revoked_ && revoked_->load(std::memory_order_relaxed); }
  core::Error fail(core::Error error);
  void take_back();  // what the last view borrowed of input_

  Channel& channel_;
  InputBuffer& input_;
  const Framing& framing_;
  SteadyDuration stall_;
  PooledBuffer buffer_;
  std::uint64_t left_;  // of a body with Content-Length
  std::uint64_t read_ = 0;
  std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
  std::size_t lent_ = 0;  // bytes of input_ that the last view borrowed
  std::string_view undecoded_;  // of buffer_
  ChunkedDecoder decoder_;
  bool continued_ = false;  // nothing need be said to the peer before it sends the body
  std::shared_ptr<const std::atomic<bool>> revoked_;
  std::optional<core::Error> error_;
};

}  // namespace clouddocs::net
