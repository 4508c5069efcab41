// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/multipart.hpp"

#include <cstring>

#include "net/ascii.hpp"

namespace clouddocs::net {

using core::ByteView;
using core::Errc;
using core::Error;
using core::Result;
using core::Task;

namespace {

constexpr std::size_t header_limit = 8U << 10;
constexpr std::size_t preamble_limit = 8U << 10;

// The value of a parameter of a header field such as `form-data; name="a"`: quoted or a token. Inside quotes curl writes `\"` and `\\`; any
// other backslash is part of the name. Percent-escapes stay: browsers escape `"` so, but leave a `%` as it is, and names with %22 in them
// are the more common of the two.
std::optional<std::string> find_parameter(std::string_view field, std::string_view wanted) {
  std::size_t at = field.find(';');
  while (at < field.size()) {
    ++at;
    const auto equals = field.find_first_of("=;", at);
    if (equals == std::string_view::npos) return std::nullopt;
    if (field[equals] == ';') {
      at = equals;
      continue;
    }
    const std::string_view name = trim(field.substr(at, equals - at));
    std::string value;
    at = equals + 1;
    while (at < field.size() && (field[at] == ' ' || field[at] == '\t')) ++at;
    if (at < field.size() && field[at] == '"') {
      for (++at; at < field.size() && field[at] != '"'; ++at) {
        if (field[at] == '\\' && at + 1 < field.size() && (field[at + 1] == '"' || field[at + 1] == '\\')) ++at;
        value += field[at];
      }
      if (at == field.size()) return std::nullopt;
      at = field.find(';', at);
    } else {
      const auto end = field.find(';', at);
      value = trim(field.substr(at, end == std::string_view::npos ? end : end - at));
      at = end;
    }
    if (equal_ignoring_case(name, wanted)) return value;
  }
  return std::nullopt;
}

Error malformed(std::string_view what) {
  return {Errc::invalid_request, "The multipart body is malformed: " + std::string(what) + "."};
}

}  // namespace

// The body is seen as preamble, then parts, each ended by the delimiter "\r\n--boundary". The first delimiter may lack its CR LF: the search
// begins in `carry_` = "\r\n".
struct MultipartReader::State {
  State(BodyReader& reader, std::string_view boundary) : body(reader), delimiter("\r\n--" + std::string(boundary)) {}

  BodyReader& body;
  const std::string delimiter;
  std::string_view piece;  // of the body: what has not been looked at
  std::string carry = "\r\n";  // bytes before `piece` that may begin the delimiter: fewer than it has
  std::string lent;  // carried bytes that turned out to be content, while the caller looks at them
  bool started = false;
  bool in_part = false;
  bool finished = false;  // the closing delimiter has been seen

  // The next bytes before the delimiter; empty once it has been consumed.
  Task<Result<std::string_view>> read_content();
  Task<Result<>> refill();
  // Appends up to the next line end to `line`, which keeps none.
  Task<Result<>> read_line(std::string& line);
  Task<Result<>> skip_preamble();
  Task<Result<bool>> finish_delimiter();
  Task<Result<Part>> read_header();
  std::optional<std::string_view> resolve_carry();
};

Task<Result<>> MultipartReader::State::refill() {
  if (!piece.empty()) co_return Result<>();
  CO_TRY(const ByteView bytes, co_await body.read());
  if (bytes.empty())
    co_return Error(Errc::upload_incomplete, "The form ends before its closing boundary; send it again.");
  piece = core::as_text(bytes);
  co_return Result<>();
}

// Decides about the carried bytes with the help of `piece`. Nullopt: more input is needed, or the delimiter has been completed (then `in_part`
// is false). Else content that is due.
std::optional<std::string_view> MultipartReader::State::resolve_carry() {
  // The delimiter can only continue across the border from some suffix of carry that is a prefix of it; carry is at most delimiter.size() - 1
  // bytes, so that this is cheap and happens once per piece.
  std::string window = carry;
  const auto added = std::min(piece.size(), delimiter.size());
  window += piece.substr(0, added);
  for (std::size_t start = 0; start < carry.size(); ++start) {
    const auto length = std::min(delimiter.size(), window.size() - start);
    if (window.compare(start, length, delimiter, 0, length) != 0) continue;
    if (length < delimiter.size()) {  // `piece` was shorter than what is missing
      lent = window.substr(0, start);
      carry = window.substr(start);
      piece = {};
      return lent.empty() ? std::nullopt : std::optional<std::string_view>(lent);
    }
    lent = window.substr(0, start);
    piece.remove_prefix(delimiter.size() - (carry.size() - start));
    carry.clear();
    in_part = false;
    return lent.empty() ? std::nullopt : std::optional<std::string_view>(lent);
  }
  lent = std::exchange(carry, {});
  return lent;
}

Task<Result<std::string_view>> MultipartReader::State::read_content() {
  while (in_part) {
    CO_CHECK(co_await refill());
    if (!carry.empty()) {
      if (const auto content = resolve_carry()) co_return *content;
      continue;
    }
    const void* found = ::memmem(piece.data(), piece.size(), delimiter.data(), delimiter.size());
    if (found != nullptr) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
      const auto content = piece.substr(0, length);
      piece.remove_prefix(length + delimiter.size());
      in_part = false;
      if (content.empty()) break;
      co_return content;
    }
    // The last bytes may begin a delimiter: they are kept back from the first CR on that could.
    const auto tail = piece.size() - std::min(piece.size(), delimiter.size() - 1);
    auto keep = piece.find('\r', tail);
    while (keep != std::string_view::npos && !delimiter.starts_with(piece.substr(keep)))
      keep = piece.find('\r', keep + 1);
    const auto content = piece.substr(0, keep);
    carry = keep == std::string_view::npos ? std::string() : std::string(piece.substr(keep));
    piece = {};
    if (!content.empty()) co_return content;
  }
  co_return std::string_view();
}

Task<Result<>> MultipartReader::State::read_line(std::string& line) {
  while (true) {
    CO_CHECK(co_await refill());
    const auto end = piece.find('\n');
    line += piece.substr(0, end);
    piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
    if (line.size() > header_limit) co_return malformed("the header of a part is over 8 KiB");
    if (end == std::string_view::npos) continue;
    if (!line.ends_with('\r')) co_return malformed("a header line does not end in CR LF");
    line.pop_back();
    co_return Result<>();
  }
}

Task<Result<>> MultipartReader::State::skip_preamble() {
  in_part = true;
  std::size_t skipped = 0;
  while (in_part) {
    CO_TRY(const std::string_view content, co_await read_content());
    skipped += content.size();
    if (skipped > preamble_limit) co_return malformed("it does not begin with its boundary");
  }
  co_return Result<>();
}

// What follows a delimiter: "--" (false, the body is over) or padding and a line end (true, a part follows).
Task<Result<bool>> MultipartReader::State::finish_delimiter() {
  std::string mark;
  while (mark.size() < 2) {
    CO_CHECK(co_await refill());
    mark += piece.front();
    piece.remove_prefix(1);
  }
  if (mark == "--") co_return false;
  if (mark == "\r\n") co_return true;
  CO_CHECK(co_await read_line(mark));
  if (!trim(mark).empty()) co_return malformed("something follows a boundary on its line");
  co_return true;
}

Task<Result<MultipartReader::Part>> MultipartReader::State::read_header() {
  Part part;
  part.content_type = "text/plain";
  bool named = false;
  std::size_t total = 0;
  while (true) {
    std::string line;
    CO_CHECK(co_await read_line(line));
    total += line.size();
    if (total > header_limit) co_return malformed("the header of a part is over 8 KiB");
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string::npos) co_return malformed("a header line has no colon");
    const std::string_view name = std::string_view(line).substr(0, colon);
    const std::string_view value = trim(std::string_view(line).substr(colon + 1));
    if (equal_ignoring_case(name, "Content-Type")) part.content_type = value;
    if (!equal_ignoring_case(name, "Content-Disposition")) continue;
    auto field = find_parameter(value, "name");
    if (!equal_ignoring_case(trim(value.substr(0, value.find(';'))), "form-data") || !field) break;
    part.name = std::move(*field);
    part.filename = find_parameter(value, "filename");
    named = true;
  }
  if (!named) co_return malformed("a part has no Content-Disposition: form-data with a name");
  in_part = true;
  co_return part;
}

MultipartReader::MultipartReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
MultipartReader::MultipartReader(MultipartReader&&) noexcept = default;
MultipartReader::~MultipartReader() = default;

Result<MultipartReader> MultipartReader::open(Request& request) {
  const std::string_view type = request.headers.find("Content-Type").value_or("");
  const bool is_form = equal_ignoring_case(trim(type.substr(0, type.find(';'))), "multipart/form-data");
  const auto boundary = is_form ? find_parameter(type, "boundary") : std::nullopt;
  if (!boundary || boundary->empty() || boundary->size() > 70 || request.body == nullptr) {
    return Error(Errc::unsupported_media_type,
                 "Send the body as multipart/form-data with a boundary of 1 to 70 characters.");
  }
  return MultipartReader(std::make_unique<State>(*request.body, *boundary));
}

Task<Result<std::optional<MultipartReader::Part>>> MultipartReader::next_part() {
  State& state = *state_;
  if (state.finished) co_return std::nullopt;
  if (!state.started) {
    state.started = true;
    CO_CHECK(co_await state.skip_preamble());
  }
  while (state.in_part) CO_CHECK(co_await state.read_content());
  CO_TRY(const bool more, co_await state.finish_delimiter());
  state.finished = !more;
  if (!more) co_return std::nullopt;
  CO_TRY(Part part, co_await state.read_header());
  co_return part;
}

Task<Result<ByteView>> MultipartReader::read() {
  CO_TRY(const std::string_view content, co_await state_->read_content());
  co_return core::as_bytes(content);
}

Task<Result<std::string>> MultipartReader::read_text(std::size_t limit) {
  std::string text;
  while (true) {
    CO_TRY(const std::string_view piece, co_await state_->read_content());
    if (piece.empty()) co_return text;
    if (piece.size() > limit - text.size()) {
      co_return Error(Errc::body_too_large, "This part may have " + std::to_string(limit) + " bytes at most.");
    }
    text += piece;
  }
}

}  // namespace clouddocs::net
