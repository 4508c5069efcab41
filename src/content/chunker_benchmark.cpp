// SPDX-License-Identifier: AGPL-3.0-or-later
#include <benchmark/benchmark.h>

#include "content/chunker.hpp"
#include "content/part_hasher.hpp"
#include "content/pseudo_random.hpp"
#include "content/sha256.hpp"

namespace clouddocs::content {
namespace {

void Chunking(benchmark::State& state) {
  const auto content = pseudo_random_bytes(1, 64U << 20);
  for (auto step : state) {
    Chunker chunker;
    core::ByteView rest(content);
    bool boundary = false;
    while (!rest.empty()) rest = rest.subspan(chunker.next(rest, boundary));
    benchmark::DoNotOptimize(boundary);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * content.size()));
}
BENCHMARK(Chunking);

void Hashing(benchmark::State& state) {
  const auto content = pseudo_random_bytes(1, static_cast<std::size_t>(state.range(0)));
  for (auto step : state) benchmark::DoNotOptimize(sha256(content));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * content.size()));
}
BENCHMARK(Hashing)->Arg(64)->Arg(4096)->Arg(512 << 10);

// Whole and parts of 512 KiB, by OpenSSL twice (0) and in turns (1).
void HashingTwice(benchmark::State& state) {
  const auto content = pseudo_random_bytes(1, 8U << 20);
  for (auto step : state) {
    PartHasher hasher(state.range(0) != 0);
    for (core::ByteView rest = content; !rest.empty(); rest = rest.subspan(512U << 10)) {
      hasher.update(rest.first((512U << 10) - 100));
      benchmark::DoNotOptimize(hasher.finish_part());
      hasher.update(rest.subspan((512U << 10) - 100, 100));
    }
    benchmark::DoNotOptimize(hasher.finish_whole());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * content.size()));
}
BENCHMARK(HashingTwice)->Arg(0)->Arg(1);

}  // namespace
}  // namespace clouddocs::content
