// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/io_context.hpp>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/task.hpp"

namespace clouddocs::testing {

// Runs a task to its end on an event loop of its own, on the calling thread. Rethrows what it throws.
// In the coroutine of a test use EXPECT_*: ASSERT_* returns, which a coroutine cannot.
inline void run(core::Task<> task) {
  core::asio::io_context context(1);
  std::exception_ptr error;
  core::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) { error = std::move(e); });
  context.run();
  if (error) std::rethrow_exception(error);
}
template <class T>
  requires(!std::is_void_v<T>)
T run(core::Task<T> task) {
  std::optional<T> result;
  auto store = [&]() -> core::Task<> {
    T value = co_await std::move(task);
    result.emplace(std::move(value));
  };
  run(store());
  return std::move(*result);
}

// Calls `body() -> Task<T>` and runs it: `run([&]() -> Task<> { ... });`. What the lambda captures lives as long as the task.
template <class Body>
auto run(const Body& body) -> typename std::invoke_result_t<const Body&>::value_type {
  return run(body());
}

// Runs the tasks at the same time on an event loop with `threads` threads. Rethrows the first exception when all have ended.
inline void run_all(std::vector<core::Task<>> tasks, int threads = 2) {
  core::asio::io_context context;
  std::mutex mutex;
  std::exception_ptr first;
  for (auto& task : tasks) {
    core::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
      const std::lock_guard lock(mutex);
      if (error && !first) first = std::move(error);
    });
  }
  {
    std::vector<std::jthread> runners;
    for (int i = 0; i < threads; ++i) runners.emplace_back([&] { context.run(); });
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace clouddocs::testing
