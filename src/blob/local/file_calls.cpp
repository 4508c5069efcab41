// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/local/file_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "blob/blob_store.hpp"

namespace clouddocs::blob {

int FileCalls::create(const char* path) { return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); }
ssize_t FileCalls::write(int fd, const iovec* parts, int count) { return ::writev(fd, parts, count); }
int FileCalls::sync_content(int fd) { return ::fdatasync(fd); }
int FileCalls::sync_directory(int fd) { return ::fsync(fd); }

int FileCalls::rename_to_new(const char* from, const char* to) {
  const int result = ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  if (result == 0 || (errno != EINVAL && errno != ENOSYS)) return result;
  // Some network file systems lack the flag; a hard link refuses an existing name too.
  if (::link(from, to) != 0) return -1;
  return ::unlink(from);
}

FileCalls& system_file_calls() {
  static FileCalls calls;
  return calls;
}

void throw_storage_error(const std::string& what) {
  const int code = errno;
  throw StorageUnavailable(what + ": " + std::generic_category().message(code), code == ENOSPC || code == EDQUOT);
}

bool create_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno != EEXIST) throw_storage_error("cannot create " + path);
  return false;
}

void sync_directory(FileCalls& calls, const std::string& path) {
  const FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0 || calls.sync_directory(folder.fd()) != 0) throw_storage_error("cannot sync " + path);
}

}  // namespace clouddocs::blob
