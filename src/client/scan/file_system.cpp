// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/file_system.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace clouddocs::client {
namespace {

constexpr std::int64_t nanoseconds = 1'000'000'000;

EntryStat to_stat(const struct statx& raw) {
  EntryStat out;
  if (S_ISREG(raw.stx_mode)) out.type = EntryType::file;
  if (S_ISDIR(raw.stx_mode)) out.type = EntryType::folder;
  if (S_ISLNK(raw.stx_mode)) out.type = EntryType::symlink;
  out.executable = out.type == EntryType::file && (raw.stx_mode & S_IXUSR) != 0;
  auto time = [](const statx_timestamp& at) { return at.tv_sec * nanoseconds + at.tv_nsec; };
  out.stamp.inode = raw.stx_ino;
  if ((raw.stx_mask & STATX_BTIME) != 0) out.stamp.birth = time(raw.stx_btime);
  out.stamp.size = static_cast<std::int64_t>(raw.stx_size);
  out.stamp.mtime = time(raw.stx_mtime);
  out.stamp.ctime = time(raw.stx_ctime);
  return out;
}

constexpr unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;

timespec to_timespec(std::int64_t micros) {
  auto seconds = micros / 1'000'000;
  auto rest = micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  return {seconds, rest * 1000};
}

// Whoever may read may execute.
mode_t with_executable(mode_t mode, bool executable) {
  mode &= 07777U;
  return executable ? mode | ((mode & 0444U) >> 2U) : mode & ~static_cast<mode_t>(0111);
}

int rename_with(const std::filesystem::path& from, const std::filesystem::path& to, unsigned flags) {
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

}  // namespace

FileError::FileError(const std::string& doing, const std::filesystem::path& path, int e)
    : std::runtime_error("cannot " + doing + " " + path.string() + ": " + std::strerror(e)), error(e) {}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

std::int64_t EntryStat::modified_at() const {
  return stamp.mtime >= 0 ? stamp.mtime / 1000 : -((-stamp.mtime + 999) / 1000);
}

std::optional<EntryStat> find_stat_at(int folder, const char* name) {
  struct statx raw{};
  if (::statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, wanted, &raw) == 0) return to_stat(raw);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw FileError("look at", name, errno);
}
std::optional<EntryStat> find_stat(const std::filesystem::path& path) { return find_stat_at(AT_FDCWD, path.c_str()); }

EntryStat stat_of(const Fd& file, const std::filesystem::path& path) {
  struct statx raw{};
  if (::statx(file.get(), "", AT_EMPTY_PATH, wanted, &raw) != 0) throw FileError("look at", path, errno);
  return to_stat(raw);
}

Fd open_for_reading(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.is_open()) throw FileError("read", path, errno);
  return fd;
}

std::size_t read_at(const Fd& file, std::uint64_t offset, std::span<std::byte> out, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto count = ::pread(file.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("read", path, errno);
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void write_at(const Fd& file, std::uint64_t offset, core::ByteView bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("write", path, errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void start_write_back(const Fd& file) { ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }
void drop_cached(const Fd& file, std::uint64_t offset, std::uint64_t size) {
  ::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
}

void write_atomically(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const auto temporary = std::filesystem::path(path.string() + ".new");
  {
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd.is_open()) throw FileError("write", temporary, errno);
    if (::fchmod(fd.get(), mode) != 0) throw FileError("set the mode of", temporary, errno);
    write_at(fd, 0, core::as_bytes(text), temporary);
    if (::fsync(fd.get()) != 0) throw FileError("write", temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw FileError("write", path, errno);
  const Fd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.get());
}

std::string read_whole(const std::filesystem::path& path) {
  const Fd fd = open_for_reading(path);
  std::string text(static_cast<std::size_t>(stat_of(fd, path).stamp.size), '\0');
  text.resize(read_at(fd, 0, std::as_writable_bytes(std::span(text)), path));
  return text;
}

std::string read_link(const std::filesystem::path& path) {
  std::string target(4096, '\0');
  const auto count = ::readlink(path.c_str(), target.data(), target.size());
  if (count < 0) throw FileError("read the link", path, errno);
  target.resize(static_cast<std::size_t>(count));
  return target;
}

void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (rename_with(from, to, RENAME_NOREPLACE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) throw FileError("rename to", to, errno);
  if (find_stat(to)) throw FileError("rename to", to, EEXIST);  // this file system cannot do it in one step
  if (::rename(from.c_str(), to.c_str()) != 0) throw FileError("rename to", to, errno);
}

bool exchange(const std::filesystem::path& a, const std::filesystem::path& b) {
  if (rename_with(a, b, RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS) return false;
  throw FileError("replace", b, errno);
}

void set_meta(const std::filesystem::path& path, std::int64_t modified_at, std::optional<bool> executable) {
  if (executable) copy_mode(path, path, *executable);
  const timespec times[2] = {{0, UTIME_OMIT}, to_timespec(modified_at)};
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    throw FileError("set the time of", path, errno);
}

void set_meta(const Fd& file, const std::filesystem::path& path, std::int64_t modified_at, bool executable) {
  struct stat now{};
  if (::fstat(file.get(), &now) != 0) throw FileError("look at", path, errno);
  const auto mode = with_executable(now.st_mode, executable);
  if (mode != (now.st_mode & 07777U) && ::fchmod(file.get(), mode) != 0)
    throw FileError("set the mode of", path, errno);
  const timespec times[2] = {{0, UTIME_OMIT}, to_timespec(modified_at)};
  if (::futimens(file.get(), times) != 0) throw FileError("set the time of", path, errno);
}

void copy_mode(const std::filesystem::path& from, const std::filesystem::path& to, bool executable) {
  struct stat now{};
  if (::lstat(from.c_str(), &now) != 0) throw FileError("look at", from, errno);
  const auto mode = with_executable(now.st_mode, executable);
  if ((from != to || mode != (now.st_mode & 07777U)) && ::chmod(to.c_str(), mode) != 0)
    throw FileError("set the mode of", to, errno);
}

void sync_file_system(const std::filesystem::path& root) {
  const Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::syncfs(fd.get()) != 0) throw FileError("make durable", root, errno);
}

}  // namespace clouddocs::client
