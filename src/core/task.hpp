// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace clouddocs::core {

namespace asio = boost::asio;

// A lazily started coroutine that yields a T. Await it once, or hand it to a TaskGroup.
template <class T = void>
using Task = asio::awaitable<T>;

// Runs a blocking function on `pool` and returns its result (or throws its exception) on the caller's executor.
// Whatever blocks (disk, hashing, SQLite) goes through here, so that no event loop waits. REQUIRES: fn outlives the await.
template <class Pool, class F>
auto blocking(Pool& pool, F fn) -> Task<std::invoke_result_t<F&>> {
  using R = std::invoke_result_t<F&>;
  auto work = [](F call) -> Task<R> { co_return call(); };
  co_return co_await asio::co_spawn(pool.get_executor(), work(std::move(fn)), asio::use_awaitable);
}

// Thrown by with_timeout.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("timed out") {}
};

// Awaits `task` for at most `limit`; afterwards cancels it (its destructors run) and throws TimeoutError.
template <class T>
Task<T> with_timeout(Task<T> task, std::chrono::steady_clock::duration limit) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(task), asio::deferred),
                                                       timer.async_wait(asio::deferred));
  if constexpr (std::is_void_v<T>) {
    auto [order, error, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1) throw TimeoutError();
    if (error) std::rethrow_exception(error);
  } else {
    auto [order, error, value, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1) throw TimeoutError();
    if (error) std::rethrow_exception(error);
    co_return std::move(value);
  }
}

// Runs two tasks at the same time on the caller's executor and returns both results. When one throws, the other is awaited first.
template <class A, class B>
Task<std::pair<A, B>> both(Task<A> first, Task<B> second) {
  auto executor = co_await asio::this_coro::executor;
  auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(first), asio::deferred),
                                                       asio::co_spawn(executor, std::move(second), asio::deferred));
  auto [order, first_error, a, second_error, b] =
      co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  if (first_error) std::rethrow_exception(first_error);
  if (second_error) std::rethrow_exception(second_error);
  co_return std::pair<A, B>(std::move(a), std::move(b));
}

// A task that runs beside the coroutine that started it and that is joined later. When nobody joins it goes on by itself: it must own what it
// uses. REQUIRES: an executor that runs one thing at a time, the same for both.
class Companion {
 public:
  Companion(const asio::any_io_executor& executor, Task<> task) : state_(std::make_shared<State>(executor)) {
    asio::co_spawn(executor, std::move(task), [state = state_](std::exception_ptr error) {
      state->is_done = true;
      state->error = std::move(error);
      state->done.reset();  // ends the wait; what is left of the companion may outlive the event loop
    });
  }
  // Waits for the end. Throws what the task has thrown.
  Task<> join() {
    const auto state = state_;
    while (!state->is_done) {
      const auto [error] = co_await state->done->async_wait(asio::as_tuple(asio::use_awaitable));
      if (error && !state->is_done) throw boost::system::system_error(error);  // this coroutine is being cancelled
    }
    if (state->error) std::rethrow_exception(state->error);
  }

 private:
  struct State {
    explicit State(const asio::any_io_executor& executor)
        : done(std::in_place, executor, std::chrono::steady_clock::time_point::max()) {}
    std::optional<asio::steady_timer> done;  // until it is
    bool is_done = false;
    std::exception_ptr error;
  };
  std::shared_ptr<State> state_;
};

// Suspends the coroutine for `duration`.
inline Task<> sleep_for(std::chrono::steady_clock::duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace clouddocs::core
