// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/database.hpp"

namespace clouddocs::database {

core::ByteView Rows::Row::bytes(std::size_t column) const {
  const Cell& at = cell(column);
  if (at.kind != Kind::bytes) return {};
  return core::ByteView(rows_->arena_).subspan(static_cast<std::size_t>(at.integer), at.size);
}

void Rows::add_bytes(core::ByteView v) {
  cells_.push_back({Row::Kind::bytes, static_cast<std::uint32_t>(v.size()), static_cast<std::int64_t>(arena_.size())});
  arena_.insert(arena_.end(), v.begin(), v.end());
}

core::Error DatabaseError::to_error(Kind kind) {
  switch (kind) {
    case Kind::unavailable:
    case Kind::serialisation:
      return {core::Errc::unavailable, "The database cannot be used at this moment. Try again shortly."};
    case Kind::storage_full:
      return {core::Errc::storage_full, "The server's disk is full. Its administrator has to make room."};
    case Kind::constraint:
    case Kind::broken: break;
  }
  return core::Errc::internal;
}

}  // namespace clouddocs::database
