// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/channel.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace clouddocs::net {

namespace asio = core::asio;
using core::Task;

Task<bool> Channel::handshake(SteadyDuration timeout) {
  read_deadline_ = std::chrono::steady_clock::now() + timeout;
  loop_.expect_deadline(read_deadline_);
  const auto error = co_await stream_->handshake();
  read_deadline_ = SteadyTime::max();
  if (error || read_expired_) broken_ = true;
  co_return !broken_;
}

Task<IoResult> Channel::read(std::span<char> into, SteadyTime deadline) {
  if (is_broken()) co_return IoResult{0, asio::error::connection_aborted};
  while (true) {
    read_expired_ = false;
    read_deadline_ = deadline;
    loop_.expect_deadline(deadline);
    IoResult result = co_await stream_->read(into);
    read_deadline_ = SteadyTime::max();
    bytes_in_ += result.bytes;
    if (!result.error) co_return result;
    if (result.error == asio::error::operation_aborted && !broken_) {
      if (read_expired_) co_return IoResult{0, asio::error::timed_out};
      continue;  // another wait on the socket was cancelled
    }
    // A peer that has said all it had to say may still listen for the answer.
    (result.error == asio::error::eof ? input_ended_ : broken_) = true;
    co_return result;
  }
}

IoResult Channel::try_write(std::span<iovec>& pieces, bool more) {
  if (broken_) return {0, asio::error::connection_aborted};
  IoResult result = stream_->try_write(pieces, more);
  if (result.error && !result.would_block()) broken_ = true;
  bytes_out_ += result.bytes;
  std::size_t left = result.bytes;
  while (!pieces.empty() && left >= pieces.front().iov_len) {
    left -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (left > 0) {
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + left;
    pieces.front().iov_len -= left;
  }
  return result;
}

Task<bool> Channel::wait_writable(SteadyDuration stall) {
  set_write_deadline(std::chrono::steady_clock::now() + stall);
  while (!broken_) {
    const auto error = co_await stream_->wait_writable();
    if (!error) break;
    if (error != asio::error::operation_aborted) broken_ = true;
  }
  write_deadline_ = SteadyTime::max();
  co_return !broken_;
}

Task<bool> Channel::write(std::span<iovec> pieces, SteadyDuration stall, bool more) {
  while (!pieces.empty()) {
    const IoResult result = try_write(pieces, more);
    if (result.would_block()) {
      if (!co_await wait_writable(stall)) co_return false;
    } else if (result.error) {
      co_return false;
    }
  }
  co_return !broken_;
}

Task<bool> Channel::write(std::string_view text, SteadyDuration stall, bool more) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  co_return co_await write(std::span(&piece, 1), stall, more);
}

Task<bool> Channel::write_file(const FileRegion& region, SteadyDuration stall) {
  if (stream_->is_secure()) co_return co_await copy_file(region, stall);
  constexpr std::size_t most_at_once = 2U << 20;  // so that one fast reader does not hold up the loop
  std::uint64_t sent = 0;
  while (sent < region.length && !broken_) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(region.length - sent, most_at_once));
    const IoResult result = stream_->try_send_file(region.fd, region.offset + sent, piece);
    sent += result.bytes;
    bytes_out_ += result.bytes;
    if (result.would_block()) {
      if (!co_await wait_writable(stall)) co_return false;
    } else if (result.error) {
      broken_ = true;
    } else if (result.bytes == piece && sent < region.length) {
      co_await asio::post(asio::use_awaitable);
    }
  }
  co_return !broken_;
}

Task<bool> Channel::copy_file(const FileRegion& region, SteadyDuration stall) {
  PooledBuffer buffer(loop_.buffers);
  std::uint64_t sent = 0;
  while (sent < region.length) {
    const auto room = buffer.span();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), region.length - sent));
    const auto got = ::pread(region.fd, room.data(), wanted, static_cast<off_t>(region.offset + sent));
    if (got <= 0) {
      broken_ = true;
      co_return false;
    }
    const std::string_view piece(room.data(), static_cast<std::size_t>(got));
    if (!co_await write(piece, stall)) co_return false;
    sent += piece.size();
  }
  co_return true;
}

Task<> Channel::linger(SteadyDuration limit) {
  stream_->shutdown_send();
  PooledBuffer buffer(loop_.buffers);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  loop_.expect_deadline(deadline);
  while (!broken_ && std::chrono::steady_clock::now() < deadline) {
    read_deadline_ = deadline;
    const IoResult result = co_await stream_->discard(buffer.span());
    bytes_in_ += result.bytes;
    if (result.error) break;
  }
  read_deadline_ = SteadyTime::max();
  broken_ = true;
}

void Channel::set_write_deadline(SteadyTime deadline) {
  write_deadline_ = deadline;
  if (deadline != SteadyTime::max()) loop_.expect_deadline(deadline);
}

void Channel::sweep(SteadyTime now) {
  if (now >= write_deadline_) {
    cut();
  } else if (now >= read_deadline_) {
    interrupt_read();
  }
}

void Channel::interrupt_read() {
  read_deadline_ = SteadyTime::max();
  read_expired_ = true;
  stream_->cancel();
}

void Channel::cut() {
  write_deadline_ = SteadyTime::max();
  broken_ = true;
  stream_->cancel();
}

}  // namespace clouddocs::net
