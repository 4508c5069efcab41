// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/auth_api.hpp"

#include "features/access/fields.hpp"
#include "net/ascii.hpp"

namespace clouddocs::auth {
namespace {

using access::Fields;
using core::Errc;
using core::Error;
using core::Result;
namespace json = boost::json;

constexpr std::string_view cookie_name = "clouddocs_refresh";

// The web app keeps its refresh token in a cookie that no script can read. The header is also what a foreign page cannot send without being
// asked first (CORS), so the cookie alone opens nothing.
bool is_web(const net::Request& request) { return request.headers.find("X-Clouddocs-Client") == "web"; }

std::string cookie(const net::Request& request, std::string_view value, std::chrono::seconds age) {
  std::string out = std::string(cookie_name) + "=" + std::string(value) +
                    "; Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(age.count());
  if (request.secure) out += "; Secure";
  return out;
}

std::optional<std::string> cookie_token(const net::Request& request) {
  if (!is_web(request)) return std::nullopt;
  for (const auto& [name, value] : request.headers.fields()) {
    if (!net::equal_ignoring_case(name, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      auto one = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
      if (one.size() > cookie_name.size() && one.starts_with(cookie_name) && one[cookie_name.size()] == '=') {
        return std::string(one.substr(cookie_name.size() + 1));
      }
    }
  }
  return std::nullopt;
}

// The refresh token of the body, else of the cookie.
Task<Result<std::optional<std::string>>> refresh_token(net::Request& request) {
  const bool has_body = request.body != nullptr && request.body->content_length() != 0;
  if (has_body) {
    CO_TRY(const json::object body, co_await request.read_json(16U << 10));
    const Fields fields(body);
    CO_CHECK(fields.only({"refresh_token"}));
    CO_TRY(std::optional<std::string> token, fields.optional_text("refresh_token", 512));
    if (token) co_return token;
  }
  co_return cookie_token(request);
}

// A language tag as the contract has it: "en", "ru", "pt-BR".
bool is_locale(std::string_view tag) {
  const auto is_alphanumeric = [](unsigned char c) { return std::isalnum(c) != 0; };
  const auto language = tag.substr(0, tag.find('-'));
  if (language.size() < 2 || language.size() > 3) return false;
  if (!std::all_of(language.begin(), language.end(), [](char c) { return c >= 'a' && c <= 'z'; })) return false;
  for (auto rest = tag.substr(language.size()); !rest.empty();) {
    rest.remove_prefix(1);
    const auto part = rest.substr(0, rest.find('-'));
    if (part.size() < 2 || part.size() > 8 || !std::all_of(part.begin(), part.end(), is_alphanumeric)) return false;
    rest.remove_prefix(part.size());
  }
  return true;
}

Task<Result<NewLogin>> read_login(net::Request& request) {
  CO_TRY(const json::object body, co_await request.read_json(16U << 10));
  const Fields fields(body);
  CO_CHECK(fields.only({"email", "password", "device_name", "locale"}));
  NewLogin login;
  CO_TRY(login.email, fields.text("email", 254));
  CO_TRY(login.password, fields.text("password", 256));
  CO_TRY(const std::optional<std::string> device, fields.optional_text("device_name", 100));
  CO_TRY(const std::optional<std::string> locale, fields.optional_text("locale", 35));
  if (locale && !is_locale(*locale)) co_return access::invalid_member("locale", "a language tag such as en or pt-BR");
  login.device_name = device.value_or("");
  login.locale = locale.value_or("en");
  login.kind = is_web(request) ? "web" : "device";
  co_return login;
}

}  // namespace

void AuthApi::mount(net::Router& router) {
  using enum net::Method;
  router.add_filter([this](net::Request& request) { return filter(request); });
  auto add = [&](net::Method method, const char* pattern, Reply (AuthApi::*member)(net::Request&)) {
    router.add(method, pattern, [this, member](net::Request& request) { return (this->*member)(request); });
  };
  add(post, "/api/auth/register", &AuthApi::register_user);
  add(post, "/api/auth/login", &AuthApi::login);
  add(post, "/api/auth/refresh", &AuthApi::refresh);
  add(post, "/api/auth/logout", &AuthApi::logout);
  add(post, "/api/auth/password", &AuthApi::password);
  add(get, "/api/auth/me", &AuthApi::me);
  add(get, "/api/auth/sessions", &AuthApi::sessions);
  add(del, "/api/auth/sessions", &AuthApi::end_other_sessions);
  add(del, "/api/auth/sessions/{session_id}", &AuthApi::end_session);
}

Task<Result<std::shared_ptr<const access::Authentication>>> AuthApi::authenticate(std::string token) {
  CO_TRY(const Claims claims, tokens_.verify(token, clock_.now()));
  CO_TRY(SessionRegistry::Entry entry, co_await registry_.find(claims.user, claims.session, claims.epoch));
  auto out = std::make_shared<access::Authentication>();
  out->caller = std::move(entry.caller);
  out->expires_at = claims.expires_at;
  out->revoked = std::move(entry.revoked);
  co_return out;
}

Task<Result<>> AuthApi::filter(net::Request& request) {
  if (const auto header = request.headers.find("Authorization")) {
    Result<std::shared_ptr<const access::Authentication>> outcome =
        Error(Errc::token_invalid, "The Authorization header must be \"Bearer\" and an access token.");
    if (header->starts_with("Bearer ")) outcome = co_await authenticate(std::string(header->substr(7)));
    if (outcome.has_value()) {
      request.session = std::const_pointer_cast<access::Authentication>(outcome.value());
      if (request.body != nullptr) request.body->end_when(outcome.value()->revoked);
      co_return co_await limiter_.admit_session(core::to_text(outcome.value()->caller.session));
    }
    auto failed = std::make_shared<access::Authentication>();
    failed->error = outcome.error();
    request.session = std::move(failed);
  }
  co_return co_await limiter_.admit_address(request.peer);
}

json::object AuthApi::describe(const User& user) const {
  const auto& plan = service_.plans().get(user.plan);
  return {{"id", core::to_text(user.id)},
          {"email", user.email},
          {"plan", user.plan},
          {"role", user.role},
          {"locale", user.locale},
          {"storage_used", user.storage_used},
          {"storage_limit", plan.storage},
          {"max_file_size", plan.max_file_size},
          {"created_at", core::to_micros(user.created_at)}};
}

net::Response AuthApi::signed_in(const net::Request& request, const SignIn& outcome, int status) const {
  json::object body{{"access_token", outcome.access_token},
                    {"token_type", "Bearer"},
                    {"expires_in", std::chrono::seconds(access_token_lifetime).count()},
                    {"user", describe(outcome.user)}};
  const bool web = is_web(request);
  if (!web) body["refresh_token"] = outcome.refresh_token;
  net::Response response = net::Response::json(body, status);
  if (web) response.headers.add("Set-Cookie", cookie(request, outcome.refresh_token, session_lifetime));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

AuthApi::Reply AuthApi::register_user(net::Request& request) {
  CO_TRY(NewLogin login, co_await read_login(request));
  CO_TRY(const SignIn outcome, co_await service_.register_user(std::move(login)));
  co_return signed_in(request, outcome, 201);
}

AuthApi::Reply AuthApi::login(net::Request& request) {
  CO_TRY(NewLogin login, co_await read_login(request));
  // The account and not its spelling: otherwise every spelling would have attempts of its own.
  const auto email = normalise_email(login.email);
  const std::string account = email.has_value() ? email.value() : login.email;
  CO_CHECK(co_await limiter_.admit_login(account));
  auto outcome = co_await service_.login(std::move(login));
  if (outcome.has_error()) {
    if (outcome.error().code == Errc::credentials_invalid) co_await limiter_.failed_login(account);
    co_return outcome.error();
  }
  co_return signed_in(request, outcome.value(), 200);
}

AuthApi::Reply AuthApi::refresh(net::Request& request) {
  CO_TRY(const std::optional<std::string> token, co_await refresh_token(request));
  if (!token) co_return Error(Errc::unauthorized, "There is no refresh token in the request. Sign in.");
  CO_TRY(const SignIn outcome, co_await service_.refresh(*token));
  co_return signed_in(request, outcome, 200);
}

AuthApi::Reply AuthApi::logout(net::Request& request) {
  const auto authentication = access::require(request);
  if (authentication.has_value()) {
    const auto& caller = authentication.value()->caller;
    CO_CHECK(co_await service_.logout(caller.user, caller.session));
  } else {
    CO_TRY(const std::optional<std::string> token, co_await refresh_token(request));
    if (!token) co_return authentication.error();
    CO_CHECK(co_await service_.logout_by_refresh(*token));
  }
  net::Response response = net::Response::empty();
  if (is_web(request)) response.headers.add("Set-Cookie", cookie(request, "", std::chrono::seconds(0)));
  co_return response;
}

AuthApi::Reply AuthApi::password(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  CO_TRY(const json::object body, co_await request.read_json(16U << 10));
  const Fields fields(body);
  CO_CHECK(fields.only({"current_password", "new_password"}));
  CO_TRY(std::string current, fields.text("current_password", 256));
  CO_TRY(std::string next, fields.text("new_password", 1'024));
  const std::string account = core::to_text(authentication->caller.user);
  CO_CHECK(co_await limiter_.admit_login(account));
  auto outcome = co_await service_.change_password(authentication->caller, std::move(current), std::move(next));
  if (outcome.has_error()) {
    if (outcome.error().code != Errc::credentials_invalid) co_return outcome.error();
    co_await limiter_.failed_login(account);
    // 403, not 401: the access token is fine, and a client must not try to refresh it.
    co_return Error(Errc::forbidden, outcome.error().detail, "\"field\":\"current_password\"");
  }
  co_return signed_in(request, outcome.value(), 200);
}

AuthApi::Reply AuthApi::me(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  CO_TRY(const User user, co_await service_.find_user(authentication->caller.user));
  co_return net::Response::json(describe(user));
}

AuthApi::Reply AuthApi::sessions(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  CO_TRY(const std::vector<Session> sessions, co_await service_.sessions(authentication->caller.user));
  json::array items;
  for (const auto& session : sessions) {
    items.push_back(json::object{{"id", core::to_text(session.id)},
                                 {"device_name", session.device_name},
                                 {"created_at", core::to_micros(session.created_at)},
                                 {"last_used_at", core::to_micros(session.last_used_at)},
                                 {"expires_at", core::to_micros(session.expires_at)},
                                 {"current", session.id == authentication->caller.session}});
  }
  co_return net::Response::json(json::object{{"items", std::move(items)}, {"next_cursor", nullptr}});
}

AuthApi::Reply AuthApi::end_session(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  const auto id = core::parse_id<SessionId>(request.parameter("session_id"));
  if (!id) co_return Error(Errc::invalid_id, "The path does not hold the id of a session.");
  CO_CHECK(co_await service_.end_session(authentication->caller, *id));
  co_return net::Response::empty();
}

AuthApi::Reply AuthApi::end_other_sessions(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  CO_CHECK(co_await service_.end_other_sessions(authentication->caller));
  co_return net::Response::empty();
}

}  // namespace clouddocs::auth
