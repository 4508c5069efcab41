// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/http_surface.hpp"

#include "app/openapi.hpp"

namespace clouddocs::app {

namespace json = boost::json;
using core::Result;

HttpSurface::HttpSurface(World& world, HistoryGuard& history)
    : world_(world),
      commits_(metrics_.counter("clouddocs_commits_total", "Commits that changed a space")),
      changed_nodes_(metrics_.counter("clouddocs_changed_nodes_total", "Files and folders that commits changed")),
      sockets_(metrics_.gauge("clouddocs_push_sockets", "Connected WebSockets")),
      limiter_(*world.cache, world.config().rate_limits),
      hub_(*world.bus, world.clock),
      auth_api_(world.auth, world.sessions, world.tokens, limiter_, world.clock),
      storage_api_(world.storage, world.listings, world.reader, world.tickets, world.clock),
      sync_api_(world.storage, world.reader, world.auth, hub_, reports_),
      push_api_(hub_, auth_api_, *world.database) {
  auth_api_.mount(router_);
  storage_api_.mount(router_);
  sync_api_.mount(router_);
  push_api_.mount(router_);
  mount_operations();
  router_.set_fallback([this](net::Request& request) -> Reply { co_return web_app_.serve(request); });
  router_.set_decorator([this](const net::Request& request, net::Response& response) { add_cors(request, response); });
  world_.door.set_listener([this, &history](const storage::CommitNotice& notice) {
    history.add(notice);
    commits_.add();
    changed_nodes_.add(static_cast<double>(notice.changed.size()));
    hub_.publish(notice);
  });
  metrics_.on_collect([this] { sockets_.set(static_cast<double>(hub_.size())); });
  world_.sessions.add_listener([this](core::SessionId session) { hub_.end_session(session); });
}

void HttpSurface::mount_operations() {
  const net::Router::RouteOptions exempt{.rate_limited = false};
  router_.add(
      net::Method::get, "/healthz",
      [](net::Request&) -> Reply { co_return net::Response::json(json::object{{"status", "ok"}}); }, exempt);
  router_.add(net::Method::get, "/readyz", [this](net::Request&) { return ready(); }, exempt);
  router_.add(
      net::Method::get, "/metrics",
      [this](net::Request&) -> Reply {
        co_return net::Response::text(metrics_.serialise(), "text/plain; version=0.0.4; charset=utf-8");
      },
      exempt);
  router_.add(
      net::Method::get, "/api/openapi.yaml",
      [](net::Request&) -> Reply {
        co_return net::Response::text(std::string(openapi_document()), "application/yaml");
      },
      exempt);
  router_.add(
      net::Method::get, "/api/config",
      [this](net::Request&) -> Reply {
        co_return net::Response::json(
            json::object{{"registration_open", world_.config().registration_open}, {"version", CLOUDDOCS_VERSION}});
      },
      exempt);
}

HttpSurface::Reply HttpSurface::ready() {
  json::object checks;
  bool good = !draining_;
  if (draining_) checks["server"] = "draining";
  try {
    auto body = [&](database::Transaction& tx) -> core::Task<Result<>> {
      static constexpr database::Statement probe{"probe", "SELECT 1"};
      co_await tx.execute(probe);
      co_return Result<>();
    };
    auto outcome = co_await database::read(*world_.database, body);
    checks["database"] = outcome.has_value() ? "ok" : "unavailable";
  } catch (const std::exception&) {
    checks["database"] = "unavailable";
    good = false;
  }
  co_return net::Response::json(json::object{{"status", good ? "ok" : "unavailable"}, {"checks", std::move(checks)}},
                                good ? 200 : 503);
}

void HttpSurface::add_cors(const net::Request& request, net::Response& response) const {
  const auto& allowed = world_.config().cors_origins;
  const auto origin = request.headers.find("Origin");
  if (!origin || std::find(allowed.begin(), allowed.end(), *origin) == allowed.end()) return;
  response.headers.set("Access-Control-Allow-Origin", *origin);
  response.headers.set("Access-Control-Expose-Headers",
                       "ETag, Location, Content-Range, Content-Disposition, X-Request-Id");
  response.headers.add("Vary", "Origin");
  if (request.method != net::Method::options) return;
  if (const auto methods = response.headers.find("Allow")) {
    response.headers.set("Access-Control-Allow-Methods", std::string(*methods));
  }
  response.headers.set("Access-Control-Allow-Headers",
                       "Authorization, Content-Type, If-None-Match, If-Range, Range, X-Request-Id, X-Clouddocs-Client");
  response.headers.set("Access-Control-Max-Age", "600");
}

net::Headers security_headers(bool tls) {
  net::Headers headers;
  headers.add("Content-Security-Policy",
              "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; object-src 'none'; "
              "base-uri 'none'; "
              "form-action 'self'; frame-ancestors 'none'");
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("X-Frame-Options", "DENY");
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
  if (tls) headers.add("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

}  // namespace clouddocs::app
