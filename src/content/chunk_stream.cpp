// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/chunk_stream.hpp"

#include <algorithm>

namespace clouddocs::content {
namespace {

// Moves bytes from the front of `input` to `out` until it holds `wanted`; whether it does.
bool fill(core::Bytes& out, std::size_t wanted, core::ByteView& input) {
  const std::size_t count = std::min(wanted - out.size(), input.size());
  out.insert(out.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
  input = input.subspan(count);
  return out.size() == wanted;
}

core::Error invalid(const char* detail) { return {core::Errc::chunk_frame_invalid, detail}; }

}  // namespace

void append_frame_header(core::Bytes& out, const ChunkName& name, std::uint32_t size) {
  out.insert(out.end(), name.bytes.begin(), name.bytes.end());
  core::append_little_endian(out, size);
}

void append_end_frame(core::Bytes& out) { append_frame_header(out, ChunkName{}, 0); }

core::Result<std::optional<ChunkStreamParser::Frame>> ChunkStreamParser::next(core::ByteView& input) {
  if (finished_) {
    if (!input.empty()) return invalid("Bytes follow the end frame of the chunk stream.");
    return std::nullopt;
  }
  if (!frame_) {
    if (!fill(header_, frame_header_size, input)) return std::nullopt;
    Frame frame;
    std::copy_n(header_.begin(), frame.name.bytes.size(), frame.name.bytes.begin());
    expected_ = core::load_little_endian<std::uint32_t>(header_.data() + frame.name.bytes.size());
    header_.clear();
    if (frame.name.is_zero()) {
      if (expected_ != 0) return invalid("The end frame of the chunk stream has a size.");
      finished_ = true;
      return next(input);
    }
    frame.missing = expected_ == chunk_missing;
    if (frame.missing) return std::optional(std::move(frame));
    if (expected_ > max_chunk_size) return invalid("A chunk of the stream is larger than 8 MiB.");
    frame.bytes.reserve(expected_);
    frame_ = std::move(frame);
  }
  if (!fill(frame_->bytes, expected_, input)) return std::nullopt;
  auto frame = std::move(frame_);
  frame_.reset();
  return frame;
}

}  // namespace clouddocs::content
