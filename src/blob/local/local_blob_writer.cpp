// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/local/local_blob_writer.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

namespace clouddocs::blob {
namespace {

namespace asio = core::asio;

constexpr std::size_t buffer_limit = 256 << 10;
constexpr std::size_t parts_per_write = 512;  // below IOV_MAX

}  // namespace

LocalBlobWriter::LocalBlobWriter(asio::thread_pool& pool, FileCalls& calls, FanOut& objects, ObjectName name,
                                 std::string temporary)
    : pool_(pool), calls_(calls), objects_(objects), name_(std::move(name)), temporary_(std::move(temporary)) {}

LocalBlobWriter::~LocalBlobWriter() {
  if (!is_temporary_there_) return;
  // Freeing the blocks of a large file takes milliseconds: not on the thread of an event loop.
  asio::post(pool_, [file = std::move(file_), path = temporary_]() mutable {
    ::unlink(path.c_str());
    file.reset();
  });
}

core::Task<> LocalBlobWriter::append(std::span<const core::ByteView> parts) {
  if (has_failed_) throw StorageUnavailable("an earlier write to " + name_ + " failed");
  std::size_t size = buffer_.size();
  for (const auto& part : parts) size += part.size();
  if (size < buffer_limit) {
    for (const auto& part : parts) buffer_.insert(buffer_.end(), part.begin(), part.end());
    co_return;
  }
  has_failed_ = true;
  const auto write = [&] { write_buffer_and(parts); };
  co_await core::blocking(pool_, write);
  has_failed_ = false;
}

core::Task<> LocalBlobWriter::commit() {
  if (has_failed_) throw StorageUnavailable("an earlier write to " + name_ + " failed");
  has_failed_ = true;  // whatever happens, there is no second commit
  const auto finish = [&] {
    write_buffer_and({});
    publish();
  };
  co_await core::blocking(pool_, finish);
}

void LocalBlobWriter::open() {
  if (file_) return;
  file_ = std::make_unique<FileHandle>(calls_.create(temporary_.c_str()));
  if (file_->fd() < 0) throw_storage_error("cannot create " + temporary_);
  is_temporary_there_ = true;
  // Held while the writer lives: it tells an unfinished file from the leftover of a crash. Where locks do not work, age decides alone.
  ::flock(file_->fd(), LOCK_EX | LOCK_NB);
}

void LocalBlobWriter::write_buffer_and(std::span<const core::ByteView> parts) {
  open();
  std::vector<iovec> all;
  all.reserve(parts.size() + 1);
  const auto add = [&](core::ByteView part) {
    if (!part.empty()) all.push_back({const_cast<std::byte*>(part.data()), part.size()});
  };
  add(buffer_);
  for (const auto& part : parts) add(part);
  write_all(std::move(all));
  buffer_.clear();
}

void LocalBlobWriter::write_all(std::vector<iovec> parts) {
  for (auto part = parts.begin(); part != parts.end();) {
    const auto count = std::min<std::size_t>(parts_per_write, static_cast<std::size_t>(parts.end() - part));
    const ssize_t result = calls_.write(file_->fd(), &*part, static_cast<int>(count));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) throw_storage_error("cannot write " + temporary_);
    auto written = static_cast<std::size_t>(result);
    while (part != parts.end() && written >= part->iov_len) written -= (part++)->iov_len;
    if (written > 0) *part = {static_cast<std::byte*>(part->iov_base) + written, part->iov_len - written};
  }
}

void LocalBlobWriter::publish() {
  const std::string path = objects_.path_of(name_);
  if (calls_.sync_content(file_->fd()) != 0) throw_storage_error("cannot sync " + temporary_);
  const std::string folder = objects_.prepare_folder_of(name_);
  if (calls_.rename_to_new(temporary_.c_str(), path.c_str()) != 0) throw_storage_error("cannot name " + path);
  is_temporary_there_ = false;
  try {
    sync_directory(calls_, folder);
  } catch (...) {
    ::unlink(path.c_str());  // the caller is told that the object is not there
    throw;
  }
  file_.reset();
}

}  // namespace clouddocs::blob
