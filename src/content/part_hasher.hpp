// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "content/sha256.hpp"

namespace clouddocs::content {

// The SHA-256 (FIPS 180-4) of a stream as a whole and of each of its parts, for little more than the time of one hash: where the processor
// has SHA instructions both are computed in turns, so that one fills the waiting times of the other; up to the end of the first part there
// is but one hash to compute. Not thread-safe.
class PartHasher {
 public:
  // `interleave`: whether the processor's SHA instructions are used directly; otherwise OpenSSL hashes twice.
  explicit PartHasher(bool interleave = can_interleave());
  ~PartHasher();
  PartHasher(PartHasher&&) noexcept;
  PartHasher& operator=(PartHasher&&) noexcept;

  static bool can_interleave();

  void update(core::ByteView bytes);
  // Ends the part; the next one begins.
  Sha256 finish_part();
  // Ends the whole and the part that has begun; the hasher starts anew.
  Sha256 finish_whole();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace clouddocs::content
