// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "blob/blob_store.hpp"
#include "content/manifest.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "features/access/plans.hpp"
#include "features/storage/chunk_index.hpp"

namespace clouddocs::storage {

// A segment takes no further chunk beyond this size.
inline constexpr std::uint64_t segment_size = 8U << 20;
// What stays within this many bytes is kept in the database, in the transaction that commits it, and moved to a segment later:
// one synced append instead of an object for every small file.
inline constexpr std::size_t small_limit = 64U << 10;

class ChunkStore;

// A fresh object name. It starts with the time, so that a listing of the store is in order of age.
std::string new_segment_name(const core::Clock& clock, core::Random& random);

// The end of a chunk within bytes that are appended.
struct ChunkEnd {
  std::size_t at = 0;  // how many of those bytes belong to it and to what came before
  content::ChunkName name;
  std::uint32_t size = 0;  // of the whole chunk
};

// Writes the chunks of one upload or request into segments, which become durable beside what comes next. Nothing is known to the space before
// record() or before the commit that takes small_chunks() along; segments that were not recorded are garbage. Used by one coroutine.
class ChunkWriter {
 public:
  ChunkWriter(ChunkStore& store, SpaceId space);
  ~ChunkWriter();
  ChunkWriter(const ChunkWriter&) = delete;
  ChunkWriter& operator=(const ChunkWriter&) = delete;

  // Appends bytes, in which chunks may end (in order); what is behind the last end begins a chunk. The bytes are copied or written before the
  // await returns. Throws StorageUnavailable.
  Task<> append(core::ByteView bytes, std::span<const ChunkEnd> ends = {});
  // Appends a whole chunk. REQUIRES: no other chunk has begun.
  Task<> append_chunk(const content::ChunkName& name, core::ByteView bytes);

  // Whether everything so far is small enough to travel with the commit.
  bool is_small() const { return !spilled_; }
  std::vector<NewChunk> small_chunks() const;
  // Makes everything ended so far durable and records it as pending in one transaction. Errors: quota_exceeded, not_found (the space).
  Task<Result<>> record();
  // Bytes that wait for record() in closed segments.
  std::uint64_t unrecorded() const { return unrecorded_; }

 private:
  struct Ended {
    content::ChunkName name;
    std::uint32_t size;
    std::size_t segment;  // index in segments_, npos for the buffer
    std::uint64_t offset;
  };
  Task<> write(core::ByteView bytes);
  Task<> open_segment();
  Task<> close_segment();

  ChunkStore& store_;
  SpaceId space_;
  std::unique_ptr<blob::BlobWriter> segment_;
  std::string segment_name_;
  core::Bytes buffer_;  // until there is a segment
  std::uint64_t position_ = 0;  // in the segment or the buffer
  std::uint64_t chunk_start_ = 0;
  bool spilled_ = false;  // something lies, or was recorded, outside the buffer
  std::deque<core::Companion> closing_;  // segments on their way to the disk
  std::vector<Segment> segments_;  // closed, not recorded
  std::vector<Ended> ended_;  // not recorded
  std::uint64_t unrecorded_ = 0;
};

// Neighbouring chunks of a content.
struct ChunkRun {
  std::uint64_t begin = 0;  // where the first one lies in the content
  std::vector<content::ChunkRef> chunks;
};

// Where the bytes of chunks lie and how to read them. Thread-safe.
class ChunkStore {
 public:
  ChunkStore(database::Database& db, blob::BlobStore& blobs, core::asio::thread_pool& pool, const access::Plans& plans,
             const core::Clock& clock, core::Random& random)
      : db_(db), blobs_(blobs), pool_(pool), plans_(plans), clock_(clock), random_(random) {}

  // The places of chunks, in order. Errors: chunk_unknown.
  Task<Result<std::vector<ChunkPlace>>> locate(SpaceId space, std::span<const content::ChunkRef> chunks);
  // Reads one chunk. Throws when its bytes are not there.
  Task<core::Bytes> read(const ChunkPlace& place);
  Task<core::Bytes> read_small(std::int64_t small_id);
  // The content chunks of a manifest, its nodes read from the space. `nodes` receives the names of those. Errors: chunk_unknown,
  // chunk_frame_invalid, invalid_request (sizes do not add up, more than `limit` chunks).
  Task<Result<std::vector<content::ChunkRef>>> flatten(SpaceId space, const content::Manifest& manifest,
                                                       std::size_t limit,
                                                       std::vector<content::ChunkName>* nodes = nullptr);
  // Those of the content chunks that hold [offset, offset + length): what lies beside costs nothing. Errors: as flatten().
  Task<Result<ChunkRun>> find_run(SpaceId space, const content::Manifest& manifest, std::uint64_t offset,
                                  std::uint64_t length);
  // Which of these the space does not hold; those it holds are touched.
  Task<Result<std::vector<content::ChunkName>>> missing(const UserId& user, SpaceId space,
                                                        std::span<const content::ChunkName> names);
  // An object as a local file, from a small cache of open files; null where objects are not local.
  Task<std::shared_ptr<blob::FileHandle>> open_local(std::string object);

  database::Database& db() { return db_; }
  blob::BlobStore& blobs() { return blobs_; }
  core::asio::thread_pool& pool() { return pool_; }
  const access::Plans& plans() const { return plans_; }
  const core::Clock& clock() const { return clock_; }
  core::Random& random() { return random_; }

 private:
  // The entries of manifest nodes, one after another.
  Task<Result<std::vector<content::ChunkRef>>> read_nodes(SpaceId space, std::span<const content::ChunkRef> nodes,
                                                          std::size_t limit);

  database::Database& db_;
  blob::BlobStore& blobs_;
  core::asio::thread_pool& pool_;
  const access::Plans& plans_;
  const core::Clock& clock_;
  core::Random& random_;
  std::mutex open_mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<blob::FileHandle>>> open_;  // the latest used last
};

}  // namespace clouddocs::storage
