// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>

#include "features/storage/chunk_store.hpp"
#include "features/storage/operation.hpp"

namespace clouddocs::storage {

// Where the bytes of an upload come from: the next piece, borrowed until the next call; empty at the end.
using PieceSource = std::function<Task<Result<core::ByteView>>()>;

struct UploadLimits {
  std::int64_t max_size = 0;          // of the plan; more is file_too_large
  std::function<bool()> is_revoked;   // looked at for every block; true ends the upload with token_invalid
};

// A content that has arrived. `writer` owns the bytes that travel with the commit: it must live until the commit is done.
struct UploadedContent {
  NewContent content;
  std::unique_ptr<ChunkWriter> writer;
};

// Cuts a stream into chunks and stores them as they arrive: one block is received while the one before is hashed and the one before that is
// written, so memory stays at three blocks. Errors: those of `source`, file_too_large, quota_exceeded, token_invalid.
Task<Result<UploadedContent>> receive_content(ChunkStore& store, SpaceId space, const PieceSource& source,
                                              const UploadLimits& limits);

}  // namespace clouddocs::storage
