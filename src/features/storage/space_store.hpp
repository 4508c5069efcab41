// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/task.hpp"
#include "database/database.hpp"
#include "features/storage/node.hpp"

namespace clouddocs::storage {

using core::Result;
using core::Task;
using database::Transaction;

// A space: a tree with a journal and a quota of its own.
struct Space {
  SpaceId id;
  UserId owner;
  std::string kind;
  std::string name;
  NodeId root;
  std::int64_t seq = 0;
  std::int64_t floor_seq = 0;
  std::int64_t epoch = 0;
  std::int64_t storage_used = 0;
  std::int64_t reserved = 0;
};

// Where a space stands: everything in it is as it was when owner, epoch and seq are.
struct SpaceHead {
  UserId owner;
  std::int64_t epoch = 0;
  std::int64_t seq = 0;
};

// SQL on `spaces`. Stateless.
class SpaceStore {
 public:
  // Locks the space and moves its journal head by `count`: the numbers seq - count + 1 .. seq are the caller's. It is the first statement of every
  // commit: nothing that a decision rests on is read before it, so commit order = seq order = visibility order.
  static Task<std::optional<Space>> advance(Transaction& tx, SpaceId id, std::int64_t count);
  static Task<std::optional<Space>> find(Transaction& tx, SpaceId id);
  static Task<std::optional<SpaceHead>> find_head(Transaction& tx, SpaceId id);
  static Task<std::vector<Space>> list_of(Transaction& tx, UserId user);
  static Task<> create(Transaction& tx, const Space& space, Timestamp now);
  // Adds to what the space holds; mirrored to the owner's row for a personal space.
  static Task<> add_usage(Transaction& tx, const Space& space, std::int64_t used, std::int64_t reserved);
  static Task<> raise_floor(Transaction& tx, SpaceId id, std::int64_t floor_seq);
  static Task<std::vector<SpaceId>> list_all(Transaction& tx, SpaceId after, int limit);
};

}  // namespace clouddocs::storage
