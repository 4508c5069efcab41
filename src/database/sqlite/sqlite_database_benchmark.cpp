// SPDX-License-Identifier: AGPL-3.0-or-later
#include <benchmark/benchmark.h>

#include "database/sqlite/sqlite_database.hpp"
#include "testing/run.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::database {
namespace {

using core::Result;
using core::Task;

constexpr std::array schema{
    Migration{1, "items", "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT, size BIGINT)"}};
constexpr Statement put_item{"put_item",
                             "INSERT INTO items (id, name, size) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET "
                             "size = excluded.size + items.size"};
constexpr Statement find_item{"find_item", "SELECT name, size FROM items WHERE id = $1"};
constexpr int calls_per_caller = 500;

Task<> put(Database& db, std::int64_t id) {
  co_await write(db, [&](Transaction& tx) -> Task<Result<>> {
    co_await tx.execute(put_item, id % 100'000, "a name of usual length.txt", 4096);
    co_return Result<>();
  });
}

Task<> find(Database& db, std::int64_t id) {
  co_await read(db, [&](Transaction& tx) -> Task<Result<>> {
    co_await tx.execute(find_item, id % 100'000);
    co_return Result<>();
  });
}

// Each caller makes one call after another; all share two event loops, as the server does on two cores.
void run_callers(benchmark::State& state, Task<> (*call)(Database&, std::int64_t)) {
  const testing::TemporaryDirectory folder;
  const auto db = make_sqlite_database({.path = folder.path() / "bench.db", .migrations = schema});
  testing::run(db->migrate());
  const auto callers = state.range(0);
  std::int64_t next = 0;
  const auto caller = [&](std::int64_t first) -> Task<> {
    for (int i = 0; i < calls_per_caller; ++i) co_await call(*db, first + i * 7919);
  };
  for (auto _ : state) {
    std::vector<Task<>> tasks;
    for (std::int64_t i = 0; i < callers; ++i) tasks.push_back(caller(next += 104'729));
    testing::run_all(std::move(tasks), 2);
  }
  state.SetItemsProcessed(state.iterations() * callers * calls_per_caller);
}

void write_transactions(benchmark::State& state) { run_callers(state, put); }
void read_transactions(benchmark::State& state) { run_callers(state, find); }

BENCHMARK(write_transactions)->Arg(1)->Arg(8)->Arg(64)->Arg(256)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(read_transactions)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace clouddocs::database
