// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "client/remote/remote.hpp"
#include "core/random.hpp"

namespace clouddocs::client {

// For tests: the server of docs/sync-protocol.md in memory, one space. Refuses what the real one must refuse. Thread-safe.
class ModelServer final : public Remote {
 public:
  explicit ModelServer(core::Random& random);

  core::Result<std::vector<Space>> spaces() override;
  core::Result<ChangesPage> changes(const SpaceId& space, const std::string& cursor, int limit) override;
  core::Result<std::vector<VersionContent>> manifests(const SpaceId& space,
                                                      const std::vector<VersionOf>& files) override;
  core::Result<> fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                       const FrameSink& sink) override;
  core::Result<std::vector<content::ChunkName>> missing(const SpaceId& space,
                                                        const std::vector<content::ChunkName>& names) override;
  core::Result<> store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) override;
  core::Result<BatchResult> commit(const Batch& batch) override;
  core::Result<> report(const std::vector<Unsynced>& unsynced) override;

  // What tests look at and set.
  struct Counters {
    std::int64_t requests = 0;
    std::int64_t bytes_stored = 0;
    std::int64_t bytes_fetched = 0;
    std::int64_t operations = 0;
  };
  Counters counters;
  std::vector<Unsynced> reported;
  // "path = content hash" or "path/" of everything visible.
  std::set<std::string> listing();
  std::set<content::Sha256> every_content();  // of every version that ever was
  std::int64_t head();
  void start_new_epoch();  // as after a restore from a backup: cursors answer cursor_resync
  void drop_journal();  // cursors answer cursor_relist, tombstones are gone
  void purge_trash();  // and remember tombstones

 private:
  struct Row {
    Item item;
    std::int64_t tree_seq = 0;
  };
  struct Version {
    content::Sha256 content_id{};
    std::int64_t size = 0;
    content::Manifest manifest;
  };

  OperationResult apply(const Operation& operation, std::set<NodeId>& failed);
  OperationResult put(const Operation& operation);
  OperationResult make(const Operation& operation, Kind kind);
  OperationResult move(const Operation& operation);
  OperationResult remove(const Operation& operation);
  OperationResult ok(const NodeId& id);
  OperationResult fail(core::Errc code, const Row* row = nullptr);
  void touch(Row& row);
  Row* find(const NodeId& id);
  Row* find_holder(const NodeId& parent, const std::string& name);
  bool is_live(NodeId id);
  bool is_below(NodeId id, const NodeId& above);
  bool check_place(const Operation& operation, OperationResult& out);
  std::optional<std::vector<content::ChunkRef>> expand(const content::Manifest& manifest);
  std::string make_cursor(std::int64_t seq) const;

  core::Random& random_;
  std::recursive_mutex mutex_;
  SpaceId space_;
  NodeId root_;
  int epoch_ = 1;
  std::int64_t seq_ = 0;
  std::int64_t floor_ = 0;
  std::map<NodeId, Row> rows_;
  std::map<std::pair<NodeId, std::string>, std::set<NodeId>> names_;
  std::map<std::pair<NodeId, std::int64_t>, Version> versions_;
  std::unordered_map<content::ChunkName, core::Bytes> chunks_;
  std::map<std::string, std::pair<std::string, BatchResult>> batches_;
};

}  // namespace clouddocs::client
