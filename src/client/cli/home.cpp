// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/cli/home.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "client/scan/file_system.hpp"
#include "content/sha256.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

std::filesystem::path variable(const char* name, const std::filesystem::path& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value == '/' ? std::filesystem::path(value) : otherwise;
}

}  // namespace

Home Home::from_environment() {
  const char* own = std::getenv("CLOUDDOCS_HOME");
  if (own != nullptr && *own != '\0') {
    const auto base = std::filesystem::absolute(own);
    return {base, base / "state"};
  }
  const char* user = std::getenv("HOME");
  const std::filesystem::path home = user != nullptr && *user != '\0' ? user : "/";
  return {variable("XDG_CONFIG_HOME", home / ".config") / "clouddocs",
          variable("XDG_STATE_HOME", home / ".local" / "state") / "clouddocs"};
}

std::filesystem::path Home::folder_state(const std::filesystem::path& synced_folder) const {
  const auto hash = content::sha256(core::as_bytes(synced_folder.string()));
  return state / core::to_hex(core::ByteView(hash).first(8));
}

std::vector<SyncedFolder> list_synced_folders(const Home& home) {
  std::vector<SyncedFolder> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home.state, error)) {
    if (!find_stat(entry.path() / "path")) continue;
    auto path = read_whole(entry.path() / "path");
    while (path.ends_with('\n')) path.pop_back();
    out.push_back({path, entry.path()});
  }
  return out;
}

FolderLock::FolderLock(const std::filesystem::path& state_folder)
    : fd_(::open((state_folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw FileError("open", state_folder / "lock", errno);
}
FolderLock::~FolderLock() { ::close(fd_); }
bool FolderLock::try_lock() { return ::flock(fd_, LOCK_EX | LOCK_NB) == 0; }

}  // namespace clouddocs::client
