// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <mutex>

#include "features/storage/chunk_store.hpp"
#include "features/storage/commit_door.hpp"
#include "features/storage/garbage_store.hpp"

namespace clouddocs::storage {

// How long things are kept after nobody needs them. Only tests set others than these.
struct Retention {
  std::chrono::hours purged_hold{7 * 24};       // a purged file can be brought back by an administrator
  std::chrono::hours tombstones{400 * 24};      // how long an absent device still learns of a delete
  std::chrono::hours min_version_age{24};       // no content is thinned sooner, whatever the plan
  std::chrono::hours chunks = chunk_grace;      // after the last touch
  std::chrono::hours objects{24};  // after the last chunk in it went; also for objects that nobody knows
  std::chrono::hours commits{30 * 24};  // answers of batches
  std::chrono::minutes small_bytes{10};  // for readers that have looked a small chunk up
};

// What one run did.
struct GarbageReport {
  std::int64_t trash_purged = 0;
  std::int64_t tombstones_slimmed = 0;
  std::int64_t tombstones_dropped = 0;
  std::int64_t versions_dropped = 0;
  std::int64_t chunks_dropped = 0;
  std::int64_t segments_removed = 0;
  std::int64_t orphans_removed = 0;
  std::int64_t chunks_packed = 0;
  std::int64_t spaces_skipped = 0;  // a manifest could not be read: nothing of the space was collected
};
boost::json::object to_json(const GarbageReport& report);

// Ends what retention has released: expired trash, old versions, chunks that no version names, objects that hold none. The order makes it safe beside running
// commits: versions are dropped first, then what remains is marked, then only chunks that nobody touched for a day go, re-checked under the
// space's lock; their objects go a day later. Also moves small chunks from the database into segments. Thread-safe; one run at a time.
class GarbageCollector {
 public:
  GarbageCollector(ChunkStore& chunks, CommitDoor& door, Retention retention = {})
      : chunks_(chunks), door_(door), retention_(retention) {}

  Task<Result<GarbageReport>> run();

 private:
  Task<Result<>> collect_space(SpaceId space, GarbageReport& report);
  Task<Result<>> expire(const Space& space, const access::Plan& plan, GarbageReport& report);
  Task<Result<>> sweep_chunks(SpaceId space, GarbageReport& report);
  // The names that versions refer to, of those in [first byte range] `part` of `parts`.
  Task<Result<std::vector<content::ChunkName>>> mark(SpaceId space, unsigned part, unsigned parts);
  Task<Result<>> pack_small_chunks(SpaceId space, GarbageReport& report);
  Task<Result<>> remove_segments(GarbageReport& report);
  Task<Result<>> remove_orphans(GarbageReport& report);

  ChunkStore& chunks_;
  CommitDoor& door_;
  Retention retention_;
};

}  // namespace clouddocs::storage
