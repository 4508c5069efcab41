// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bus/bus.hpp"

// What every Bus keeps. An implementation's test file says
//   INSTANTIATE_TEST_SUITE_P(Local, BusContract, testing::Values(MakeBus(make_local_bus)));
namespace clouddocs::bus {

using MakeBus = std::function<std::unique_ptr<Bus>()>;

// Collects what a handler receives.
class Received {
 public:
  using Messages = std::vector<std::pair<std::string, std::string>>;

  Bus::Handler handler() {
    return [this](std::string_view topic, std::string_view message) {
      const std::lock_guard lock(mutex_);
      messages_.emplace_back(topic, message);
    };
  }
  // What has arrived when `count` messages have, or after five seconds.
  Messages wait_for(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (messages_.size() >= count || std::chrono::steady_clock::now() > deadline) return messages_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  std::mutex mutex_;
  Messages messages_;
};

class BusContract : public ::testing::TestWithParam<MakeBus> {
 protected:
  Bus& bus() { return *bus_; }
  void destroy_bus() { bus_.reset(); }

 private:
  std::unique_ptr<Bus> bus_ = GetParam()();
};

TEST_P(BusContract, DeliversWhatStartsWithThePrefix) {
  Received spaces;
  Received all;
  const auto first = bus().subscribe("space/", spaces.handler());
  const auto second = bus().subscribe("", all.handler());
  bus().publish("space/1", "a");
  bus().publish("user/1", "b");
  bus().publish("space/2", std::string("c\0d", 3));
  const Received::Messages expected{{"space/1", "a"}, {"space/2", std::string("c\0d", 3)}};
  EXPECT_EQ(spaces.wait_for(2), expected);
  EXPECT_EQ(all.wait_for(3).size(), 3U);
}

TEST_P(BusContract, PublishesToNobody) { bus().publish("space/1", "a"); }

TEST_P(BusContract, AnEndedSubscriptionReceivesNothing) {
  Received ended;
  Received lasting;
  const auto other = bus().subscribe("", lasting.handler());
  bus().subscribe("", ended.handler()).reset();
  bus().publish("a", "1");
  EXPECT_EQ(lasting.wait_for(1).size(), 1U);
  EXPECT_TRUE(ended.wait_for(0).empty());
}

TEST_P(BusContract, AThrowingHandlerHarmsNobody) {
  Received received;
  const auto bad = bus().subscribe("", [](std::string_view, std::string_view) { throw std::runtime_error("x"); });
  const auto good = bus().subscribe("", received.handler());
  bus().publish("a", "1");
  bus().publish("a", "2");
  EXPECT_EQ(received.wait_for(2).size(), 2U);
}

TEST_P(BusContract, AHandlerMayEndItsOwnSubscription) {
  std::unique_ptr<Bus::Subscription> subscription;
  std::atomic<int> calls = 0;
  std::atomic<bool> ended = false;
  subscription = bus().subscribe("", [&](std::string_view, std::string_view) {
    ++calls;
    subscription.reset();
    ended = true;
  });
  Received received;
  const auto other = bus().subscribe("", received.handler());
  bus().publish("a", "1");
  bus().publish("a", "2");
  received.wait_for(2);
  EXPECT_TRUE(ended);
  EXPECT_EQ(calls, 1);
}

TEST_P(BusContract, HandlersMayPublish) {
  Received received;
  const auto relay = bus().subscribe(
      "in", [&](std::string_view, std::string_view message) { bus().publish("out", std::string(message)); });
  const auto sink = bus().subscribe("out", received.handler());
  bus().publish("in", "1");
  EXPECT_EQ(received.wait_for(1).size(), 1U);
}

TEST_P(BusContract, SubscriptionsMayOutliveTheBus) {
  Received received;
  const auto subscription = bus().subscribe("", received.handler());
  destroy_bus();
}

// The handler uses what its owner frees after ending the subscription: a late call would be found by the sanitizers.
TEST_P(BusContract, NoCallFollowsTheEndOfASubscription) {
  std::atomic<bool> stop = false;
  std::vector<std::jthread> publishers;
  for (int i = 0; i < 3; ++i) {
    publishers.emplace_back([&] {
      while (!stop) bus().publish("a", "message");
    });
  }
  for (int i = 0; i < 300; ++i) {
    auto owned = std::make_unique<std::atomic<std::size_t>>(0);
    auto subscription = bus().subscribe(
        "a", [count = owned.get()](std::string_view, std::string_view message) { *count += message.size(); });
    if (i % 3 == 0) std::this_thread::yield();
    subscription.reset();
    owned.reset();
  }
  stop = true;
}

}  // namespace clouddocs::bus
