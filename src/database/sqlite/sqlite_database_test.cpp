// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/sqlite_database.hpp"

#include <sys/resource.h>

#include <boost/asio/detached.hpp>
#include <csignal>
#include <set>

#include "database/database_contract.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::database {
namespace {

namespace fs = std::filesystem;

class SqliteUnderTest final : public DatabaseUnderTest {
 public:
  explicit SqliteUnderTest(ContractLimits limits) : database_(make_sqlite_database(options("live.db", limits))) {}
  Database& database() override { return *database_; }

  // Copies the file and its log, as they are while the database is open, and leaves out the index of the log, which is memory.
  std::unique_ptr<Database> open_after_crash() override {
    const auto overwrite = fs::copy_options::overwrite_existing;
    fs::copy_file(folder_.path() / "live.db", folder_.path() / "crashed.db", overwrite);
    fs::copy_file(folder_.path() / "live.db-wal", folder_.path() / "crashed.db-wal", overwrite);
    return make_sqlite_database(options("crashed.db", {}));
  }

 private:
  SqliteOptions options(const char* name, ContractLimits limits) const {
    return {.path = folder_.path() / name, .migrations = contract_migrations, .queue_limit = limits.queue_limit};
  }
  testing::TemporaryDirectory folder_;
  std::unique_ptr<Database> database_;
};

std::unique_ptr<DatabaseUnderTest> make_under_test(ContractLimits limits) {
  return std::make_unique<SqliteUnderTest>(limits);
}
INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseContract, ::testing::Values(MakeDatabaseUnderTest(make_under_test)));

class SqliteDatabaseTest : public ::testing::Test {
 protected:
  SqliteOptions options(std::span<const Migration> migrations = contract_migrations) const {
    return {.path = folder_.path() / "test.db", .migrations = migrations};
  }
  std::unique_ptr<Database> open() const {
    auto database = make_sqlite_database(options());
    run(database->migrate());
    return database;
  }
  static Task<> execute(Database& database, const Statement& statement) {
    co_await write(database, [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(statement);
      co_return Result<>();
    });
  }
  // A transaction that needs `kibibytes` of new pages.
  static Task<> insert_large(Database& database, std::int64_t id, std::size_t kibibytes) {
    const core::Bytes large(kibibytes * 1024);
    co_await write(database, [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(sql::insert_full, id, nullptr, nullptr, large);
      co_return Result<>();
    });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(SqliteDatabaseTest, KeepsItsIdentifierWhenOpenedAgain) {
  const auto id = run(open()->system_identifier());
  EXPECT_EQ(run(open()->system_identifier()), id);
}

TEST_F(SqliteDatabaseTest, RunsOnASchemaNewerByOneAndRefusesMore) {
  constexpr std::array newer{contract_migrations[0], contract_migrations[1],
                             Migration{3, "three", "CREATE TABLE three (id BIGINT)"}};
  run(make_sqlite_database(options(newer))->migrate());
  run(make_sqlite_database(options())->migrate());
  constexpr std::array much_newer{newer[0], newer[1], newer[2], Migration{4, "four", "CREATE TABLE four (id BIGINT)"}};
  run(make_sqlite_database(options(much_newer))->migrate());
  const auto old = make_sqlite_database(options());
  EXPECT_EQ(kind_of([&] { run(old->migrate()); }), DatabaseError::Kind::broken);
  EXPECT_EQ(run(old->schema_version()).applied, 4);
}

TEST_F(SqliteDatabaseTest, AFailingMigrationLeavesNothingBehind) {
  constexpr std::array broken{contract_migrations[0],
                              Migration{2, "broken", "CREATE TABLE half (id BIGINT); SELEKT 1"}};
  const auto database = make_sqlite_database(options(broken));
  EXPECT_EQ(kind_of([&] { run(database->migrate()); }), DatabaseError::Kind::broken);
  EXPECT_EQ(run(database->schema_version()).applied, 1);
  run(make_sqlite_database(options())->migrate());
}

TEST_F(SqliteDatabaseTest, AMigrationMayRebuildATableThatOthersReferTo) {
  run(open()->migrate());
  constexpr std::array rebuilding{
      contract_migrations[0], contract_migrations[1],
      Migration{3, "rebuild",
                "CREATE TABLE rebuilt (id BIGINT PRIMARY KEY, parent BIGINT REFERENCES notes (id), number BIGINT,"
                " text TEXT, bytes BYTEA); INSERT INTO rebuilt SELECT id, parent, number, text, bytes FROM notes;"
                "DROP TABLE notes; ALTER TABLE rebuilt RENAME TO notes"},
      Migration{4, "orphan", "INSERT INTO notes (id, parent) VALUES (8, 7)"}};
  static constexpr Statement family{"family", "INSERT INTO notes (id, parent) VALUES (1, NULL), (2, 1)"};
  run(execute(*open(), family));
  const auto database = make_sqlite_database(options(rebuilding));
  EXPECT_EQ(kind_of([&] { run(database->migrate()); }), DatabaseError::Kind::constraint);
  EXPECT_EQ(run(database->schema_version()).applied, 3);
}

TEST_F(SqliteDatabaseTest, AFullDiskFailsTheGroupAndTheNextOneWorks) {
  const auto database = open();
  static constexpr Statement no_growth{"no_growth", "PRAGMA max_page_count = 20"};
  static constexpr Statement growth{"growth", "PRAGMA max_page_count = 100000"};
  run(execute(*database, no_growth));
  EXPECT_EQ(kind_of([&] { run(insert_large(*database, 1, 1024)); }), DatabaseError::Kind::storage_full);
  run(insert_large(*database, 2, 1));
  run(execute(*database, growth));
  run(insert_large(*database, 3, 1024));
}

// Makes writes beyond a size fail in this process, as a broken disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &handler_before_);
    getrlimit(RLIMIT_FSIZE, &limit_before_);
    rlimit limited = limit_before_;
    limited.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &limit_before_);
    sigaction(SIGXFSZ, &handler_before_, nullptr);
  }

 private:
  struct sigaction handler_before_{};
  rlimit limit_before_{};
};

TEST_F(SqliteDatabaseTest, AFailingCommitFailsEveryBodyOfTheGroup) {
  const auto database = open();
  std::atomic<int> failed = 0;
  const auto attempt = [&](int id) -> Task<> {
    try {
      co_await insert_large(*database, id, 128);
    } catch (const DatabaseError& error) {
      EXPECT_EQ(error.kind, DatabaseError::Kind::unavailable);
      ++failed;
    }
  };
  {
    const FileSizeLimit limit(fs::file_size(folder_.path() / "test.db-wal") + 64 * 1024);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(attempt(i));
    run_all(std::move(tasks));
  }
  EXPECT_EQ(failed, 10);
  run(insert_large(*database, 3, 128));
}

// More than the page cache holds spills into the log; when that fails, SQLite rolls the transaction back by itself.
TEST_F(SqliteDatabaseTest, ABodyThatIgnoresAFailingDiskCommitsNothing) {
  auto small_cache = options();
  small_cache.writer_cache_bytes = 128 * 1024;
  const auto database = make_sqlite_database(small_cache);
  run(database->migrate());
  int failures = 0;
  const auto stubborn = [&]() -> Task<> {
    co_await write(*database, [&](Transaction& tx) -> Task<Result<>> {
      for (int i = 0; i < 20; ++i) {
        try {
          co_await tx.execute(sql::insert_full, i, nullptr, nullptr, core::Bytes(64 * 1024));
        } catch (const DatabaseError&) {
          ++failures;
        }
      }
      co_return Result<>();
    });
  };
  {
    const FileSizeLimit limit(fs::file_size(folder_.path() / "test.db-wal") + 512 * 1024);
    EXPECT_EQ(kind_of([&] { run(stubborn); }), DatabaseError::Kind::unavailable);
  }
  EXPECT_GT(failures, 1);
  run(insert_large(*database, 1, 1));
}

TEST_F(SqliteDatabaseTest, ADeferredViolationFailsOnlyItsBody) {
  const auto database = open();
  static constexpr Statement create{
      "create",
      "CREATE TABLE late (id BIGINT PRIMARY KEY, of BIGINT REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)"};
  static constexpr Statement violate{"violate", "INSERT INTO late (id, of) VALUES (1, 99)"};
  run(execute(*database, create));
  std::vector<Task<>> tasks;
  const auto violating = [&]() -> Task<> {
    bool refused = false;
    try {
      co_await execute(*database, violate);
    } catch (const DatabaseError& error) {
      refused = error.kind == DatabaseError::Kind::constraint;
    }
    EXPECT_TRUE(refused);
  };
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(violating());
    tasks.push_back(insert_large(*database, i, 1));
  }
  run_all(std::move(tasks));
}

TEST_F(SqliteDatabaseTest, TellsTheObserverEveryStatement) {
  std::mutex mutex;
  std::multiset<std::string> names;
  auto observed = options();
  observed.observer = [&](const char* name, std::chrono::nanoseconds duration) {
    const std::lock_guard lock(mutex);
    EXPECT_GE(duration.count(), 0);
    names.insert(name);
  };
  {
    const auto database = make_sqlite_database(observed);
    run(database->migrate());
    run(insert_large(*database, 1, 1));
  }
  EXPECT_EQ(names.count("insert_full"), 1U);
  EXPECT_GE(names.count("commit"), 1U);
}

TEST_F(SqliteDatabaseTest, AFolderThatIsMissingIsReported) {
  SqliteOptions missing{.path = folder_.path() / "none" / "test.db", .migrations = {}};
  EXPECT_EQ(kind_of([&] { make_sqlite_database(missing); }), DatabaseError::Kind::unavailable);
}

TEST_F(SqliteDatabaseTest, AFileThatIsNoDatabaseIsReported) {
  const auto path = folder_.path() / "test.db";
  {
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), &std::fclose);
    for (int i = 0; i < 1000; ++i) std::fputs("this is not a database", file.get());
  }
  EXPECT_EQ(kind_of([&] { make_sqlite_database(options()); }), DatabaseError::Kind::broken);
}

TEST_F(SqliteDatabaseTest, DestructionRunsWhatWaits) {
  auto database = open();
  std::atomic<int> kept = 0;
  core::asio::io_context context;
  const auto add = [&](int i) -> Task<> {
    co_await insert_large(*database, i, 1);
    ++kept;
  };
  for (int i = 0; i < 50; ++i) core::asio::co_spawn(context, add(i), core::asio::detached);
  context.poll();
  database.reset();
  context.run();
  EXPECT_EQ(kept, 50);
}

}  // namespace
}  // namespace clouddocs::database
