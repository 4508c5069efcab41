// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "core/log.hpp"

namespace clouddocs::core {

struct TaskGroup::State {
  struct Child {
    asio::any_io_executor executor;
    asio::cancellation_signal signal;
  };
  std::mutex mutex;
  std::condition_variable idle;
  std::list<std::shared_ptr<Child>> children;
  bool stopping = false;
};

TaskGroup::TaskGroup() : state_(std::make_shared<State>()) {}
TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(const asio::any_io_executor& executor, std::string name, Task<> task) {
  auto child = std::make_shared<State::Child>();
  child->executor = executor;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->children.push_back(child);
  }
  auto state = state_;
  auto done = [state, child, name = std::move(name)](const std::exception_ptr& error) {
    if (error) {
      try {
        std::rethrow_exception(error);
      } catch (const boost::system::system_error& e) {
        if (e.code() != asio::error::operation_aborted)
          log_error("task_failed", {{"task", name}, {"error", std::string(e.what())}});
      } catch (const std::exception& e) {
        log_error("task_failed", {{"task", name}, {"error", std::string(e.what())}});
      }
    }
    const std::lock_guard lock(state->mutex);
    state->children.remove(child);
    if (state->children.empty()) state->idle.notify_all();
  };
  asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(child->signal.slot(), std::move(done)));
}

void TaskGroup::stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  for (const auto& child : state_->children) {
    // A signal may only be emitted where its coroutine runs.
    asio::post(child->executor, [child] { child->signal.emit(asio::cancellation_type::terminal); });
  }
}

void TaskGroup::join() {
  std::unique_lock lock(state_->mutex);
  state_->idle.wait(lock, [&] { return state_->children.empty(); });
}

std::size_t TaskGroup::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->children.size();
}

}  // namespace clouddocs::core
