// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace clouddocs::storage {

// A place in the journal of a space. Clients see it as opaque text.
struct Cursor {
  core::SpaceId space;
  std::int64_t epoch = 0;
  std::int64_t seq = 0;
  // Of a listing that has not reached the head yet: the journal's floor when it began. Such a cursor may lie below the floor, since
  // its holder knows no row whose tombstone is gone.
  std::optional<std::int64_t> listing_floor{};
  bool operator==(const Cursor&) const = default;
};

std::string to_text(const Cursor& cursor);
std::optional<Cursor> parse_cursor(std::string_view text);

}  // namespace clouddocs::storage
