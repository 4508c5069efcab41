// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clouddocs::net {

// The addresses whose X-Forwarded-* fields count. Immutable after construction.
class TrustedProxies {
 public:
  // Each entry an address or "address/bits" (IPv4 or IPv6). Throws std::invalid_argument naming a malformed one.
  explicit TrustedProxies(const std::vector<std::string>& entries);
  bool contains(std::string_view address) const;
  // The client's address: the last in X-Forwarded-For that no trusted proxy has, when `peer` is one; else `peer`.
  std::string client_address(const std::string& peer, std::string_view forwarded_for) const;

 private:
  using Address = std::array<std::uint8_t, 16>;  // IPv4 mapped into IPv6
  struct Network {
    Address address;
    unsigned bits;
  };
  static std::optional<Address> parse(std::string_view text);
  std::vector<Network> networks_;
};

}  // namespace clouddocs::net
