// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <span>
#include <string>

#include "client/remote/account.hpp"
#include "core/error.hpp"
#include "net/http_client.hpp"

namespace clouddocs::client {

// The device is not signed in, or not any more: the user has to log in again.
class NotSignedIn : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Requests to the server's API with the account's token: refreshes it when it has expired, waits when the server says so, and tries again while
// there is no answer. Every request it is used for may be sent twice without harm. Thread-safe.
class ApiClient {
 public:
  struct Options {
    std::chrono::milliseconds patience{60'000};  // how long to go on trying without an answer
    std::string ca_file{};
  };
  ApiClient(AccountFile file, Options options);

  struct Call {
    std::string method = "GET";
    std::string path;  // from the slash after the host
    std::string body{};
    std::string content_type = "application/json";
    std::span<const core::ByteView> upload{};  // pieces, instead of `body`, not copied
    std::function<bool(core::ByteView)> sink{};
    std::size_t body_limit = 256U << 20;
  };
  // The body of a 2xx answer. Errors: as the server says. Throws net::NetworkError, NotSignedIn.
  core::Result<std::string> send(const Call& call);
  core::Result<boost::json::value> get(const std::string& path);
  core::Result<boost::json::value> send_json(const std::string& method, const std::string& path,
                                             const boost::json::object& body = {});

  // Signs in and keeps the tokens.
  core::Result<> login(const std::string& url, const std::string& email, const std::string& password,
                       const std::string& device_name);
  void logout();

  Account account() const;
  std::string fresh_token();  // for the WebSocket: exchanged if the server refused the present one
  void refresh(const std::string& spent_access_token);
  void abort() { http_.abort(); }
  std::uint64_t bytes_sent() const { return http_.bytes_sent(); }
  std::uint64_t bytes_received() const { return http_.bytes_received(); }

 private:
  net::HttpClient::Response send_once(const Call& call, const std::string& token);
  net::HttpClient::Response send_patiently(const Call& call, const std::string& token);

  AccountFile file_;
  Options options_;
  net::HttpClient http_;
  mutable std::mutex mutex_;  // guards account_
  Account account_;
};

// The Error that a problem document describes.
core::Error parse_problem(int status, std::string_view body);

}  // namespace clouddocs::client
