// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content/chunk.hpp"
#include "features/storage/space_store.hpp"

namespace clouddocs::storage {

// Chunks that nothing refers to are kept at least this long after they were last touched; so a "have it" answer holds that long.
inline constexpr std::chrono::hours chunk_grace{24};
// A chunk touched within this time is not written again: the answer then still holds for chunk_grace minus this.
inline constexpr std::chrono::hours touch_interval{1};

// Where a chunk lies.
struct ChunkPlace {
  content::ChunkName name;
  std::uint32_t size = 0;
  std::string object;  // "" when the bytes are in small_chunks
  std::uint64_t offset = 0;
  std::int64_t small_id = 0;
};

// A chunk to be recorded: its bytes lie durably in an object, or come along in `bytes` (object empty).
struct NewChunk {
  content::ChunkName name;
  std::uint32_t size = 0;
  std::string object;
  std::uint64_t offset = 0;
  core::ByteView bytes;
};

struct Segment {
  std::string name;
  std::uint64_t size = 0;
};

// SQL on `chunks`, `small_chunks` and `segments`. Stateless.
class ChunkIndex {
 public:
  static Task<std::optional<ChunkPlace>> find(Transaction& tx, SpaceId space, const content::ChunkName& name);
  static Task<core::Bytes> small_bytes(Transaction& tx, std::int64_t small_id);

  // Keeps the chunk from being collected for chunk_grace. Nullopt when there is none; else its size, and whether it was
  // pending. `commit`: it is now part of a version and no longer pending.
  struct Touched {
    std::int64_t size;
    bool was_pending;
  };
  static Task<std::optional<Touched>> touch(Transaction& tx, SpaceId space, const content::ChunkName& name, bool commit,
                                            Timestamp now);

  // Records a chunk unless the space has it already: then that is touched instead, and what touch() says of it returned.
  static Task<std::optional<Touched>> add(Transaction& tx, SpaceId space, const NewChunk& chunk, bool pending,
                                          Timestamp now);
  static Task<> add_segment(Transaction& tx, SpaceId space, const Segment& segment, Timestamp now);
};

}  // namespace clouddocs::storage
