// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/connection.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include "core/log.hpp"
#include "net/ascii.hpp"
#include "net/server/request_body.hpp"
#include "net/server/response_writer.hpp"
#include "net/server/websocket_connection.hpp"

namespace clouddocs::net {

namespace asio = core::asio;
using core::Errc;
using core::Error;
using core::Task;
using Clock = std::chrono::steady_clock;

// One request and what its answer needs to know.
struct Connection::Exchange {
  Request request;
  Framing framing;
  SteadyTime started;
  std::uint64_t bytes_in_before = 0;
  std::uint64_t bytes_out_before = 0;
  std::optional<RequestBody> body;
};

Connection::Connection(ServerEnvironment& environment, EventLoop& loop, std::unique_ptr<Stream> stream,
                       std::string peer)
    : environment_(environment), channel_(loop, std::move(stream)), peer_(std::move(peer)) {
  loop.add(*this);
  environment_.connections.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  channel_.loop().remove(*this);
  environment_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::start() {
  auto done = [self = shared_from_this()](const std::exception_ptr& error) {
    self->channel_.close();
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
      if (e.code() != asio::error::operation_aborted) core::log_error("connection_failed", {{"error", e.what()}});
    } catch (const std::exception& e) {
      core::log_error("connection_failed", {{"error", e.what()}});
    }
  };
  asio::co_spawn(channel_.loop().context, run(), asio::bind_cancellation_slot(cancellation_.slot(), std::move(done)));
}

void Connection::drain() {
  draining_ = true;
  if (websocket_) {
    websocket_->begin_close(1001, "server is going away");
  } else if (waiting_) {
    channel_.interrupt_read();
  }
}

void Connection::cut() {
  channel_.cut();
  cancellation_.emit(asio::cancellation_type::terminal);
}

Task<> Connection::run() {
  draining_ = environment_.draining.load(std::memory_order_relaxed);
  if (!co_await channel_.handshake(environment_.config.header_timeout)) co_return;
  while (co_await serve_one()) {
  }
  if (session_) co_await run_websocket();
}

Task<bool> Connection::serve_one() {
  Exchange exchange;
  exchange.bytes_in_before = channel_.bytes_in() - input_.view().size();
  exchange.bytes_out_before = channel_.bytes_out();
  if (!co_await read_head(exchange)) co_return false;
  exchange.started = Clock::now();
  identify(exchange.request);
  exchange.body.emplace(channel_, input_, exchange.framing, environment_.config.stall_timeout);
  exchange.request.body = &*exchange.body;
  Response response = co_await environment_.router.dispatch(exchange.request);
  co_return co_await respond(exchange, std::move(response));
}

// False when the connection is to end; what had to be said to the peer has been said.
Task<bool> Connection::read_head(Exchange& exchange) {
  const ServerConfig& config = environment_.config;
  HeadScanner scanner;
  // A new connection owes its first request at once; a kept one may idle.
  SteadyTime deadline = Clock::now() + (channel_.bytes_in() == 0 ? config.header_timeout : config.idle_timeout);
  bool started = false;
  int empty_lines = 0;
  input_.shrink();
  while (true) {
    std::optional<std::size_t> length;
    if (!input_.is_empty()) {
      if (!started && channel_.bytes_in() > 0) deadline = Clock::now() + config.header_timeout;
      started = true;
      length = scanner.scan(input_.view());
    }
    if (length == 2 && ++empty_lines <= 4) {  // an empty line before a request is ignored (RFC 9112, 2.2)
      input_.consume(2);
      scanner = {};
      continue;
    }
    if (scanner.refused()) co_return co_await refuse(exchange, *scanner.refused());
    if (length.value_or(input_.view().size()) > config.header_limit) {
      co_return co_await refuse(exchange,
                                {431, "headers_too_large", "The request's header fields are over the limit."});
    }
    if (length) {
      const auto refusal = parse_head(input_.view().substr(0, *length), exchange.request, exchange.framing);
      if (refusal) co_return co_await refuse(exchange, *refusal);
      input_.consume(*length);
      co_return true;
    }
    if (draining_ && !started) co_return false;
    waiting_ = !started;
    const auto room = input_.room();
    const IoResult got = co_await channel_.read(room, deadline);
    waiting_ = false;
    input_.commit(got.bytes);
    if (got.error == asio::error::timed_out && started) {
      co_return co_await refuse(exchange, {408, "request_timeout", "The request did not arrive in time."});
    }
    if (got.error) co_return false;
  }
}

void Connection::identify(Request& request) {
  request.peer = peer_;
  request.secure = channel_.stream().is_secure();
  std::string forwarded_for;
  std::string_view forwarded_proto;
  std::string_view id;
  for (const auto& [name, value] : request.headers.fields()) {
    if (name.size() < 12 || to_lower(name[0]) != 'x') continue;
    if (equal_ignoring_case(name, "X-Request-Id")) {
      id = value;
    } else if (equal_ignoring_case(name, "X-Forwarded-For")) {
      forwarded_for += forwarded_for.empty() ? value : ", " + value;
    } else if (equal_ignoring_case(name, "X-Forwarded-Proto")) {
      forwarded_proto = value;
    }
  }
  if (environment_.proxies.contains(peer_)) {
    request.peer = environment_.proxies.client_address(peer_, forwarded_for);
    request.secure = request.secure || equal_ignoring_case(forwarded_proto, "https");
  }
  const auto is_sane = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '_' || c == '.';
  };
  const bool usable = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), is_sane);
  request.id = usable ? std::string(id) : channel_.loop().make_request_id();
}

Task<bool> Connection::respond(Exchange& exchange, Response response) {
  if (std::holds_alternative<WebSocketSession>(response.body)) co_return co_await upgrade(exchange, response);
  ResponseFrame frame;
  frame.request_id = exchange.request.id;
  frame.default_headers = &environment_.config.default_headers;
  frame.head_only = exchange.request.method == Method::head;
  frame.is_http10 = exchange.framing.is_http10;
  frame.keep_alive = exchange.framing.keep_alive && exchange.body->can_finish() && !draining_;
  frame.stall = environment_.config.stall_timeout;
  bool complete = false;
  try {
    complete = co_await write_response(channel_, response, frame);
  } catch (const std::exception& e) {
    core::log_error("response_cut",
                    {{"request_id", exchange.request.id}, {"route", exchange.request.route}, {"error", e.what()}});
  }
  observe(exchange, response.status);
  if (!complete) co_return false;
  if (frame.keep_alive) co_return co_await exchange.body->finish();
  // Closing with bytes unread would reset the connection and may take the answer with it.
  if (!exchange.body->is_finished() || !input_.is_empty()) co_await channel_.linger(std::chrono::seconds(2));
  co_return false;
}

Task<bool> Connection::refuse(Exchange& exchange, const Refusal& refusal) {
  exchange.started = Clock::now();
  exchange.request.id = channel_.loop().make_request_id();
  exchange.request.peer = peer_;
  Response response = protocol_problem(refusal.status, refusal.code, refusal.detail, exchange.request.id);
  ResponseFrame frame;
  frame.request_id = exchange.request.id;
  frame.default_headers = &environment_.config.default_headers;
  frame.keep_alive = false;
  frame.stall = environment_.config.stall_timeout;
  if (co_await write_response(channel_, response, frame)) co_await channel_.linger(std::chrono::seconds(2));
  observe(exchange, refusal.status);
  co_return false;
}

void Connection::observe(const Exchange& exchange, int status) {
  if (!environment_.observer) return;
  const std::uint64_t unread = input_.view().size();
  environment_.observer({exchange.request, exchange.request.route, status,
                         channel_.bytes_in() - unread - exchange.bytes_in_before,
                         channel_.bytes_out() - exchange.bytes_out_before, Clock::now() - exchange.started});
}

// Answers the opening handshake (RFC 6455, 4.2). False: the caller's loop over requests ends, run_websocket() follows when session_ is set.
Task<bool> Connection::upgrade(Exchange& exchange, Response& response) {
  auto accept = websocket_accept(exchange.request);
  // A body would be taken for frames.
  if (!exchange.body->is_finished()) accept = Error(Errc::invalid_request, "The opening handshake has no body.");
  if (accept.has_error()) {
    Response refusal = protocol_problem(426, "upgrade_required", accept.error().detail, exchange.request.id);
    refusal.headers.add("Upgrade", "websocket");
    refusal.headers.add("Sec-WebSocket-Version", "13");
    co_return co_await respond(exchange, std::move(refusal));
  }
  ResponseFrame frame;
  frame.request_id = exchange.request.id;
  frame.default_headers = &environment_.config.default_headers;
  std::string head;
  response.status = 101;
  append_head(head, response, frame, channel_.loop().date());
  head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept.value() + "\r\n\r\n";
  const bool written = co_await channel_.write(head, environment_.config.stall_timeout);
  observe(exchange, 101);
  if (written) session_ = std::move(std::get<WebSocketSession>(response.body));
  co_return false;
}

Task<> Connection::run_websocket() {
  websocket_ = std::make_shared<WebSocketConnection>(channel_, input_, environment_.config.stall_timeout);
  if (draining_) websocket_->begin_close(1001, "server is going away");
  std::uint16_t code = 1000;
  try {
    co_await session_(*websocket_);
  } catch (const std::exception& e) {
    if (!channel_.is_broken()) core::log_error("websocket_session_failed", {{"error", e.what()}});
    code = 1011;
  }
  if (!channel_.is_broken()) co_await websocket_->close(code, "");
  websocket_->detach();
}

}  // namespace clouddocs::net
