// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace clouddocs::bus {

// SEAM 3a. Publish/subscribe between the nodes of one installation. A message is a hint: it may be lost, doubled or late; the
// database is the truth. Thread-safe. Implementations: local/ (later redis/); all pass bus_contract.hpp.
class Bus {
 public:
  // Receives (topic, message) on an unspecified thread, perhaps inside publish(), perhaps on several threads at once; must not
  // block: it posts to where the work belongs. What it throws is logged.
  using Handler = std::function<void(std::string_view topic, std::string_view message)>;
  // Ends the subscription when destroyed, on any thread; afterwards the handler is not called any more: destruction waits for calls
  // that run on other threads. A handler may destroy its own subscription. It may outlive the bus.
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };

  virtual ~Bus() = default;
  // Never blocks and never fails: what cannot be sent is dropped and counted.
  virtual void publish(std::string topic, std::string message) = 0;
  // Every message whose topic starts with `prefix`.
  virtual std::unique_ptr<Subscription> subscribe(std::string prefix, Handler handler) = 0;
};

}  // namespace clouddocs::bus
