// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "features/access/caller.hpp"
#include "features/access/plans.hpp"
#include "features/storage/operation.hpp"

namespace clouddocs::storage {

using access::Caller;

// What became of one operation. On an error that concerns a node, `error.extension` holds its current state as `"item":{...}`.
using OperationResult = Result<Node>;

// What became of a batch.
struct BatchOutcome {
  std::vector<OperationResult> results;
  std::int64_t from = 0;  // the journal head before
  std::int64_t to = 0;  // and after
  std::int64_t epoch = 0;
  std::string answer;  // the answer of the sync API as JSON; for a repeated key, the stored one
};

// Told after each COMMIT that changed something: the changed rows at their latest state.
struct CommitNotice {
  SpaceId space;
  UserId owner;
  std::int64_t epoch = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::vector<Node> changed;
};

// The key under which a batch is remembered, and the hash of its request.
struct IdempotencyKey {
  std::string key;
  content::Sha256 request_hash{};
};

// The one door for every change of a tree. REST, sync and whatever protocol comes end here; it guarantees base versions, name rules, live
// ancestors, exact quota, the journal, and notices after COMMIT. Thread-safe.
class CommitDoor {
 public:
  using Listener = std::function<void(const CommitNotice&)>;

  CommitDoor(database::Database& db, const access::Plans& plans, const core::Clock& clock, core::Random& random)
      : db_(db), plans_(plans), clock_(clock), random_(random) {}

  // REQUIRES: before the first commit.
  void set_listener(Listener listener) { listener_ = std::move(listener); }

  // Applies the operations in order, each in a savepoint: one that fails takes only its dependents along. Durable on return.
  // Errors: not_found (no such space for this caller), key_reused.
  Task<Result<BatchOutcome>> commit(const Caller& caller, SpaceId space, std::span<const Operation> operations,
                                    const std::optional<IdempotencyKey>& key = std::nullopt);

  // One operation; its error is the Result's.
  Task<Result<Node>> commit_one(const Caller& caller, SpaceId space, Operation operation);

  core::Random& random() const { return random_; }
  const core::Clock& clock() const { return clock_; }

 private:
  database::Database& db_;
  const access::Plans& plans_;
  const core::Clock& clock_;
  core::Random& random_;
  Listener listener_;
};

}  // namespace clouddocs::storage
