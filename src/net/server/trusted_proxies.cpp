// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/trusted_proxies.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "net/ascii.hpp"

namespace clouddocs::net {

std::optional<TrustedProxies::Address> TrustedProxies::parse(std::string_view text) {
  const std::string copy(text);
  Address address{};
  if (::inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (::inet_pton(AF_INET, copy.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const auto slash = entry.find('/');
    const std::string_view text = std::string_view(entry).substr(0, slash);
    const auto address = parse(text);
    const bool is_v4 = text.find(':') == std::string_view::npos;
    const unsigned most = is_v4 ? 32 : 128;
    unsigned bits = most;
    bool well_formed = address.has_value();
    if (slash != std::string::npos) {
      const char* end = entry.data() + entry.size();
      const auto [stop, error] = std::from_chars(entry.data() + slash + 1, end, bits);
      well_formed = well_formed && error == std::errc() && stop == end && bits <= most;
    }
    if (!well_formed) throw std::invalid_argument("trusted proxy is not an address or address/bits: " + entry);
    networks_.push_back({*address, is_v4 ? bits + 96 : bits});
  }
}

bool TrustedProxies::contains(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = parse(text);
  if (!address) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const unsigned bytes = network.bits / 8;
    const unsigned rest = network.bits % 8;
    if (std::memcmp(address->data(), network.address.data(), bytes) != 0) return false;
    return rest == 0 || ((*address)[bytes] ^ network.address[bytes]) >> (8 - rest) == 0;
  });
}

std::string TrustedProxies::client_address(const std::string& peer, std::string_view forwarded_for) const {
  if (!contains(peer)) return peer;
  std::string client = peer;
  // From the right: each entry was added by the one to its right, so the first untrusted one is as far as the list can be believed.
  while (!forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const std::string_view entry =
        trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    forwarded_for = comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
    if (!parse(entry)) break;
    client = entry;
    if (!contains(entry)) break;
  }
  return client;
}

}  // namespace clouddocs::net
