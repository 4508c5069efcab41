// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/account.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "client/scan/file_system.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;

std::string member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::optional<Account> AccountFile::load() const {
  if (!find_stat(file_)) return std::nullopt;
  boost::system::error_code error;
  const auto value = json::parse(read_whole(file_), error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  Account account{member(object, "url"), member(object, "email"), member(object, "device_name"),
                  member(object, "access_token"), member(object, "refresh_token")};
  return account.url.empty() || account.refresh_token.empty() ? std::nullopt : std::optional(std::move(account));
}

void AccountFile::save(const Account& account) const {
  const json::object object{{"url", account.url},
                            {"email", account.email},
                            {"device_name", account.device_name},
                            {"access_token", account.access_token},
                            {"refresh_token", account.refresh_token}};
  std::filesystem::create_directories(file_.parent_path());
  write_atomically(file_, json::serialize(object) + "\n", 0600);
}

void AccountFile::remove() const { std::filesystem::remove(file_); }

AccountFile::Lock::Lock(const std::filesystem::path& file)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw FileError("open", file, errno);
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno != EINTR) throw FileError("lock", file, errno);
  }
}
AccountFile::Lock::~Lock() { ::close(fd_); }

}  // namespace clouddocs::client
