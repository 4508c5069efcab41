// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "database/database.hpp"
#include "database/migration.hpp"

namespace clouddocs::database {

struct SqliteOptions {
  std::filesystem::path path{};
  // Borrowed: a list with static storage.
  std::span<const Migration> migrations{};
  int readers = 2;
  // Bodies that may wait for the writer, and for the readers; one more throws DatabaseError (unavailable).
  std::size_t queue_limit = 10'000;
  // Page cache of the writer and of each reader, allocated as it fills.
  std::uint64_t writer_cache_bytes = 32 << 20;
  std::uint64_t reader_cache_bytes = 8 << 20;
  // How long to wait for another process (a backup, the sqlite3 shell) that holds the database.
  std::chrono::milliseconds busy_timeout{5000};
  // Told the name and duration of each statement, on the thread that ran it; must be quick and thread-safe. May be empty.
  std::function<void(const char* name, std::chrono::nanoseconds duration)> observer{};
};

// Opens the database file, or creates it in an existing folder. Blocks; meant for start-up. Throws DatabaseError.
//
// Write bodies run one after another on one thread; those that wait are committed together, with one fsync. All bodies combine,
// whatever their combine_key. Read bodies run on `readers` threads, each on the snapshot that it found when it began.
// A caller that is cancelled while its body waits or runs is resumed when the body has ended. The destructor runs what waits,
// then joins its threads. REQUIRES: the executors of the callers outlive their calls.
std::unique_ptr<Database> make_sqlite_database(SqliteOptions options);

}  // namespace clouddocs::database
