// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/push_api.hpp"

#include "features/access/fields.hpp"
#include "features/storage/space_store.hpp"

namespace clouddocs::sync {
namespace {

using core::Errc;
using core::Error;
using core::Result;
using core::Task;
using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto auth_timeout = 10s;
constexpr auto ping_timeout = 75s;
constexpr std::size_t max_message = 64U << 10;

constexpr std::uint16_t close_unauthorized = 4401;
constexpr std::uint16_t close_ping_timeout = 4408;

net::SharedFrame bye(std::string_view code, std::string_view detail) {
  return net::make_text_frame(json::serialize(json::object{{"type", "bye"}, {"code", code}, {"detail", detail}}));
}

std::optional<json::object> parse_message(const std::string& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string type_of(const json::object& message) {
  const auto type = access::Fields(message).optional_text("type");
  return type.has_value() ? type.value().value_or("") : "";
}

}  // namespace

void PushApi::mount(net::Router& router) {
  router.add(net::Method::get, "/api/sync/ws", [this](net::Request& request) -> Task<Result<net::Response>> {
    Authentication authentication;
    if (request.session) {  // a token came in the header: then it must be valid
      CO_TRY(authentication, access::require(request));
    }
    net::Response response;
    response.status = 101;
    response.body = net::WebSocketSession(
        [this, authentication](net::WebSocket& socket) -> Task<> { return run(socket, authentication); });
    co_return response;
  });
}

Task<Result<PushApi::Authentication>> PushApi::authenticate(net::WebSocket& socket) {
  CO_TRY(const std::string text, co_await socket.read(max_message, auth_timeout));
  const auto message = parse_message(text);
  if (!message || type_of(*message) != "auth") {
    co_return Error(Errc::unauthorized, "The first frame must be {\"type\":\"auth\",\"token\":...}.");
  }
  CO_TRY(std::string token, access::Fields(*message).text("token"));
  co_return co_await auth_.authenticate(std::move(token));
}

Task<Result<std::string>> PushApi::hello(UserId user) {
  auto body = [&](database::Transaction& tx) -> Task<Result<std::vector<storage::Space>>> {
    co_return co_await storage::SpaceStore::list_of(tx, user);
  };
  CO_TRY(const std::vector<storage::Space> spaces, co_await database::read(db_, body));
  json::array heads;
  for (const auto& space : spaces) {
    heads.push_back(json::object{{"space", core::to_text(space.id)},
                                 {"cursor", to_text(storage::Cursor{space.id, space.epoch, space.seq})}});
  }
  co_return json::serialize(json::object{{"type", "hello"}, {"spaces", std::move(heads)}});
}

Task<> PushApi::run(net::WebSocket& socket, Authentication authentication) {
  if (!authentication) {
    auto outcome = co_await authenticate(socket);
    if (outcome.has_error()) {
      socket.try_send(bye(core::to_code(outcome.error().code), outcome.error().detail));
      co_await socket.close(close_unauthorized, "unauthorized");
      co_return;
    }
    authentication = std::move(outcome).value();
  }
  const auto& caller = authentication->caller;
  auto subscriber = std::make_shared<Subscriber>(socket, caller.user, caller.session);
  socket.on_writable([weak = std::weak_ptr(subscriber)] {
    if (const auto alive = weak.lock()) alive->flush();
  });
  // First subscribed, then told the heads: no commit falls between.
  hub_.add(subscriber);
  std::exception_ptr thrown;
  try {
    if (authentication->revoked && authentication->revoked->load()) {
      subscriber->close(close_unauthorized, "revoked", "This session has ended. Sign in again.");
    } else {
      const auto heads = co_await hello(caller.user);
      if (heads.has_value()) socket.try_send(net::make_text_frame(heads.value()));
    }
    co_await serve(socket, *subscriber);
  } catch (...) {
    thrown = std::current_exception();
  }
  hub_.remove(subscriber);
  while (subscriber->is_closing()) co_await core::sleep_for(10ms);
  subscriber->detach();
  if (thrown) std::rethrow_exception(thrown);
}

Task<> PushApi::serve(net::WebSocket& socket, Subscriber& subscriber) {
  const auto pong = net::make_text_frame("{\"type\":\"pong\"}");
  for (;;) {
    const auto text = co_await socket.read(max_message, ping_timeout);
    if (text.has_error()) {
      if (text.error().code == Errc::unavailable) {
        subscriber.close(close_ping_timeout, "ping_timeout", "No ping came for 75 seconds.");
      }
      co_return;
    }
    const auto message = parse_message(text.value());
    if (!message) continue;
    if (type_of(*message) == "ping") {
      take_ping(subscriber.session(), *message);
      socket.try_send(pong);
    }
  }
}

void PushApi::take_ping(SessionId session, const json::object& ping) {
  std::map<SpaceId, std::int64_t> applied;
  if (const auto* cursors = ping.if_contains("cursors"); cursors != nullptr && cursors->is_object()) {
    for (const auto& [space, value] : cursors->get_object()) {
      if (!value.is_string()) continue;
      const auto cursor = storage::parse_cursor(std::string_view(value.get_string().data(), value.get_string().size()));
      if (cursor && core::to_text(cursor->space) == std::string_view(space)) applied[cursor->space] = cursor->seq;
    }
  }
  hub_.report_applied(session, applied);
}

}  // namespace clouddocs::sync
