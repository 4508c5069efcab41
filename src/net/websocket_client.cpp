// SPDX-License-Identifier: AGPL-3.0-or-later
#include <curl/curl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <mutex>

#include "core/encoding.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "net/ascii.hpp"
#include "net/http_client.hpp"
#include "net/server/websocket_frame.hpp"

namespace clouddocs::net {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t message_limit = 16U << 20;
constexpr Milliseconds send_limit{30'000};

struct CloseHandle {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct CloseUrl {
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
};

// The parts of a ws(s):// address; libcurl connects to its http(s):// twin.
struct Address {
  std::string http_url;
  std::string host;  // as the Host field has it
  std::string target;
};

Address parse_address(const std::string& url) {
  Address address;
  if (url.starts_with("ws://") || url.starts_with("wss://")) {
    address.http_url = "http" + url.substr(2);
  } else {
    throw NetworkError("not a ws:// or wss:// address: " + url);
  }
  const std::unique_ptr<CURLU, CloseUrl> parsed(::curl_url());
  if (::curl_url_set(parsed.get(), CURLUPART_URL, address.http_url.c_str(), 0) != CURLUE_OK)
    throw NetworkError("malformed address: " + url);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string copy;
    if (::curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK) copy = text;
    ::curl_free(text);
    return copy;
  };
  const std::string port = part(CURLUPART_PORT);
  const std::string query = part(CURLUPART_QUERY);
  address.host = part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
  address.target = part(CURLUPART_PATH) + (query.empty() ? "" : "?" + query);
  return address;
}

}  // namespace

// libcurl connects (proxy, TLS, verification as everywhere else) and moves the bytes; framing is MessageReader's.
struct WebSocketClient::State {
  std::unique_ptr<CURL, CloseHandle> handle;
  curl_socket_t socket = CURL_SOCKET_BAD;
  int wake = -1;             // readable once close() has been called
  std::mutex handle_mutex;   // around each call of libcurl: a handle is not thread-safe
  std::mutex send_mutex;     // around each frame
  std::atomic<bool> closing = false;
  // The reader's alone:
  MessageReader reader{false};
  std::string pending;
  std::string ended;  // why, once it has

  ~State() {
    if (wake >= 0) ::close(wake);
  }

  void connect(const Address& address, Milliseconds timeout, const std::string& ca_file) {
    handle.reset(::curl_easy_init());
    wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!handle || wake < 0) throw NetworkError("no resources for a connection");
    char reason[CURL_ERROR_SIZE] = "";
    const auto set = [&](auto option, auto value) { ::curl_easy_setopt(handle.get(), option, value); };
    set(CURLOPT_URL, address.http_url.c_str());
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_HTTPPROXYTUNNEL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
    set(CURLOPT_ERRORBUFFER, reason);
    if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
    const CURLcode outcome = ::curl_easy_perform(handle.get());
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    if (outcome != CURLE_OK) throw NetworkError(reason[0] != '\0' ? reason : ::curl_easy_strerror(outcome));
    ::curl_easy_getinfo(handle.get(), CURLINFO_ACTIVESOCKET, &socket);
  }

  // False when `deadline` passed first, or close() was called.
  bool wait(short events, Clock::time_point deadline) const {
    std::array<pollfd, 2> watched{pollfd{socket, events, 0}, pollfd{wake, POLLIN, 0}};
    const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    // Only the reader is woken: a close frame still has to get out.
    const int ready = ::poll(watched.data(), events == POLLIN ? 2 : 1, static_cast<int>(left.count()));
    return ready > 0 && watched[1].revents == 0;
  }

  void send_bytes(std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
      std::size_t sent = 0;
      CURLcode outcome = CURLE_OK;
      {
        const std::lock_guard lock(handle_mutex);
        outcome = ::curl_easy_send(handle.get(), bytes.data(), bytes.size(), &sent);
      }
      bytes.remove_prefix(sent);
      if (outcome == CURLE_AGAIN) {
        if (!wait(POLLOUT, deadline)) throw NetworkError("the peer does not read");
      } else if (outcome != CURLE_OK) {
        throw NetworkError(::curl_easy_strerror(outcome));
      }
    }
  }

  void send_frame(Opcode opcode, std::string_view payload) {
    FrameMask mask;
    core::system_random().fill(std::as_writable_bytes(std::span(mask)));
    std::string frame;
    append_frame(frame, opcode, payload, &mask);
    const std::lock_guard lock(send_mutex);
    send_bytes(frame, Clock::now() + send_limit);
  }

  // Appends to `pending`. False when `deadline` passed; throws at the end of the connection.
  bool receive(Clock::time_point deadline) {
    char bytes[16384];
    while (true) {
      std::size_t got = 0;
      CURLcode outcome = CURLE_OK;
      {
        const std::lock_guard lock(handle_mutex);
        outcome = ::curl_easy_recv(handle.get(), bytes, sizeof bytes, &got);
      }
      if (outcome == CURLE_OK && got > 0) {
        pending.append(bytes, got);
        return true;
      }
      if (outcome != CURLE_AGAIN)
        throw NetworkError(outcome == CURLE_OK ? "the server closed the connection" : ::curl_easy_strerror(outcome));
      if (!wait(POLLIN, deadline)) return false;
    }
  }

  void upgrade(const Address& address, const std::vector<std::pair<std::string, std::string>>& headers,
               Clock::time_point deadline) {
    std::array<std::byte, 16> nonce;
    core::system_random().fill(nonce);
    const std::string key = core::to_base64(nonce);
    std::string request =
        "GET " + address.target + " HTTP/1.1\r\nHost: " + address.host +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
        "\r\n";
    for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
    send_bytes(request + "\r\n", deadline);
    std::size_t end = 0;
    while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
      if (pending.size() > (64U << 10)) throw NetworkError("the server's answer is no HTTP");
      if (!receive(deadline)) throw NetworkError("the server did not answer the WebSocket handshake in time");
    }
    const std::string head = pending.substr(0, end + 2);
    pending.erase(0, end + 4);
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 14) throw NetworkError("the server's answer is no HTTP");
    if (head.substr(9, 3) != "101") throw NetworkError("the server refused the WebSocket: HTTP " + head.substr(9, 3));
    if (!has_field(head, "sec-websocket-accept", websocket_accept_key(key)))
      throw NetworkError("the server's WebSocket handshake is wrong");
  }

  static bool has_field(std::string_view head, std::string_view name, std::string_view value) {
    while (!head.empty()) {
      const auto end = head.find("\r\n");
      const std::string_view line = head.substr(0, end);
      head.remove_prefix(end + 2);
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), name)) continue;
      return trim(line.substr(colon + 1)) == value;
    }
    return false;
  }

  // The next message; nullopt at `deadline`. Throws NetworkError at the end.
  std::optional<std::string> read(Clock::time_point deadline) {
    while (true) {
      if (closing) throw NetworkError("closed");
      auto event = MessageReader::Event::none;
      pending.erase(0, reader.feed(pending, event));
      switch (event) {
        case MessageReader::Event::message: return reader.take_message();
        case MessageReader::Event::ping: send_frame(Opcode::pong, reader.control()); break;
        case MessageReader::Event::pong: break;
        case MessageReader::Event::close: {
          const auto code = reader.close_code();
          send_frame(Opcode::close, reader.control().substr(0, 2));
          throw NetworkError("the server closed the WebSocket with code " + std::to_string(code));
        }
        case MessageReader::Event::failed: throw NetworkError("the server broke the WebSocket protocol");
        case MessageReader::Event::none:
          if (!receive(deadline) && !closing) return std::nullopt;
      }
    }
  }
};

WebSocketClient::WebSocketClient(const std::string& url,
                                 const std::vector<std::pair<std::string, std::string>>& headers,
                                 Milliseconds connect_timeout, const std::string& ca_file)
    : state_(std::make_unique<State>()) {
  const auto deadline = Clock::now() + connect_timeout;
  const Address address = parse_address(url);
  state_->reader.set_limit(message_limit);
  state_->connect(address, connect_timeout, ca_file);
  state_->upgrade(address, headers, std::max(deadline, Clock::now() + Milliseconds(100)));
}

WebSocketClient::~WebSocketClient() = default;

std::optional<std::string> WebSocketClient::read(Milliseconds timeout) {
  if (!state_->ended.empty()) throw NetworkError(state_->ended);
  try {
    return state_->read(Clock::now() + timeout);
  } catch (const NetworkError& e) {
    state_->ended = e.what();
    throw;
  }
}

void WebSocketClient::send(std::string text) {
  if (state_->closing) throw NetworkError("closed");
  state_->send_frame(Opcode::text, text);
}

void WebSocketClient::close() {
  if (state_->closing.exchange(true)) return;
  try {
    state_->send_frame(Opcode::close, std::string_view("\x03\xe8", 2));
  } catch (const NetworkError& error) {
    core::log_debug("websocket_close_unsent", {{"error", std::string(error.what())}});
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(state_->wake, &one, sizeof one);
}

}  // namespace clouddocs::net
