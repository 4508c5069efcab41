// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/round.hpp"

namespace clouddocs::client {
namespace {

constexpr int max_depth = 4096;
constexpr std::int64_t indexed_size = 256 << 10;  // smaller files are fetched faster than looked up

}  // namespace

Round::Round(State& state, const Plan& plan, const NodeId& root) : state_(state), plan_(plan), root_(root), outcomes_(plan.outcomes) {
  for (const auto& step : plan.remote) ++steps_left_[step.id];
  for (const auto& step : plan.local) ++steps_left_[step.id];
}

void Round::step_done(const NodeId& id) {
  auto left = steps_left_.find(id);
  if (left != steps_left_.end() && --left->second == 0 && !failed_.contains(id)) settle(id);
}

void Round::step_failed(const NodeId& id, const std::string& reason, bool retry) {
  failed_.insert(id);
  needs_retry_ = needs_retry_ || retry;
  if (!retry) unsynced_.push_back({remote_path(id), reason});
}

void Round::finish() {
  State::Transaction transaction(state_);
  for (const auto& [id, outcome] : outcomes_) {
    if (!steps_left_.contains(id) && !failed_.contains(id) && !is_covered_by_failure(id)) settle(id);
  }
  transaction.commit();
}

// A node that goes together with its folder has no step of its own; if the folder could not be removed, neither was it.
bool Round::is_covered_by_failure(const NodeId& id) const {
  const auto& outcome = outcomes_.at(id);
  if (outcome.is_alive || !outcome.remote) return false;
  NodeId at = outcome.remote->parent;
  for (int depth = 0; at != root_ && depth < max_depth; ++depth) {
    if (failed_.contains(at)) return true;
    auto above = outcomes_.find(at);
    if (above == outcomes_.end() || !above->second.remote) return false;
    const auto left = steps_left_.find(at);
    if (left != steps_left_.end() && left->second > 0) return true;
    at = above->second.remote->parent;
  }
  return false;
}

void Round::settle(const NodeId& id) {
  const auto& outcome = outcomes_.at(id);
  if (!outcome.is_alive) return forget(id);
  Node node = outcome.target;
  if (const auto row = state_.find_remote(id)) {
    node.version = row->version;
    node.seq = row->seq;
  }
  if (node.local_name.empty()) node.local_name = node.name;
  state_.put_synced(node);
  state_.clear_dirty(id);
  if (auto chunks = chunks_.find(id); chunks != chunks_.end() && node.size >= indexed_size) {
    state_.index_chunks(id, chunks->second);
  }
}

// A folder goes together with what was in it, in one transaction: a crash in between would leave nodes without a folder behind.
void Round::forget(const NodeId& id) {
  State::Transaction transaction(state_);
  for (const auto& child : state_.children(id)) {
    if (const auto found = outcomes_.find(child.id); found != outcomes_.end() && !found->second.is_alive) forget(child.id);
  }
  state_.remove_synced(id);
  state_.remove_chunks(id);
  state_.clear_dirty(id);
  transaction.commit();
}

std::string Round::remote_path(const NodeId& id) {
  std::string path;
  NodeId at = id;
  for (int depth = 0; at != root_ && depth < max_depth; ++depth) {
    Place place;
    if (auto found = outcomes_.find(at); found != outcomes_.end()) {
      place = place_of(found->second.target);
    } else if (const auto base = state_.find(at)) {
      place = place_of(*base);
    } else {
      break;
    }
    path = path.empty() ? place.name : place.name + "/" + path;
    at = place.parent;
  }
  return path;
}

}  // namespace clouddocs::client
