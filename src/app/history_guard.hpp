// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>

#include "blob/blob_store.hpp"
#include "core/task.hpp"
#include "database/database.hpp"
#include "features/storage/commit_door.hpp"

namespace clouddocs::app {

// Notices that the database was replaced by an older one (a restored backup). How far its journals had come is noted in the blob store, outside of
// it; when it starts behind that note, every space gets a new epoch, and devices merge instead of believing that what is missing was deleted.
// Thread-safe after start().
class HistoryGuard {
 public:
  HistoryGuard(database::Database& db, blob::BlobStore& blobs) : db_(db), blobs_(blobs) {}

  // Compares and, where needed, begins a new epoch. Before the first commit.
  core::Task<> start();
  // For each commit.
  void add(const storage::CommitNotice& notice) { total_ += notice.to - notice.from; }
  // Writes the note every few seconds while there is something new; runs until cancelled.
  core::Task<> keep();

 private:
  core::Task<> write_note();

  database::Database& db_;
  blob::BlobStore& blobs_;
  std::int64_t epoch_ = 1;
  std::atomic<std::int64_t> total_{0};  // sum of the heads of all journals
  std::int64_t noted_ = -1;
};

}  // namespace clouddocs::app
