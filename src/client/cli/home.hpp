// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace clouddocs::client {

// Where the client keeps what it knows: CLOUDDOCS_HOME, or the XDG folders.
struct Home {
  std::filesystem::path config;  // account.json
  std::filesystem::path state;   // one folder per synced folder
  static Home from_environment();

  std::filesystem::path account_file() const { return config / "account.json"; }
  std::filesystem::path folder_state(const std::filesystem::path& synced_folder) const;
};

struct SyncedFolder {
  std::filesystem::path path;
  std::filesystem::path state;
};
std::vector<SyncedFolder> list_synced_folders(const Home& home);

// Held while a process syncs a folder: one at a time. `try_lock` is false when another process has it.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& state_folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool try_lock();

 private:
  int fd_;
};

}  // namespace clouddocs::client
