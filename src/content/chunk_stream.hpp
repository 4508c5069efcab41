// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "content/chunk.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"

namespace clouddocs::content {

inline constexpr std::uint32_t chunk_missing = 0xFFFFFFFFU;
inline constexpr std::size_t frame_header_size = 37;
inline constexpr std::string_view chunk_stream_type = "application/vnd.clouddocs.chunks";

// The frame header of the chunk stream in docs/sync-protocol.md: 33 bytes name, 4 bytes little-endian size.
void append_frame_header(core::Bytes& out, const ChunkName& name, std::uint32_t size);
void append_end_frame(core::Bytes& out);

// Takes a chunk stream apart as it arrives, holding one chunk at a time. Not thread-safe.
class ChunkStreamParser {
 public:
  struct Frame {
    ChunkName name;
    bool missing = false;
    core::Bytes bytes;
  };
  // Takes bytes from the front of `input` (and advances it) until a frame is complete; nullopt when more input is needed or the end
  // frame has come. Errors: chunk_frame_invalid (too large, bytes after the end).
  core::Result<std::optional<Frame>> next(core::ByteView& input);
  // Whether the end frame has been seen: a stream that stops before was cut off.
  bool is_finished() const { return finished_; }

 private:
  core::Bytes header_;
  std::optional<Frame> frame_;
  std::uint32_t expected_ = 0;
  bool finished_ = false;
};

}  // namespace clouddocs::content
