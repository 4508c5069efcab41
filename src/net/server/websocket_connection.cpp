// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/websocket_connection.hpp"

#include <algorithm>

#include "net/ascii.hpp"

namespace clouddocs::net {

namespace asio = core::asio;
using core::Errc;
using core::Error;
using core::Result;
using core::Task;
using Clock = std::chrono::steady_clock;
using Event = MessageReader::Event;

Result<std::string> websocket_accept(const Request& request) {
  const auto has = [&](std::string_view name, std::string_view token) {
    return list_contains(request.headers.find(name).value_or(""), token);
  };
  const std::string_view key = request.headers.find("Sec-WebSocket-Key").value_or("");
  const bool is_key = key.size() == 24 && key.ends_with("==") && key.find_first_of(" ,") == std::string_view::npos;
  if (request.method != Method::get || !has("Upgrade", "websocket") || !has("Connection", "upgrade") || !is_key) {
    return Error(Errc::invalid_request, "This address speaks WebSocket (RFC 6455); send the opening handshake.");
  }
  if (request.headers.find("Sec-WebSocket-Version") != "13")
    return Error(Errc::invalid_request, "The WebSocket version spoken here is 13.");
  return websocket_accept_key(key);
}

WebSocketConnection::WebSocketConnection(Channel& channel, InputBuffer& input, SteadyDuration stall)
    : channel_(channel), stall_(stall), pending_(input.view()) {
  input.consume(input.view().size());
  input.release();
}

// Feeds bytes to the reader; what it leaves stays pending.
Event WebSocketConnection::take(std::string_view bytes) {
  Event event = Event::none;
  const auto used = reader_.feed(bytes, event);
  pending_.assign(bytes.substr(used));
  return event;
}

Task<Event> WebSocketConnection::receive_more(SteadyTime deadline) {
  PooledBuffer buffer(channel_.loop().buffers);
  const auto room = buffer.span();
  const IoResult got = co_await channel_.read(room, deadline);
  co_return take({room.data(), got.bytes});
}

// The next message, pong or close; none when `deadline` passed or the connection is lost. Answers pings.
Task<Event> WebSocketConnection::next_event(SteadyTime deadline) {
  while (!channel_.is_broken()) {
    const auto until = std::min(deadline, close_deadline_);
    Event event = Event::none;
    if (!pending_.empty()) {
      event = take(std::exchange(pending_, {}));
    } else if (reader_.is_inside_message()) {
      event = co_await receive_more(until);
    } else {
      const IoResult got = co_await channel_.read(small_, until);
      event = take({small_.data(), got.bytes});
    }
    switch (event) {
      case Event::none:
        if (pending_.empty() && Clock::now() >= std::min(deadline, close_deadline_)) co_return Event::none;
        break;
      case Event::ping:
        // A peer that asks and does not read the answers gets only some of them.
        if (!close_sent_ && control_.size() < 512) append_frame(control_, Opcode::pong, reader_.control());
        flush();
        break;
      case Event::pong: break;
      case Event::message:
        if (!close_sent_) co_return event;
        reader_.take_message();  // sent before the peer saw our close frame
        break;
      case Event::close: {
        const auto code = reader_.close_code();
        begin_close(code == 1005 ? 1000 : code, "");
        co_return event;
      }
      case Event::failed: begin_close(reader_.failure(), ""); co_return event;
    }
  }
  co_return Event::none;
}

Task<Result<std::string>> WebSocketConnection::read(std::size_t limit, SteadyDuration timeout) {
  if (closed_) co_return Errc::gone;
  reader_.set_limit(limit);
  reading_ = true;
  const Event event = co_await next_event(Clock::now() + timeout);
  reading_ = false;
  if (event == Event::message) co_return reader_.take_message();
  if (event == Event::none && !channel_.is_broken() && !close_sent_)
    co_return Error(Errc::unavailable, "No message came in time.");
  closed_ = true;
  if (event != Event::failed) co_return Errc::gone;
  if (reader_.failure() == 1009)
    co_return Error(Errc::body_too_large, "A message may have " + std::to_string(limit) + " bytes at most.");
  co_return Error(Errc::invalid_request, "The peer broke the WebSocket protocol.");
}

bool WebSocketConnection::try_send(const SharedFrame& frame) {
  if (detached_ || close_sent_ || channel_.is_broken()) return true;  // read() tells; there is nothing to wait for
  if (has_output()) {
    refused_ = true;
    return false;
  }
  iovec piece{const_cast<char*>(frame->data()), frame->size()};
  std::span<iovec> left(&piece, 1);
  channel_.try_write(left);
  if (!left.empty() && !channel_.is_broken()) {
    frame_ = frame;
    frame_sent_ = frame->size() - piece.iov_len;
    refused_ = true;
    wait_for_room();
  }
  return true;
}

void WebSocketConnection::flush() {
  if (detached_ || flush_waits_) return;
  std::array<iovec, 2> pieces{};
  std::size_t count = 0;
  if (frame_) pieces[count++] = {const_cast<char*>(frame_->data()) + frame_sent_, frame_->size() - frame_sent_};
  if (!control_.empty()) pieces[count++] = {control_.data(), control_.size()};
  std::span<iovec> left(pieces.data(), count);
  std::size_t sent = channel_.try_write(left).bytes;
  if (channel_.is_broken()) return;
  if (frame_) {
    const std::size_t of_frame = std::min(sent, frame_->size() - frame_sent_);
    frame_sent_ += of_frame;
    sent -= of_frame;
    if (frame_sent_ == frame_->size()) frame_.reset();
  }
  control_.erase(0, sent);
  if (has_output()) {
    wait_for_room();
    return;
  }
  control_.shrink_to_fit();
  if (std::exchange(refused_, false) && on_writable_) on_writable_();
}

void WebSocketConnection::wait_for_room() {
  flush_waits_ = true;
  channel_.set_write_deadline(Clock::now() + stall_);
  channel_.stream().notify_writable([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || self->detached_) return;
    self->flush_waits_ = false;
    self->channel_.set_write_deadline(SteadyTime::max());
    if (self->channel_.is_broken()) return;
    // Cancelled with a read that ran into its deadline: the wait starts again.
    if (error) return self->wait_for_room();
    self->flush();
  });
}

void WebSocketConnection::begin_close(std::uint16_t code, std::string_view reason) {
  if (close_sent_ || detached_) return;
  close_sent_ = true;
  close_deadline_ = Clock::now() + std::chrono::seconds(2);
  append_close_frame(control_, code, reason);
  flush();
  if (reading_) channel_.interrupt_read();
}

Task<> WebSocketConnection::close(std::uint16_t code, std::string reason) {
  const auto self = shared_from_this();
  begin_close(code, reason);
  if (reading_) {
    // The reader sees the peer's answer; this coroutine only has to outlast it.
    while (!closed_ && Clock::now() < close_deadline_) co_await core::sleep_for(std::chrono::milliseconds(10));
    co_return;
  }
  if (!closed_ && !detached_) {
    reader_.set_limit(64U << 10);
    reading_ = true;
    co_await next_event(close_deadline_);
    reading_ = false;
    closed_ = true;
  }
  // The close frame may still be on its way behind a long one.
  while (!detached_ && has_output() && !channel_.is_broken() && Clock::now() < close_deadline_) {
    co_await core::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace clouddocs::net
