// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/stream.hpp"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>

namespace clouddocs::net {

namespace asio = core::asio;
using boost::system::error_code;
using core::Task;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

IoResult from_errno() {
  // EAGAIN and EINTR alike: try again when the socket is ready.
  if (errno == EAGAIN || errno == EINTR) return {0, asio::error::would_block};
  return {0, error_code(errno, boost::system::system_category())};
}

}  // namespace

Stream::Stream(TcpSocket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
}
Stream::~Stream() = default;

Task<error_code> Stream::handshake() { co_return error_code(); }

Task<IoResult> Stream::read(std::span<char> into) {
  const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), as_result);
  co_return IoResult{bytes, error};
}

IoResult Stream::try_write(std::span<const iovec> pieces, bool more) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg(2) only reads it
  message.msg_iovlen = pieces.size();
  const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
  if (sent < 0) return from_errno();
  return {static_cast<std::size_t>(sent), {}};
}

IoResult Stream::try_send_file(int fd, std::uint64_t offset, std::size_t length) {
  auto position = static_cast<off_t>(offset);
  const auto sent = ::sendfile(socket_.native_handle(), fd, &position, length);
  if (sent < 0) return from_errno();
  if (sent == 0) return {0, asio::error::eof};  // the file is shorter than the region
  return {static_cast<std::size_t>(sent), {}};
}

void Stream::shutdown_send() {
  error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

Task<IoResult> Stream::discard(std::span<char> scratch) {
  const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(scratch.data(), scratch.size()), as_result);
  co_return IoResult{bytes, error};
}

Task<error_code> Stream::wait_writable() {
  const auto [error] = co_await socket_.async_wait(Tcp::socket::wait_write, as_result);
  co_return error;
}

Task<error_code> Stream::wait_readable() {
  const auto [error] = co_await socket_.async_wait(Tcp::socket::wait_read, as_result);
  co_return error;
}

void Stream::notify_writable(std::function<void(error_code)> callback) {
  socket_.async_wait(Tcp::socket::wait_write, std::move(callback));
}

void Stream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace clouddocs::net
