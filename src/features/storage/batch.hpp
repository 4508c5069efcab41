// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "features/access/caller.hpp"
#include "features/access/plans.hpp"
#include "features/storage/commit_door.hpp"

namespace clouddocs::storage {

// A batch inside its transaction, after the space was locked: applies operations and gathers what they change. Not thread-safe.
class Batch {
 public:
  Batch(Transaction& tx, const Caller& caller, Space space, const access::Plan& plan, std::int64_t first_seq,
        Timestamp now, const core::Clock& clock, core::Random& random);

  // Applies one operation in a savepoint. Never throws for a refused operation.
  Task<OperationResult> apply(const Operation& operation);
  // Writes what was gathered: tree_seq of the touched folders, usage of the space.
  Task<> finish();
  std::vector<Node> changed() const;

 private:
  // What operations change besides rows.
  struct Gathered {
    std::int64_t used = 0;
    std::int64_t reserved = 0;
    std::map<NodeId, std::int64_t> dirty_folders;
    std::map<NodeId, Node> changed;
  };

  Task<OperationResult> run(const Put& op);
  Task<OperationResult> run(const PutSymlink& op);
  Task<OperationResult> run(const MakeFolder& op);
  Task<OperationResult> run(const Move& op);
  Task<OperationResult> run(const SetMeta& op);
  Task<OperationResult> run(const Delete& op);
  Task<OperationResult> run(const Restore& op);
  Task<OperationResult> run(const RestoreVersion& op);
  Task<OperationResult> run(const Copy& op);
  Task<OperationResult> run(const Purge& op);

  // Errors: gone (not there, purged, trashed, below a trashed folder).
  Task<Result<Node>> find_live(NodeId id);
  // The chain of a folder that may receive a node. Errors: gone, invalid_request (no folder), too_deep.
  Task<Result<std::size_t>> require_folder(NodeId id);
  // Checks that the name is free, or finds a free one. Errors: name_taken, invalid_name.
  Task<Result<std::string>> claim_name(NodeId parent, std::string_view filename, bool rename_if_taken,
                                       std::optional<NodeId> except = std::nullopt);
  Task<Result<>> settle_chunks(const NewContent& content);
  Result<> charge(std::int64_t bytes);
  Task<OperationResult> replace_content(Node node, const Put& op);
  Task<OperationResult> create_file(const Put& op);
  Task<OperationResult> insert(Node node, std::optional<Version> version);
  Task<OperationResult> save(Node node, std::optional<NodeId> also_dirty = std::nullopt);
  Task<Result<std::vector<Node>>> collect_for_copy(const Node& source);
  Version make_version(const NewContent& content, std::int64_t number) const;
  core::Error stale(const Node& node) const;
  std::int64_t next_seq() { return ++seq_; }

  Transaction& tx_;
  const Caller& caller_;
  Space space_;
  const access::Plan& plan_;
  std::int64_t seq_;
  Timestamp now_;
  const core::Clock& clock_;
  core::Random& random_;
  Gathered total_;  // of the operations that succeeded
  Gathered gathered_;  // of the one that runs; dropped with its savepoint
  std::set<NodeId> failed_;  // nodes that an operation should have made and did not
  std::map<NodeId, std::size_t> live_folders_;  // checked in this batch: depth of the chain
};

}  // namespace clouddocs::storage
