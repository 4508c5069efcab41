// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/router.hpp"

#include <map>
#include <stdexcept>

#include "core/encoding.hpp"
#include "core/log.hpp"

namespace clouddocs::net {

using core::Errc;
using core::Error;
using core::Result;
using core::Task;

// One path segment of the trie. The routes of a node are those whose pattern ends there.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;  // "{path*}"
  std::vector<std::unique_ptr<Route>> routes;

  const Route* find(const Request& request) const {
    const Route* get = nullptr;
    for (const auto& route : routes) {
      if (route->method == request.method) return route.get();
      if (route->method == Method::get) get = route.get();
    }
    return request.method == Method::head ? get : nullptr;
  }

  std::string allow() const {
    std::string methods;
    bool get = false;
    bool head = false;
    for (const auto& route : routes) {
      get |= route->method == Method::get;
      head |= route->method == Method::head;
      if (route->method == Method::other || route->method == Method::options) continue;
      methods += std::string(to_text(route->method)) + ", ";
    }
    return methods + (get && !head ? "HEAD, OPTIONS" : "OPTIONS");
  }

  // The node whose pattern takes the segments of `path` (without its leading slash); fills `values` with what parameters took. Goes back
  // when a literal leads nowhere, so that "/a/{x}/c" is found beside "/a/b".
  const Node* descend(std::string_view path, std::vector<std::string_view>& values) const {
    const auto slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const auto step = [&](const Node& next) -> const Node* {
      if (slash == std::string_view::npos) return next.routes.empty() ? nullptr : &next;
      return next.descend(path.substr(slash + 1), values);
    };
    if (const auto literal = literals.find(segment); literal != literals.end()) {
      if (const Node* found = step(*literal->second)) return found;
    }
    if (parameter && !segment.empty()) {
      values.push_back(segment);
      if (const Node* found = step(*parameter)) return found;
      values.pop_back();
    }
    if (rest) {
      values.push_back(path);
      return rest.get();
    }
    return nullptr;
  }
};

namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// The names of a pattern's parameters, in order, each with its value decoded. False for a broken percent-escape.
bool fill_parameters(std::string_view pattern, const std::vector<std::string_view>& values, Request& request) {
  std::size_t at = 0;
  for (const std::string_view value : values) {
    at = pattern.find('{', at) + 1;
    std::string_view name = pattern.substr(at, pattern.find('}', at) - at);
    if (name.ends_with('*')) name.remove_suffix(1);
    auto decoded = core::percent_decode(value);
    if (!decoded) return false;
    request.parameters.emplace_back(name, std::move(*decoded));
  }
  return true;
}

Response with_allow(Response response, const std::string& allow) {
  response.headers.set("Allow", allow);
  return response;
}

Error too_large(std::uint64_t limit) {
  return {Errc::body_too_large, "The body may have " + std::to_string(limit) + " bytes at most."};
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Method method, std::string pattern, Handler handler, RouteOptions options) {
  if (!pattern.starts_with('/')) throw std::logic_error("route pattern must start with '/': " + pattern);
  Node* node = root_.get();
  std::string_view left = std::string_view(pattern).substr(1);
  while (true) {
    const auto slash = left.find('/');
    const std::string_view segment = left.substr(0, slash);
    const bool is_rest = is_parameter(segment) && segment[segment.size() - 2] == '*';
    if (is_rest && slash != std::string_view::npos)
      throw std::logic_error("only the last segment takes the rest: " + pattern);
    auto& next = is_rest ? node->rest : is_parameter(segment) ? node->parameter : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
    if (slash == std::string_view::npos) break;
    left.remove_prefix(slash + 1);
  }
  for (const auto& route : node->routes) {
    if (route->method == method) throw std::logic_error("route added twice: " + pattern);
  }
  node->routes.push_back(std::make_unique<Route>(Route{method, std::move(pattern), options, std::move(handler)}));
}

void Router::set_fallback(Handler handler) { fallback_ = std::move(handler); }
void Router::add_filter(Filter filter) { filters_.push_back(std::move(filter)); }

Router::Match Router::match(Request& request) const {
  Match match;
  request.parameters.clear();
  if (!request.path.starts_with('/')) return match;
  std::vector<std::string_view> values;
  const Node* node = root_->descend(std::string_view(request.path).substr(1), values);
  if (node == nullptr) return match;
  match.route = node->find(request);
  if (match.route == nullptr) {
    match.allow = node->allow();
  } else if (!fill_parameters(match.route->pattern, values, request)) {
    match.malformed = true;
  }
  return match;
}

Task<Response> Router::dispatch(Request& request) const {
  Response response = co_await catch_all(request);
  if (decorator_) decorator_(request, response);
  co_return response;
}

Task<Response> Router::catch_all(Request& request) const {
  std::string failure;
  Error told(Errc::internal);
  std::exception_ptr thrown;
  try {
    auto outcome = co_await answer(request);
    if (outcome.has_value()) co_return std::move(outcome).value();
    co_return problem(outcome.error(), request.id);
  } catch (const core::ErrorException& e) {
    told = e.error;
    failure = e.what();
    thrown = std::current_exception();
  } catch (const std::exception& e) {
    failure = e.what();
    thrown = std::current_exception();
  }
  // Cancelled from outside: the server is cutting its connections, nobody waits for an answer.
  const auto cancellation = co_await core::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != core::asio::cancellation_type::none) std::rethrow_exception(thrown);
  core::log_error("request_failed", {{"request_id", request.id}, {"route", request.route}, {"error", failure}});
  co_return problem(told, request.id);
}

Task<Result<Response>> Router::answer(Request& request) const {
  const Match found = match(request);
  if (found.malformed) co_return Error(Errc::invalid_request, "The path holds a broken percent-escape.");
  if (found.route == nullptr && !found.allow.empty()) {
    if (request.method == Method::options) co_return with_allow(Response::empty(), found.allow);
    co_return with_allow(problem(Errc::method_not_allowed, request.id), found.allow);
  }
  if (found.route == nullptr) {
    const bool reads = request.method == Method::get || request.method == Method::head;
    if (!fallback_ || !reads) co_return Errc::not_found;
    co_return co_await fallback_(request);
  }
  const Route& route = *found.route;
  request.route = route.pattern;
  if (route.options.rate_limited) {
    for (const Filter& filter : filters_) CO_CHECK(co_await filter(request));
  }
  if (request.body != nullptr) {
    // Refused before a byte of it has been read: a client that waits for 100 Continue sends nothing.
    if (request.body->content_length().value_or(0) > route.options.body_limit)
      co_return too_large(route.options.body_limit);
    request.body->set_limit(route.options.body_limit);
  }
  co_return co_await route.handler(request);
}

std::vector<Router::Route> Router::routes() const {
  std::vector<Route> all;
  const auto collect = [&](const auto& self, const Node& node) -> void {
    for (const auto& route : node.routes) all.push_back(*route);
    for (const auto& [segment, next] : node.literals) self(self, *next);
    if (node.parameter) self(self, *node.parameter);
    if (node.rest) self(self, *node.rest);
  };
  collect(collect, *root_);
  return all;
}

}  // namespace clouddocs::net
