// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http.hpp"

namespace clouddocs::net {

// Reads multipart/form-data (RFC 7578) as it arrives. Part bytes are views of the connection's buffer: no copy, no temporary file; the
// delimiter search runs at memory speed (memmem / SIMD). Headers of a part: 8 KiB at most. Used by one coroutine.
class MultipartReader {
 public:
  struct Part {
    std::string name;
    std::optional<std::string>
        filename;  // filename* (RFC 5987) is ignored, as RFC 7578 says; UTF-8 as browsers send it
    std::string content_type;
  };
  // Errors: unsupported_media_type (not multipart/form-data, or no usable boundary).
  static core::Result<MultipartReader> open(Request& request);
  MultipartReader(MultipartReader&&) noexcept;
  ~MultipartReader();

  // The next part (skips what is left of the current one); nullopt after the last. Errors: invalid_request, upload_incomplete.
  core::Task<core::Result<std::optional<Part>>> next_part();
  // The next bytes of the current part, borrowed until the next call; empty at its end. Errors: as next_part.
  core::Task<core::Result<core::ByteView>> read();
  // The whole part as text. Errors: body_too_large beyond `limit`.
  core::Task<core::Result<std::string>> read_text(std::size_t limit);

 private:
  struct State;
  explicit MultipartReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace clouddocs::net
