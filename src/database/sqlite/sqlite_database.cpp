// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/sqlite_database.hpp"

#include <algorithm>
#include <list>

#include "database/sqlite/connection.hpp"
#include "database/sqlite/migrations.hpp"
#include "database/sqlite/request_queue.hpp"
#include "database/sqlite/worker.hpp"

namespace clouddocs::database {
namespace {

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(SqliteOptions options)
      : options_(std::move(options)), writes_(options_.queue_limit), reads_(options_.queue_limit) {}

  ~SqliteDatabase() override {
    writes_.close();
    reads_.close();
  }

  // Apart from the constructor, so that the destructor ends the first workers when a later one cannot start.
  void open() {
    Connection first(options_, Connection::Mode::writer);
    create_driver_tables(first);
    workers_.emplace_back(options_, Connection::Mode::writer, writes_);
    for (int i = 0; i < std::max(1, options_.readers); ++i)
      workers_.emplace_back(options_, Connection::Mode::reader, reads_);
  }

  core::Task<> run(Access access, core::ByteView /*combine_key*/, const Body& body) override {
    auto& queue = access == Access::write ? writes_ : reads_;
    Request request;
    request.body = &body;
    co_await queue.submit(request);
  }

  core::Task<> migrate() override {
    const std::function<void(Connection&)> job = [&](Connection& writer) {
      apply_migrations(writer, options_.migrations);
    };
    Request request;
    request.job = &job;
    co_await writes_.submit(request);
  }

  core::Task<SchemaVersion> schema_version() override {
    SchemaVersion version{.applied = 0, .known = options_.migrations.empty() ? 0 : options_.migrations.back().number};
    const Body body = [&](Transaction& tx) -> core::Task<bool> {
      const Rows rows = co_await tx.execute(find_newest_migration);
      version.applied = static_cast<int>(rows.front().int64(0));
      co_return true;
    };
    co_await run(Access::read, {}, body);
    co_return version;
  }

  core::Task<std::string> system_identifier() override {
    std::string id;
    const Body body = [&](Transaction& tx) -> core::Task<bool> {
      const Rows rows = co_await tx.execute(get_identity);
      id = rows.front().text(0);
      co_return true;
    };
    co_await run(Access::read, {}, body);
    co_return id;
  }

 private:
  const SqliteOptions options_;
  RequestQueue writes_;
  RequestQueue reads_;
  std::list<Worker> workers_;
};

}  // namespace

std::unique_ptr<Database> make_sqlite_database(SqliteOptions options) {
  auto database = std::make_unique<SqliteDatabase>(std::move(options));
  database->open();
  return database;
}

}  // namespace clouddocs::database
