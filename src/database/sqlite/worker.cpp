// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <cassert>

#include "core/log.hpp"

namespace clouddocs::database {
namespace {

namespace asio = core::asio;

constexpr Statement begin_write{"begin_write", "BEGIN IMMEDIATE"};
constexpr Statement begin_read{"begin_read", "BEGIN DEFERRED"};
constexpr Statement commit_all{"commit", "COMMIT"};
constexpr Statement rollback_all{"rollback", "ROLLBACK"};
constexpr Statement open_body{"open_body", "SAVEPOINT body"};
constexpr Statement keep_body{"keep_body", "RELEASE SAVEPOINT body"};
constexpr Statement undo_body{"undo_body", "ROLLBACK TO SAVEPOINT body"};

// Bounds on what the first body of a group waits for.
constexpr std::size_t group_limit = 256;
constexpr auto group_time = std::chrono::milliseconds(5);
// Reads that one turn of a reader's event loop runs.
constexpr int reads_per_turn = 64;

class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(Connection& connection) : connection_(connection) {}

  core::Task<Rows> execute(const Statement& statement, std::span<const Value> parameters) override {
    // After SQLite rolled back by itself, further statements would commit one by one: repeat what happened instead.
    if (lost_) std::rethrow_exception(lost_);
    try {
      co_return connection_.execute(statement, parameters);
    } catch (...) {
      if (!connection_.in_transaction()) lost_ = std::current_exception();
      throw;
    }
  }

 private:
  Connection& connection_;
  std::exception_ptr lost_;
};

}  // namespace

Worker::Worker(const SqliteOptions& options, Connection::Mode mode, RequestQueue& queue)
    : connection_(options, mode), mode_(mode), queue_(queue), thread_([this] { run(); }) {}

Worker::~Worker() { thread_.join(); }

void Worker::run() {
  while (queue_.wait()) {
    if (Request* const job = queue_.try_pop_job(); job != nullptr) {
      run_job(*job);
      continue;
    }
    bool done = false;
    asio::co_spawn(context_, mode_ == Connection::Mode::writer ? run_write_group() : run_reads(),
                   [&](const std::exception_ptr& error) {
                     done = true;
                     if (error) std::rethrow_exception(error);
                   });
    context_.restart();
    context_.poll();
    assert(done && "a transaction body awaited something else than its transaction");
    context_.run();
  }
}

core::Task<> Worker::run_write_group() {
  std::vector<Request*> group;
  const auto deadline = std::chrono::steady_clock::now() + group_time;
  std::exception_ptr failure;
  while (group.size() < group_limit && (group.empty() || std::chrono::steady_clock::now() < deadline)) {
    Request* const request = queue_.try_pop_body();
    if (request == nullptr) break;
    group.push_back(request);
    try {
      if (group.size() == 1) connection_.execute(begin_write);
      const bool transaction_lives = co_await run_in_savepoint(*request);
      if (!transaction_lives) break;
    } catch (...) {
      failure = std::current_exception();
      break;
    }
  }
  if (group.empty()) co_return;
  if (failure || !connection_.in_transaction()) {
    if (!failure) failure = group.back()->error;
    end_transaction(rollback_all);
    // Also those that failed on their own: what they found may have been a neighbour's work that is now undone.
    for (Request* const request : group) request->error = failure;
  } else {
    commit(group);
  }
  for (Request* const request : group) request->answer();
}

// False: SQLite rolled the whole transaction back, the neighbours' work with it.
core::Task<bool> Worker::run_in_savepoint(Request& request) {
  SqliteTransaction transaction(connection_);
  connection_.execute(open_body);
  bool keep = false;
  try {
    keep = co_await (*request.body)(transaction);
    if (keep && connection_.has_deferred_violation()) {
      keep = false;
      throw DatabaseError(DatabaseError::Kind::constraint, "FOREIGN KEY constraint failed");
    }
  } catch (...) {
    request.error = std::current_exception();
    keep = false;
  }
  if (!connection_.in_transaction()) {
    if (!request.error) {
      request.error = std::make_exception_ptr(
          DatabaseError(DatabaseError::Kind::unavailable, "SQLite rolled the transaction back"));
    }
    co_return false;
  }
  if (!keep) connection_.execute(undo_body);
  connection_.execute(keep_body);
  co_return true;
}

void Worker::commit(const std::vector<Request*>& group) {
  try {
    connection_.execute(commit_all);
  } catch (...) {
    end_transaction(rollback_all);
    for (Request* const request : group) request->error = std::current_exception();
  }
}

core::Task<> Worker::run_reads() {
  for (int i = 0; i < reads_per_turn; ++i) {
    Request* const request = queue_.try_pop_body();
    if (request == nullptr) co_return;
    try {
      SqliteTransaction transaction(connection_);
      connection_.execute(begin_read);
      co_await (*request->body)(transaction);
    } catch (...) {
      request->error = std::current_exception();
    }
    end_transaction(commit_all);
    request->answer();
  }
}

void Worker::run_job(Request& request) {
  try {
    (*request.job)(connection_);
  } catch (...) {
    request.error = std::current_exception();
    end_transaction(rollback_all);
  }
  request.answer();
}

void Worker::end_transaction(const Statement& how) {
  if (!connection_.in_transaction()) return;
  try {
    connection_.execute(how);
  } catch (const DatabaseError& error) {
    core::log_error("database_rollback_failed", {{"error", std::string(error.what())}});
  }
}

}  // namespace clouddocs::database
