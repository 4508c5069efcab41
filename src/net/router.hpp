// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace clouddocs::net {

// Maps (method, path) to handlers. Patterns as in OpenAPI: "/api/files/{id}/versions/{n}"; a last segment "{path*}" takes the rest.
// Literal segments win over parameters. HEAD is answered by GET. Not changed after the server has started.
class Router {
 public:
  struct RouteOptions {
    std::uint64_t body_limit = 1U << 20;  // bytes; more is body_too_large
    bool rate_limited = true;  // whether filters see the request
  };
  struct Route {
    Method method;
    std::string pattern;
    RouteOptions options;
    Handler handler;
  };

  Router();
  ~Router();
  void add(Method method, std::string pattern, Handler handler, RouteOptions options);
  void add(Method method, std::string pattern, Handler handler) {
    add(method, std::move(pattern), std::move(handler), RouteOptions());
  }
  // Answers what no route takes (the web app). Only GET and HEAD.
  void set_fallback(Handler handler);
  void add_filter(Filter filter);
  // Sees every response before it goes out (CORS headers). Must not throw.
  using Decorator = std::function<void(const Request&, Response&)>;
  void set_decorator(Decorator decorator) { decorator_ = std::move(decorator); }

  struct Match {
    const Route* route = nullptr;
    std::string allow;  // for 405: the methods that the path has
    bool malformed = false;  // a parameter holds a broken percent-escape
  };
  // Fills request.parameters.
  Match match(Request& request) const;
  // Filters, handler and the one catch at the request boundary: always yields a response. Sets the Allow header for 405,
  // 204 with Allow for OPTIONS.
  core::Task<Response> dispatch(Request& request) const;
  std::vector<Route> routes() const;

 private:
  struct Node;
  core::Task<core::Result<Response>> answer(Request& request) const;
  core::Task<Response> catch_all(Request& request) const;
  std::unique_ptr<Node> root_;
  std::vector<Filter> filters_;
  Handler fallback_;
  Decorator decorator_;
};

}  // namespace clouddocs::net
