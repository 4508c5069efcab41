// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/bytes.hpp"

namespace clouddocs::client {

// The state file did not do what it was asked: disk full, corrupt, no permission.
class StateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A SQLite database for one thread at a time, with prepared statements kept by the address of their text. Why not the Database seam: see
// docs/decisions (the device client is synchronous and reads row by row).
class Sqlite {
 public:
  explicit Sqlite(const std::filesystem::path& file);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // A statement being run: bind in order, then step through the rows. Resets when destroyed.
  class Query {
   public:
    Query(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    Query& bind(std::int64_t value);
    Query& bind(std::string_view text);
    Query& bind(core::ByteView bytes);
    bool next();  // false after the last row
    void run() {
      while (next()) continue;
    }

    std::int64_t int64(int column) const { return sqlite3_column_int64(statement_, column); }
    std::string_view text(int column) const { return core::as_text(bytes(column)); }
    core::ByteView bytes(int column) const;

   private:
    sqlite3* db_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
  };

  // REQUIRES: `sql` is a literal; no other query of the same text is alive.
  Query query(const char* sql);
  void execute(const char* script);
  std::int64_t changes() const { return sqlite3_changes64(db_); }

 private:
  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace clouddocs::client
