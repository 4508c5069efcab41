// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <string>

namespace clouddocs::blob {

// The system calls on which durability rests, so that tests can make each of them fail. Results and errno as in the man pages.
// Thread-safe.
class FileCalls {
 public:
  virtual ~FileCalls() = default;
  virtual int create(const char* path);
  virtual ssize_t write(int fd, const iovec* parts, int count);
  virtual int sync_content(int fd);
  // Fails with EEXIST when `to` exists.
  virtual int rename_to_new(const char* from, const char* to);
  virtual int sync_directory(int fd);
};

FileCalls& system_file_calls();

// StorageUnavailable for errno.
[[noreturn]] void throw_storage_error(const std::string& what);

// False: it is there already. Throws StorageUnavailable.
bool create_folder(const std::string& path);

// Makes new and renamed entries of a folder durable. Throws StorageUnavailable.
void sync_directory(FileCalls& calls, const std::string& path);

}  // namespace clouddocs::blob
