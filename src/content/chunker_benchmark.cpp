// SPDX-License-Identifier: AGPL-3.0-or-later
#include <benchmark/benchmark.h>

#include "content/chunker.hpp"
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

}  // namespace
}  // namespace clouddocs::content
