// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/local/local_blob_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "blob/local/fan_out.hpp"
#include "blob/local/local_blob_writer.hpp"
#include "core/encoding.hpp"
#include "core/log.hpp"
#include "core/random.hpp"

namespace clouddocs::blob {
namespace {

namespace fs = std::filesystem;
using core::Bytes;
using core::Errc;
using core::Result;
using core::Task;

// A file in tmp/ that is younger may belong to a writer that has not locked it yet.
constexpr auto leftover_age = std::chrono::minutes(1);

core::Timestamp modified_at(const struct stat& status) {
  const auto time = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return core::Timestamp(std::chrono::floor<std::chrono::microseconds>(time));
}

// Reads exactly `out`. False: the file ended before.
bool read_all(int fd, std::span<std::byte> out, std::uint64_t offset) {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_storage_error("cannot read an object");
    if (got == 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

void remove_if_left_over(const fs::path& path) {
  struct stat status{};
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) return;
  const auto age = core::system_clock().now() - modified_at(status);
  if (age < leftover_age || ::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) return;
  ::unlink(path.c_str());
  core::log_info("unfinished_object_removed", {{"file", path.filename().string()}});
}

class LocalBlobStore final : public BlobStore {
 public:
  LocalBlobStore(const fs::path& root, core::asio::thread_pool& pool, FileCalls& calls)
      : temporary_(create_root(root, calls) / "tmp"),
        objects_((root / "objects").string(), calls),
        pool_(pool),
        calls_(calls) {
    create_folder(temporary_);
    std::error_code error;
    for (fs::directory_iterator entry(temporary_, error), end; !error && entry != end; entry.increment(error)) {
      remove_if_left_over(entry->path());
    }
  }

  Task<std::unique_ptr<BlobWriter>> create(ObjectName name) override {
    check_object_name(name);
    std::array<std::byte, 16> random{};
    core::system_random().fill(random);
    co_return std::make_unique<LocalBlobWriter>(pool_, calls_, objects_, std::move(name),
                                                temporary_ / core::to_hex(random));
  }

  Task<Result<Bytes>> get(ObjectName name, std::uint64_t offset, std::uint64_t length) override {
    check_object_name(name);
    const auto read = [&] { return read_range(name, offset, length); };
    co_return co_await core::blocking(pool_, read);
  }

  Task<Result<ObjectInfo>> stat(ObjectName name) override {
    check_object_name(name);
    const auto find = [&]() -> Result<ObjectInfo> {
      auto found = find_object(name);
      if (!found) return Errc::not_found;
      return std::move(*found);
    };
    co_return co_await core::blocking(pool_, find);
  }

  Task<> remove(ObjectName name) override {
    check_object_name(name);
    const auto unlink = [&] {
      if (::unlink(objects_.path_of(name).c_str()) != 0 && errno != ENOENT)
        throw_storage_error("cannot remove " + name);
    };
    co_await core::blocking(pool_, unlink);
  }

  Task<std::vector<ObjectInfo>> list(std::string prefix, ObjectName after, std::size_t limit) override {
    const auto collect = [&] { return list_objects(prefix, after, limit); };
    co_return co_await core::blocking(pool_, collect);
  }

  std::shared_ptr<FileHandle> open_local(const ObjectName& name) override {
    if (!is_object_name(name)) return nullptr;
    const int fd = ::open(objects_.path_of(name).c_str(), O_RDONLY | O_CLOEXEC);
    return fd < 0 ? nullptr : std::make_shared<FileHandle>(fd);
  }

 private:
  static fs::path create_root(const fs::path& root, FileCalls& calls) {
    if (create_folder(root)) sync_directory(calls, root.parent_path());
    return root;
  }

  Result<Bytes> read_range(const ObjectName& name, std::uint64_t offset, std::uint64_t length) const {
    const std::string path = objects_.path_of(name);
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd() < 0 && errno == ENOENT) return Errc::not_found;
    struct stat status{};
    if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) throw_storage_error("cannot open " + path);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (offset > size || length > size - offset) return Errc::range_invalid;
    Bytes content(length);
    if (!read_all(file.fd(), content, offset)) throw StorageUnavailable(path + " has become shorter");
    return content;
  }

  std::optional<ObjectInfo> find_object(const ObjectName& name) const {
    struct stat status{};
    if (::stat(objects_.path_of(name).c_str(), &status) != 0) {
      if (errno == ENOENT) return std::nullopt;
      throw_storage_error("cannot read the status of " + name);
    }
    return ObjectInfo{
        .name = name, .size = static_cast<std::uint64_t>(status.st_size), .modified_at = modified_at(status)};
  }

  std::vector<ObjectInfo> list_objects(const std::string& prefix, const ObjectName& after, std::size_t limit) const {
    std::vector<ObjectName> smallest;  // a heap of at most `limit` names, the greatest on top
    if (limit == 0) return {};
    objects_.visit_names([&](ObjectName name) {
      if (name <= after || !name.starts_with(prefix)) return;
      if (smallest.size() == limit) {
        if (name >= smallest.front()) return;
        std::ranges::pop_heap(smallest);
        smallest.pop_back();
      }
      smallest.push_back(std::move(name));
      std::ranges::push_heap(smallest);
    });
    std::ranges::sort_heap(smallest);
    std::vector<ObjectInfo> found;
    found.reserve(smallest.size());
    for (const auto& name : smallest) {
      if (auto object = find_object(name)) found.push_back(std::move(*object));  // else removed since
    }
    return found;
  }

  const fs::path temporary_;
  FanOut objects_;
  core::asio::thread_pool& pool_;
  FileCalls& calls_;
};

}  // namespace

std::unique_ptr<BlobStore> make_local_blob_store(const fs::path& root, core::asio::thread_pool& pool,
                                                 FileCalls& calls) {
  return std::make_unique<LocalBlobStore>(fs::absolute(root), pool, calls);
}

}  // namespace clouddocs::blob
