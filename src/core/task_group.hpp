// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "core/task.hpp"

namespace clouddocs::core {

// Owns background coroutines: cancels them on stop(), waits for them in join(), logs what they throw.
// Thread-safe. stop() and join() are called once, by the owner; join() from a thread that runs none of the executors.
class TaskGroup {
 public:
  TaskGroup();
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` on `executor`. After stop() the task is dropped unstarted. REQUIRES: the executor runs one thing at a time (an event loop
  // with one thread, or a strand): stop() cancels there.
  void spawn(const asio::any_io_executor& executor, std::string name, Task<> task);
  // Asks every running task to cancel (each on its own executor).
  void stop();
  // Waits until no task is left.
  void join();
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clouddocs::core
