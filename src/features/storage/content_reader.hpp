// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/storage/chunk_store.hpp"
#include "features/storage/tree_store.hpp"
#include "net/http.hpp"

namespace clouddocs::storage {

// Turns versions into response bodies. Thread-safe.
class ContentReader {
 public:
  explicit ContentReader(ChunkStore& chunks) : chunks_(chunks) {}

  using Body = decltype(net::Response::body);

  // `length` bytes of the version from `offset` on. Local objects are sent as file regions (neighbouring chunks as one), the rest is read while it
  // is sent. Errors: chunk_unknown.
  Task<Result<Body>> open(SpaceId space, const Version& version, std::uint64_t offset, std::uint64_t length);
  // A chunk stream (docs/sync-protocol.md) of these chunks; unknown ones as missing frames. Errors: invalid_request (too much in one).
  Task<Result<Body>> open_stream(SpaceId space, std::span<const content::ChunkName> names);

 private:
  ChunkStore& chunks_;
};

}  // namespace clouddocs::storage
