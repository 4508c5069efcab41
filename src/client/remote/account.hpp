// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace clouddocs::client {

// Who this device is signed in as.
struct Account {
  std::string url;  // without a slash at the end
  std::string email;
  std::string device_name;
  std::string access_token;
  std::string refresh_token;
};

// Keeps the account in a file that only its owner can read, replaced in one step. Thread-safe, also between processes.
class AccountFile {
 public:
  explicit AccountFile(std::filesystem::path file) : file_(std::move(file)) {}
  std::optional<Account> load() const;
  void save(const Account& account) const;
  void remove() const;

  // Held while tokens are exchanged, so that two processes do not spend the same refresh token.
  class Lock {
   public:
    explicit Lock(const std::filesystem::path& file);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    int fd_;
  };
  Lock lock() const { return Lock(file_.string() + ".lock"); }

 private:
  std::filesystem::path file_;
};

}  // namespace clouddocs::client
