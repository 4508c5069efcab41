// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <sys/uio.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <span>

#include "core/task.hpp"

namespace clouddocs::net {

using Tcp = core::asio::ip::tcp;
using TcpSocket = core::asio::basic_stream_socket<Tcp, core::asio::io_context::executor_type>;

// What one attempt to move bytes came to. `error` is would_block when the socket has no room (or no bytes) now.
struct IoResult {
  std::size_t bytes = 0;
  boost::system::error_code error;
  bool would_block() const { return error == core::asio::error::would_block; }
};

// A connected byte stream: plain TCP here, TLS in TlsStream. Used on one event loop.
class Stream {
 public:
  explicit Stream(TcpSocket socket);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  virtual core::Task<boost::system::error_code> handshake();
  // Waits until at least one byte has come; eof at the peer's orderly end.
  virtual core::Task<IoResult> read(std::span<char> into);
  // Writes what fits now, never waits. `more`: another piece follows at once. After would_block the next attempt must begin with the
  // same bytes.
  virtual IoResult try_write(std::span<const iovec> pieces, bool more);
  // Tells the peer that no more bytes come.
  virtual void shutdown_send();
  virtual bool is_secure() const { return false; }

  // sendfile(2): only where !is_secure().
  IoResult try_send_file(int fd, std::uint64_t offset, std::size_t length);
  // Reads and drops what the kernel holds, below TLS; eof or an error at the end.
  core::Task<IoResult> discard(std::span<char> scratch);
  core::Task<boost::system::error_code> wait_writable();
  void notify_writable(std::function<void(boost::system::error_code)> callback);
  // Ends the waits in progress with operation_aborted.
  void cancel();
  virtual void close();

 protected:
  core::Task<boost::system::error_code> wait_readable();
  TcpSocket socket_;
};

}  // namespace clouddocs::net
