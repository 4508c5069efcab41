// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>
#include <cstdlib>

#include "content/manifest.hpp"

// What decodes must encode to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace clouddocs;
  const core::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  if (auto manifest = content::decode_manifest(bytes); manifest.has_value()) {
    const auto again = content::encode_manifest(*manifest);
    if (!std::ranges::equal(again, bytes)) std::abort();
    static_cast<void>(manifest->size());
  }
  if (auto node = content::decode_node(bytes); node.has_value()) {
    if (!std::ranges::equal(content::encode_node(*node), bytes)) std::abort();
    static_cast<void>(content::content_id(*node));
  }
  return 0;
}
