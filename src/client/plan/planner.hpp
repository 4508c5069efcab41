// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/plan/sequence.hpp"
#include "client/tree/node.hpp"
#include "core/clock.hpp"

namespace clouddocs::client {

struct PlanOptions {
  NodeId root;
  std::string device_name;
  core::Timestamp now;
  std::function<NodeId()> make_id;  // for what has to be made anew
};

// What becomes of one node that differs somewhere.
struct Outcome {
  Node target;                 // how it shall be on both sides; target.id is its id from now on
  bool is_alive = false;       // false: it shall exist nowhere
  std::optional<Node> local;   // what it is on the disk now, if it is
  NodeId local_parent;         // and the folder it lies in there, by the id that has from now on
  std::optional<Node> remote;  // what it is on the server now, if it is
};

struct Conflict {
  NodeId id;         // the copy
  std::string name;  // the name both wanted
  std::string copy;  // what the local one is called now
};

// Steps that make both sides equal. `outcomes` is keyed by the id a node has from now on; a node that dies keeps the key it had.
struct Plan {
  std::map<NodeId, Outcome> outcomes;
  std::vector<Step> remote;
  std::vector<Step> local;
  std::vector<Conflict> conflicts;
  bool is_empty() const { return remote.empty() && local.empty(); }
};

// Three-way merge of the trees by stable ids. Pure: no input or output; the same arguments give the same plan.
// What it promises: after its steps both sides are equal; no content that exists on one side only is dropped unless the other side deleted it
// unchanged; content edited on both sides is kept twice, equal content never is; an edit or a move beats a delete; of two moves the
// remote one wins; cycles and names taken twice are resolved in the remote's favour.
// REQUIRES: `local` and `remote` each describe a proper tree below `options.root`; gone folders list what was below them as well.
Plan plan(const TreeView& base, const Overlay& local, const Overlay& remote, const PlanOptions& options);

}  // namespace clouddocs::client
