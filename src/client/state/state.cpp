// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/state/state.hpp"

#include <unordered_set>

namespace clouddocs::client {
namespace {

constexpr int max_depth = 4096;

constexpr const char* schema = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -16384;
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS synced (
  id BLOB PRIMARY KEY, parent BLOB NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, executable INTEGER NOT NULL,
  size INTEGER NOT NULL, modified_at INTEGER NOT NULL, content_id BLOB NOT NULL, target TEXT NOT NULL, version INTEGER NOT NULL,
  seq INTEGER NOT NULL, local_name TEXT NOT NULL, inode INTEGER NOT NULL, birth INTEGER NOT NULL, stamp_size INTEGER NOT NULL,
  mtime INTEGER NOT NULL, ctime INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS synced_place ON synced (parent, name);
CREATE INDEX IF NOT EXISTS synced_object ON synced (inode, birth);
CREATE TABLE IF NOT EXISTS remote (
  id BLOB PRIMARY KEY, parent BLOB NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, executable INTEGER NOT NULL,
  size INTEGER NOT NULL, modified_at INTEGER NOT NULL, content_id BLOB NOT NULL, target TEXT NOT NULL, version INTEGER NOT NULL,
  seq INTEGER NOT NULL, trashed INTEGER NOT NULL, sha256 BLOB NOT NULL DEFAULT x'') WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remote_parent ON remote (parent);
CREATE TABLE IF NOT EXISTS dirty (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents (
  inode INTEGER NOT NULL, birth INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
  content_id BLOB NOT NULL, sha256 BLOB NOT NULL, chunks BLOB NOT NULL, PRIMARY KEY (inode, birth)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (
  name BLOB NOT NULL, file BLOB NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (name, file, offset)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_file ON chunks (file);
)";

std::int64_t as_int64(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// The twelve columns that both trees share.
Node read_node(const Sqlite::Query& row) {
  Node node;
  node.id = core::id_from_bytes<NodeId>(row.bytes(0));
  node.parent = core::id_from_bytes<NodeId>(row.bytes(1));
  node.name = row.text(2);
  node.kind = static_cast<Kind>(row.int64(3));
  node.executable = row.int64(4) != 0;
  node.size = row.int64(5);
  node.modified_at = row.int64(6);
  const auto hash = row.bytes(7);
  if (hash.size() == node.content_id.size()) std::ranges::copy(hash, node.content_id.begin());
  node.target = row.text(8);
  node.version = row.int64(9);
  node.seq = row.int64(10);
  return node;
}
Node read_synced(const Sqlite::Query& row) {
  auto node = read_node(row);
  node.local_name = row.text(11);
  node.stamp = {static_cast<std::uint64_t>(row.int64(12)), row.int64(13), row.int64(14), row.int64(15), row.int64(16)};
  return node;
}
void bind_node(Sqlite::Query& query, const Node& node) {
  query.bind(node.id.view())
      .bind(node.parent.view())
      .bind(std::string_view(node.name))
      .bind(static_cast<std::int64_t>(node.kind));
  query.bind(std::int64_t{node.executable})
      .bind(node.size)
      .bind(node.modified_at)
      .bind(core::ByteView(node.content_id));
  query.bind(std::string_view(node.target)).bind(node.version).bind(node.seq);
}

bool is_equal(const Node& a, const Node& b) {
  return place_of(a) == place_of(b) && has_same_content(a, b) && has_same_meta(a, b);
}

}  // namespace

State::State(const std::filesystem::path& file) : db_(file) {
  db_.execute(schema);
  auto column = db_.query("SELECT 1 FROM pragma_table_info('remote') WHERE name = 'sha256'");
  if (!column.next()) db_.execute("ALTER TABLE remote ADD COLUMN sha256 BLOB NOT NULL DEFAULT x''");
}

State::Transaction::Transaction(State& state) : state_(state), is_outer_(!state.in_transaction_) {
  if (!is_outer_) return;
  state_.db_.execute("BEGIN IMMEDIATE");
  state_.in_transaction_ = true;
}
State::Transaction::~Transaction() {
  if (!is_outer_ || !is_open_) return;
  state_.in_transaction_ = false;
  try {
    state_.db_.execute("ROLLBACK");
  } catch (const StateError&) {  // NOLINT(bugprone-empty-catch): SQLite rolled back itself
  }
}
void State::Transaction::commit() {
  is_open_ = false;
  if (!is_outer_) return;
  state_.in_transaction_ = false;
  state_.db_.execute("COMMIT");
}

std::optional<std::string> State::find_setting(std::string_view key) {
  auto query = db_.query("SELECT value FROM settings WHERE key = ?");
  query.bind(key);
  if (!query.next()) return std::nullopt;
  return std::string(query.text(0));
}
void State::set_setting(std::string_view key, std::string_view value) {
  db_.query("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .bind(key)
      .bind(value)
      .run();
}
void State::remove_setting(std::string_view key) { db_.query("DELETE FROM settings WHERE key = ?").bind(key).run(); }

std::optional<Node> State::find(const NodeId& id) const {
  auto query = db_.query("SELECT * FROM synced WHERE id = ?");
  query.bind(id.view());
  return query.next() ? std::optional(read_synced(query)) : std::nullopt;
}
std::optional<NodeId> State::find_child(const NodeId& parent, const std::string& name) const {
  auto query = db_.query("SELECT id FROM synced WHERE parent = ? AND name = ?");
  query.bind(parent.view()).bind(std::string_view(name));
  return query.next() ? std::optional(core::id_from_bytes<NodeId>(query.bytes(0))) : std::nullopt;
}
std::vector<Node> State::children(const NodeId& parent) const {
  auto query = db_.query("SELECT * FROM synced WHERE parent = ?");
  query.bind(parent.view());
  std::vector<Node> out;
  while (query.next()) out.push_back(read_synced(query));
  return out;
}
std::optional<Node> State::find_object(const Stamp& stamp) const {
  auto query = db_.query("SELECT * FROM synced WHERE inode = ? AND birth = ?");
  query.bind(as_int64(stamp.inode)).bind(stamp.birth);
  return query.next() ? std::optional(read_synced(query)) : std::nullopt;
}
void State::put_synced(const Node& node) {
  auto query = db_.query("INSERT OR REPLACE INTO synced VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  bind_node(query, node);
  query.bind(std::string_view(node.local_name))
      .bind(as_int64(node.stamp.inode))
      .bind(node.stamp.birth)
      .bind(node.stamp.size);
  query.bind(node.stamp.mtime).bind(node.stamp.ctime).run();
}
void State::remove_synced(const NodeId& id) { db_.query("DELETE FROM synced WHERE id = ?").bind(id.view()).run(); }
std::int64_t State::count_synced_files() const {
  auto query = db_.query("SELECT count(*) FROM synced WHERE kind <> ?");
  query.bind(static_cast<std::int64_t>(Kind::folder));
  query.next();
  return query.int64(0);
}
bool State::is_empty() const { return !db_.query("SELECT 1 FROM synced LIMIT 1").next(); }

void State::put_remote(const RemoteRow& row) {
  auto query = db_.query("INSERT OR REPLACE INTO remote VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
  bind_node(query, row.node);
  query.bind(std::int64_t{row.is_trashed}).bind(core::ByteView(row.node.sha256)).run();
  db_.query("INSERT OR IGNORE INTO dirty VALUES (?)").bind(row.node.id.view()).run();
}
void State::remove_remote(const NodeId& id) {
  db_.query("DELETE FROM remote WHERE id = ?").bind(id.view()).run();
  db_.query("INSERT OR IGNORE INTO dirty VALUES (?)").bind(id.view()).run();
}
void State::remove_remote_except(const std::vector<NodeId>& listed) {
  const std::unordered_set<NodeId> keep(listed.begin(), listed.end());
  std::vector<NodeId> gone;
  for (auto query = db_.query("SELECT id FROM remote"); query.next();) {
    const auto id = core::id_from_bytes<NodeId>(query.bytes(0));
    if (!keep.contains(id)) gone.push_back(id);
  }
  for (const auto& id : gone) remove_remote(id);
}
void State::forget_remote() {
  db_.execute("DELETE FROM remote; DELETE FROM dirty; DELETE FROM synced; DELETE FROM chunks");
}
std::optional<Node> State::find_remote(const NodeId& id) const {
  auto query = db_.query("SELECT * FROM remote WHERE id = ?");
  query.bind(id.view());
  if (!query.next()) return std::nullopt;
  auto node = read_node(query);
  const auto hash = query.bytes(12);
  if (hash.size() == node.sha256.size()) std::ranges::copy(hash, node.sha256.begin());
  return node;
}

// Visible: neither it nor a folder above it is in the trash, and the way up ends at the root.
std::optional<Node> State::find_visible(const NodeId& id, const NodeId& root) const {
  auto node = find_remote(id);
  if (!node || id == root) return node;
  NodeId at = id;
  for (int depth = 0; depth < max_depth; ++depth) {
    if (at == root) return node;
    auto query = db_.query("SELECT parent, trashed FROM remote WHERE id = ?");
    query.bind(at.view());
    if (!query.next() || query.int64(1) != 0) return std::nullopt;
    at = core::id_from_bytes<NodeId>(query.bytes(0));
  }
  return std::nullopt;  // a cycle: a page that is not at the head
}

Overlay State::remote_overlay(const NodeId& root) const {
  std::vector<NodeId> ids;
  for (auto query = db_.query("SELECT id FROM dirty"); query.next();)
    ids.push_back(core::id_from_bytes<NodeId>(query.bytes(0)));
  Overlay overlay;
  for (const auto& id : ids) {
    if (id == root) continue;
    const auto now = find_visible(id, root);
    const auto base = find(id);
    if (now && base && is_equal(*now, *base)) continue;
    if (!now && !base) continue;
    overlay[id] = now;
    const bool is_folder = (now ? *now : *base).is_folder();
    if (is_folder && now.has_value() != base.has_value()) add_hidden(overlay, id, root);
  }
  return overlay;
}

// A folder appeared or disappeared (trash, restore): what is below went with it although its own rows did not change.
void State::add_hidden(Overlay& overlay, const NodeId& folder, const NodeId& root) const {
  std::vector<NodeId> below;
  auto collect = [&](const char* sql) {
    auto query = db_.query(sql);
    query.bind(folder.view());
    while (query.next()) below.push_back(core::id_from_bytes<NodeId>(query.bytes(0)));
  };
  collect("SELECT id FROM remote WHERE parent = ?");
  collect("SELECT id FROM synced WHERE parent = ?");
  for (const auto& id : below) {
    if (overlay.contains(id)) continue;
    auto now = find_visible(id, root);
    const auto base = find(id);
    if (!now && !base) continue;
    if (now && base && is_equal(*now, *base)) continue;
    const bool is_folder = (now ? *now : *base).is_folder();
    overlay[id] = std::move(now);
    if (is_folder) add_hidden(overlay, id, root);
  }
}

void State::mark_all_dirty() {
  db_.execute("INSERT OR IGNORE INTO dirty SELECT id FROM remote; INSERT OR IGNORE INTO dirty SELECT id FROM synced");
}
void State::clear_dirty(const NodeId& id) { db_.query("DELETE FROM dirty WHERE id = ?").bind(id.view()).run(); }
void State::clear_all_dirty() { db_.execute("DELETE FROM dirty"); }

std::optional<KnownContent> State::find_content(const Stamp& stamp) const {
  auto query =
      db_.query("SELECT size, mtime, ctime, content_id, sha256, chunks FROM contents WHERE inode = ? AND birth = ?");
  query.bind(as_int64(stamp.inode)).bind(stamp.birth);
  if (!query.next() || query.int64(0) != stamp.size || query.int64(1) != stamp.mtime || query.int64(2) != stamp.ctime)
    return std::nullopt;
  KnownContent known;
  std::ranges::copy(query.bytes(3).first(32), known.content_id.begin());
  std::ranges::copy(query.bytes(4).first(32), known.sha256.begin());
  auto manifest = content::decode_manifest(query.bytes(5));
  if (manifest.has_error()) return std::nullopt;
  known.chunks = std::move(manifest->entries);
  return known;
}
void State::put_content(const Stamp& stamp, const KnownContent& known) {
  auto query = db_.query("INSERT OR REPLACE INTO contents VALUES (?,?,?,?,?,?,?,?)");
  query.bind(as_int64(stamp.inode)).bind(stamp.birth).bind(stamp.size).bind(stamp.mtime).bind(stamp.ctime);
  query.bind(core::ByteView(known.content_id)).bind(core::ByteView(known.sha256));
  query.bind(core::ByteView(content::encode_manifest({0, known.chunks}))).run();
}
void State::index_chunks(const NodeId& file, std::span<const content::ChunkRef> chunks) {
  remove_chunks(file);
  std::int64_t offset = 0;
  for (const auto& chunk : chunks) {
    db_.query("INSERT OR IGNORE INTO chunks VALUES (?,?,?)")
        .bind(core::ByteView(chunk.name.bytes))
        .bind(file.view())
        .bind(offset)
        .run();
    offset += static_cast<std::int64_t>(chunk.size);
  }
}
void State::remove_chunks(const NodeId& file) {
  db_.query("DELETE FROM chunks WHERE file = ?").bind(file.view()).run();
}
std::vector<ChunkPlace> State::find_chunk(const content::ChunkName& name) const {
  auto query = db_.query("SELECT file, offset FROM chunks WHERE name = ? LIMIT 4");
  query.bind(core::ByteView(name.bytes));
  std::vector<ChunkPlace> out;
  while (query.next()) out.push_back({core::id_from_bytes<NodeId>(query.bytes(0)), query.int64(1)});
  return out;
}

}  // namespace clouddocs::client
