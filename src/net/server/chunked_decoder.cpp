// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/chunked_decoder.hpp"

#include <algorithm>

namespace clouddocs::net {

namespace {

constexpr std::uint32_t extension_limit = 4U << 10;
constexpr std::uint32_t trailer_limit = 16U << 10;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::done && state_ != State::failed) {
    if (state_ == State::content) {
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      left_ -= length;
      if (left_ == 0) state_ = State::content_cr;
      return {at + length, input.substr(at, length)};
    }
    take(input[at++]);
  }
  return {at, {}};
}

void ChunkedDecoder::take_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    left_ = (left_ << 4) | static_cast<std::uint64_t>(digit);
    if (++digits_ > 15) state_ = State::failed;
  } else if (digits_ == 0) {
    state_ = State::failed;
  } else if (c == '\r') {
    state_ = State::size_end;
  } else if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::extension;
    line_length_ = 0;
  } else {
    state_ = State::failed;
  }
}

void ChunkedDecoder::take(char c) {
  const auto expect = [&](char wanted, State next) { state_ = c == wanted ? next : State::failed; };
  switch (state_) {
    case State::size: take_size(c); break;
    case State::extension:
      if (c == '\r') {
        state_ = State::size_end;
      } else if (c == '\n' || ++line_length_ > extension_limit) {
        state_ = State::failed;
      }
      break;
    case State::size_end:
      digits_ = 0;
      expect('\n', left_ == 0 ? State::trailer_start : State::content);
      break;
    case State::content_cr: expect('\r', State::content_lf); break;
    case State::content_lf: expect('\n', State::size); break;
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_lf;
        break;
      }
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (c == '\n' || ++trailer_length_ > trailer_limit) {
        state_ = State::failed;
      }
      break;
    case State::trailer_lf: expect('\n', State::trailer_start); break;
    case State::end_lf: expect('\n', State::done); break;
    case State::content:
    case State::done:
    case State::failed: break;
  }
}

}  // namespace clouddocs::net
