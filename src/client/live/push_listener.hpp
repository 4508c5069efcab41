// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "client/remote/api_client.hpp"

namespace clouddocs::client {

// Keeps a WebSocket to the server open, for ever, and passes on its hints. What it misses, polling finds. Thread-safe.
class PushListener {
 public:
  // `on_change`: from the listener's thread, when the server tells of a change, and whenever the connection is up or down.
  PushListener(ApiClient& api, std::function<void()> on_change);
  ~PushListener();

  bool is_connected() const { return is_connected_; }
  // The latest head that the server has told for this space; empty: none yet.
  std::string head(const std::string& space) const;
  // What has been applied, for the pings.
  void set_cursor(const std::string& space, const std::string& cursor);

 private:
  void run(const std::stop_token& stop);
  void listen(const std::stop_token& stop);
  void take(const std::string& text);
  std::string ping() const;

  ApiClient& api_;
  std::function<void()> on_change_;
  std::atomic<bool> is_connected_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> heads_;
  std::map<std::string, std::string> cursors_;
  std::jthread thread_;
};

}  // namespace clouddocs::client
