// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/plan/planner.hpp"
#include "client/remote/remote.hpp"
#include "client/state/state.hpp"

namespace clouddocs::client {

// The carrying out of one plan: which nodes still have steps to go, what could not be done, and the synced tree that follows. A node counts as synced
// when its last step, on either side, has succeeded. Not thread-safe.
class Round {
 public:
  Round(State& state, const Plan& plan, const NodeId& root);

  const Plan& plan() const { return plan_; }
  State& state() { return state_; }
  Outcome& outcome(const NodeId& id) { return outcomes_.at(id); }

  // One step of this node has succeeded.
  void step_done(const NodeId& id);
  // It has not: the node stays as it was in the synced tree. `retry`: because something changed meanwhile; look again.
  void step_failed(const NodeId& id, const std::string& reason, bool retry);
  bool has_failed(const NodeId& id) const { return failed_.contains(id); }
  // What needed no step, once everything else has been tried.
  void finish();

  // For a file that was written or read: where its chunks lie from now on.
  void set_chunks(const NodeId& id, std::vector<content::ChunkRef> chunks) { chunks_[id] = std::move(chunks); }

  // Something is not as the plan took it to be: look again afterwards.
  void ask_for_retry() { needs_retry_ = true; }
  bool needs_retry() const { return needs_retry_; }
  const std::vector<Unsynced>& unsynced() const { return unsynced_; }
  // Relative, for messages.
  std::string remote_path(const NodeId& id);

 private:
  void settle(const NodeId& id);
  void forget(const NodeId& id);
  bool is_covered_by_failure(const NodeId& id) const;

  State& state_;
  const Plan& plan_;
  NodeId root_;
  std::map<NodeId, Outcome> outcomes_;
  std::unordered_map<NodeId, int> steps_left_;
  std::unordered_map<NodeId, std::vector<content::ChunkRef>> chunks_;
  std::set<NodeId> failed_;
  std::vector<Unsynced> unsynced_;
  bool needs_retry_ = false;
};

}  // namespace clouddocs::client
