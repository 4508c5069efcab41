// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "client/scan/file_system.hpp"

namespace clouddocs::client {

// Tells in which folders below a root something has changed (inotify). Used by one thread, but wake() may be called from any, and from signal handlers.
class Watcher {
 public:
  explicit Watcher(std::filesystem::path root);

  struct Changes {
    std::set<std::string> folders;  // relative paths
    bool is_everything = false;  // events were lost or not everything can be watched: look everywhere
    bool is_empty() const { return folders.empty() && !is_everything; }
  };
  // Waits until something has changed, wake() was called or the time is over, and adds what has changed to `changes`.
  void wait(std::chrono::milliseconds timeout, Changes& changes);
  void wake();
  // False: there are more folders than the system lets watch; only rescans find changes in the others.
  bool is_complete() const { return is_complete_; }

 private:
  void watch_tree(const std::string& folder);
  void forget_tree(const std::string& folder);
  void read_events(Changes& changes);

  std::filesystem::path root_;
  Fd inotify_;
  Fd wake_;
  std::unordered_map<int, std::string> folders_;
  std::map<std::string, int> watches_;
  bool is_complete_ = true;
};

}  // namespace clouddocs::client
