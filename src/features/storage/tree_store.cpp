// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/tree_store.hpp"

#include "features/storage/name.hpp"

namespace clouddocs::storage {
namespace {

using database::Rows;
using database::Statement;

#define NODE CLOUDDOCS_NODE_COLUMNS("")
#define LIVE "deleted_at IS NULL AND purged_at IS NULL"

constexpr Statement find_node{"node_find", "SELECT " NODE " FROM files WHERE space_id = $1 AND id = $2"};
constexpr Statement find_node_by_name{"node_find_by_name",
                                      "SELECT " NODE
                                      " FROM files WHERE space_id = $1 AND parent_id = $2 AND filename = $3 AND " LIVE};
constexpr Statement list_ancestors{
    "node_ancestors",
    "WITH RECURSIVE up(id, parent_id, filename, kind, trashed, depth) AS ("
    " SELECT id, parent_id, filename, kind, deleted_at IS NOT NULL, 0 FROM files"
    "  WHERE space_id = $1 AND id = $2 AND purged_at IS NULL"
    " UNION ALL"
    " SELECT f.id, f.parent_id, f.filename, f.kind, f.deleted_at IS NOT NULL, up.depth + 1 FROM up"
    "  JOIN files f ON f.space_id = $1 AND f.id = up.parent_id WHERE up.depth < 130)"
    "SELECT id, filename, kind, trashed FROM up ORDER BY depth"};
// Without being told, SQLite takes the primary key for the children of a folder and reads the whole space for each.
#define CHILDREN_INDEX " INDEXED BY files_by_parent"
#define HEIGHT(index)                                                \
  "WITH RECURSIVE down(id, depth) AS ("                              \
  " SELECT id, 0 FROM files WHERE space_id = $1 AND id = $2"         \
  " UNION ALL"                                                       \
  " SELECT f.id, down.depth + 1 FROM down JOIN files f" index        \
  " ON f.space_id = $1 AND f.parent_id = down.id"                    \
  "  WHERE f.kind = 2 AND f.purged_at IS NULL AND down.depth < 130)" \
  "SELECT MAX(depth) FROM down"
constexpr Statement measure_height{"node_height", HEIGHT(""), HEIGHT(CHILDREN_INDEX)};
constexpr Statement insert_node{
    "node_insert",
    "INSERT INTO files (space_id, user_id, name_key, " NODE
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
    " ON CONFLICT (space_id, id) DO NOTHING"};
constexpr Statement update_node{"node_update",
                                "UPDATE files SET name_key = $3, parent_id = $4, filename = $5, size = $6, version = "
                                "$7, content_id = $8, sha256 = $9,"
                                " executable = $10, modified_at = $11, uploaded_at = $12, deleted_at = $13, purged_at "
                                "= $14, seq = $15, tree_seq = $16,"
                                " target = $17, mime = $18 WHERE space_id = $1 AND id = $2"};
constexpr Statement touch_ancestors{
    "node_touch_upwards",
    "WITH RECURSIVE up(id, parent_id, depth) AS ("
    " SELECT id, parent_id, 0 FROM files WHERE space_id = $1 AND id = $2"
    " UNION ALL"
    " SELECT f.id, f.parent_id, up.depth + 1 FROM up JOIN files f ON f.space_id = $1 AND f.id = up.parent_id"
    "  WHERE up.depth < 130)"
    "UPDATE files SET tree_seq = $3 WHERE space_id = $1 AND id IN (SELECT id FROM up)"};

// Folders come before files. By name each of the two groups is one range of one index, in both directions, so that a page deep in a large
// folder costs what the first one does; the first page of all is one range of both groups.
#define LIST_WHERE "SELECT " NODE " FROM files WHERE space_id = $1 AND parent_id = $2 AND " LIVE
#define LIST_GROUP(bound, order, limit)                                                 \
  LIST_WHERE " AND (kind <> 2) = $3" bound " ORDER BY " order " LIMIT " limit, nullptr, \
      LIST_WHERE " AND (kind <> 2) = ($3 <> 0)" bound " ORDER BY " order " LIMIT " limit
constexpr Statement list_first{"node_list_first", LIST_WHERE " ORDER BY (kind <> 2), name_key, id LIMIT $3"};
constexpr Statement group_by_name{"node_group_name", LIST_GROUP("", "name_key, id", "$4")};
constexpr Statement group_by_name_after{"node_group_name_after",
                                        LIST_GROUP(" AND (name_key, id) > ($4, $5)", "name_key, id", "$6")};
constexpr Statement group_by_name_descending{"node_group_name_desc", LIST_GROUP("", "name_key DESC, id DESC", "$4")};
constexpr Statement group_by_name_descending_after{
    "node_group_name_desc_after", LIST_GROUP(" AND (name_key, id) < ($4, $5)", "name_key DESC, id DESC", "$6")};
// By size and time the folder is read and sorted: an index for each would cost every commit. $3: whether the last row of the page before
// was no folder; $4..$5: its key and id.
#define LIST_BY(column, direction, comparison)                                                           \
  LIST_WHERE " AND ((kind <> 2) > $3 OR ((kind <> 2) = $3 AND (" column " " comparison " $4 OR (" column \
             " = $4 AND id > $5)))) ORDER BY (kind <> 2), " column " " direction ", id LIMIT $6"
constexpr Statement list_by_modified{"node_list_modified", LIST_BY("modified_at", "ASC", ">")};
constexpr Statement list_by_modified_descending{"node_list_modified_desc", LIST_BY("modified_at", "DESC", "<")};
constexpr Statement list_by_size{"node_list_size", LIST_BY("size", "ASC", ">")};
constexpr Statement list_by_size_descending{"node_list_size_desc", LIST_BY("size", "DESC", "<")};
#define LIST_FIRST_BY(column, direction) LIST_WHERE " ORDER BY (kind <> 2), " column " " direction ", id LIMIT $3"
constexpr Statement first_by_modified{"node_first_modified", LIST_FIRST_BY("modified_at", "ASC")};
constexpr Statement first_by_modified_descending{"node_first_modified_desc", LIST_FIRST_BY("modified_at", "DESC")};
constexpr Statement first_by_size{"node_first_size", LIST_FIRST_BY("size", "ASC")};
constexpr Statement first_by_size_descending{"node_first_size_desc", LIST_FIRST_BY("size", "DESC")};

#define CHILDREN(index) \
  "SELECT " NODE " FROM files" index " WHERE space_id = $1 AND parent_id = $2 AND " LIVE " LIMIT $3"
constexpr Statement list_children{"node_children", CHILDREN(""), CHILDREN(CHILDREN_INDEX)};
constexpr Statement list_trash{
    "node_trash",
    "SELECT " NODE
    " FROM files WHERE space_id = $1 AND deleted_at IS NOT NULL AND purged_at IS NULL AND (deleted_at, id) < ($2, $3)"
    " ORDER BY deleted_at DESC, id DESC LIMIT $4"};
constexpr Statement list_changes{"node_changes",
                                 "SELECT " NODE " FROM files WHERE space_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"};
#define SUBTREE(index) \
  "WITH RECURSIVE down(id, depth) AS ("                                                                   \
  " SELECT id, 0 FROM files WHERE space_id = $1 AND id = $2"                                              \
  " UNION ALL"                                                                                            \
  " SELECT f.id, down.depth + 1 FROM down JOIN files f" index " ON f.space_id = $1 AND f.parent_id = down.id" \
  "  WHERE f.purged_at IS NULL AND down.depth < 200)"                                                     \
  "SELECT " CLOUDDOCS_NODE_COLUMNS("f.") " FROM down JOIN files f ON f.space_id = $1 AND f.id = down.id"  \
  " ORDER BY down.depth DESC LIMIT $3"
constexpr Statement list_subtree{"node_subtree", SUBTREE(""), SUBTREE(CHILDREN_INDEX)};

#define VERSION "version, content_id, size, sha256, verified, manifest, author_id, device_name, created_at"
constexpr Statement insert_file_version{"version_insert", "INSERT INTO file_versions (space_id, file_id, " VERSION
                                                          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Statement find_file_version{
    "version_find", "SELECT " VERSION " FROM file_versions WHERE space_id = $1 AND file_id = $2 AND version = $3"};
constexpr Statement list_file_versions{
    "version_list",
    "SELECT " VERSION
    " FROM file_versions WHERE space_id = $1 AND file_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4"};

std::optional<core::ByteView> view(const std::optional<content::Sha256>& hash) {
  if (!hash) return std::nullopt;
  return core::ByteView(*hash);
}

std::vector<Node> read_nodes(const Rows& rows) {
  std::vector<Node> nodes;
  nodes.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back(read_node(rows[i]));
  return nodes;
}

Version read_version(const Rows::Row& row) {
  Version version;
  version.number = row.int64(0);
  std::memcpy(version.content_id.data(), row.bytes(1).data(), version.content_id.size());
  version.size = row.int64(2);
  std::memcpy(version.sha256.data(), row.bytes(3).data(), version.sha256.size());
  version.verified = row.boolean(4);
  const auto manifest = row.bytes(5);
  version.manifest.assign(manifest.begin(), manifest.end());
  version.author = row.id<UserId>(6);
  version.device_name = row.text(7);
  version.created_at = row.timestamp(8);
  return version;
}

const Statement& first_page(const Sort& sort) {
  if (sort.key == SortKey::size) return sort.descending ? first_by_size_descending : first_by_size;
  return sort.descending ? first_by_modified_descending : first_by_modified;
}

const Statement& next_page(const Sort& sort) {
  if (sort.key == SortKey::size) return sort.descending ? list_by_size_descending : list_by_size;
  return sort.descending ? list_by_modified_descending : list_by_modified;
}

// The folders and then the files of a folder by name, from behind `after`.
Task<std::vector<Node>> list_groups(Transaction& tx, SpaceId space, NodeId parent, bool descending,
                                    const std::optional<ListPosition>& after, int limit) {
  const Statement& whole = descending ? group_by_name_descending : group_by_name;
  const Statement& behind = descending ? group_by_name_descending_after : group_by_name_after;
  std::vector<Node> nodes;
  for (int group = after && after->after_folders ? 1 : 0; group < 2; ++group) {
    const int room = limit - static_cast<int>(nodes.size());
    if (room == 0) break;
    const bool is_begun = after && (group == 1) == after->after_folders;
    const Rows rows = is_begun ? co_await tx.execute(behind, space, parent, group, after->name_key, after->id, room)
                               : co_await tx.execute(whole, space, parent, group, room);
    for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back(read_node(rows[i]));
  }
  co_return nodes;
}

}  // namespace

Task<std::optional<Node>> TreeStore::find(Transaction& tx, SpaceId space, NodeId id) {
  const auto rows = co_await tx.execute(find_node, space, id);
  if (rows.empty()) co_return std::nullopt;
  co_return read_node(rows.front());
}

Task<std::optional<Node>> TreeStore::find_by_name(Transaction& tx, SpaceId space, NodeId parent,
                                                  std::string_view filename) {
  const auto rows = co_await tx.execute(find_node_by_name, space, parent, filename);
  if (rows.empty()) co_return std::nullopt;
  co_return read_node(rows.front());
}

Task<std::vector<TreeStore::Ancestor>> TreeStore::ancestors(Transaction& tx, SpaceId space, NodeId id) {
  const auto rows = co_await tx.execute(list_ancestors, space, id);
  std::vector<Ancestor> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    out.push_back({row.id<NodeId>(0), std::string(row.text(1)), static_cast<NodeKind>(row.int64(2)), row.boolean(3)});
  }
  co_return out;
}

Task<int> TreeStore::height(Transaction& tx, SpaceId space, NodeId id) {
  const auto rows = co_await tx.execute(measure_height, space, id);
  co_return static_cast<int>(rows.front().int64(0));
}

Task<bool> TreeStore::insert(Transaction& tx, SpaceId space, UserId author, const Node& node) {
  const auto key = name_key(node.filename);
  const auto rows = co_await tx.execute(
      insert_node, space, author, key, node.id, node.parent, static_cast<int>(node.kind), node.filename, node.size,
      node.version, view(node.content_id), view(node.sha256), node.executable, node.modified_at, node.uploaded_at,
      node.deleted_at, node.purged_at, node.seq, node.tree_seq, node.target, node.mime);
  co_return rows.affected() == 1;
}

Task<> TreeStore::update(Transaction& tx, SpaceId space, const Node& node) {
  const auto key = name_key(node.filename);
  co_await tx.execute(update_node, space, node.id, key, node.parent, node.filename, node.size, node.version,
                      view(node.content_id), view(node.sha256), node.executable, node.modified_at, node.uploaded_at,
                      node.deleted_at, node.purged_at, node.seq, node.tree_seq, node.target, node.mime);
}

Task<> TreeStore::touch_upwards(Transaction& tx, SpaceId space, NodeId folder, std::int64_t seq) {
  co_await tx.execute(touch_ancestors, space, folder, seq);
}

Task<std::vector<Node>> TreeStore::list(Transaction& tx, SpaceId space, NodeId parent, const Sort& sort,
                                        const std::optional<ListPosition>& after, int limit) {
  if (sort.key == SortKey::name) {
    if (!after && !sort.descending) co_return read_nodes(co_await tx.execute(list_first, space, parent, limit));
    co_return co_await list_groups(tx, space, parent, sort.descending, after, limit);
  }
  if (!after) co_return read_nodes(co_await tx.execute(first_page(sort), space, parent, limit));
  co_return read_nodes(
      co_await tx.execute(next_page(sort), space, parent, after->after_folders, after->number, after->id, limit));
}

Task<std::vector<Node>> TreeStore::children(Transaction& tx, SpaceId space, NodeId parent, int limit) {
  co_return read_nodes(co_await tx.execute(list_children, space, parent, limit));
}

Task<std::vector<Node>> TreeStore::trash(Transaction& tx, SpaceId space, std::optional<Timestamp> before,
                                         NodeId before_id, int limit) {
  const auto at = before ? core::to_micros(*before) : std::numeric_limits<std::int64_t>::max();
  co_return read_nodes(co_await tx.execute(list_trash, space, at, before_id, limit));
}

Task<std::vector<Node>> TreeStore::changes(Transaction& tx, SpaceId space, std::int64_t after_seq, int limit) {
  co_return read_nodes(co_await tx.execute(list_changes, space, after_seq, limit));
}

Task<std::vector<Node>> TreeStore::subtree_bottom_up(Transaction& tx, SpaceId space, NodeId root, int limit) {
  co_return read_nodes(co_await tx.execute(list_subtree, space, root, limit));
}

Task<> TreeStore::insert_version(Transaction& tx, SpaceId space, NodeId file, const Version& v) {
  co_await tx.execute(insert_file_version, space, file, v.number, core::ByteView(v.content_id), v.size,
                      core::ByteView(v.sha256), v.verified, v.manifest, v.author, v.device_name, v.created_at);
}

Task<std::optional<Version>> TreeStore::find_version(Transaction& tx, SpaceId space, NodeId file, std::int64_t number) {
  const auto rows = co_await tx.execute(find_file_version, space, file, number);
  if (rows.empty()) co_return std::nullopt;
  co_return read_version(rows.front());
}

Task<std::vector<Version>> TreeStore::versions(Transaction& tx, SpaceId space, NodeId file, int limit,
                                               std::int64_t before) {
  const auto rows = co_await tx.execute(list_file_versions, space, file, before, limit);
  std::vector<Version> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(read_version(rows[i]));
  co_return out;
}

}  // namespace clouddocs::storage
