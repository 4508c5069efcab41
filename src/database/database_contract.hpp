// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "database/database.hpp"
#include "database/migration.hpp"
#include "testing/run.hpp"

// What every Database keeps. An implementation's test file says
//   INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseContract, testing::Values(MakeDatabaseUnderTest(...)));
namespace clouddocs::database {

using core::Errc;
using core::Result;
using core::Task;
using testing::run;
using testing::run_all;

// A new database with `contract_migrations` known but not applied.
class DatabaseUnderTest {
 public:
  virtual ~DatabaseUnderTest() = default;
  virtual Database& database() = 0;
  // Opens what would be left if the machine lost power now.
  virtual std::unique_ptr<Database> open_after_crash() = 0;
};
struct ContractLimits {
  std::size_t queue_limit = 10'000;
};
using MakeDatabaseUnderTest = std::function<std::unique_ptr<DatabaseUnderTest>(ContractLimits)>;

inline constexpr std::array contract_migrations{
    Migration{1, "notes",
              "CREATE TABLE notes (id BIGINT PRIMARY KEY, parent BIGINT REFERENCES notes (id), number BIGINT, text "
              "TEXT, bytes BYTEA);"
              "CREATE UNIQUE INDEX notes_text ON notes (text) WHERE text <> '';"},
    Migration{2, "counters", "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)"},
};

namespace sql {
inline constexpr Statement insert_note{"insert_note", "INSERT INTO notes (id, text) VALUES ($1, $2)"};
inline constexpr Statement insert_full{"insert_full",
                                       "INSERT INTO notes (id, number, text, bytes) VALUES ($1, $2, $3, $4)"};
inline constexpr Statement insert_child{"insert_child", "INSERT INTO notes (id, parent) VALUES ($1, $2)"};
inline constexpr Statement find_note{"find_note", "SELECT number, text, bytes FROM notes WHERE id = $1"};
inline constexpr Statement count_notes{"count_notes", "SELECT count(*) FROM notes"};
inline constexpr Statement add_to_counter{"add_to_counter",
                                          "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO "
                                          "UPDATE SET value = counters.value + excluded.value RETURNING value"};
inline constexpr Statement get_counter{"get_counter", "SELECT value FROM counters WHERE name = $1"};
inline constexpr Statement set_counter{"set_counter", "UPDATE counters SET value = $2 WHERE name = $1"};
}  // namespace sql

class DatabaseContract : public ::testing::TestWithParam<MakeDatabaseUnderTest> {
 protected:
  void start(ContractLimits limits = {}) {
    under_test_ = GetParam()(limits);
    run(db().migrate());
  }
  Database& db() { return under_test_->database(); }
  DatabaseUnderTest& under_test() { return *under_test_; }

  // Writes one note in a transaction of its own.
  Task<Result<>> add_note(std::int64_t id, std::string text) {
    co_return co_await write(db(), [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, id, text);
      co_return Result<>();
    });
  }
  static Task<std::int64_t> count_in(Database& database) {
    const auto counted = co_await read(database, [](Transaction& tx) -> Task<Result<std::int64_t>> {
      const Rows rows = co_await tx.execute(sql::count_notes);
      co_return rows.front().int64(0);
    });
    co_return counted.value();
  }
  std::int64_t count_notes() { return run(count_in(db())); }

 private:
  std::unique_ptr<DatabaseUnderTest> under_test_;
};

inline DatabaseError::Kind kind_of(const std::function<void()>& call, std::string* constraint = nullptr) {
  try {
    call();
  } catch (const DatabaseError& error) {
    if (constraint != nullptr) *constraint = error.constraint;
    return error.kind;
  }
  ADD_FAILURE() << "no DatabaseError";
  return DatabaseError::Kind::broken;
}

TEST_P(DatabaseContract, MigratesOnceAndKnowsItsVersion) {
  start();
  run(db().migrate());
  const auto version = run(db().schema_version());
  EXPECT_EQ(version.applied, 2);
  EXPECT_EQ(version.known, 2);
}

TEST_P(DatabaseContract, KeepsItsIdentifier) {
  start();
  const auto id = run(db().system_identifier());
  EXPECT_FALSE(id.empty());
  EXPECT_EQ(run(db().system_identifier()), id);
  const auto other = GetParam()({});
  EXPECT_NE(run(other->database().system_identifier()), id);
}

TEST_P(DatabaseContract, CommitsWhenTheBodySucceeds) {
  start();
  EXPECT_TRUE(run(add_note(1, "one")));
  EXPECT_EQ(count_notes(), 1);
}

TEST_P(DatabaseContract, RollsBackWhenTheBodyReturnsAnError) {
  start();
  const auto result = run([&]() -> Task<Result<int>> {
    co_return co_await write(db(), [](Transaction& tx) -> Task<Result<int>> {
      co_await tx.execute(sql::insert_note, 1, "one");
      co_return Errc::name_taken;
    });
  });
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, Errc::name_taken);
  EXPECT_EQ(count_notes(), 0);
}

TEST_P(DatabaseContract, RollsBackAndRethrowsWhatTheBodyThrows) {
  start();
  const auto failing = [&]() -> Task<> {
    co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, 1, "one");
      throw std::logic_error("bug");
    });
  };
  EXPECT_THROW(run(failing), std::logic_error);
  EXPECT_EQ(count_notes(), 0);
}

TEST_P(DatabaseContract, NestedPartsRollBackAlone) {
  start();
  run([&]() -> Task<> {
    const auto written = co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, 1, "outer");
      auto inner = [&]() -> Task<Result<>> {
        co_await tx.execute(sql::insert_note, 2, "inner");
        auto innermost = [&]() -> Task<Result<>> {
          co_await tx.execute(sql::insert_note, 3, "innermost");
          co_return Errc::invalid_name;
        };
        const auto lost = co_await tx.nested(innermost);
        EXPECT_TRUE(lost.has_error());
        co_return Result<>();
      };
      const auto kept = co_await tx.nested(inner);
      EXPECT_TRUE(kept.has_value());
      auto violating = [&]() -> Task<Result<>> {
        co_await tx.execute(sql::insert_note, 4, "outer");
        co_return Result<>();
      };
      bool thrown = false;
      try {
        co_await tx.nested(violating);
      } catch (const DatabaseError& error) {
        thrown = error.kind == DatabaseError::Kind::constraint;
      }
      EXPECT_TRUE(thrown);
      co_await tx.execute(sql::insert_note, 5, "after");
      co_return Result<>();
    });
    EXPECT_TRUE(written.has_value());
  });
  EXPECT_EQ(count_notes(), 3);
}

TEST_P(DatabaseContract, KeepsEveryTypeOfValue) {
  start();
  using Limits = std::numeric_limits<std::int64_t>;
  const core::Bytes bytes{std::byte{0}, std::byte{0xFF}, std::byte{0}, std::byte{'a'}};
  const std::string text = "\xD0\xB6\xE2\x82\xAC";
  run([&]() -> Task<> {
    co_await write(db(), [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_full, 1, Limits::min(), text, bytes);
      co_await tx.execute(sql::insert_full, 2, Limits::max(), "", core::Bytes());
      co_await tx.execute(sql::insert_full, 3, nullptr, nullptr, nullptr);
      co_await tx.execute(sql::insert_full, 4, std::optional<std::int64_t>(), std::string_view(), core::ByteView());
      co_return Result<>();
    });
    co_await read(db(), [&](Transaction& tx) -> Task<Result<>> {
      const Rows full = co_await tx.execute(sql::find_note, 1);
      EXPECT_EQ(full.front().int64(0), Limits::min());
      EXPECT_EQ(full.front().text(1), text);
      EXPECT_TRUE(std::ranges::equal(full.front().bytes(2), bytes));
      for (const int id : {2, 3, 4}) {
        const Rows rows = co_await tx.execute(sql::find_note, id);
        EXPECT_EQ(rows.front().is_null(1), id == 3);
        EXPECT_EQ(rows.front().is_null(2), id == 3);
        EXPECT_TRUE(rows.front().bytes(1).empty());
        EXPECT_TRUE(rows.front().bytes(2).empty());
        EXPECT_EQ(rows.front().is_null(0), id != 2);
      }
      co_return Result<>();
    });
  });
}

TEST_P(DatabaseContract, ParametersMayRepeatAndComeInAnyOrder) {
  start();
  static constexpr Statement mixed{"mixed", "SELECT $3 + $1, $2 || '-' || $2, $1 + $1 WHERE $3 > $1",
                                   "SELECT $3 + $1, $2 || '-' || $2, $1 + $1 WHERE $3 > $1",
                                   "SELECT $3::bigint + $1::bigint, $2::text || '-' || $2, $1 + $1 WHERE $3 > $1"};
  run([&]() -> Task<> {
    co_await read(db(), [](Transaction& tx) -> Task<Result<>> {
      for (int i = 0; i < 2; ++i) {  // the second time it is prepared already
        const Rows rows = co_await tx.execute(mixed, 1 + i, "x", 10);
        EXPECT_EQ(rows.front().int64(0), 11 + i);
        EXPECT_EQ(rows.front().text(1), "x-x");
        EXPECT_EQ(rows.front().int64(2), 2 + 2 * i);
      }
      co_return Result<>();
    });
  });
}

TEST_P(DatabaseContract, CountsAffectedRowsAndReturnsThem) {
  start();
  static constexpr Statement raise{"raise", "UPDATE notes SET number = $1 WHERE id >= $2 RETURNING id"};
  run([&]() -> Task<> {
    co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      for (int i = 1; i <= 3; ++i) co_await tx.execute(sql::insert_note, i, std::to_string(i));
      const Rows raised = co_await tx.execute(raise, 5, 2);
      EXPECT_EQ(raised.affected(), 2);
      EXPECT_EQ(raised.size(), 2U);
      const Rows none = co_await tx.execute(raise, 5, 9);
      EXPECT_EQ(none.affected(), 0);
      EXPECT_TRUE(none.empty());
      const Rows counted = co_await tx.execute(sql::count_notes);
      EXPECT_EQ(counted.affected(), 0);
      const Rows first = co_await tx.execute(sql::add_to_counter, "c", 2);
      EXPECT_EQ(first.front().int64(0), 2);
      const Rows second = co_await tx.execute(sql::add_to_counter, "c", 3);
      EXPECT_EQ(second.front().int64(0), 5);
      EXPECT_EQ(second.affected(), 1);
      co_return Result<>();
    });
  });
}

TEST_P(DatabaseContract, WalksTreesRecursively) {
  start();
  static constexpr Statement ancestors{
      "ancestors",
      "WITH RECURSIVE up (id, parent, depth) AS ("
      " SELECT id, parent, 0 FROM notes WHERE id = $1"
      " UNION ALL SELECT n.id, n.parent, up.depth + 1 FROM notes n JOIN up ON n.id = up.parent"
      ") SELECT id FROM up ORDER BY depth"};
  run([&]() -> Task<> {
    co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, 1, "root");
      for (int i = 2; i <= 128; ++i) co_await tx.execute(sql::insert_child, i, i - 1);
      const Rows rows = co_await tx.execute(ancestors, 128);
      EXPECT_EQ(rows.size(), 128U);
      EXPECT_EQ(rows[127].int64(0), 1);
      co_return Result<>();
    });
  });
}

TEST_P(DatabaseContract, NamesViolatedConstraints) {
  start();
  EXPECT_TRUE(run(add_note(1, "one")));
  std::string constraint;
  EXPECT_EQ(kind_of([&] { run(add_note(2, "one")); }, &constraint), DatabaseError::Kind::constraint);
  EXPECT_NE(constraint.find("text"), std::string::npos) << constraint;
  EXPECT_EQ(kind_of([&] { run(add_note(1, "other")); }), DatabaseError::Kind::constraint);
  const auto orphan = [&]() -> Task<> {
    co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_child, 5, 4);
      co_return Result<>();
    });
  };
  EXPECT_EQ(kind_of([&] { run(orphan); }), DatabaseError::Kind::constraint);
  EXPECT_EQ(count_notes(), 1);
}

TEST_P(DatabaseContract, WrongSqlIsReportedAndHarmless) {
  start();
  static constexpr Statement wrong{"wrong", "SELEKT 1"};
  static constexpr Statement short_of_values{"short_of_values", "SELECT id FROM notes WHERE id = $1 AND number = $2"};
  for (const Statement* statement : {&wrong, &short_of_values}) {
    const auto failing = [&]() -> Task<> {
      co_await read(db(), [&](Transaction& tx) -> Task<Result<>> {
        co_await tx.execute(*statement, 1);
        co_return Result<>();
      });
    };
    EXPECT_EQ(kind_of([&] { run(failing); }), DatabaseError::Kind::broken);
  }
  EXPECT_TRUE(run(add_note(1, "one")));
}

TEST_P(DatabaseContract, ReadTransactionsCannotWrite) {
  start();
  const auto failing = [&]() -> Task<> {
    co_await read(db(), [](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, 1, "one");
      co_return Result<>();
    });
  };
  EXPECT_THROW(run(failing), DatabaseError);
  EXPECT_EQ(count_notes(), 0);
}

TEST_P(DatabaseContract, ReadsSeeOneSnapshot) {
  start();
  std::atomic<bool> first_count_taken = false;
  std::atomic<bool> written = false;
  const auto reading = [&]() -> Task<> {
    co_await read(db(), [&](Transaction& tx) -> Task<Result<>> {
      const Rows before = co_await tx.execute(sql::count_notes);
      first_count_taken = true;
      while (!written) std::this_thread::yield();  // a body may not suspend on anything else
      const Rows after = co_await tx.execute(sql::count_notes);
      EXPECT_EQ(before.front().int64(0), after.front().int64(0));
      co_return Result<>();
    });
  };
  const auto writing = [&]() -> Task<> {
    while (!first_count_taken) co_await core::sleep_for(std::chrono::milliseconds(1));
    co_await add_note(1, "one");
    written = true;
  };
  std::vector<Task<>> tasks;
  tasks.push_back(reading());
  tasks.push_back(writing());
  run_all(std::move(tasks));
  EXPECT_EQ(count_notes(), 1);
}

TEST_P(DatabaseContract, WhatWasAnsweredIsSeenByTheNextRead) {
  start();
  run([&]() -> Task<> {
    for (int i = 1; i <= 50; ++i) {
      co_await add_note(i, std::to_string(i));
      EXPECT_EQ(co_await count_in(db()), i);
    }
  });
}

TEST_P(DatabaseContract, ConcurrentWritersLoseNoUpdate) {
  start();
  static constexpr int writers = 300;
  const auto add_one = [&]() -> Task<> {
    co_await write(db(), [](Transaction& tx) -> Task<Result<>> {
      const Rows found = co_await tx.execute(sql::add_to_counter, "c", 0);
      co_await tx.execute(sql::set_counter, "c", found.front().int64(0) + 1);
      co_return Result<>();
    });
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < writers; ++i) tasks.push_back(add_one());
  run_all(std::move(tasks), 4);
  run([&]() -> Task<> {
    co_await read(db(), [](Transaction& tx) -> Task<Result<>> {
      const Rows rows = co_await tx.execute(sql::get_counter, "c");
      EXPECT_EQ(rows.front().int64(0), writers);
      co_return Result<>();
    });
  });
}

TEST_P(DatabaseContract, FailingBodiesDoNotHarmTheirNeighbours) {
  start();
  std::atomic<int> refused = 0;
  // Every third returns an error, every third violates a constraint, the others are kept.
  const auto attempt = [&](int i) -> Task<> {
    try {
      const auto result = co_await write(db(), [&](Transaction& tx) -> Task<Result<>> {
        co_await tx.execute(sql::insert_note, i, std::to_string(i));
        if (i % 3 == 1) co_return Errc::invalid_name;
        if (i % 3 == 2) co_await tx.execute(sql::insert_note, i, "again");
        co_return Result<>();
      });
      if (result.has_error()) ++refused;
    } catch (const DatabaseError& error) {
      EXPECT_EQ(error.kind, DatabaseError::Kind::constraint);
      ++refused;
    }
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 300; ++i) tasks.push_back(attempt(i));
  run_all(std::move(tasks), 4);
  EXPECT_EQ(refused, 200);
  EXPECT_EQ(count_notes(), 100);
}

TEST_P(DatabaseContract, AnswersOnTheExecutorOfTheCaller) {
  start();
  run([&]() -> Task<> {
    const auto here = std::this_thread::get_id();
    co_await add_note(1, "one");
    EXPECT_EQ(std::this_thread::get_id(), here);
    co_await count_in(db());
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

TEST_P(DatabaseContract, ACancelledCallerWaitsForItsBody) {
  start();
  std::atomic<bool> body_ended = false;
  const auto slow = [&]() -> Task<> {
    co_await write(db(), [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_note, 1, "one");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      body_ended = true;
      co_return Result<>();
    });
  };
  run([&]() -> Task<> {
    try {
      co_await core::with_timeout(slow(), std::chrono::milliseconds(5));
    } catch (const core::TimeoutError&) {
    }
    EXPECT_TRUE(body_ended);
  });
  EXPECT_EQ(count_notes(), 1);
}

TEST_P(DatabaseContract, RefusesMoreWaitersThanItsLimit) {
  start({.queue_limit = 8});
  std::atomic<int> refused = 0;
  std::atomic<int> kept = 0;
  const auto attempt = [&](int i) -> Task<> {
    try {
      co_await write(db(), [&](Transaction& tx) -> Task<Result<>> {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        co_await tx.execute(sql::insert_note, i, std::to_string(i));
        co_return Result<>();
      });
      ++kept;
    } catch (const DatabaseError& error) {
      EXPECT_EQ(error.kind, DatabaseError::Kind::unavailable);
      ++refused;
    }
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 60; ++i) tasks.push_back(attempt(i));
  run_all(std::move(tasks));
  EXPECT_GE(kept, 8);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(count_notes(), kept);
}

TEST_P(DatabaseContract, WhatWasAnsweredSurvivesACrash) {
  start();
  for (int round = 0; round < 3; ++round) {
    std::vector<Task<>> tasks;
    const auto add = [&](int i) -> Task<> { co_await add_note(i, std::to_string(i)); };
    for (int i = 0; i < 40; ++i) tasks.push_back(add(round * 40 + i));
    run_all(std::move(tasks));
    const auto survivor = under_test().open_after_crash();
    EXPECT_EQ(run(count_in(*survivor)), (round + 1) * 40);
  }
}

}  // namespace clouddocs::database
