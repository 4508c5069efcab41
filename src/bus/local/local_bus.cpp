// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_bus.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/log.hpp"

namespace clouddocs::bus {
namespace {

// One subscriber. Its lock is not held while the handler runs, so that handlers may publish and unsubscribe.
class Subscriber {
 public:
  Subscriber(std::string prefix, Bus::Handler handler) : prefix_(std::move(prefix)), handler_(std::move(handler)) {}

  void deliver(std::string_view topic, std::string_view message) {
    if (!topic.starts_with(prefix_) || !enter()) return;
    try {
      handler_(topic, message);
    } catch (const std::exception& error) {
      core::log_error("bus_handler_failed", {{"topic", std::string(topic)}, {"error", std::string(error.what())}});
    }
    leave();
  }

  // Waits for the calls on other threads; the caller's own may be one that is running.
  void end() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    const auto here = std::this_thread::get_id();
    left_.wait(lock, [&] { return std::ranges::all_of(callers_, [&](auto id) { return id == here; }); });
  }

 private:
  bool enter() {
    const std::lock_guard lock(mutex_);
    if (!ended_) callers_.push_back(std::this_thread::get_id());
    return !ended_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    callers_.erase(std::ranges::find(callers_, std::this_thread::get_id()));
    left_.notify_all();
  }

  const std::string prefix_;
  const Bus::Handler handler_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::vector<std::thread::id> callers_;
  bool ended_ = false;
};

// The subscribers at a time: copied on change, so that publish() holds no lock while it calls them.
class Registry {
 public:
  using List = std::vector<std::shared_ptr<Subscriber>>;

  std::shared_ptr<const List> list() const {
    const std::lock_guard lock(mutex_);
    return list_;
  }
  void add(std::shared_ptr<Subscriber> subscriber) {
    const std::lock_guard lock(mutex_);
    auto changed = std::make_shared<List>(*list_);
    changed->push_back(std::move(subscriber));
    list_ = std::move(changed);
  }
  void remove(const std::shared_ptr<Subscriber>& subscriber) {
    const std::lock_guard lock(mutex_);
    auto changed = std::make_shared<List>(*list_);
    std::erase(*changed, subscriber);
    list_ = std::move(changed);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const List> list_ = std::make_shared<List>();
};

class LocalSubscription final : public Bus::Subscription {
 public:
  LocalSubscription(std::shared_ptr<Registry> registry, std::shared_ptr<Subscriber> subscriber)
      : registry_(std::move(registry)), subscriber_(std::move(subscriber)) {}
  ~LocalSubscription() override {
    registry_->remove(subscriber_);
    subscriber_->end();
  }
  LocalSubscription(const LocalSubscription&) = delete;
  LocalSubscription& operator=(const LocalSubscription&) = delete;

 private:
  const std::shared_ptr<Registry> registry_;
  const std::shared_ptr<Subscriber> subscriber_;
};

class LocalBus final : public Bus {
 public:
  void publish(std::string topic, std::string message) override {
    const auto subscribers = registry_->list();
    for (const auto& subscriber : *subscribers) subscriber->deliver(topic, message);
  }

  std::unique_ptr<Subscription> subscribe(std::string prefix, Handler handler) override {
    auto subscriber = std::make_shared<Subscriber>(std::move(prefix), std::move(handler));
    registry_->add(subscriber);
    return std::make_unique<LocalSubscription>(registry_, std::move(subscriber));
  }

 private:
  const std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
};

}  // namespace

std::unique_ptr<Bus> make_local_bus() { return std::make_unique<LocalBus>(); }

}  // namespace clouddocs::bus
