// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/sequence.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace clouddocs::client {
namespace {

constexpr int max_depth = 4096;  // ends walks in a broken tree

class Sequencer {
 public:
  Sequencer(const std::vector<Relocation>& relocations, bool remove_whole, const NodeId& root,
            const std::function<std::optional<NodeId>(const NodeId&)>& parent_of)
      : remove_whole_(remove_whole), root_(root), parent_of_(parent_of) {
    items_.reserve(relocations.size());
    for (const auto& relocation : relocations) {
      items_.emplace(relocation.id, Item{relocation, relocation.from});
      order_.push_back(relocation.id);
      if (relocation.from) slots_.emplace(*relocation.from, relocation.id);
    }
    for (const auto& [id, item] : items_) {
      if (item.at && item.relocation.to) block_ancestors(id, 1);
    }
  }

  std::vector<Step> run() {
    for (const auto& id : order_) {
      if (items_.at(id).relocation.to) place(id);
    }
    for (const auto& id : order_) {
      if (!items_.at(id).relocation.to) remove(id);
    }
    return std::move(steps_);
  }

 private:
  struct Item {
    Relocation relocation;
    std::optional<Place> at;  // now
    bool is_done = false;
    bool is_visiting = false;
    int leaving = 0;  // nodes below a folder to be removed that still have to leave
  };

  Item* find(const NodeId& id) {
    auto found = items_.find(id);
    return found == items_.end() ? nullptr : &found->second;
  }
  std::optional<NodeId> parent_now(const NodeId& id) {
    if (const auto* item = find(id)) return item->at ? std::optional(item->at->parent) : std::nullopt;
    return parent_of_(id);
  }
  void block_ancestors(const NodeId& id, int by) {
    auto up = parent_now(id);
    for (int depth = 0; up && *up != root_ && depth < max_depth; ++depth, up = parent_now(*up)) {
      if (auto* item = find(*up); item != nullptr && !item->relocation.to) item->leaving += by;
    }
  }

  void emit_move(const NodeId& id, Item& item, Place to) {
    const bool is_new = !item.at;
    if (item.at) {
      block_ancestors(id, -1);
      if (auto slot = slots_.find(*item.at); slot != slots_.end() && slot->second == id) slots_.erase(slot);
    }
    steps_.push_back({is_new ? Step::Type::create : Step::Type::move, id, to.parent, to.name});
    slots_[to] = id;
    item.at = std::move(to);
    // Only what still has to go on counts as leaving.
    if (item.relocation.to && *item.at != *item.relocation.to) block_ancestors(id, 1);
  }

  // Out of the way, to a name nobody else has.
  void move_aside(const NodeId& id, Item& item, const NodeId& parent) {
    emit_move(id, item, {parent, std::string(transit_prefix) + core::to_text(id)});
    if (!item.relocation.to) item.leaving = std::max(item.leaving, 0);
  }

  // A node on the way up from `from` to `id` (that is: `from` lies below `id`), nearest to `id`, that is itself still to be moved.
  std::optional<NodeId> find_mover_between(const NodeId& from, const NodeId& id) {
    std::optional<NodeId> mover;
    std::optional<NodeId> up = from;
    for (int depth = 0; up && *up != root_ && depth < max_depth; ++depth, up = parent_now(*up)) {
      if (*up == id) return mover;
      if (const auto* item = find(*up); item != nullptr && item->relocation.to && !item->is_done) mover = *up;
    }
    return std::nullopt;
  }

  void place(const NodeId& id) {
    auto& item = items_.at(id);
    if (item.is_done || item.is_visiting) return;
    if (item.at == item.relocation.to) {
      item.is_done = true;
      return;
    }
    item.is_visiting = true;
    const Place to = *item.relocation.to;
    if (auto* parent = find(to.parent); parent != nullptr && !parent->at) place(to.parent);
    if (const auto* parent = find(to.parent); parent == nullptr || parent->at) {
      for (int attempt = 0; attempt < max_depth && !is_clear(id, to); ++attempt) continue;
      emit_move(id, item, to);
      item.is_done = true;
    }  // else the parent waits for this node: whoever called moves this one aside
    item.is_visiting = false;
  }
  // Removes one hindrance to moving `id` to `to`; true when there was none.
  bool is_clear(const NodeId& id, const Place& to) {
    if (auto mover = find_mover_between(to.parent, id)) {
      auto& between = items_.at(*mover);
      place(*mover);
      if (!between.is_done) move_aside(*mover, between, root_);
      return false;
    }
    auto holder = slots_.find(to);
    if (holder == slots_.end() || holder->second == id) return true;
    free_slot(holder->second, to);
    return false;
  }

  void free_slot(const NodeId holder, const Place& slot) {
    auto& item = items_.at(holder);
    if (item.relocation.to) {
      place(holder);
    } else if (item.leaving == 0) {
      remove(holder);
    }
    if (auto still = slots_.find(slot); still != slots_.end() && still->second == holder)
      move_aside(holder, item, slot.parent);
  }

  void remove(const NodeId& id) {
    auto& item = items_.at(id);
    if (item.is_done) return;
    item.is_done = true;
    if (!item.at) return;
    if (remove_whole_ && has_removed_ancestor(id)) return;
    if (!remove_whole_) remove_below(id);
    steps_.push_back({Step::Type::remove, id, item.at->parent, item.at->name});
    if (auto slot = slots_.find(*item.at); slot != slots_.end() && slot->second == id) slots_.erase(slot);
  }
  bool has_removed_ancestor(const NodeId& id) {
    auto up = parent_now(id);
    for (int depth = 0; up && *up != root_ && depth < max_depth; ++depth, up = parent_now(*up)) {
      if (const auto* item = find(*up); item != nullptr && !item->relocation.to) return true;
    }
    return false;
  }
  void remove_below(const NodeId& id) {
    if (children_.empty()) {
      for (const auto& other : order_) {
        const auto& item = items_.at(other);
        if (!item.relocation.to && item.at) children_[item.at->parent].push_back(other);
      }
      children_[NodeId{}];  // built, even when empty
    }
    auto found = children_.find(id);
    if (found == children_.end()) return;
    for (const auto& child : std::vector<NodeId>(found->second)) remove(child);
  }

  bool remove_whole_;
  NodeId root_;
  const std::function<std::optional<NodeId>(const NodeId&)>& parent_of_;
  std::unordered_map<NodeId, Item> items_;
  std::vector<NodeId> order_;
  std::map<Place, NodeId> slots_;  // who holds a name now, among the relocations
  std::unordered_map<NodeId, std::vector<NodeId>> children_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> sequence(const std::vector<Relocation>& relocations, bool remove_whole, const NodeId& root,
                           const std::function<std::optional<NodeId>(const NodeId&)>& parent_of) {
  return Sequencer(relocations, remove_whole, root, parent_of).run();
}

}  // namespace clouddocs::client
