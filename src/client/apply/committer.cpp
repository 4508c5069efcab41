// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/committer.hpp"

#include "client/remote/codec.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr std::size_t batch_limit = 1'000;
constexpr std::string_view open_batch = "open_batch";

std::string make_key(core::Random& random) {
  std::array<std::byte, 18> bytes{};
  random.fill(bytes);
  return core::to_base64url(bytes);
}

// Whether the world has moved on since the plan was made, so that a new plan will do better.
bool is_overtaken(core::Errc code) {
  using core::Errc;
  return code == Errc::stale_base || code == Errc::name_taken || code == Errc::gone || code == Errc::not_found ||
         code == Errc::cycle || code == Errc::chunk_unknown || code == Errc::dependency_failed ||
         code == Errc::id_taken || code == Errc::key_reused;
}

}  // namespace

void mirror(State& state, const Item& item) {
  if (item.is_purged) return state.remove_remote(item.node.id);
  // An answer may be older than what has been read since, or tell what an own batch did already.
  if (const auto have = state.find_remote(item.node.id); have && have->seq >= item.node.seq) return;
  state.put_remote({item.node, item.is_trashed});
}

void Committer::resume() {
  const auto text = state_.find_setting(open_batch);
  if (!text) return;
  take_in(send(parse_batch(*text)));
}

void Committer::run(Round& round) {
  for (const auto& step : round.plan().remote) add(round, step);
  flush(round);
}

void Committer::add(Round& round, const Step& step) {
  const auto& outcome = round.outcome(step.id);
  if (round.has_failed(step.id)) return;
  if (batch_.operations.size() >= batch_limit || depends_on_batch(step, outcome)) flush(round);
  Operation operation;
  if (!fill(round, step, operation)) return round.step_failed(step.id, "", true);
  in_batch_.insert(step.id);
  batch_.operations.push_back(std::move(operation));
}

// A step that names a sequence number must know the one that an earlier step of the batch makes; a folder is removed as of a cursor
// that has seen what the batch took out of it.
bool Committer::depends_on_batch(const Step& step, const Outcome& outcome) const {
  if (batch_.operations.empty()) return false;
  if (in_batch_.contains(step.id)) return true;
  return step.type == Step::Type::remove && outcome.remote && outcome.remote->is_folder() &&
         batch_.operations.back().type != Operation::Type::del;
}

bool Committer::fill(Round& round, const Step& step, Operation& operation) {
  const auto& outcome = round.outcome(step.id);
  const auto& target = outcome.target;
  operation.id = step.id;
  operation.parent = step.parent;
  operation.name = step.name;
  operation.modified_at = target.modified_at;
  operation.executable = target.executable;
  if (const auto row = state_.find_remote(step.id)) {
    operation.base_seq = row->seq;
    operation.base_version = row->version;
  }
  using Type = Operation::Type;
  switch (step.type) {
    case Step::Type::move: operation.type = Type::move; return true;
    case Step::Type::meta: operation.type = Type::meta; return true;
    case Step::Type::remove:
      operation.type = Type::del;
      operation.seen = outcome.remote && outcome.remote->is_folder() ? state_.find_setting("cursor").value_or("") : "";
      return true;
    case Step::Type::create:
    case Step::Type::update:
      if (step.type == Step::Type::create) operation.base_seq = operation.base_version = 0;
      if (target.kind == Kind::folder) operation.type = Type::mkdir;
      if (target.kind == Kind::symlink) operation.type = Type::symlink;
      operation.target = target.target;
      return target.kind != Kind::file || fill_content(round, outcome, operation);
  }
  return false;
}

bool Committer::fill_content(Round& round, const Outcome& outcome, Operation& operation) {
  operation.type = Operation::Type::put;
  auto known = outcome.local ? state_.find_content(outcome.local->stamp) : std::nullopt;
  if (!known || known->content_id != outcome.target.content_id) return false;
  std::vector<content::ManifestNode> nodes;  // sent with the chunks
  operation.manifest = content::make_manifest(known->chunks, nodes);
  operation.size = outcome.target.size;
  operation.sha256 = known->sha256;
  round.set_chunks(operation.id, std::move(known->chunks));
  return true;
}

void Committer::flush(Round& round) {
  if (batch_.operations.empty()) return;
  batch_.space = space_;
  batch_.key = make_key(random_);
  state_.set_setting(open_batch, batch_to_json(batch_));
  const auto result = send(batch_);
  State::Transaction transaction(state_);
  take_in(result);
  for (std::size_t i = 0; i < batch_.operations.size(); ++i) {
    const auto& id = batch_.operations[i].id;
    const auto& one = result.results.at(i);
    if (one.is_ok()) {
      round.step_done(id);
    } else {
      round.step_failed(id, one.detail.empty() ? std::string(core::to_code(one.code)) : one.detail,
                        is_overtaken(one.code));
    }
  }
  transaction.commit();
  batch_ = {};
  in_batch_.clear();
}

// Errors that concern the whole batch (for example: no access to the space any more) end the sync with their text.
BatchResult Committer::send(const Batch& batch) {
  auto result = remote_.commit(batch);
  if (result.has_error()) {
    state_.remove_setting(open_batch);
    throw core::ErrorException(result.error());
  }
  if (result->results.size() != batch.operations.size())
    throw ProtocolError("the server answered another number of operations than were sent");
  return std::move(*result);
}

void Committer::take_in(const BatchResult& result) {
  State::Transaction transaction(state_);
  for (const auto& one : result.results) {
    if (one.item) mirror(state_, *one.item);
  }
  // Nobody else wrote in between: the mirror holds everything up to the new head.
  if (state_.find_setting("cursor") == result.from && !result.cursor.empty())
    state_.set_setting("cursor", result.cursor);
  state_.remove_setting(open_batch);
  transaction.commit();
}

}  // namespace clouddocs::client
