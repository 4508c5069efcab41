// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <memory>

#include "features/storage/chunk_store.hpp"
#include "net/http.hpp"

namespace clouddocs::sync {

using core::Result;
using core::Task;

// Stores the chunks of a chunk stream (docs/sync-protocol.md) as pending in the space: some arrive while those before are hashed and those
// before these are written. Returns how many there were. All or none are recorded. Errors: those of `body`, chunk_frame_invalid,
// chunk_hash_mismatch, quota_exceeded, token_invalid (`revoked` was set meanwhile).
Task<Result<std::int64_t>> receive_chunks(storage::ChunkStore& chunks, core::SpaceId space, net::BodyReader& body,
                                          std::shared_ptr<const std::atomic<bool>> revoked);

}  // namespace clouddocs::sync
