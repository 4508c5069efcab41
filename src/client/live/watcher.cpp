// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/live/watcher.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "client/scan/local_name.hpp"

namespace clouddocs::client {
namespace {

constexpr std::uint32_t events_wanted = IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                        IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

std::string join(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
}

}  // namespace

Watcher::Watcher(std::filesystem::path root)
    : root_(std::move(root)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!inotify_.is_open() || !wake_.is_open()) throw FileError("watch", root_, errno);
  watch_tree("");
}

void Watcher::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);  // full: it is awake already
}

void Watcher::watch_tree(const std::string& folder) {
  const auto path = root_ / folder;
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events_wanted);
  if (watch < 0) {
    if (errno != ENOENT && errno != ENOTDIR) is_complete_ = false;
    return;
  }
  if (auto old = folders_.find(watch); old != folders_.end()) watches_.erase(old->second);
  folders_[watch] = folder;
  watches_[folder] = watch;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const auto name = entry.path().filename().string();
    if (!is_own_name(name) && entry.is_directory(error) && !entry.is_symlink(error)) watch_tree(join(folder, name));
  }
}

// A folder that was moved away: its watches would go on under the old path.
void Watcher::forget_tree(const std::string& folder) {
  auto at = watches_.lower_bound(folder);
  while (at != watches_.end() && (at->first == folder || at->first.starts_with(folder))) {
    if (at->first == folder || at->first[folder.size()] == '/') {
      ::inotify_rm_watch(inotify_.get(), at->second);
      folders_.erase(at->second);
      at = watches_.erase(at);
    } else {
      ++at;
    }
  }
}

void Watcher::wait(std::chrono::milliseconds timeout, Changes& changes) {
  std::array<pollfd, 2> fds{pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  if (::poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0) return;
  if ((fds[1].revents & POLLIN) != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(wake_.get(), &count, sizeof count);
  }
  if ((fds[0].revents & POLLIN) != 0) read_events(changes);
}

void Watcher::read_events(Changes& changes) {
  alignas(inotify_event) std::array<char, 64 << 10> buffer{};
  while (true) {
    const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      inotify_event event{};
      std::memcpy(&event, at, sizeof event);
      const std::string name = event.len > 0 ? at + sizeof event : "";
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        changes.is_everything = true;
        watch_tree("");
        continue;
      }
      const auto found = folders_.find(event.wd);
      if (found == folders_.end()) continue;
      const auto folder = found->second;
      if ((event.mask & IN_IGNORED) != 0) {
        watches_.erase(folder);
        folders_.erase(found);
        continue;
      }
      if (is_own_name(name)) continue;
      changes.folders.insert(folder);
      if ((event.mask & IN_ISDIR) == 0 || name.empty()) continue;
      if ((event.mask & (IN_MOVED_FROM | IN_DELETE)) != 0) forget_tree(join(folder, name));
      if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) watch_tree(join(folder, name));
    }
  }
}

}  // namespace clouddocs::client
