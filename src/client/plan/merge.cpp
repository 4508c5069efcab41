// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/merge.hpp"

#include <algorithm>

#include "client/plan/conflict_name.hpp"

namespace clouddocs::client {
namespace {

constexpr int max_depth = 4096;

// A node that a device was moving when it was cut off: nobody meant it to be called that.
bool is_in_transit(const Node& node) { return node.name.starts_with(transit_prefix); }

void take_content(Node& to, const Node& from) {
  to.size = from.size;
  to.content_id = from.content_id;
  to.sha256 = from.sha256;
  to.target = from.target;
  to.modified_at = from.modified_at;
  to.executable = from.executable;
}

}  // namespace

void Merge::run() {
  std::set<NodeId> ids;
  for (const auto& [id, node] : local_) ids.insert(id);
  for (const auto& [id, node] : remote_) ids.insert(id);
  ids.erase(options_.root);
  for (const auto& id : ids) decide(id);
  revive_parents();
  while (break_cycles()) revive_parents();
  resolve_names();
}

std::map<NodeId, Outcome> Merge::take_outcomes() {
  std::map<NodeId, Outcome> out;
  for (auto& [id, entry] : entries_) {
    if (entry.outcome.is_alive) entry.outcome.target.parent = parent_of(entry);
    out.emplace(id, std::move(entry.outcome));
  }
  return out;
}

std::optional<Node> Merge::effective(const Overlay& overlay, const NodeId& id, const std::optional<Node>& base) const {
  auto found = overlay.find(id);
  return found == overlay.end() ? base : found->second;
}

NodeId Merge::merged_id(const NodeId& local_id) const {
  auto found = aliases_.find(local_id);
  return found == aliases_.end() ? local_id : found->second;
}
NodeId Merge::parent_of(const Entry& entry) const {
  const auto& parent = entry.outcome.target.parent;
  return entry.is_placed_locally ? merged_id(parent) : parent;
}
std::optional<NodeId> Merge::parent_of(const NodeId& id) const {
  if (auto found = entries_.find(id); found != entries_.end()) {
    if (!found->second.outcome.is_alive) return std::nullopt;
    return parent_of(found->second);
  }
  auto base = base_.find(id);
  return base ? std::optional(base->parent) : std::nullopt;
}

void Merge::decide(const NodeId& id) {
  Entry entry;
  entry.base = base_.find(id);
  auto& outcome = entry.outcome;
  outcome.local = effective(local_, id, entry.base);
  outcome.remote = effective(remote_, id, entry.base);
  if (outcome.local && outcome.remote) {
    merge_both(entry);
  } else if (outcome.local) {
    outcome.target = *outcome.local;
    entry.is_placed_locally = true;
    outcome.is_alive = !entry.base || survives(local_, id, *outcome.local, entry.base);
  } else if (outcome.remote) {
    outcome.target = *outcome.remote;
    outcome.is_alive = !entry.base || survives(remote_, id, *outcome.remote, entry.base);
  } else if (entry.base) {
    outcome.target = *entry.base;
  }
  const bool is_gone_remotely = outcome.is_alive && entry.base && !outcome.remote;
  entries_.insert_or_assign(id, std::move(entry));
  if (is_gone_remotely) recreate(id);
}

// Whether a node that the other side deleted goes on: its content or its place has been changed on this side.
bool Merge::survives(const Overlay& overlay, const NodeId& id, const Node& mine,
                     const std::optional<Node>& base) const {
  if (!has_same_content(mine, *base)) return true;
  return is_moved(overlay, &overlay == &local_ ? remote_ : local_, id);
}

// Moved itself, or below a folder that was: moving a folder keeps what is in it.
bool Merge::is_moved(const Overlay& mine, const Overlay& other, const NodeId& id) const {
  NodeId at = id;
  for (int depth = 0; depth < max_depth && at != options_.root; ++depth) {
    const auto base = base_.find(at);
    const auto now = effective(mine, at, base);
    if (!base || !now) return false;
    if (effective(other, at, base)) return false;  // from here up nothing was deleted
    if (place_of(*now) != place_of(*base) && !is_in_transit(*now)) return true;
    at = now->parent;
  }
  return false;
}

void Merge::merge_both(Entry& entry) {
  auto& [target, is_alive, local, local_parent, remote] = entry.outcome;
  const auto& base = entry.base;
  is_alive = true;
  target = *remote;
  target.stamp = local->stamp;
  target.local_name = local->local_name;
  const bool is_moved_remotely = !base || (place_of(*remote) != place_of(*base) && !is_in_transit(*remote));
  if (!is_moved_remotely && place_of(*local) != place_of(*remote)) {
    target.parent = local->parent;
    target.name = local->name;
    entry.is_placed_locally = true;
  }
  merge_content(entry);
}

void Merge::merge_content(Entry& entry) {
  auto& [target, is_alive, local, local_parent, remote] = entry.outcome;
  const auto& base = entry.base;
  if (has_same_content(*local, *remote)) {
    if (!base) return;
    if (remote->modified_at == base->modified_at) target.modified_at = local->modified_at;
    if (remote->executable == base->executable) target.executable = local->executable;
  } else if (base && has_same_content(*remote, *base)) {
    take_content(target, *local);
  } else if (!base || !has_same_content(*local, *base)) {
    split_conflict(entry);
  }
}

// Both edited: the remote content keeps the name, what is on the disk becomes a node of its own beside it.
void Merge::split_conflict(Entry& entry) {
  Entry copy;
  copy.outcome.target = *entry.outcome.local;
  copy.outcome.target.id = options_.make_id();
  copy.outcome.target.parent = entry.outcome.target.parent;
  copy.outcome.target.name = entry.outcome.target.name;  // taken: resolve_names() finds another
  copy.outcome.target.version = copy.outcome.target.seq = 0;
  copy.outcome.is_alive = true;
  copy.outcome.local = std::move(entry.outcome.local);
  copy.is_placed_locally = true;
  entry.outcome.local.reset();
  entry.is_placed_locally =
      entry.is_placed_locally && !(place_of(entry.outcome.target) == place_of(*entry.outcome.remote));
  entry.outcome.target.stamp = {};
  entry.outcome.target.local_name.clear();
  const auto id = copy.outcome.target.id;
  entries_.insert_or_assign(id, std::move(copy));
}

// Gives a node that the server no longer has a new identity. What the old id meant is forgotten.
NodeId Merge::recreate(const NodeId& old_id) {
  const auto fresh = options_.make_id();
  auto& old_entry = entries_.at(old_id);
  Entry entry;
  entry.outcome = std::move(old_entry.outcome);
  entry.outcome.target.id = fresh;
  entry.outcome.target.version = entry.outcome.target.seq = 0;
  entry.outcome.is_alive = true;
  entry.outcome.remote.reset();
  entry.is_placed_locally = true;
  old_entry.outcome = Outcome{};
  if (old_entry.base) old_entry.outcome.target = *old_entry.base;
  aliases_[old_id] = fresh;
  entries_.insert_or_assign(fresh, std::move(entry));
  return fresh;
}

// Whatever lives needs living folders above it: a folder that one side deleted comes back for what the other side put or kept in it.
void Merge::revive_parents() {
  std::vector<NodeId> open;
  for (const auto& [id, entry] : entries_) {
    if (entry.outcome.is_alive) open.push_back(id);
  }
  while (!open.empty()) {
    const auto id = open.back();
    open.pop_back();
    const auto parent = parent_of(entries_.at(id));
    auto found = entries_.find(parent);
    if (found == entries_.end() || found->second.outcome.is_alive) continue;
    auto& outcome = found->second.outcome;
    if (outcome.remote) {
      outcome.is_alive = true;
      open.push_back(parent);
    } else {
      if (!outcome.local && found->second.base) outcome.target = *found->second.base;
      entries_.at(id).is_placed_locally = true;  // so that the alias is followed
      open.push_back(recreate(parent));
    }
  }
}

std::optional<NodeId> Merge::find_in_cycle(const NodeId& start, std::set<NodeId>& rooted) const {
  std::vector<NodeId> path;
  std::set<NodeId> on_path;
  std::optional<NodeId> at = start;
  while (at && *at != options_.root && !rooted.contains(*at)) {
    if (!on_path.insert(*at).second) return at;
    path.push_back(*at);
    at = parent_of(*at);
  }
  rooted.insert(path.begin(), path.end());
  return std::nullopt;
}

// Each side's tree has no cycle, so one that both moves make together holds a node that was moved locally: it goes where the server has it.
bool Merge::break_cycles() {
  std::set<NodeId> rooted;
  bool is_changed = false;
  for (auto& [id, entry] : entries_) {
    if (!entry.outcome.is_alive) continue;
    auto at = find_in_cycle(id, rooted);
    if (!at) continue;
    for (auto walk = *at;;) {
      auto found = entries_.find(walk);
      if (found != entries_.end() && found->second.is_placed_locally && found->second.outcome.remote) {
        found->second.outcome.target.parent = found->second.outcome.remote->parent;
        found->second.outcome.target.name = found->second.outcome.remote->name;
        found->second.is_placed_locally = false;
        is_changed = true;
        break;
      }
      walk = *parent_of(walk);
      if (walk == *at) return false;  // not possible with proper trees
    }
  }
  return is_changed;
}

int Merge::depth_of(const NodeId& id) const {
  int depth = 0;
  for (std::optional<NodeId> at = id; at && *at != options_.root && depth < max_depth; at = parent_of(*at)) ++depth;
  return depth;
}

void Merge::resolve_names() {
  std::vector<std::pair<int, NodeId>> later;
  for (auto& [id, entry] : entries_) {
    if (!entry.outcome.is_alive) continue;
    if (entry.is_placed_locally) {
      later.emplace_back(depth_of(id), id);
    } else if (!slots_.emplace(Place{parent_of(entry), entry.outcome.target.name}, id).second) {
      later.emplace_back(depth_of(id), id);
    }
  }
  std::ranges::sort(later);  // folders before what is in them: binding one decides where its children belong
  for (const auto& [depth, id] : later) claim_name(id);
}

std::optional<NodeId> Merge::holder_of(const Place& place) const {
  if (auto found = slots_.find(place); found != slots_.end()) return found->second;
  auto child = base_.find_child(place.parent, place.name);
  if (child && !entries_.contains(*child)) return child;
  return std::nullopt;
}

void Merge::claim_name(const NodeId& id) {
  auto& entry = entries_.at(id);
  const auto parent = parent_of(entry);
  const auto holder = holder_of({parent, entry.outcome.target.name});
  if (holder && *holder != id) {
    if (bind(id, *holder)) return;
    rename_aside(id, entry, parent);
  }
  slots_[{parent, entry.outcome.target.name}] = id;
}

// The same thing made on both sides becomes one: folders of one name, files of one name and content.
bool Merge::bind(const NodeId& local_only, const NodeId& remote_only) {
  auto found = entries_.find(remote_only);
  if (found == entries_.end()) return false;
  auto& mine = entries_.at(local_only).outcome;
  auto& theirs = found->second.outcome;
  if (mine.remote || !mine.local || theirs.local || !theirs.remote || !has_same_content(mine.target, theirs.target))
    return false;
  theirs.local = std::move(mine.local);
  theirs.target.stamp = theirs.local->stamp;
  theirs.target.local_name = theirs.local->local_name;
  aliases_[theirs.local->id] = remote_only;
  entries_.erase(local_only);
  return true;
}

void Merge::rename_aside(const NodeId& id, Entry& entry, const NodeId& parent) {
  const auto wanted = entry.outcome.target.name;
  for (int attempt = 1;; ++attempt) {
    auto name = conflict_name(wanted, options_.device_name, options_.now, attempt);
    if (holder_of({parent, name})) continue;
    conflicts_.push_back({id, wanted, name});
    entry.outcome.target.name = std::move(name);
    return;
  }
}

}  // namespace clouddocs::client
