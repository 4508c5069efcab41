// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/storage/tree_store.hpp"
#include "net/http.hpp"

namespace clouddocs::storage {

struct ListQuery {
  Sort sort{};
  std::optional<ListPosition> after{};
  int limit = 100;
};
struct VersionsQuery {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  int limit = 100;
};
struct TrashQuery {
  std::optional<Timestamp> before;
  NodeId before_id;
  int limit = 100;
};

// The query of a listing: sort, cursor, limit. Errors: invalid_request, cursor_invalid (not made by make_list_cursor for this order).
Result<ListQuery> parse_list_query(const net::Request& request);
std::string make_list_cursor(const Sort& sort, const Node& last);

Result<TrashQuery> parse_trash_query(const net::Request& request);
Result<VersionsQuery> parse_versions_query(const net::Request& request);
std::string make_versions_cursor(std::int64_t last);
std::string make_trash_cursor(const Node& last);

// Errors: invalid_request, naming the parameter.
Result<std::int64_t> parse_query_integer(std::string_view name, std::string_view text, std::int64_t min,
                                         std::int64_t max);

}  // namespace clouddocs::storage
