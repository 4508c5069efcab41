// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::blob {

// The name of an object: 1 to 200 characters of [a-z0-9/._-] without "..", the first one a letter or digit. Never used twice.
using ObjectName = std::string;
bool is_object_name(std::string_view text);
// For stores: throws std::invalid_argument unless is_object_name(name), since a wrong name is a mistake of this program.
void check_object_name(std::string_view name);

// The store cannot be used now (network, permissions, I/O error). `full` when there is no space left.
class StorageUnavailable : public core::ErrorException {
 public:
  explicit StorageUnavailable(const std::string& text, bool is_full = false)
      : core::ErrorException(is_full ? core::Error(core::Errc::storage_full,
                                                   "The server's disk is full. Its administrator has to make room.")
                                     : core::Error(core::Errc::unavailable,
                                                   "The storage cannot be used at this moment. Try again shortly."),
                             text),
        full(is_full) {}
  bool full;
};

// An open file descriptor shared by its readers; closed with the last of them.
class FileHandle {
 public:
  explicit FileHandle(int fd) : fd_(fd) {}
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// One object being written. Nothing is visible under the name until commit() has returned; destruction without commit discards it.
// Not thread-safe.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  // Appends the parts in order. They must live until the await returns. Throws StorageUnavailable.
  virtual core::Task<> append(std::span<const core::ByteView> parts) = 0;
  // Makes the object durable (content and name survive power loss) and visible. Throws StorageUnavailable.
  virtual core::Task<> commit() = 0;
};

struct ObjectInfo {
  ObjectName name;
  std::uint64_t size = 0;
  core::Timestamp modified_at;
};

// SEAM 2. Immutable objects under names that are never used twice. Thread-safe.
// Implementations: local/ (later s3/); all pass blob_store_contract.hpp. Calls with what is no object name throw std::invalid_argument.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // A name that is used already is noticed here or by commit(), which then throws StorageUnavailable and keeps the older object.
  // The writer may outlive the await, not the store.
  virtual core::Task<std::unique_ptr<BlobWriter>> create(ObjectName name) = 0;
  // Reads exactly `length` bytes at `offset`. Errors: not_found, range_invalid (beyond the end). Throws StorageUnavailable.
  virtual core::Task<core::Result<core::Bytes>> get(ObjectName name, std::uint64_t offset, std::uint64_t length) = 0;
  // Errors: not_found.
  virtual core::Task<core::Result<ObjectInfo>> stat(ObjectName name) = 0;
  // Removing what is not there is no error.
  virtual core::Task<> remove(ObjectName name) = 0;
  // Up to `limit` objects with names greater than `after` that start with `prefix`, in order of their names (bytes).
  virtual core::Task<std::vector<ObjectInfo>> list(std::string prefix, ObjectName after, std::size_t limit) = 0;
  // The object as a local file for sendfile(2); null where objects are not local files. Blocks no longer than open(2): call it through
  // blocking(). Errors as null: the caller falls back to get().
  virtual std::shared_ptr<FileHandle> open_local(const ObjectName& name) = 0;
};

}  // namespace clouddocs::blob
