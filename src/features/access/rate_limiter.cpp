// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/access/rate_limiter.hpp"

namespace clouddocs::access {
namespace {

using namespace std::chrono_literals;
using core::Errc;
using core::Error;

constexpr auto window = 60s;
constexpr auto login_window = 15min;

}  // namespace

core::Task<core::Result<>> RateLimiter::admit_address(std::string address) {
  const auto count = co_await cache_.increment("rate:address:" + address, 1, window);
  if (count > limits_.anonymous_per_minute) {
    co_return Error(Errc::too_many_requests, "Too many requests from this address. Wait a minute, or sign in.",
                    "\"retry_after\":60");
  }
  co_return core::Result<>();
}

core::Task<core::Result<>> RateLimiter::admit_session(std::string session) {
  const auto count = co_await cache_.increment("rate:session:" + session, 1, window);
  if (count > limits_.session_per_minute) {
    co_return Error(Errc::too_many_requests, "Too many requests from this session. Wait a minute.",
                    "\"retry_after\":60");
  }
  co_return core::Result<>();
}

core::Task<core::Result<>> RateLimiter::admit_login(std::string account) {
  const auto count = co_await cache_.increment("rate:login:" + account, 0, login_window);
  if (count >= limits_.failed_logins) {
    co_return Error(Errc::too_many_requests, "Too many failed attempts to sign in to this account. Wait 15 minutes.",
                    "\"retry_after\":900");
  }
  co_return core::Result<>();
}

core::Task<> RateLimiter::failed_login(std::string account) {
  co_await cache_.increment("rate:login:" + account, 1, login_window);
}

}  // namespace clouddocs::access
