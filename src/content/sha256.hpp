// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>

#include "content/chunk.hpp"
#include "core/bytes.hpp"

namespace clouddocs::content {

// SHA-256 (FIPS 180-4) of bytes that arrive in pieces. Not thread-safe.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;
  void update(core::ByteView bytes);
  // Ends the hash; the hasher starts anew.
  Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256 sha256(core::ByteView bytes);

}  // namespace clouddocs::content
