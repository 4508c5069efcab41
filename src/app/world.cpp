// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/world.hpp"

#include <thread>

#include "blob/local/local_blob_store.hpp"
#include "bus/local/local_bus.hpp"
#include "bus/local/local_cache.hpp"
#include "database/sqlite/sqlite_database.hpp"
#include "features/schema/migrations.hpp"

namespace clouddocs::app {
namespace {

std::unique_ptr<database::Database> open_database(const DataFolder& folder) {
  database::SqliteOptions options;
  options.path = folder.database();
  options.migrations = schema::sqlite_migrations();
  return database::make_sqlite_database(options);
}

// Some 500 pages of 100 files.
constexpr std::uint64_t listing_cache_bytes = 32U << 20;

unsigned pool_threads() { return std::max(4U, std::thread::hardware_concurrency() * 2); }

}  // namespace

World::World(Config config)
    : config_(std::move(config)),
      folder_(config_.data),
      secrets_(folder_.secrets()),
      clock(core::system_clock()),
      random(core::system_random()),
      blocking_pool(pool_threads()),
      plans(config_.plans),
      database(open_database(folder_)),
      blobs(blob::make_local_blob_store(folder_.blobs(), blocking_pool)),
      bus(bus::make_local_bus()),
      cache(bus::make_local_cache()),
      refresh_signer(secrets_.master, "refresh token"),
      tickets(secrets_.master, "download ticket"),
      tokens(secrets_.access_tokens),
      passwords(std::max(1U, std::thread::hardware_concurrency() / 2)),
      sessions(*database),
      auth(*database, tokens, refresh_signer, passwords, sessions, plans, clock, random,
           {config_.registration_open, config_.default_plan}),
      chunks(*database, *blobs, blocking_pool, plans, clock, random),
      door(*database, plans, clock, random),
      storage(*database, chunks, door),
      listings(*database, storage, listing_cache_bytes),
      reader(chunks) {}

World::~World() { blocking_pool.join(); }

}  // namespace clouddocs::app
