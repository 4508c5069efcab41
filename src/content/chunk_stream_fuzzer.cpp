// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>
#include <cstdlib>

#include "content/chunk_stream.hpp"

// However the stream is cut, the same frames come out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace clouddocs;
  const core::ByteView stream(reinterpret_cast<const std::byte*>(data), size);
  auto parse = [&](std::size_t piece) {
    content::ChunkStreamParser parser;
    core::Bytes seen;
    for (auto rest = stream; !rest.empty();) {
      auto part = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(part.size());
      while (true) {
        auto frame = parser.next(part);
        if (frame.has_error()) return seen;
        if (!*frame) break;
        seen.insert(seen.end(), (*frame)->name.bytes.begin(), (*frame)->name.bytes.end());
        seen.insert(seen.end(), (*frame)->bytes.begin(), (*frame)->bytes.end());
      }
    }
    return seen;
  };
  if (parse(size + 1) != parse(3)) std::abort();
  return 0;
}
