// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "database/shared_read.hpp"
#include "features/storage/listing_cache.hpp"
#include "features/storage/storage_service.hpp"

namespace clouddocs::storage {

// A page of a folder as clients get it.
struct ListingPage {
  std::string etag;
  std::shared_ptr<const std::string> json;  // null: the caller has it already
};

// Pages of folders as JSON, kept while their space stands where it stood. Never stale: each page that is answered from memory costs a look at
// the space's row, shared by those who look at the same time, so that commits of other processes count too, and the rights of the caller
// are those of now. Thread-safe.
class Listings {
 public:
  Listings(database::Database& db, StorageService& service, std::uint64_t cache_bytes);

  // The folder (nullopt: the root of the personal space). `known_etags`: the If-None-Match of the request, "" for none.
  // Errors: as StorageService::list.
  Task<Result<ListingPage>> page(const Caller& caller, std::optional<FileId> folder, const ListQuery& query,
                                 std::string_view known_etags);

 private:
  StorageService& service_;
  database::SharedRead<SpaceId, std::optional<SpaceHead>> heads_;
  ListingCache cache_;
};

}  // namespace clouddocs::storage
