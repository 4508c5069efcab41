// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/task.hpp"

namespace clouddocs::database {

// A named SQL statement with $1, $2, ... parameters, written so that SQLite 3.40 and PostgreSQL 15 both take it. The name keys
// metrics, timeouts and the cache of prepared statements. Where they must differ, `sqlite` / `postgres` replace `sql`.
// Statements are constants with static storage: drivers cache by address.
struct Statement {
  const char* name;
  const char* sql;
  const char* sqlite = nullptr;
  const char* postgres = nullptr;
};

// A parameter. Text and bytes are borrowed: they must live until execute() has returned.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, core::ByteView>;

inline Value to_value(std::nullptr_t) { return nullptr; }
inline Value to_value(std::int64_t v) { return v; }
inline Value to_value(std::uint64_t v) { return static_cast<std::int64_t>(v); }
inline Value to_value(int v) { return static_cast<std::int64_t>(v); }
inline Value to_value(bool v) { return static_cast<std::int64_t>(v ? 1 : 0); }
inline Value to_value(std::string_view v) { return v; }
inline Value to_value(const char* v) { return std::string_view(v); }
inline Value to_value(const std::string& v) { return std::string_view(v); }
inline Value to_value(core::ByteView v) { return v; }
inline Value to_value(const core::Bytes& v) { return core::ByteView(v); }
inline Value to_value(core::Timestamp v) { return core::to_micros(v); }
template <class Kind>
Value to_value(const core::Id<Kind>& v) {
  return v.view();
}
template <class T>
Value to_value(const std::optional<T>& v) {
  return v ? to_value(*v) : Value(nullptr);
}

// What a statement returned. Owns its memory: all cells lie in one arena, filled by the driver.
class Rows {
 public:
  class Row {
   public:
    bool is_null(std::size_t column) const { return cell(column).kind == Kind::null; }
    std::int64_t int64(std::size_t column) const { return cell(column).integer; }
    bool boolean(std::size_t column) const { return int64(column) != 0; }
    core::Timestamp timestamp(std::size_t column) const { return core::from_micros(int64(column)); }
    std::string_view text(std::size_t column) const { return core::as_text(bytes(column)); }
    core::ByteView bytes(std::size_t column) const;
    template <class I>
    I id(std::size_t column) const {
      return core::id_from_bytes<I>(bytes(column));
    }
    std::optional<std::int64_t> optional_int64(std::size_t c) const {
      return is_null(c) ? std::nullopt : std::optional(int64(c));
    }
    std::optional<core::Timestamp> optional_timestamp(std::size_t c) const {
      return is_null(c) ? std::nullopt : std::optional(timestamp(c));
    }
    std::optional<std::string> optional_text(std::size_t c) const {
      return is_null(c) ? std::nullopt : std::optional(std::string(text(c)));
    }

   private:
    friend class Rows;
    enum class Kind : std::uint8_t { null, integer, bytes };
    struct Cell {
      Kind kind;
      std::uint32_t size;
      std::int64_t integer;  // the value, or the offset in the arena
    };
    Row(const Rows& rows, std::size_t first) : rows_(&rows), first_(first) {}
    const Cell& cell(std::size_t column) const { return rows_->cells_[first_ + column]; }
    const Rows* rows_;
    std::size_t first_;
  };

  explicit Rows(std::size_t columns = 0) : columns_(columns) {}
  bool empty() const { return cells_.empty(); }
  std::size_t size() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  Row operator[](std::size_t row) const { return {*this, row * columns_}; }
  Row front() const { return (*this)[0]; }
  // Rows inserted, updated or deleted by the statement.
  std::int64_t affected() const { return affected_; }

  // For drivers: appends one cell after another, row by row.
  void add_null() { cells_.push_back({Row::Kind::null, 0, 0}); }
  void add_int64(std::int64_t v) { cells_.push_back({Row::Kind::integer, 0, v}); }
  void add_bytes(core::ByteView v);
  void set_affected(std::int64_t n) { affected_ = n; }

 private:
  friend class Row;
  std::size_t columns_;
  std::vector<Row::Cell> cells_;
  core::Bytes arena_;
  std::int64_t affected_ = 0;
};

// The database did not do what it was asked: connection lost, disk full, corrupt, wrong SQL.
class DatabaseError : public core::ErrorException {
 public:
  enum class Kind { unavailable, storage_full, constraint, serialisation, broken };
  DatabaseError(Kind k, const std::string& text, std::string constraint_name = {})
      : core::ErrorException(to_error(k), text), kind(k), constraint(std::move(constraint_name)) {}
  // What a client is told: nothing of the statement.
  static core::Error to_error(Kind kind);
  Kind kind;
  std::string constraint;  // kind constraint: the index, or "table.column" list, as the driver reports it
};

// What a transaction body works with. Not thread-safe; lives inside Database::run.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // Runs one statement. Throws DatabaseError.
  virtual core::Task<Rows> execute(const Statement& statement, std::span<const Value> parameters) = 0;

  template <class... Args>
  core::Task<Rows> execute(const Statement& statement, const Args&... args);

  // Runs `body` inside a savepoint: rolled back to it when the Result holds an error or an exception passes.
  template <class Body>
  std::invoke_result_t<Body&> nested(Body body);
};

enum class Access { read, write };

// SEAM 1. A relational database. Thread-safe. Implementations: sqlite/ (later postgres/); all pass database_contract.hpp.
class Database {
 public:
  using Body = std::function<core::Task<bool>(Transaction&)>;
  virtual ~Database() = default;

  // Runs `body` in a transaction and commits if it returned true, else rolls back; returns when that is durable. The body awaits nothing
  // but its transaction, has no other side effects and may be run again (serialisation failure). It may run on another thread than the
  // caller's. Write bodies with equal `combine_key` may share one transaction, each in a savepoint of its own: one that fails does
  // not harm its neighbours, and all are answered after the common COMMIT. Throws what the body throws, or DatabaseError.
  // REQUIRES: `body` outlives the await.
  virtual core::Task<> run(Access access, core::ByteView combine_key, const Body& body) = 0;

  // Applies the migrations that have not been applied; safe to call on every start.
  virtual core::Task<> migrate() = 0;
  // The number of the newest migration that is applied, and the newest this program knows.
  struct SchemaVersion {
    int applied;
    int known;
  };
  virtual core::Task<SchemaVersion> schema_version() = 0;
  // Identifies this database's history: changes when it is replaced by another or restored elsewhere.
  virtual core::Task<std::string> system_identifier() = 0;
};

// Runs `body(Transaction&) -> Task<Result<T>>`; commits iff the Result holds a value. See Database::run for what a body may do.
template <class Body>
std::invoke_result_t<Body&, Transaction&> transact(Database& db, Access access, core::ByteView combine_key, Body body) {
  using R = typename std::invoke_result_t<Body&, Transaction&>::value_type;
  std::optional<R> result;
  const Database::Body erased = [&](Transaction& tx) -> core::Task<bool> {
    result.reset();
    R outcome = co_await body(tx);
    const bool keep = outcome.has_value();
    result.emplace(std::move(outcome));
    co_return keep;
  };
  co_await db.run(access, combine_key, erased);
  co_return std::move(*result);
}
template <class Body>
std::invoke_result_t<Body&, Transaction&> read(Database& db, Body body) {
  co_return co_await transact(db, Access::read, {}, std::move(body));
}
template <class Body>
std::invoke_result_t<Body&, Transaction&> write(Database& db, Body body) {
  co_return co_await transact(db, Access::write, {}, std::move(body));
}

// A value that the database could not hold for this program: the row is missing although it must exist.
template <class... Args>
core::Task<Rows> Transaction::execute(const Statement& statement, const Args&... args) {
  const std::array<Value, sizeof...(Args)> values{to_value(args)...};
  co_return co_await execute(statement, std::span<const Value>(values));
}

namespace detail {
inline constexpr Statement savepoint{"savepoint", "SAVEPOINT nested"};
inline constexpr Statement rollback_to{"rollback_to", "ROLLBACK TO SAVEPOINT nested"};
inline constexpr Statement release{"release", "RELEASE SAVEPOINT nested"};
}  // namespace detail

template <class Body>
std::invoke_result_t<Body&> Transaction::nested(Body body) {
  using R = typename std::invoke_result_t<Body&>::value_type;
  const std::span<const Value> none;
  co_await execute(detail::savepoint, none);
  std::exception_ptr thrown;
  std::optional<R> result;
  try {
    R outcome = co_await body();
    result.emplace(std::move(outcome));
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown || result->has_error()) co_await execute(detail::rollback_to, none);
  co_await execute(detail::release, none);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*result);
}

}  // namespace clouddocs::database
