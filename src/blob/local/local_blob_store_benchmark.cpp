// SPDX-License-Identifier: AGPL-3.0-or-later
#include <benchmark/benchmark.h>

#include "blob/local/local_blob_store.hpp"
#include "testing/run.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::blob {
namespace {

using core::ByteView;
using core::Task;

// `range(0)` objects at a time, each of `range(1)` bytes, appended in parts of at most 1 MiB, each durable.
void write_objects(benchmark::State& state) {
  const testing::TemporaryDirectory folder;
  core::asio::thread_pool pool(4);
  const auto store = make_local_blob_store(folder.path() / "blobs", pool);
  const auto size = static_cast<std::size_t>(state.range(1));
  const core::Bytes block(std::min<std::size_t>(size, 1 << 20), std::byte{'x'});
  int count = 0;
  const auto write_one = [&](std::string name) -> Task<> {
    const auto writer = co_await store->create(name);
    const std::array<ByteView, 1> parts{ByteView(block)};
    for (std::size_t done = 0; done < size; done += block.size()) co_await writer->append(parts);
    co_await writer->commit();
  };
  for (auto _ : state) {
    std::vector<Task<>> tasks;
    for (std::int64_t i = 0; i < state.range(0); ++i) tasks.push_back(write_one("bench/" + std::to_string(count++)));
    testing::run_all(std::move(tasks));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
}

void read_ranges(benchmark::State& state) {
  const testing::TemporaryDirectory folder;
  core::asio::thread_pool pool(4);
  const auto store = make_local_blob_store(folder.path() / "blobs", pool);
  const auto write_one = [&]() -> Task<> {
    const core::Bytes content(8 << 20);
    const auto writer = co_await store->create("segment");
    const std::array<ByteView, 1> parts{ByteView(content)};
    co_await writer->append(parts);
    co_await writer->commit();
  };
  testing::run(write_one);
  const auto length = static_cast<std::uint64_t>(state.range(0));
  const auto read_some = [&]() -> Task<> {
    for (std::uint64_t i = 0; i < 100; ++i) co_await store->get("segment", i * 4096, length);
  };
  for (auto _ : state) testing::run(read_some);
  state.SetItemsProcessed(state.iterations() * 100);
  state.SetBytesProcessed(state.iterations() * 100 * state.range(0));
}

BENCHMARK(write_objects)
    ->Args({1, 4096})
    ->Args({8, 4096})
    ->Args({1, 8 << 20})
    ->Args({4, 8 << 20})
    ->Args({1, 256 << 20})
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK(read_ranges)->Arg(4096)->Arg(1 << 20)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace clouddocs::blob
