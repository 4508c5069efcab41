// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/space_store.hpp"

namespace clouddocs::storage {
namespace {

using database::Statement;

#define SPACE_COLUMNS "id, owner_id, kind, name, root_id, seq, floor_seq, epoch, storage_used, reserved"

constexpr Statement advance_space{"space_advance",
                                  "UPDATE spaces SET seq = seq + $2 WHERE id = $1 RETURNING " SPACE_COLUMNS};
constexpr Statement find_space{"space_find", "SELECT " SPACE_COLUMNS " FROM spaces WHERE id = $1"};
constexpr Statement find_space_head{"space_find_head", "SELECT owner_id, epoch, seq FROM spaces WHERE id = $1"};
constexpr Statement list_spaces{"space_list", "SELECT " SPACE_COLUMNS " FROM spaces WHERE owner_id = $1 ORDER BY id"};
constexpr Statement insert_space{"space_insert",
                                 "INSERT INTO spaces (id, owner_id, kind, name, root_id, seq, epoch, created_at) "
                                 "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement add_space_usage{
    "space_add_usage", "UPDATE spaces SET storage_used = storage_used + $2, reserved = reserved + $3 WHERE id = $1"};
constexpr Statement mirror_usage{"user_mirror_usage",
                                 "UPDATE users SET storage_used = storage_used + $2 WHERE id = $1"};
constexpr Statement raise_space_floor{"space_raise_floor",
                                      "UPDATE spaces SET floor_seq = $2 WHERE id = $1 AND floor_seq < $2"};
constexpr Statement list_all_spaces{"space_list_all", "SELECT id FROM spaces WHERE id > $1 ORDER BY id LIMIT $2"};

Space read_space(const database::Rows::Row& row) {
  Space space;
  space.id = row.id<SpaceId>(0);
  space.owner = row.id<UserId>(1);
  space.kind = row.text(2);
  space.name = row.text(3);
  space.root = row.id<NodeId>(4);
  space.seq = row.int64(5);
  space.floor_seq = row.int64(6);
  space.epoch = row.int64(7);
  space.storage_used = row.int64(8);
  space.reserved = row.int64(9);
  return space;
}

}  // namespace

Task<std::optional<Space>> SpaceStore::advance(Transaction& tx, SpaceId id, std::int64_t count) {
  const auto rows = co_await tx.execute(advance_space, id, count);
  if (rows.empty()) co_return std::nullopt;
  co_return read_space(rows.front());
}

Task<std::optional<Space>> SpaceStore::find(Transaction& tx, SpaceId id) {
  const auto rows = co_await tx.execute(find_space, id);
  if (rows.empty()) co_return std::nullopt;
  co_return read_space(rows.front());
}

Task<std::optional<SpaceHead>> SpaceStore::find_head(Transaction& tx, SpaceId id) {
  const auto rows = co_await tx.execute(find_space_head, id);
  if (rows.empty()) co_return std::nullopt;
  const auto row = rows.front();
  co_return SpaceHead{row.id<UserId>(0), row.int64(1), row.int64(2)};
}

Task<std::vector<Space>> SpaceStore::list_of(Transaction& tx, UserId user) {
  const auto rows = co_await tx.execute(list_spaces, user);
  std::vector<Space> spaces;
  for (std::size_t i = 0; i < rows.size(); ++i) spaces.push_back(read_space(rows[i]));
  co_return spaces;
}

Task<> SpaceStore::create(Transaction& tx, const Space& space, Timestamp now) {
  co_await tx.execute(insert_space, space.id, space.owner, space.kind, space.name, space.root, space.seq, space.epoch,
                      now);
}

Task<> SpaceStore::add_usage(Transaction& tx, const Space& space, std::int64_t used, std::int64_t reserved) {
  if (used == 0 && reserved == 0) co_return;
  co_await tx.execute(add_space_usage, space.id, used, reserved);
  if (used != 0 && space.kind == "personal") co_await tx.execute(mirror_usage, space.owner, used);
}

Task<> SpaceStore::raise_floor(Transaction& tx, SpaceId id, std::int64_t floor_seq) {
  co_await tx.execute(raise_space_floor, id, floor_seq);
}

Task<std::vector<SpaceId>> SpaceStore::list_all(Transaction& tx, SpaceId after, int limit) {
  const auto rows = co_await tx.execute(list_all_spaces, after, limit);
  std::vector<SpaceId> ids;
  for (std::size_t i = 0; i < rows.size(); ++i) ids.push_back(rows[i].id<SpaceId>(0));
  co_return ids;
}

}  // namespace clouddocs::storage
