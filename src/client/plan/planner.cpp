// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/planner.hpp"

#include "client/plan/merge.hpp"

namespace clouddocs::client {
namespace {

// What one side has to do to get from `now` to the target of each outcome.
class SideSteps {
 public:
  SideSteps(const TreeView& base, const std::map<NodeId, Outcome>& outcomes) : base_(base), outcomes_(outcomes) {}

  void add(const Outcome& outcome, const NodeId& id, const std::optional<Node>& now, const std::optional<Place>& from) {
    const auto to = outcome.is_alive ? std::optional(place_of(outcome.target)) : std::nullopt;
    if (from != to) relocations_.push_back({id, from, to});
    if (!now || !outcome.is_alive) return;
    const auto& target = outcome.target;
    if (!has_same_content(*now, target)) {
      changes_.push_back({Step::Type::update, id, target.parent, target.name});
    } else if (!has_same_meta(*now, target)) {
      changes_.push_back({Step::Type::meta, id, target.parent, target.name});
    }
  }

  std::vector<Step> finish(bool remove_whole, const NodeId& root) {
    auto parent_of = [&](const NodeId& id) -> std::optional<NodeId> {
      if (auto found = outcomes_.find(id); found != outcomes_.end()) {
        return found->second.is_alive ? std::optional(found->second.target.parent) : std::nullopt;
      }
      auto base = base_.find(id);
      return base ? std::optional(base->parent) : std::nullopt;
    };
    auto steps = sequence(relocations_, remove_whole, root, parent_of);
    steps.insert(steps.end(), changes_.begin(), changes_.end());
    return steps;
  }

 private:
  const TreeView& base_;
  const std::map<NodeId, Outcome>& outcomes_;
  std::vector<Relocation> relocations_;
  std::vector<Step> changes_;
};

}  // namespace

Plan plan(const TreeView& base, const Overlay& local, const Overlay& remote, const PlanOptions& options) {
  Merge merge(base, local, remote, options);
  merge.run();
  Plan out;
  out.outcomes = merge.take_outcomes();
  out.conflicts = merge.take_conflicts();
  SideSteps on_server(base, out.outcomes);
  SideSteps on_disk(base, out.outcomes);
  for (auto& [id, outcome] : out.outcomes) {
    if (outcome.local) outcome.local_parent = merge.merged_id(outcome.local->parent);
    const auto& remote_now = outcome.remote;
    on_server.add(outcome, id, remote_now, remote_now ? std::optional(place_of(*remote_now)) : std::nullopt);
    const auto& local_now = outcome.local;
    on_disk.add(outcome, id, local_now,
                local_now ? std::optional(Place{outcome.local_parent, local_now->name}) : std::nullopt);
  }
  out.remote = on_server.finish(true, options.root);
  out.local = on_disk.finish(false, options.root);
  return out;
}

}  // namespace clouddocs::client
