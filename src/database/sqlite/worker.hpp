// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/io_context.hpp>
#include <thread>

#include "database/sqlite/connection.hpp"
#include "database/sqlite/request_queue.hpp"

namespace clouddocs::database {

// A thread that runs bodies on a connection of its own. A body is a coroutine that never suspends here, since execute() completes
// at once: it costs no thread switch per statement.
class Worker {
 public:
  Worker(const SqliteOptions& options, Connection::Mode mode, RequestQueue& queue);
  // Joins the thread, which ends when the queue is closed and empty.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

 private:
  void run();
  // Runs write bodies that wait, each in a savepoint, commits them together and answers them.
  core::Task<> run_write_group();
  core::Task<bool> run_in_savepoint(Request& request);
  void commit(const std::vector<Request*>& group);
  // Runs read bodies that wait, each on a snapshot of its own.
  core::Task<> run_reads();
  void run_job(Request& request);
  void end_transaction(const Statement& how);

  Connection connection_;
  const Connection::Mode mode_;
  RequestQueue& queue_;
  core::asio::io_context context_{1};
  std::thread thread_;
};

}  // namespace clouddocs::database
