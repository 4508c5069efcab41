// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/request_queue.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <utility>

namespace clouddocs::database {

namespace asio = core::asio;

void Request::answer() {
  const auto to = std::move(executor);
  auto resume = std::move(handler);
  asio::post(to, std::move(resume));
}

core::Task<> RequestQueue::submit(Request& request) {
  // Tracked: the caller's event loop must not end while the request is out.
  request.executor = asio::prefer(co_await asio::this_coro::executor, asio::execution::outstanding_work.tracked);
  auto initiate = [&](auto handler) {
    request.handler = std::move(handler);
    if (push(request)) return;
    request.error = std::make_exception_ptr(DatabaseError(
        DatabaseError::Kind::unavailable, "the database is overloaded: too many transactions are waiting"));
    request.answer();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(initiate, asio::use_awaitable);
  if (request.error) std::rethrow_exception(request.error);
}

bool RequestQueue::wait() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [&] { return first_ != nullptr || closed_; });
  return first_ != nullptr;
}

Request* RequestQueue::try_pop_body() {
  const std::lock_guard lock(mutex_);
  return first_ != nullptr && first_->body != nullptr ? pop() : nullptr;
}

Request* RequestQueue::try_pop_job() {
  const std::lock_guard lock(mutex_);
  return first_ != nullptr && first_->job != nullptr ? pop() : nullptr;
}

void RequestQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  ready_.notify_all();
}

bool RequestQueue::push(Request& request) {
  {
    const std::lock_guard lock(mutex_);
    if (size_ >= limit_ || closed_) return false;
    (first_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
    ++size_;
  }
  ready_.notify_one();
  return true;
}

Request* RequestQueue::pop() {
  Request* const popped = std::exchange(first_, first_->next);
  popped->next = nullptr;
  --size_;
  return popped;
}

}  // namespace clouddocs::database
