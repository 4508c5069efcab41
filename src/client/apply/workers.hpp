// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace clouddocs::client {

// How much may happen at once. `threads` 0: everything in the caller's thread and in order, so that a simulation is repeatable.
class Workers {
 public:
  explicit Workers(unsigned threads) : threads_(threads) {}
  bool is_inline() const { return threads_ == 0; }

  // Calls fn(i) for 0 <= i < count; rethrows the first exception after all have ended.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& fn) const {
    if (is_inline() || count <= 1) {
      for (std::size_t i = 0; i < count; ++i) fn(i);
      return;
    }
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;
    auto work = [&] {
      for (std::size_t i = next++; i < count; i = next++) {
        try {
          fn(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!failure) failure = std::current_exception();
          next = count;
        }
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < std::min<std::size_t>(threads_, count); ++i) threads.emplace_back(work);
      work();
    }
    if (failure) std::rethrow_exception(failure);
  }

  // Starts fn; it has run at the latest when the future is asked.
  std::future<void> start(std::function<void()> fn) const {
    return std::async(is_inline() ? std::launch::deferred : std::launch::async, std::move(fn));
  }

 private:
  unsigned threads_;
};

}  // namespace clouddocs::client
