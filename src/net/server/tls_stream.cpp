// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/tls_stream.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace clouddocs::net {

namespace asio = core::asio;
using boost::system::error_code;
using core::Task;

namespace {

// The largest TLS record: one call of SSL_write makes one.
constexpr std::size_t record_size = 16U << 10;

std::string last_reason() {
  char text[200];
  ::ERR_error_string_n(::ERR_get_error(), text, sizeof text);
  return text;
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  static constexpr unsigned char http11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = ::SSL_select_next_proto(&chosen, out_length, http11, sizeof http11 - 1, in, in_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::shared_ptr<SSL_CTX> load(const std::string& certificate, const std::string& key) {
  std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free);
  if (!context) throw std::runtime_error("OpenSSL: " + last_reason());
  SSL_CTX* tls = context.get();
  ::SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
  ::SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Partial writes and moving buffers: what is left is sent later from wherever it lies then. Released buffers: an idle connection holds none.
  ::SSL_CTX_set_mode(tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One recv(2) for several records instead of two for each.
  ::SSL_CTX_set_read_ahead(tls, 1);
  ::SSL_CTX_set_default_read_buffer_len(tls, 64U << 10);
  ::SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);  // tickets alone
  ::SSL_CTX_set_num_tickets(tls, 1);
  ::SSL_CTX_set_alpn_select_cb(tls, &select_protocol, nullptr);
  if (::SSL_CTX_use_certificate_chain_file(tls, certificate.c_str()) != 1) {
    throw std::runtime_error("TLS certificate " + certificate + ": " + last_reason());
  }
  if (::SSL_CTX_use_PrivateKey_file(tls, key.c_str(), SSL_FILETYPE_PEM) != 1 || ::SSL_CTX_check_private_key(tls) != 1) {
    throw std::runtime_error("TLS key " + key + ": " + last_reason());
  }
  return context;
}

}  // namespace

TlsContext::TlsContext(std::string certificate, std::string key)
    : certificate_(std::move(certificate)), key_(std::move(key)), context_(load(certificate_, key_)) {}

void TlsContext::reload() {
  auto fresh = load(certificate_, key_);
  const std::lock_guard lock(mutex_);
  context_ = std::move(fresh);
}

std::shared_ptr<SSL_CTX> TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

TlsStream::TlsStream(TcpSocket socket, std::shared_ptr<SSL_CTX> context)
    : Stream(std::move(socket)), context_(std::move(context)), ssl_(::SSL_new(context_.get())) {
  if (!ssl_ || ::SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) throw std::bad_alloc();
}

Task<error_code> TlsStream::wait_for(int reason) {
  if (reason == SSL_ERROR_WANT_READ) co_return co_await wait_readable();
  if (reason == SSL_ERROR_WANT_WRITE) co_return co_await wait_writable();
  failed_ = true;
  co_return reason == SSL_ERROR_ZERO_RETURN ? error_code(asio::error::eof) : error_code(asio::error::connection_reset);
}

Task<error_code> TlsStream::handshake() {
  while (true) {
    ::ERR_clear_error();
    const int done = ::SSL_accept(ssl_.get());
    if (done == 1) co_return error_code();
    if (const auto error = co_await wait_for(::SSL_get_error(ssl_.get(), done))) co_return error;
  }
}

Task<IoResult> TlsStream::read(std::span<char> into) {
  std::size_t total = 0;
  while (true) {
    std::size_t got = 0;
    ::ERR_clear_error();
    const int done = ::SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &got);
    total += got;
    if (total == into.size()) co_return IoResult{total, {}};
    if (done == 1) continue;
    const int reason = ::SSL_get_error(ssl_.get(), done);
    if (total > 0) co_return IoResult{total, {}};  // the reason comes again with the next call
    if (reason == SSL_ERROR_ZERO_RETURN) co_return IoResult{0, asio::error::eof};
    if (const auto error = co_await wait_for(reason)) co_return IoResult{0, error};
  }
}

IoResult TlsStream::write_once(const void* bytes, std::size_t count) {
  std::size_t written = 0;
  ::ERR_clear_error();
  const int done = ::SSL_write_ex(ssl_.get(), bytes, count, &written);
  if (done == 1) return {written, {}};
  const int reason = ::SSL_get_error(ssl_.get(), done);
  if (reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ) return {0, asio::error::would_block};
  failed_ = true;
  return {0, asio::error::connection_reset};
}

IoResult TlsStream::try_write(std::span<const iovec> pieces, bool /*more*/) {
  IoResult total;
  std::size_t offset = 0;  // into the first piece
  while (!pieces.empty()) {
    const iovec& first = pieces.front();
    IoResult result;
    if (first.iov_len - offset >= record_size || pieces.size() == 1) {
      result =
          write_once(static_cast<const char*>(first.iov_base) + offset, std::min(first.iov_len - offset, record_size));
    } else {
      // Small pieces (a head, its body) share a record. The same bytes come together again after would_block, as OpenSSL demands.
      std::array<char, record_size> joined;
      std::size_t length = 0;
      std::size_t skip = offset;
      for (const iovec& piece : pieces) {
        const std::size_t taken = std::min(piece.iov_len - skip, record_size - length);
        if (taken > 0) std::memcpy(joined.data() + length, static_cast<const char*>(piece.iov_base) + skip, taken);
        length += taken;
        skip = 0;
        if (length == record_size) break;
      }
      result = write_once(joined.data(), length);
    }
    total.bytes += result.bytes;
    if (result.error) {
      // Bytes that went out count first; the error comes again with the next call.
      if (total.bytes == 0 || !result.would_block()) total.error = result.error;
      return total;
    }
    offset += result.bytes;
    while (!pieces.empty() && offset >= pieces.front().iov_len) {
      offset -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
  }
  return total;
}

void TlsStream::shutdown_send() {
  if (!failed_ && ::SSL_is_init_finished(ssl_.get()) != 0) {
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());  // close_notify; the peer's is not waited for
  }
  failed_ = true;
  Stream::shutdown_send();
}

void TlsStream::close() {
  if (!failed_) shutdown_send();
  Stream::close();
}

}  // namespace clouddocs::net
