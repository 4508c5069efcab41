// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>

#include "blob/blob_store.hpp"
#include "blob/local/file_calls.hpp"

namespace clouddocs::blob {

// Objects as files below `root`, which is created if its parent exists, and may be shared by several processes:
//   objects/<0-f, from a hash of the name>/<name with ',' for '/'>      tmp/<random>
// Creating it blocks; meant for start-up. Removes what crashed writers left in tmp/. Throws StorageUnavailable.
// A page of list() reads the names of all objects: ask for large pages. REQUIRES: `pool` and `calls` outlive the store.
std::unique_ptr<BlobStore> make_local_blob_store(const std::filesystem::path& root, core::asio::thread_pool& pool,
                                                 FileCalls& calls = system_file_calls());

}  // namespace clouddocs::blob
