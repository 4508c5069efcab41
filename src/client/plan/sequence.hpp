// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/tree/node.hpp"

namespace clouddocs::client {

// One change of one side. `create`, `move`: to (parent, name). `update`: the content; `meta`: time and executable bit; `remove`: the node.
struct Step {
  enum class Type : std::uint8_t { create, move, update, meta, remove };
  Type type;
  NodeId id;
  NodeId parent;
  std::string name;
};

// A node whose place changes: `from` absent: it does not exist yet; `to` absent: it shall be removed.
struct Relocation {
  NodeId id;
  std::optional<Place> from;
  std::optional<Place> to;
};

// Nodes on the way to another place carry this prefix for a moment, when names are swapped or folders turned inside out.
inline constexpr std::string_view transit_prefix = ".clouddocs-transit-";

// Brings relocations into an order in which each step is possible when its turn comes: parents exist, names are free, nothing is moved below
// itself, what leaves a folder leaves before the folder is removed. Where they wait for each other, a node is moved aside first.
// `remove_whole`: removing a folder takes everything below along (the server); otherwise each removal is a step, children first.
// `parent_of`: where a node that is not among the relocations lies.
std::vector<Step> sequence(const std::vector<Relocation>& relocations, bool remove_whole, const NodeId& root,
                           const std::function<std::optional<NodeId>(const NodeId&)>& parent_of);

}  // namespace clouddocs::client
