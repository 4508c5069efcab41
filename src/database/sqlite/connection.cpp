// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/connection.hpp"

#include <sqlite3.h>

#include <charconv>
#include <utility>

namespace clouddocs::database {
namespace {

DatabaseError::Kind to_kind(int code) {
  switch (code & 0xFF) {
    case SQLITE_CONSTRAINT: return DatabaseError::Kind::constraint;
    case SQLITE_FULL: return DatabaseError::Kind::storage_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_READONLY: return DatabaseError::Kind::unavailable;
    default: return DatabaseError::Kind::broken;
  }
}

// SQLite names the violated constraint in its message only ("UNIQUE constraint failed: files.space_id, files.id"); that it is a
// violation is known from the code.
std::string to_constraint(int code, std::string_view message) {
  if ((code & 0xFF) != SQLITE_CONSTRAINT) return {};
  const auto colon = message.find(": ");
  return colon == std::string_view::npos ? std::string() : std::string(message.substr(colon + 2));
}

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, index, v); }
    // A null pointer would bind NULL where the caller means empty.
    int operator()(std::string_view v) const {
      return sqlite3_bind_text64(statement, index, v.data() != nullptr ? v.data() : "", v.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    int operator()(core::ByteView v) const {
      return v.empty() ? sqlite3_bind_zeroblob(statement, index, 0)
                       : sqlite3_bind_blob64(statement, index, v.data(), v.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

core::ByteView bytes_of(sqlite3_value* value) {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_value_blob(value));
  return {bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

}  // namespace

void Connection::CloseStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Connection::CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }

Connection::Connection(const SqliteOptions& options, Mode mode) : options_(options) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::writer ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(options.path.c_str(), &opened, flags, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) {
    throw DatabaseError(to_kind(code),
                        "cannot open the database " + options.path.string() + ": " + sqlite3_errstr(code));
  }
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, static_cast<int>(options.busy_timeout.count()));
  const auto cache = mode == Mode::writer ? options.writer_cache_bytes : options.reader_cache_bytes;
  // mmap stays off: an I/O error on a mapped page would be a SIGBUS instead of an error.
  const std::string settings =
      "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST;"
      "PRAGMA cache_size = -" +
      std::to_string(cache / 1024) + ";";
  run_script(settings.c_str());
  if (mode == Mode::reader) {
    run_script("PRAGMA query_only = ON");
  } else {
    // A checkpoint after 16 MiB of log costs two fsyncs; the log file shrinks back to 64 MiB after a long reader has let it grow.
    run_script(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
        "PRAGMA journal_size_limit = 67108864;");
  }
}

Connection::~Connection() = default;

Rows Connection::execute(const Statement& statement, std::span<const Value> parameters) {
  const auto started = options_.observer ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
  auto found = prepared_.find(&statement);
  if (found == prepared_.end()) found = prepared_.emplace(&statement, prepare(statement)).first;
  bind(statement, found->second, parameters);
  Rows rows = step(statement, found->second.statement.get());
  if (options_.observer) options_.observer(statement.name, std::chrono::steady_clock::now() - started);
  return rows;
}

Connection::Prepared Connection::prepare(const Statement& statement) {
  const char* sql = statement.sqlite != nullptr ? statement.sqlite : statement.sql;
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK)
    fail(statement.name);
  Prepared prepared{.statement{made}, .value_of_parameter{}};
  const int count = sqlite3_bind_parameter_count(made);
  for (int i = 1; i <= count; ++i) {
    const char* const name = sqlite3_bind_parameter_name(made, i);
    const std::string_view digits = name != nullptr && *name == '$' ? name + 1 : "";
    std::size_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (number == 0)
      throw DatabaseError(DatabaseError::Kind::broken,
                          std::string(statement.name) + ": parameters must be $1, $2, ...");
    prepared.value_of_parameter.push_back(number - 1);
  }
  return prepared;
}

void Connection::bind(const Statement& statement, const Prepared& prepared, std::span<const Value> parameters) {
  for (std::size_t i = 0; i < prepared.value_of_parameter.size(); ++i) {
    const std::size_t value = prepared.value_of_parameter[i];
    if (value >= parameters.size()) {
      throw DatabaseError(DatabaseError::Kind::broken,
                          std::string(statement.name) + ": no value for $" + std::to_string(value + 1));
    }
    if (bind_value(prepared.statement.get(), static_cast<int>(i + 1), parameters[value]) != SQLITE_OK)
      fail(statement.name);
  }
}

Rows Connection::step(const Statement& statement, sqlite3_stmt* prepared) {
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
  } const reset{prepared};
  const auto changes_before = sqlite3_total_changes64(database_.get());
  const int columns = sqlite3_column_count(prepared);
  Rows rows(static_cast<std::size_t>(columns));
  int code = sqlite3_step(prepared);
  for (; code == SQLITE_ROW; code = sqlite3_step(prepared)) {
    for (int c = 0; c < columns; ++c) {
      // Asking the value instead of the column spares a check of the connection per question; it is used by this thread alone.
      sqlite3_value* const value = sqlite3_column_value(prepared, c);
      switch (sqlite3_value_type(value)) {
        case SQLITE_NULL: rows.add_null(); break;
        case SQLITE_INTEGER: rows.add_int64(sqlite3_value_int64(value)); break;
        case SQLITE_FLOAT:
          throw DatabaseError(DatabaseError::Kind::broken,
                              std::string(statement.name) + ": a column holds a real number");
        default: rows.add_bytes(bytes_of(value));
      }
    }
  }
  if (code != SQLITE_DONE) fail(statement.name);
  // sqlite3_changes() keeps the count of an earlier statement when this one changes nothing.
  if (sqlite3_total_changes64(database_.get()) != changes_before) rows.set_affected(sqlite3_changes64(database_.get()));
  return rows;
}

void Connection::run_script(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("script");
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

bool Connection::has_deferred_violation() const {
  int violations = 0;
  int unused = 0;
  sqlite3_db_status(database_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &violations, &unused, 0);
  return violations != 0;
}

void Connection::fail(const char* name) {
  const int code = sqlite3_extended_errcode(database_.get());
  const std::string message = sqlite3_errmsg(database_.get());
  throw DatabaseError(to_kind(code), std::string(name) + ": " + message, to_constraint(code, message));
}

}  // namespace clouddocs::database
