// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace clouddocs::net {

// Takes chunked coding apart (RFC 9112, 7.1) in bytes that arrive piece by piece. Strict: CR LF only, sizes of at most 15 hexadecimal
// digits, extensions and trailers skipped up to 4 KiB per line and 16 KiB in all trailers.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::string_view content;  // a view of the input
  };
  // Takes bytes off `input` up to and including the next run of content. Call again while input is left.
  Step next(std::string_view input);
  bool is_done() const { return state_ == State::done; }
  bool has_failed() const { return state_ == State::failed; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_end,
    content,
    content_cr,
    content_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    failed
  };
  void take(char c);
  void take_size(char c);

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint32_t line_length_ = 0;
  std::uint32_t trailer_length_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace clouddocs::net
