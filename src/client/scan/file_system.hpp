// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "client/tree/node.hpp"
#include "core/bytes.hpp"

namespace clouddocs::client {

// A system call failed for a reason that concerns one path; what() names both.
class FileError : public std::runtime_error {
 public:
  FileError(const std::string& doing, const std::filesystem::path& path, int error);
  int error;
};

// An open file descriptor, closed when it goes.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd();
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

enum class EntryType : std::uint8_t { file, folder, symlink, other };
struct EntryStat {
  EntryType type = EntryType::other;
  bool executable = false;
  Stamp stamp;
  std::int64_t modified_at() const;  // microseconds, rounded down
};

// lstat with the birth time. nullopt when there is nothing; throws FileError otherwise.
std::optional<EntryStat> find_stat(const std::filesystem::path& path);
std::optional<EntryStat> find_stat_at(int folder, const char* name);
EntryStat stat_of(const Fd& file, const std::filesystem::path& path);

Fd open_for_reading(const std::filesystem::path& path);  // no symlinks followed in the last part
// Reads up to out.size() bytes at the offset; fewer only at the end of the file.
std::size_t read_at(const Fd& file, std::uint64_t offset, std::span<std::byte> out, const std::filesystem::path& path);
void write_at(const Fd& file, std::uint64_t offset, core::ByteView bytes, const std::filesystem::path& path);
// Lets the disk begin with what was written, so that making it durable takes less time later. A hint: failures show there.
void start_write_back(const Fd& file);
// Says that this part of the file will not be read again soon. A hint.
void drop_cached(const Fd& file, std::uint64_t offset, std::uint64_t size);
// Replaces the file in one step: temporary file beside it, synced, renamed.
void write_atomically(const std::filesystem::path& path, std::string_view text, mode_t mode);
std::string read_whole(const std::filesystem::path& path);
std::string read_link(const std::filesystem::path& path);

// rename that fails with EEXIST instead of replacing.
void rename_new(const std::filesystem::path& from, const std::filesystem::path& to);
// Swaps two entries in one step; false where the file system cannot.
bool exchange(const std::filesystem::path& a, const std::filesystem::path& b);
void set_meta(const std::filesystem::path& path, std::int64_t modified_at, std::optional<bool> executable);
void set_meta(const Fd& file, const std::filesystem::path& path, std::int64_t modified_at, bool executable);
// Gives `to` the permissions of `from`, with the executable bit as told.
void copy_mode(const std::filesystem::path& from, const std::filesystem::path& to, bool executable);
// Makes everything written to this file system so far durable.
void sync_file_system(const std::filesystem::path& root);

}  // namespace clouddocs::client
