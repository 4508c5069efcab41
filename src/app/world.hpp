// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>

#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "blob/blob_store.hpp"
#include "bus/bus.hpp"
#include "bus/cache.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "database/database.hpp"
#include "features/auth/auth_service.hpp"
#include "features/storage/listings.hpp"

namespace clouddocs::app {

// Everything below the HTTP server, built in order of dependence and destroyed in reverse: what `serve` and the other commands share.
class World {
 public:
  // Opens the data folder and the database; does not migrate. Throws with a sentence for the operator.
  explicit World(Config config);
  ~World();

  const Config& config() const { return config_; }
  // Runs a task to its end on a thread of its own; for commands.
  template <class T>
  T run(core::Task<T> task);

 private:
  Config config_;
  DataFolder folder_;
  DataFolder::Secrets secrets_;

 public:
  const core::Clock& clock;
  core::Random& random;
  core::asio::thread_pool blocking_pool;
  access::Plans plans;
  std::unique_ptr<database::Database> database;
  std::unique_ptr<blob::BlobStore> blobs;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<bus::Cache> cache;
  access::Signer refresh_signer;
  access::Signer tickets;
  auth::AccessTokens tokens;
  auth::PasswordHasher passwords;
  auth::SessionRegistry sessions;
  auth::AuthService auth;
  storage::ChunkStore chunks;
  storage::CommitDoor door;
  storage::StorageService storage;
  storage::Listings listings;
  storage::ContentReader reader;
};

template <class T>
T World::run(core::Task<T> task) {
  core::asio::io_context context;
  std::exception_ptr thrown;
  if constexpr (std::is_void_v<T>) {
    core::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) { thrown = error; });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
  } else {
    std::optional<T> result;
    core::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T value) {
      thrown = error;
      if (!error) result.emplace(std::move(value));
    });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
  }
}

}  // namespace clouddocs::app
