// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>

#include "net/server/stream.hpp"

namespace clouddocs::net {

// Certificate, key and settings of the server's TLS: version 1.3 only, ALPN http/1.1. Thread-safe.
class TlsContext {
 public:
  // PEM files: the chain and its key. Throws std::runtime_error that names the file at fault.
  TlsContext(std::string certificate, std::string key);
  // Reads the files again; connections made from now on use them. Throws as the constructor, and keeps what it has.
  void reload();
  std::shared_ptr<SSL_CTX> current() const;

 private:
  std::string certificate_;
  std::string key_;
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
};

// TLS over a socket, OpenSSL working on the descriptor itself: no second buffer between them, and none at all while idle.
class TlsStream : public Stream {
 public:
  TlsStream(TcpSocket socket, std::shared_ptr<SSL_CTX> context);

  core::Task<boost::system::error_code> handshake() override;
  core::Task<IoResult> read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> pieces, bool more) override;
  void shutdown_send() override;
  void close() override;
  bool is_secure() const override { return true; }

 private:
  core::Task<boost::system::error_code> wait_for(int reason);
  IoResult write_once(const void* bytes, std::size_t count);

  struct Free {
    void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  };
  std::shared_ptr<SSL_CTX> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool failed_ = false;  // nothing may be sent any more, not even close_notify
};

}  // namespace clouddocs::net
