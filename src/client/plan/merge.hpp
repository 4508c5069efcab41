// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <map>
#include <set>
#include <vector>

#include "client/plan/planner.hpp"

namespace clouddocs::client {

// The first half of planning: decides what every node that differs somewhere shall become. Used once.
class Merge {
 public:
  Merge(const TreeView& base, const Overlay& local, const Overlay& remote, const PlanOptions& options)
      : base_(base), local_(local), remote_(remote), options_(options) {}

  void run();
  std::map<NodeId, Outcome> take_outcomes();
  std::vector<Conflict> take_conflicts() { return std::move(conflicts_); }
  // What an id of the local tree is called in the outcomes.
  NodeId merged_id(const NodeId& local_id) const;

 private:
  struct Entry {
    Outcome outcome;
    std::optional<Node> base;
    bool is_placed_locally = false;  // outcome.target.parent is an id of the local tree
  };
  using Entries = std::map<NodeId, Entry>;

  std::optional<Node> effective(const Overlay& overlay, const NodeId& id, const std::optional<Node>& base) const;
  void decide(const NodeId& id);
  void merge_both(Entry& entry);
  void merge_content(Entry& entry);
  void split_conflict(Entry& entry);
  bool survives(const Overlay& overlay, const NodeId& id, const Node& mine, const std::optional<Node>& base) const;
  bool is_moved(const Overlay& mine, const Overlay& other, const NodeId& id) const;

  NodeId parent_of(const Entry& entry) const;
  std::optional<NodeId> parent_of(const NodeId& id) const;
  NodeId recreate(const NodeId& old_id);
  void revive_parents();
  bool break_cycles();
  std::optional<NodeId> find_in_cycle(const NodeId& start, std::set<NodeId>& rooted) const;
  void resolve_names();
  int depth_of(const NodeId& id) const;
  void claim_name(const NodeId& id);
  bool bind(const NodeId& local_only, const NodeId& remote_only);
  std::optional<NodeId> holder_of(const Place& place) const;
  void rename_aside(const NodeId& id, Entry& entry, const NodeId& parent);

  const TreeView& base_;
  const Overlay& local_;
  const Overlay& remote_;
  const PlanOptions& options_;
  Entries entries_;
  std::map<NodeId, NodeId> aliases_;  // ids of the local tree that go on under another id
  std::map<Place, NodeId> slots_;
  std::vector<Conflict> conflicts_;
};

}  // namespace clouddocs::client
