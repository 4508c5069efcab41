// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace clouddocs::core {

// Every outcome that a caller must think about. One list for the whole product: net::problem() maps each to an HTTP status,
// to_code() to the stable text that clients see. A broken world (disk gone, database lost) throws instead.
enum class Errc : std::uint8_t {
  invalid_request,
  invalid_json,
  invalid_name,
  invalid_id,
  cursor_invalid,
  cursor_relist,
  cursor_resync,
  range_invalid,
  unauthorized,
  token_expired,
  token_invalid,
  credentials_invalid,
  email_taken,
  password_weak,
  forbidden,
  not_found,
  gone,
  name_taken,
  stale_base,
  cycle,
  too_deep,
  id_taken,
  key_reused,
  dependency_failed,
  quota_exceeded,
  device_limit,
  file_too_large,
  body_too_large,
  headers_too_large,
  length_mismatch,
  upload_incomplete,
  chunk_unknown,
  chunk_hash_mismatch,
  chunk_frame_invalid,
  too_many_requests,
  method_not_allowed,
  unsupported_media_type,
  registration_closed,
  storage_full,
  unavailable,
  internal,
};

// The stable code of an error as clients see it, for example "name_taken".
std::string_view to_code(Errc code);

// A failed outcome: what kind, and a sentence for a person that says what is wrong and what to do.
struct Error {
  Errc code = Errc::internal;
  std::string detail;
  // JSON text of more members for the problem document (for example `"item": {...}`), empty for none.
  std::string extension;

  Error() = default;
  Error(Errc c) : code(c) {}  // NOLINT(google-explicit-constructor): `co_return Errc::not_found;` is the point
  Error(Errc c, std::string d, std::string e = {}) : code(c), detail(std::move(d)), extension(std::move(e)) {}
  friend bool operator==(const Error& a, const Error& b) { return a.code == b.code; }
};

// An exception that says what the client is to be told. Thrown where something is broken that a caller cannot mend: the request boundary
// answers with `error` and logs what() when that is more. Also what Result::value() throws when it holds an error.
class ErrorException : public std::runtime_error {
 public:
  explicit ErrorException(const Error& e) : ErrorException(e, std::string(to_code(e.code)) + ": " + e.detail) {}
  ErrorException(Error e, const std::string& what) : std::runtime_error(what), error(std::move(e)) {}
  Error error;
};
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

// A value or an Error.
template <class T = void>
using Result = boost::system::result<T, Error>;

}  // namespace clouddocs::core

// Propagates the Error of a Result: `CO_TRY(auto file, co_await store.find(tx, id));` in coroutines, TRY in functions,
// CO_CHECK / CHECK_OK for Result<void>.
#define CLOUDDOCS_CONCAT_(a, b) a##b
#define CLOUDDOCS_CONCAT(a, b) CLOUDDOCS_CONCAT_(a, b)
#define CLOUDDOCS_TRY_(tmp, declaration, expression, ret)         \
  auto tmp = (expression);                                        \
  if (tmp.has_error()) ret ::clouddocs::core::Error(tmp.error()); \
  declaration = std::move(tmp).value()
#define CO_TRY(declaration, ...) \
  CLOUDDOCS_TRY_(CLOUDDOCS_CONCAT(result_, __LINE__), declaration, (__VA_ARGS__), co_return)
#define TRY(declaration, ...) CLOUDDOCS_TRY_(CLOUDDOCS_CONCAT(result_, __LINE__), declaration, (__VA_ARGS__), return)
#define CO_CHECK(...)                                                                                          \
  if (auto CLOUDDOCS_CONCAT(check_, __LINE__) = (__VA_ARGS__); CLOUDDOCS_CONCAT(check_, __LINE__).has_error()) \
  co_return ::clouddocs::core::Error(CLOUDDOCS_CONCAT(check_, __LINE__).error())
#define TRY_CHECK(...)                                                                                         \
  if (auto CLOUDDOCS_CONCAT(check_, __LINE__) = (__VA_ARGS__); CLOUDDOCS_CONCAT(check_, __LINE__).has_error()) \
  return ::clouddocs::core::Error(CLOUDDOCS_CONCAT(check_, __LINE__).error())
