// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/request_body.hpp"

#include <algorithm>

namespace clouddocs::net {

using core::ByteView;
using core::Errc;
using core::Error;
using core::Result;
using core::Task;

namespace {
constexpr std::uint64_t worth_reading = 64U << 10;
}

std::optional<std::uint64_t> RequestBody::content_length() const {
  if (framing_.chunked) return std::nullopt;
  return framing_.content_length;
}

Error RequestBody::fail(Error error) {
  error_ = std::move(error);
  return *error_;
}

void RequestBody::take_back() {
  if (undecoded_.empty()) input_.consume(std::exchange(lent_, 0));
}

Task<Result<ByteView>> RequestBody::read() {
  CO_TRY(const ByteView piece, co_await read_raw());
  read_ += piece.size();
  if (read_ > limit_)
    co_return fail(Error(Errc::body_too_large, "The body may have " + std::to_string(limit_) + " bytes at most."));
  co_return piece;
}

Task<Result<ByteView>> RequestBody::read_raw() {
  if (error_) co_return *error_;
  take_back();
  if (is_finished()) co_return ByteView();
  if (framing_.expects_continue && !continued_) {
    continued_ = true;
    // A client that sent bytes already does not wait (RFC 9110, 10.1.1).
    if (input_.is_empty() && !co_await channel_.write("HTTP/1.1 100 Continue\r\n\r\n", stall_)) {
      co_return fail(Errc::upload_incomplete);
    }
  }
  if (framing_.chunked) co_return co_await read_chunked();
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left_, BufferPool::buffer_size));
  CO_TRY(const std::string_view bytes, co_await receive(most));
  left_ -= bytes.size();
  co_return core::as_bytes(bytes);
}

// Looks up every now and then: the session of a peer that sends nothing may have ended.
Task<IoResult> RequestBody::read_socket(std::span<char> room) {
  const auto stalled_at = std::chrono::steady_clock::now() + stall_;
  while (true) {
    const auto look_up_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
    const IoResult got = co_await channel_.read(room, revoked_ ? std::min(stalled_at, look_up_at) : stalled_at);
    const bool waits = got.error == core::asio::error::timed_out && std::chrono::steady_clock::now() < stalled_at;
    if (!waits || is_revoked()) co_return got;
  }
}

// At most `most` bytes: what is in the connection's buffer, else from the socket.
Task<Result<std::string_view>> RequestBody::receive(std::size_t most) {
  if (!input_.is_empty()) {
    const std::string_view bytes = input_.view().substr(0, most);
    lent_ = bytes.size();
    co_return bytes;
  }
  const auto room = buffer_.span().first(most);
  const IoResult got = co_await read_socket(room);
  if (is_revoked()) co_return fail(Error(Errc::token_invalid, "The session was ended while the body was being sent."));
  if (got.error) {
    const bool stalled = got.error == core::asio::error::timed_out;
    co_return fail(
        Error(Errc::upload_incomplete, stalled ? "No bytes came for too long; send the body again or resume." : ""));
  }
  co_return std::string_view(room.data(), got.bytes);
}

Task<Result<ByteView>> RequestBody::read_chunked() {
  while (true) {
    if (undecoded_.empty()) {
      take_back();
      CO_TRY(undecoded_, co_await receive(BufferPool::buffer_size));
    }
    const auto step = decoder_.next(undecoded_);
    undecoded_.remove_prefix(step.consumed);
    if (decoder_.has_failed())
      co_return fail(Error(Errc::invalid_request, "The chunked coding of the body is broken."));
    if (!step.content.empty()) co_return core::as_bytes(step.content);
    if (decoder_.is_done()) {
      // The rest is the next request's.
      if (lent_ > 0) {
        input_.consume(std::exchange(lent_, 0) - undecoded_.size());
      } else {
        input_.assign(undecoded_);
      }
      undecoded_ = {};
      co_return ByteView();
    }
  }
}

bool RequestBody::can_finish() const {
  if (is_finished()) return true;
  // A client told to wait may send the body or not; nobody can tell what comes next.
  if (error_ || (framing_.expects_continue && !continued_)) return false;
  return framing_.chunked || left_ <= worth_reading;
}

Task<bool> RequestBody::finish() {
  take_back();
  if (!can_finish()) co_return false;
  limit_ = read_ + worth_reading;
  while (!is_finished()) {
    const auto piece = co_await read();
    if (piece.has_error()) co_return false;
  }
  take_back();  // else the next request would begin with this body
  co_return true;
}

}  // namespace clouddocs::net
