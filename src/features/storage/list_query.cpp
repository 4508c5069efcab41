// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/list_query.hpp"

#include <charconv>

#include "core/encoding.hpp"
#include "features/storage/name.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::int64_t max_page = 1'000;

std::byte order_tag(const Sort& sort) {
  return static_cast<std::byte>((static_cast<int>(sort.key) << 1) | (sort.descending ? 1 : 0));
}

Result<int> parse_limit(const net::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) return 100;
  TRY(const std::int64_t limit, parse_query_integer("limit", *text, 1, max_page));
  return static_cast<int>(limit);
}

Result<Sort> parse_sort(std::string_view text) {
  Sort sort;
  if (text.starts_with('-')) {
    sort.descending = true;
    text.remove_prefix(1);
  }
  if (text == "name") return sort;
  if (text == "modified_at") {
    sort.key = SortKey::modified_at;
    return sort;
  }
  if (text == "size") {
    sort.key = SortKey::size;
    return sort;
  }
  return Error(Errc::invalid_request, "sort must be name, modified_at or size, with a \"-\" before it for descending.");
}

Error invalid_cursor() {
  return {Errc::cursor_invalid, "The cursor does not belong to this listing. Start again without one."};
}

}  // namespace

Result<std::int64_t> parse_query_integer(std::string_view name, std::string_view text, std::int64_t min,
                                         std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    return Error(
        Errc::invalid_request,
        std::string(name) + " must be a number from " + std::to_string(min) + " to " + std::to_string(max) + ".",
        "\"field\":\"" + std::string(name) + "\"");
  }
  return value;
}

Result<ListQuery> parse_list_query(const net::Request& request) {
  ListQuery query;
  TRY(query.limit, parse_limit(request));
  TRY(query.sort, parse_sort(request.query_value("sort").value_or("name")));
  const auto text = request.query_value("cursor");
  if (!text) return query;
  const auto bytes = core::from_base64url(*text);
  if (!bytes || bytes->size() < 26 || (*bytes)[0] != order_tag(query.sort)) return invalid_cursor();
  ListPosition position;
  position.after_folders = (*bytes)[1] != std::byte{0};
  position.number = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data() + 2));
  position.id = core::id_from_bytes<NodeId>(core::ByteView(*bytes).subspan(10, 16));
  position.name_key = core::as_text(core::ByteView(*bytes).subspan(26));
  query.after = std::move(position);
  return query;
}

std::string make_list_cursor(const Sort& sort, const Node& last) {
  core::Bytes bytes{order_tag(sort), static_cast<std::byte>(last.kind == NodeKind::folder ? 0 : 1)};
  const std::int64_t number = sort.key == SortKey::size ? last.size : core::to_micros(last.modified_at);
  core::append_little_endian(bytes, static_cast<std::uint64_t>(number));
  bytes.insert(bytes.end(), last.id.bytes.begin(), last.id.bytes.end());
  if (sort.key == SortKey::name) {
    const auto key = name_key(last.filename);
    const auto view = core::as_bytes(key);
    bytes.insert(bytes.end(), view.begin(), view.end());
  }
  return core::to_base64url(bytes);
}

Result<TrashQuery> parse_trash_query(const net::Request& request) {
  TrashQuery query;
  TRY(query.limit, parse_limit(request));
  const auto text = request.query_value("cursor");
  if (!text) return query;
  const auto bytes = core::from_base64url(*text);
  if (!bytes || bytes->size() != 24) return invalid_cursor();
  query.before = core::from_micros(static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data())));
  query.before_id = core::id_from_bytes<NodeId>(core::ByteView(*bytes).subspan(8));
  return query;
}

Result<VersionsQuery> parse_versions_query(const net::Request& request) {
  VersionsQuery query;
  TRY(query.limit, parse_limit(request));
  const auto text = request.query_value("cursor");
  if (!text) return query;
  const auto bytes = core::from_base64url(*text);
  if (!bytes || bytes->size() != 8) return invalid_cursor();
  query.before = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data()));
  return query;
}

std::string make_versions_cursor(std::int64_t last) {
  core::Bytes bytes;
  core::append_little_endian(bytes, static_cast<std::uint64_t>(last));
  return core::to_base64url(bytes);
}

std::string make_trash_cursor(const Node& last) {
  core::Bytes bytes;
  core::append_little_endian(bytes, static_cast<std::uint64_t>(core::to_micros(*last.deleted_at)));
  bytes.insert(bytes.end(), last.id.bytes.begin(), last.id.bytes.end());
  return core::to_base64url(bytes);
}

}  // namespace clouddocs::storage
