// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/storage/commit_door.hpp"
#include "features/storage/content_reader.hpp"
#include "features/storage/content_upload.hpp"
#include "features/storage/list_query.hpp"

namespace clouddocs::storage {

// A page of a listing with what a browser shows around it.
struct Listing {
  SpaceHead head;
  Node folder;
  std::vector<TreeStore::Ancestor> path;  // the root first, the folder itself not among them
  bool has_items = false;  // whether they were needed
  std::vector<Node> items;
  bool has_more = false;
};

// What the REST API reads from the tree. Every read checks that the caller may see the space. Thread-safe.
class StorageService {
 public:
  StorageService(database::Database& db, ChunkStore& chunks, CommitDoor& door)
      : db_(db), chunks_(chunks), door_(door) {}

  // Asked when everything but the items has been read; may be asked again.
  using NeedsItems = std::function<bool(const Listing&)>;
  // The folder (nullopt: the root of the personal space). Errors: not_found, invalid_request (no folder).
  Task<Result<Listing>> list(
      const Caller& caller, std::optional<FileId> folder, const ListQuery& query,
      const NeedsItems& needs_items = [](const Listing&) { return true; });
  // Errors: not_found (also for what is not the caller's, or purged).
  Task<Result<Node>> find(const Caller& caller, FileId id);
  // A live file with a content (version 0: the current one). Errors: not_found, invalid_request (no file).
  struct FileVersion {
    Node node;
    Version version;
  };
  Task<Result<FileVersion>> find_content(const Caller& caller, FileId id, std::int64_t version);
  Task<Result<std::vector<Version>>> versions(const Caller& caller, FileId id, int limit,
                                              std::int64_t before = std::numeric_limits<std::int64_t>::max());
  Task<Result<std::vector<Node>>> trash(const Caller& caller, std::optional<Timestamp> before, NodeId before_id,
                                        int limit);
  // Ends a trashed node for good. Errors: as Purge.
  Task<Result<>> purge(const Caller& caller, FileId id);
  // Ends everything in the trash; returns how many items.
  Task<Result<std::int64_t>> empty_trash(const Caller& caller);
  // Before an upload is read: what would refuse it anyway. Errors: gone, name_taken, quota_exceeded.
  struct UploadPlan {
    SpaceId space;
    NodeId parent;
    std::int64_t max_size = 0;
    std::optional<Node> holder;  // of the name
  };
  Task<Result<UploadPlan>> plan_upload(const Caller& caller, std::optional<FileId> parent, const std::string& filename);

  // Errors: not_found.
  static Task<Result<Space>> require_space(Transaction& tx, const Caller& caller, SpaceId id);

  ChunkStore& chunks() { return chunks_; }
  CommitDoor& door() { return door_; }

 private:
  database::Database& db_;
  ChunkStore& chunks_;
  CommitDoor& door_;
};

}  // namespace clouddocs::storage
