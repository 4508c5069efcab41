// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "content/chunk.hpp"
#include "core/bytes.hpp"

namespace clouddocs::access {

// HMAC-SHA256 (RFC 2104) under a key derived from the installation's secret for one purpose (HKDF, RFC 5869), so that a value signed for
// one thing is worth nothing for another. Thread-safe.
class Signer {
 public:
  Signer(core::ByteView secret, std::string_view purpose);
  content::Sha256 sign(core::ByteView message) const;
  bool verify(core::ByteView message, core::ByteView signature) const;
  core::ByteView key() const { return key_; }

 private:
  content::Sha256 key_;
};

}  // namespace clouddocs::access
