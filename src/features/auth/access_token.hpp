// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "content/chunk.hpp"
#include "core/error.hpp"
#include "features/auth/verified_tokens.hpp"

namespace clouddocs::auth {

inline constexpr std::chrono::minutes access_token_lifetime{15};

// The secrets that sign access tokens, by key id. New tokens are signed with `current`; older keys verify until they are taken out.
struct Keyring {
  std::string current;
  std::map<std::string, core::Bytes> keys;
};

// Makes and checks JSON Web Tokens (RFC 7519) as signed with HMAC-SHA256 (RFC 7515, "HS256") and nothing else: the algorithm is fixed here,
// a header that names another is refused, so "alg": "none" and key confusion have nothing to hold on to. Thread-safe.
class AccessTokens {
 public:
  explicit AccessTokens(Keyring keyring) : keyring_(std::move(keyring)) {}
  std::string make(const Claims& claims) const;
  // Errors: token_invalid, token_expired.
  core::Result<Claims> verify(std::string_view token, core::Timestamp now) const;

 private:
  core::Result<Claims> check(std::string_view token) const;

  Keyring keyring_;
  mutable VerifiedTokens verified_;
};

}  // namespace clouddocs::auth
