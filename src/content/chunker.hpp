// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.hpp"

namespace clouddocs::content {

// Content-defined chunking: FastCDC with normalised chunking (Xia et al., USENIX ATC 2016). Boundaries depend on the content only, so an
// insertion moves those near it and no others. Identical on server and device, fixed by golden files: changing any number here
// makes every device upload everything again.
struct ChunkerLimits {
  std::uint32_t min = 256U << 10;
  std::uint32_t average = 512U << 10;
  std::uint32_t max = 2U << 20;
};
inline constexpr ChunkerLimits standard_limits;

// Finds boundaries in a stream that arrives in pieces of any size. Not thread-safe.
class Chunker {
 public:
  explicit Chunker(const ChunkerLimits& limits = standard_limits);
  // Looks for the end of the current chunk in `bytes`, the continuation of what was given before. Returns the number of bytes that belong
  // to the current chunk; `boundary` is set when the chunk ends after them (the next call then starts a new chunk).
  std::size_t next(core::ByteView bytes, bool& boundary);

 private:
  ChunkerLimits limits_;
  std::uint64_t mask_small_;
  std::uint64_t mask_large_;
  std::uint64_t fingerprint_ = 0;
  std::uint32_t length_ = 0;
};

}  // namespace clouddocs::content
