// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/api_client.hpp"

#include <algorithm>
#include <thread>

#include "client/remote/codec.hpp"
#include "core/random.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds first_wait{200};
constexpr milliseconds longest_wait{4'000};

// Half of the time fixed, half random: devices that lost the server together do not come back together.
milliseconds jittered(milliseconds wait) {
  const auto half = wait.count() / 2;
  return milliseconds(half +
                      static_cast<std::int64_t>(core::system_random().next() % static_cast<std::uint64_t>(half + 1)));
}

// Busy, draining, or a proxy without its server: the same request will do later.
bool is_for_later(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

milliseconds retry_after(const net::HttpClient::Response& response, milliseconds otherwise) {
  const auto text = response.header("retry-after");
  const auto seconds = std::strtol(text.c_str(), nullptr, 10);
  return seconds > 0 ? std::min(milliseconds(seconds * 1000), milliseconds(60'000)) : otherwise;
}

net::HttpClient::Options http_options(const ApiClient::Options& options) {
  net::HttpClient::Options out;
  out.user_agent = "clouddocs/" CLOUDDOCS_VERSION;
  out.ca_file = options.ca_file;
  return out;
}

}  // namespace

core::Error parse_problem(int status, std::string_view body) {
  boost::system::error_code error;
  const auto value = json::parse(body, error);
  core::Error out(core::Errc::internal, "The server answered with status " + std::to_string(status) + ".");
  if (error || !value.is_object()) return out;
  const auto& object = value.get_object();
  if (const auto* code = object.if_contains("code"); code != nullptr && code->is_string())
    out.code = errc_of(code->get_string());
  if (const auto* detail = object.if_contains("detail"); detail != nullptr && detail->is_string())
    out.detail = detail->get_string();
  return out;
}

ApiClient::ApiClient(AccountFile file, Options options)
    : file_(std::move(file)), options_(std::move(options)), http_(http_options(options_)) {
  if (auto account = file_.load()) account_ = std::move(*account);
}

Account ApiClient::account() const {
  const std::lock_guard lock(mutex_);
  return account_;
}

net::HttpClient::Response ApiClient::send_once(const Call& call, const std::string& token) {
  net::HttpClient::Request request;
  request.method = call.method;
  request.url = account().url + call.path;
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  if (!call.body.empty() || !call.upload.empty()) request.headers.emplace_back("Content-Type", call.content_type);
  request.body = call.body;
  if (!call.upload.empty()) {
    for (const auto& piece : call.upload) request.source_length += piece.size();
    request.source = [rest = call.upload]() mutable {
      core::ByteView piece;
      while (piece.empty() && !rest.empty()) {
        piece = rest.front();
        rest = rest.subspan(1);
      }
      return piece;
    };
  }
  request.sink = call.sink;
  request.body_limit = call.body_limit;
  return http_.send(request);
}

net::HttpClient::Response ApiClient::send_patiently(const Call& call, const std::string& token) {
  const auto deadline = Clock::now() + options_.patience;
  auto wait = first_wait;
  while (true) {
    auto pause = jittered(wait);
    try {
      auto response = send_once(call, token);
      if (!is_for_later(response.status)) return response;
      pause = retry_after(response, pause);
      if (Clock::now() + pause > deadline) {
        if (response.status == 429) return response;
        throw net::NetworkError("the server is not available at the moment (status " + std::to_string(response.status) +
                                ")");
      }
    } catch (const net::NetworkError&) {
      // With a sink some of the answer may have been handed over: only the caller knows how to go on.
      if (call.sink || Clock::now() + pause > deadline) throw;
    }
    std::this_thread::sleep_for(pause);
    wait = std::min(wait * 2, longest_wait);
  }
}

core::Result<std::string> ApiClient::send(const Call& call) {
  auto token = account().access_token;
  if (token.empty()) throw NotSignedIn("This device is not signed in. Run: clouddocs login URL --email EMAIL");
  auto response = send_patiently(call, token);
  if (response.status == 401) {
    refresh(token);
    response = send_patiently(call, account().access_token);
    if (response.status == 401)
      throw NotSignedIn("The server no longer accepts this device. Run: clouddocs login URL --email EMAIL");
  }
  if (response.status < 200 || response.status > 299) return parse_problem(response.status, response.body);
  return std::move(response.body);
}

void ApiClient::refresh(const std::string& spent_access_token) {
  const auto lock = file_.lock();
  auto account = file_.load();
  if (!account) throw NotSignedIn("This device is not signed in. Run: clouddocs login URL --email EMAIL");
  if (account->access_token == spent_access_token) {  // else another process or thread has been here
    const Call call{"POST", "/api/auth/refresh",
                    json::serialize(json::object{{"refresh_token", account->refresh_token}})};
    const auto response = send_patiently(call, "");
    if (response.status == 401)
      throw NotSignedIn("The session of this device has ended. Run: clouddocs login URL --email EMAIL");
    if (response.status != 200) throw core::ErrorException(parse_problem(response.status, response.body));
    const auto answer = json::parse(response.body);
    account->access_token = answer.at("access_token").as_string();
    account->refresh_token = answer.at("refresh_token").as_string();
    file_.save(*account);  // before the new one is used: the old one dies with that
  }
  const std::lock_guard guard(mutex_);
  account_ = std::move(*account);
}

std::string ApiClient::fresh_token() { return account().access_token; }

core::Result<json::value> ApiClient::get(const std::string& path) {
  TRY(const auto body, send({"GET", path}));
  return json::parse(body);
}
core::Result<json::value> ApiClient::send_json(const std::string& method, const std::string& path,
                                               const json::object& body) {
  TRY(const auto answer,
      send({method, path, method == "GET" || method == "DELETE" ? std::string() : json::serialize(body)}));
  return answer.empty() ? json::value() : json::parse(answer);
}

core::Result<> ApiClient::login(const std::string& url, const std::string& email, const std::string& password,
                                const std::string& device_name) {
  Account account{url, email, device_name, "", ""};
  while (account.url.ends_with('/')) account.url.pop_back();
  {
    const std::lock_guard lock(mutex_);
    account_ = account;
  }
  Call call{"POST", "/api/auth/login",
            json::serialize(json::object{{"email", email}, {"password", password}, {"device_name", device_name}})};
  const auto response = send_once(call, "");
  if (response.status != 200) return parse_problem(response.status, response.body);
  const auto answer = json::parse(response.body);
  account.access_token = answer.at("access_token").as_string();
  account.refresh_token = answer.at("refresh_token").as_string();
  file_.save(account);
  const std::lock_guard lock(mutex_);
  account_ = std::move(account);
  return {};
}

void ApiClient::logout() {
  const auto account = this->account();
  if (!account.refresh_token.empty()) {
    send_once({"POST", "/api/auth/logout", json::serialize(json::object{{"refresh_token", account.refresh_token}})},
              account.access_token);
  }
  file_.remove();
}

}  // namespace clouddocs::client
