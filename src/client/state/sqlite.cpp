// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/state/sqlite.hpp"

namespace clouddocs::client {
namespace {

void check(sqlite3* db, int outcome) {
  if (outcome != SQLITE_OK) throw StateError(std::string("the state file: ") + sqlite3_errmsg(db));
}

}  // namespace

Sqlite::Sqlite(const std::filesystem::path& file) {
  const int outcome =
      sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (outcome != SQLITE_OK) {
    const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close(db_);
    throw StateError("cannot open the state file " + file.string() + ": " + why);
  }
  sqlite3_busy_timeout(db_, 10'000);
}

Sqlite::~Sqlite() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Sqlite::Query Sqlite::query(const char* sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr)
    check(db_, sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  return {db_, statement};
}

void Sqlite::execute(const char* script) { check(db_, sqlite3_exec(db_, script, nullptr, nullptr, nullptr)); }

Sqlite::Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}
Sqlite::Query& Sqlite::Query::bind(std::int64_t value) {
  check(db_, sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}
Sqlite::Query& Sqlite::Query::bind(std::string_view text) {
  check(db_, sqlite3_bind_text(statement_, ++bound_, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                               SQLITE_TRANSIENT));
  return *this;
}
Sqlite::Query& Sqlite::Query::bind(core::ByteView bytes) {
  check(db_, sqlite3_bind_blob64(statement_, ++bound_, bytes.empty() ? reinterpret_cast<const void*>("") : bytes.data(),
                                 bytes.size(), SQLITE_TRANSIENT));
  return *this;
}
bool Sqlite::Query::next() {
  const int outcome = sqlite3_step(statement_);
  if (outcome == SQLITE_ROW) return true;
  if (outcome != SQLITE_DONE) throw StateError(std::string("the state file: ") + sqlite3_errmsg(db_));
  return false;
}
core::ByteView Sqlite::Query::bytes(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

}  // namespace clouddocs::client
