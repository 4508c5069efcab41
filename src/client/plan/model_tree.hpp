// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <set>
#include <stdexcept>

#include "client/plan/planner.hpp"
#include "content/sha256.hpp"

namespace clouddocs::client {

// For tests: a whole tree in memory that refuses what a file system or the server would refuse.
class ModelTree final : public TreeView {
 public:
  ModelTree() { root_.bytes[0] = std::byte{0xFF}; }

  NodeId root() const { return root_; }
  std::optional<Node> find(const NodeId& id) const override {
    auto found = nodes_.find(id);
    return found == nodes_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<NodeId> find_child(const NodeId& parent, const std::string& name) const override {
    auto found = slots_.find({parent, name});
    return found == slots_.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<NodeId> ids() const {
    std::vector<NodeId> out;
    for (const auto& [id, node] : nodes_) out.push_back(id);
    return out;
  }
  std::vector<NodeId> folders() const {
    std::vector<NodeId> out{root_};
    for (const auto& [id, node] : nodes_) {
      if (node.is_folder()) out.push_back(id);
    }
    return out;
  }
  std::set<std::string> contents() const {
    std::set<std::string> out;
    for (const auto& [id, node] : nodes_) {
      if (!node.is_folder()) out.insert(node.target);
    }
    return out;
  }
  // "path kind content", sorted.
  std::set<std::string> listing() const {
    std::set<std::string> out;
    for (const auto& [id, node] : nodes_) out.insert(path(id) + (node.is_folder() ? "/" : "") + " = " + node.target);
    return out;
  }
  std::string path(const NodeId& id) const {
    return id == root_ ? "" : path(nodes_.at(id).parent) + "/" + nodes_.at(id).name;
  }

  // Changes as a user makes them; impossible ones do nothing. Content is kept in `target`.
  void add(NodeId id, NodeId parent, const std::string& name, Kind kind, const std::string& content) {
    if (slots_.contains({parent, name})) return;
    Node node;
    node.id = id;
    node.parent = parent;
    node.name = name;
    node.kind = kind;
    node.target = content;
    insert(std::move(node));
  }
  void edit(const NodeId& id, const std::string& content) {
    if (auto& node = nodes_.at(id); !node.is_folder()) node.target = content;
  }
  void move(const NodeId& id, const NodeId& parent, const std::string& name) {
    if (!slots_.contains({parent, name}) && !is_below(parent, id)) relocate(id, {parent, name});
  }
  void remove(const NodeId& id) {
    for (const auto& child : children(id)) remove(child);
    slots_.erase(place_of(nodes_.at(id)));
    nodes_.erase(id);
  }

  // Nodes on the disk that go on under another id.
  void rename(const Plan& plan) {
    std::map<NodeId, NodeId> ids;
    for (const auto& [id, outcome] : plan.outcomes) {
      if (outcome.local && outcome.local->id != id) ids[outcome.local->id] = id;
    }
    auto map = [&](const NodeId& id) { return ids.contains(id) ? ids.at(id) : id; };
    const auto old = std::exchange(nodes_, {});
    slots_.clear();
    for (auto [id, node] : old) {
      node.id = map(id);
      node.parent = map(node.parent);
      insert(std::move(node));
    }
  }
  void apply(const Step& step, const Plan& plan, bool remove_whole) {
    const auto& target = plan.outcomes.at(step.id).target;
    const Place to{step.parent, step.name};
    switch (step.type) {
      case Step::Type::create: {
        require(!nodes_.contains(step.id) && !slots_.contains(to) && is_folder(step.parent), "create");
        auto node = target;
        node.parent = step.parent;
        node.name = step.name;
        insert(std::move(node));
        break;
      }
      case Step::Type::move:
        require(nodes_.contains(step.id) && !slots_.contains(to) && is_folder(step.parent), "move");
        require(!is_below(step.parent, step.id), "move below itself");
        relocate(step.id, to);
        break;
      case Step::Type::update: nodes_.at(step.id).target = target.target; break;
      case Step::Type::meta: break;
      case Step::Type::remove: require(remove_whole || children(step.id).empty(), "remove"); remove(step.id);
    }
  }

  Overlay difference_from(const ModelTree& base) const {
    Overlay out;
    for (const auto& [id, node] : nodes_) {
      const auto old = base.find(id);
      if (!old || place_of(*old) != place_of(node) || old->target != node.target) out[id] = node;
    }
    for (const auto& [id, node] : base.nodes_) {
      if (!nodes_.contains(id)) out[id] = std::nullopt;
    }
    return out;
  }

 private:
  static void require(bool condition, const char* what) {
    if (!condition) throw std::logic_error(std::string("impossible ") + what);
  }
  bool is_folder(const NodeId& id) const { return id == root_ || (nodes_.contains(id) && nodes_.at(id).is_folder()); }
  bool is_below(NodeId id, const NodeId& above) const {
    for (; id != root_; id = nodes_.at(id).parent) {
      if (id == above) return true;
    }
    return false;
  }
  std::vector<NodeId> children(const NodeId& parent) const {
    std::vector<NodeId> out;
    for (auto at = slots_.lower_bound({parent, ""}); at != slots_.end() && at->first.parent == parent; ++at)
      out.push_back(at->second);
    return out;
  }
  void insert(Node node) {
    slots_[place_of(node)] = node.id;
    nodes_[node.id] = std::move(node);
  }
  void relocate(const NodeId& id, const Place& to) {
    auto& node = nodes_.at(id);
    slots_.erase(place_of(node));
    node.parent = to.parent;
    node.name = to.name;
    slots_[to] = id;
  }

  NodeId root_;
  std::map<NodeId, Node> nodes_;
  std::map<Place, NodeId> slots_;
};

}  // namespace clouddocs::client
