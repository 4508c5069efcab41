// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "database/database.hpp"

namespace clouddocs::database {

// Answers all who ask for a small value at about the same time with one read of the database, and those who ask for the same with one
// statement: under load that costs each a part of a change of threads. Nothing is kept: a value was read after its caller had asked for it.
// Thread-safe. REQUIRES: outlives its callers, and their executors their calls.
template <class Key, class Value>
class SharedRead {
 public:
  // Reads one value; awaits nothing but the transaction.
  using Read = std::function<core::Task<Value>(Transaction&, const Key&)>;

  SharedRead(Database& db, Read read) : db_(db), read_(std::move(read)) {}

  // Throws what the read throws. Cancellation of the caller is not passed on: others may wait for the same read.
  core::Task<Value> get(Key key) {
    Question question{.key = std::move(key)};
    question.executor =
        core::asio::prefer(co_await core::asio::this_coro::executor, core::asio::execution::outstanding_work.tracked);
    auto initiate = [&](auto handler) {
      question.handler = std::move(handler);
      ask(question);
    };
    co_await core::asio::async_initiate<const core::asio::use_awaitable_t<>&, void()>(initiate,
                                                                                      core::asio::use_awaitable);
    if (question.error) std::rethrow_exception(question.error);
    co_return std::move(*question.value);
  }

 private:
  // Lives in the frame of its caller, who stays suspended until it is answered.
  struct Question {
    Key key;
    std::optional<Value> value{};
    std::exception_ptr error{};
    core::asio::any_io_executor executor{};
    core::asio::any_completion_handler<void()> handler{};
  };

  void ask(Question& question) {
    const auto executor = question.executor;
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&question);
      if (is_reading_) return;
      is_reading_ = true;
    }
    start(executor);
  }

  // REQUIRES: is_reading_ is the caller's.
  void start(const core::asio::any_io_executor& executor) {
    // Behind what the event loop has received already: those requests may ask too. On its own, so that it ends whatever becomes of the first.
    core::asio::post(executor, [this, executor] {
      core::asio::co_spawn(executor, answer_waiting(), [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
      });
    });
  }

  // One read at a time: who asks while it runs comes along with the next, so that the reads grow with the load instead of their number.
  void start_next() {
    core::asio::any_io_executor executor;
    {
      const std::lock_guard lock(mutex_);
      is_reading_ = !waiting_.empty();
      if (!is_reading_) return;
      executor = waiting_.front()->executor;
    }
    start(executor);
  }

  std::vector<Question*> take_waiting() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

  core::Task<> answer_waiting() {
    std::optional<std::vector<Question*>> taken;
    auto body = [&](Transaction& tx) -> core::Task<core::Result<>> {
      // Not before the transaction is about to begin, so that as many as possible come along.
      if (!taken) taken = take_waiting();
      co_await answer(tx, *taken);
      co_return core::Result<>();
    };
    std::exception_ptr error;
    try {
      co_await database::read(db_, body);
    } catch (...) {
      error = std::current_exception();
    }
    if (!taken) taken = take_waiting();
    start_next();
    for (Question* const question : *taken) {
      question->error = error;
      const auto executor = std::move(question->executor);
      core::asio::post(executor, std::move(question->handler));
    }
  }

  core::Task<> answer(Transaction& tx, std::vector<Question*>& questions) {
    std::sort(questions.begin(), questions.end(), [](auto* a, auto* b) { return a->key < b->key; });
    const Question* before = nullptr;
    for (Question* const question : questions) {
      if (before != nullptr && before->key == question->key) {
        question->value = before->value;
      } else {
        question->value = co_await read_(tx, question->key);
      }
      before = question;
    }
  }

  Database& db_;
  const Read read_;
  std::mutex mutex_;
  std::vector<Question*> waiting_;
  bool is_reading_ = false;  // or about to
};

}  // namespace clouddocs::database
