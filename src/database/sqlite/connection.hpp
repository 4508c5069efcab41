// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "database/database.hpp"
#include "database/sqlite/sqlite_database.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace clouddocs::database {

// One SQLite connection with its prepared statements. Used by one thread at a time. Every call may throw DatabaseError.
class Connection {
 public:
  enum class Mode { writer, reader };

  Connection(const SqliteOptions& options, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Rows execute(const Statement& statement, std::span<const Value> parameters = {});
  // Runs statements separated by semicolons that are used once.
  void run_script(const char* sql);
  // SQLite ends a transaction of its own accord when the disk is full or fails: then this turns false.
  bool in_transaction() const;
  // Whether a DEFERRABLE foreign key is violated, so that COMMIT would fail.
  bool has_deferred_violation() const;

 private:
  struct CloseStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  // $n is bound by its name: SQLite numbers parameters by first appearance.
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, CloseStatement> statement;
    std::vector<std::size_t> value_of_parameter;
  };

  Prepared prepare(const Statement& statement);
  void bind(const Statement& statement, const Prepared& prepared, std::span<const Value> parameters);
  Rows step(const Statement& statement, sqlite3_stmt* prepared);
  [[noreturn]] void fail(const char* name);

  const SqliteOptions& options_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::unordered_map<const Statement*, Prepared> prepared_;
};

}  // namespace clouddocs::database
