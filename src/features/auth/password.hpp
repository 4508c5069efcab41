// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::auth {

// Password hashing with argon2id (RFC 9106; 19 MiB, 2 passes, as OWASP recommends), on a pool of its own: it takes some 40 ms and never runs on
// an event loop. At most `max_waiting` wait; more are refused. Thread-safe.
class PasswordHasher {
 public:
  explicit PasswordHasher(unsigned threads);
  ~PasswordHasher();

  // A self-describing hash string with a fresh salt. Errors: unavailable (too many waiting).
  core::Task<core::Result<std::string>> hash(std::string password);
  // Compares in constant time. An empty `hash` costs the same and is false: an unknown account must not answer faster.
  core::Task<core::Result<bool>> verify(std::string password, std::string hash);

  // Blocking; for the command line.
  static std::string hash_now(std::string_view password);

 private:
  core::Result<> admit();
  core::asio::thread_pool pool_;
  std::atomic<int> waiting_{0};
  std::string dummy_;
};

// Errors: password_weak, saying why.
core::Result<> check_new_password(std::string_view password, std::string_view email);

// Trimmed and in lower case. Errors: invalid_request.
core::Result<std::string> normalise_email(std::string_view email);

}  // namespace clouddocs::auth
