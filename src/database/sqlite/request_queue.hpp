// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>

#include "core/task.hpp"
#include "database/database.hpp"

namespace clouddocs::database {

class Connection;

// A call that waits for a database thread. Lives in the frame of its caller, who stays suspended until answer().
struct Request {
  const Database::Body* body = nullptr;
  // Instead of `body`: runs outside of any transaction, alone.
  const std::function<void(Connection&)>* job = nullptr;
  core::asio::any_io_executor executor;
  core::asio::any_completion_handler<void()> handler;
  std::exception_ptr error;
  Request* next = nullptr;

  // Resumes the caller on its executor. The request may be gone when this returns.
  void answer();
};

// A bounded queue of requests, first in, first out. Allocates nothing: requests are linked. Thread-safe.
class RequestQueue {
 public:
  explicit RequestQueue(std::size_t limit) : limit_(limit) {}

  // Queues a request and suspends the caller until it is answered; throws the request's error, or DatabaseError (unavailable) when
  // the queue is full. Cancellation of the caller is not passed on: the request refers to the caller's frame.
  core::Task<> submit(Request& request);
  // Waits until something is queued. False: closed, and nothing is left.
  bool wait();
  // The first in the queue, if it has a body (or a job); else null.
  Request* try_pop_body();
  Request* try_pop_job();
  void close();

 private:
  bool push(Request& request);
  Request* pop();  // REQUIRES: locked, not empty

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  Request* first_ = nullptr;
  Request* last_ = nullptr;
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace clouddocs::database
