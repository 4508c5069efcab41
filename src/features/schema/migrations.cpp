// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/schema/migrations.hpp"

#include <array>

namespace clouddocs::schema {
namespace {

// Times are microseconds since the Unix epoch, ids 16 bytes, hashes 32 bytes, chunk names 33. Whatever belongs to a space has space_id first in
// its key, so that a distributed database can shard by it.
constexpr const char* first_step = R"sql(
CREATE TABLE users (
  id BLOB PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  plan TEXT NOT NULL DEFAULT 'free',
  storage_used INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  token_epoch INTEGER NOT NULL DEFAULT 0,
  locale TEXT NOT NULL DEFAULT 'en',
  role TEXT NOT NULL DEFAULT 'user',
  disabled_at INTEGER
) WITHOUT ROWID;

-- One per login. A refresh token is used once; the spent one is remembered for a lost answer or a second tab.
CREATE TABLE sessions (
  id BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users(id),
  kind TEXT NOT NULL,
  device_name TEXT NOT NULL,
  refresh_generation INTEGER NOT NULL,
  refresh_hash BLOB NOT NULL,
  spent_hash BLOB,
  spent_at INTEGER,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions(user_id, created_at);

-- What every node reads twice a second to end tokens, sockets and uploads. session_id null: all of the user's but except_session.
CREATE TABLE revocations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BLOB NOT NULL,
  session_id BLOB,
  except_session BLOB,
  created_at INTEGER NOT NULL
);

CREATE TABLE spaces (
  id BLOB PRIMARY KEY,
  owner_id BLOB NOT NULL REFERENCES users(id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  root_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  floor_seq INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL,
  storage_used INTEGER NOT NULL DEFAULT 0,
  reserved INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX spaces_by_owner ON spaces(owner_id);

-- The tree and its journal in one: seq is the place of the row's latest change. Whether a node is visible follows from its ancestors.
-- s3_key names the object that holds the whole content, where it is one object.
CREATE TABLE files (
  space_id BLOB NOT NULL,
  id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  parent_id BLOB,
  kind INTEGER NOT NULL,
  filename TEXT NOT NULL,
  name_key TEXT NOT NULL,
  size INTEGER NOT NULL DEFAULT 0,
  s3_key TEXT,
  mime TEXT,
  version INTEGER NOT NULL DEFAULT 0,
  content_id BLOB,
  sha256 BLOB,
  target TEXT,
  executable INTEGER NOT NULL DEFAULT 0,
  modified_at INTEGER NOT NULL,
  uploaded_at INTEGER NOT NULL,
  deleted_at INTEGER,
  purged_at INTEGER,
  seq INTEGER NOT NULL,
  tree_seq INTEGER NOT NULL,
  PRIMARY KEY (space_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX files_by_seq ON files(space_id, seq);
CREATE UNIQUE INDEX files_by_name ON files(space_id, parent_id, filename) WHERE deleted_at IS NULL AND purged_at IS NULL;
CREATE INDEX files_by_order ON files(space_id, parent_id, (kind <> 2), name_key, id) WHERE deleted_at IS NULL AND purged_at IS NULL;
CREATE INDEX files_by_parent ON files(space_id, parent_id);
CREATE INDEX files_in_trash ON files(space_id, deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX files_purged ON files(purged_at) WHERE purged_at IS NOT NULL;

CREATE TABLE file_versions (
  space_id BLOB NOT NULL,
  file_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  content_id BLOB NOT NULL,
  size INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  verified INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  author_id BLOB NOT NULL,
  device_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (space_id, file_id, version)
) WITHOUT ROWID;

-- Where a chunk lies: in an object (a segment) at an offset, or, while small and new, in small_chunks. pending: sent, not yet
-- committed; its size is counted in spaces.reserved.
CREATE TABLE chunks (
  space_id BLOB NOT NULL,
  hash BLOB NOT NULL,
  size INTEGER NOT NULL,
  object TEXT,
  object_offset INTEGER NOT NULL DEFAULT 0,
  small_id INTEGER,
  pending INTEGER NOT NULL,
  touched_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, hash)
) WITHOUT ROWID;
CREATE INDEX chunks_by_object ON chunks(object) WHERE object IS NOT NULL;
CREATE INDEX chunks_small ON chunks(small_id) WHERE small_id IS NOT NULL;

CREATE TABLE small_chunks (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);

-- Small chunks that no chunk row needs any more; their bytes stay for a while, for readers that have looked them up already.
CREATE TABLE dropped_small_chunks (
  small_id INTEGER PRIMARY KEY,
  dropped_at INTEGER NOT NULL
);

-- Objects of the blob store that hold chunks. dead_at: since when no chunk row refers to it.
CREATE TABLE segments (
  name TEXT PRIMARY KEY,
  space_id BLOB NOT NULL,
  size INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  dead_at INTEGER
) WITHOUT ROWID;

-- Answers of batches, so that a retry gets the same.
CREATE TABLE commits (
  space_id BLOB NOT NULL,
  session_id BLOB NOT NULL,
  key TEXT NOT NULL,
  request_hash BLOB NOT NULL,
  results TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, session_id, key)
) WITHOUT ROWID;
CREATE INDEX commits_by_age ON commits(created_at);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_at INTEGER NOT NULL,
  user_id BLOB,
  session_id BLOB,
  action TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_by_user ON audit(user_id, id);
)sql";

constexpr std::array steps{database::Migration{1, "first", first_step}};

}  // namespace

std::span<const database::Migration> sqlite_migrations() { return steps; }

}  // namespace clouddocs::schema
