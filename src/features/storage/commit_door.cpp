// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/commit_door.hpp"

#include "core/encoding.hpp"
#include "features/storage/batch.hpp"
#include "features/storage/cursor.hpp"
#include "net/http.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;
using database::Statement;

constexpr Statement owner_plan{"user_plan", "SELECT plan FROM users WHERE id = $1"};
constexpr Statement find_commit{
    "commit_find", "SELECT request_hash, results FROM commits WHERE space_id = $1 AND session_id = $2 AND key = $3"};
constexpr Statement insert_commit{"commit_insert",
                                  "INSERT INTO commits (space_id, session_id, key, request_hash, results, created_at) "
                                  "VALUES ($1, $2, $3, $4, $5, $6)"};

// How many journal numbers the operations can use at most; unused ones are fine.
std::int64_t numbers_needed(std::span<const Operation> operations) {
  std::int64_t count = 0;
  for (const auto& operation : operations) {
    if (std::holds_alternative<Copy>(operation)) {
      count += max_copy + 1;
    } else if (std::holds_alternative<Purge>(operation)) {
      count += max_purge;
    } else {
      count += 1;
    }
  }
  return std::max<std::int64_t>(count, 1);
}

std::string write_answer(const Space& space, const BatchOutcome& outcome) {
  std::string out = "{\"results\":[";
  for (const auto& result : outcome.results) {
    if (out.back() != '[') out += ',';
    if (result.has_value()) {
      out += "{\"status\":200,\"item\":";
      append_item(out, space.id, result.value());
    } else {
      const Error& error = result.error();
      out += "{\"status\":" + std::to_string(net::to_status(error.code)) + ",\"code\":\"";
      out += core::to_code(error.code);
      out += "\",\"detail\":";
      append_json_string(out, error.detail);
      out += ',';
      out += error.extension.empty() ? "\"item\":null" : error.extension;
    }
    out += '}';
  }
  out += "],\"from\":\"" + to_text(Cursor{space.id, space.epoch, outcome.from}) + "\",\"cursor\":\"" +
         to_text(Cursor{space.id, space.epoch, outcome.to}) + "\"}";
  return out;
}

}  // namespace

Task<Result<BatchOutcome>> CommitDoor::commit(const Caller& caller, SpaceId space_id,
                                              std::span<const Operation> operations,
                                              const std::optional<IdempotencyKey>& key) {
  CommitNotice notice;
  const std::int64_t count = numbers_needed(operations);
  auto body = [&](Transaction& tx) -> Task<Result<BatchOutcome>> {
    notice = {};
    const auto space = co_await SpaceStore::advance(tx, space_id, count);
    if (!space || space->owner != caller.user) co_return Error(Errc::not_found, "There is no such space.");
    const Timestamp now = clock_.now();
    if (key) {
      const auto rows = co_await tx.execute(find_commit, space_id, caller.session, key->key);
      if (!rows.empty()) {
        const auto known = rows.front().bytes(0);
        if (!std::equal(known.begin(), known.end(), key->request_hash.begin(), key->request_hash.end())) {
          co_return Error(Errc::key_reused, "This key was used for another batch.");
        }
        co_await SpaceStore::advance(tx, space_id, -count);  // a repeated batch uses no number
        BatchOutcome outcome;
        outcome.from = outcome.to = space->seq - count;
        outcome.epoch = space->epoch;
        outcome.answer = rows.front().text(1);
        co_return outcome;
      }
    }
    const auto plan_rows = co_await tx.execute(owner_plan, space->owner);
    const auto& plan = plans_.get(plan_rows.empty() ? "free" : std::string(plan_rows.front().text(0)));
    Batch batch(tx, caller, *space, plan, space->seq - count, now, clock_, random_);
    BatchOutcome outcome;
    outcome.from = space->seq - count;
    outcome.to = space->seq;
    outcome.epoch = space->epoch;
    for (const auto& operation : operations) {
      OperationResult result = co_await batch.apply(operation);
      outcome.results.push_back(std::move(result));
    }
    co_await batch.finish();
    if (key) {
      outcome.answer = write_answer(*space, outcome);
      co_await tx.execute(insert_commit, space_id, caller.session, key->key, core::ByteView(key->request_hash),
                          outcome.answer, now);
    }
    notice = {space_id, space->owner, space->epoch, outcome.from, outcome.to, batch.changed()};
    // A single refused operation leaves no trace, not even a used number.
    if (!key && operations.size() == 1 && outcome.results.front().has_error()) {
      notice.changed.clear();
      co_return Error(outcome.results.front().error());
    }
    co_return outcome;
  };
  auto outcome = co_await database::transact(db_, database::Access::write, space_id.view(), body);
  // A batch of which every operation was refused has used numbers and changed nothing: there is nothing to fetch.
  if (outcome.has_value() && !notice.changed.empty() && listener_) listener_(notice);
  co_return outcome;
}

Task<Result<Node>> CommitDoor::commit_one(const Caller& caller, SpaceId space, Operation operation) {
  auto outcome = co_await commit(caller, space, std::span(&operation, 1));
  if (outcome.has_error()) co_return outcome.error();
  co_return std::move(outcome.value().results.front());
}

}  // namespace clouddocs::storage
