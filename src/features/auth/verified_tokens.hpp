// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/ids.hpp"

namespace clouddocs::auth {

// What an access token says.
struct Claims {
  core::UserId user;
  core::SessionId session;
  std::int64_t epoch = 0;
  core::Timestamp expires_at;
};

// Tokens whose signature has been checked, so that a client's next request costs no parsing and no HMAC. Says nothing of whether a token has
// expired or its session has ended: that is asked anew each time. Thread-safe.
class VerifiedTokens {
 public:
  // Tokens kept at most, in equal parts by their hash.
  static constexpr std::size_t limit = 16'384;

  // Found by all of its bytes, the signature among them. Bytes are compared only with a token of the same hash, and only tokens that this
  // server has signed are kept, so that the time it takes tells nothing about a signature.
  std::optional<Claims> find(std::string_view token) const;
  // REQUIRES: the signature is good, and `now` is before claims.expires_at.
  void add(std::string_view token, const Claims& claims, core::Timestamp now);
  std::size_t size() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const { return std::hash<std::string_view>()(token); }
  };
  struct Part {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Claims, Hash, std::equal_to<>> tokens;
  };
  std::array<Part, 16> parts_;
};

}  // namespace clouddocs::auth
