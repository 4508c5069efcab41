// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/verified_tokens.hpp"

namespace clouddocs::auth {

std::optional<Claims> VerifiedTokens::find(std::string_view token) const {
  const Part& part = parts_[Hash()(token) % parts_.size()];
  const std::lock_guard lock(part.mutex);
  const auto found = part.tokens.find(token);
  return found == part.tokens.end() ? std::nullopt : std::optional(found->second);
}

void VerifiedTokens::add(std::string_view token, const Claims& claims, core::Timestamp now) {
  Part& part = parts_[Hash()(token) % parts_.size()];
  const std::lock_guard lock(part.mutex);
  if (part.tokens.size() >= limit / parts_.size()) {
    std::erase_if(part.tokens, [&](const auto& known) { return known.second.expires_at <= now; });
    // All still good: to begin again is cheaper than to keep an order of use, at every request, for a server that is this busy.
    if (part.tokens.size() >= limit / parts_.size()) part.tokens.clear();
  }
  part.tokens.try_emplace(std::string(token), claims);
}

std::size_t VerifiedTokens::size() const {
  std::size_t count = 0;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    count += part.tokens.size();
  }
  return count;
}

}  // namespace clouddocs::auth
