// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "blob/local/local_blob_store.hpp"
#include "content/pseudo_random.hpp"
#include "content/sha256.hpp"
#include "database/sqlite/sqlite_database.hpp"
#include "features/schema/migrations.hpp"
#include "features/storage/storage_service.hpp"
#include "net/router_fixture.hpp"
#include "testing/fake_clock.hpp"
#include "testing/run.hpp"
#include "testing/seeded_random.hpp"
#include "testing/temporary_directory.hpp"

// A real storage domain for tests: SQLite and a local blob store in a temporary folder, a clock that stands still, seeded randomness.
namespace clouddocs::storage {

using core::Bytes;
using core::ByteView;
using core::Errc;
using testing::run;

// A user with a personal space.
struct Account {
  Caller caller;
  SpaceId space;
  NodeId root;
};

namespace fixture_sql {
using database::Statement;
inline constexpr Statement insert_user{
    "test_user_insert", "INSERT INTO users (id, email, password_hash, plan, created_at) VALUES ($1, $2, '', $3, $4)"};
inline constexpr Statement user_used{"test_user_used", "SELECT storage_used FROM users WHERE id = $1"};
inline constexpr Statement pending{"test_pending",
                                   "SELECT COALESCE(SUM(size), 0) FROM chunks WHERE space_id = $1 AND pending = 1"};
inline constexpr Statement count_chunks{"test_count_chunks", "SELECT COUNT(*) FROM chunks WHERE space_id = $1"};
inline constexpr Statement set_plan{"test_set_plan", "UPDATE users SET plan = $2 WHERE id = $1"};
inline constexpr Statement set_epoch{"test_set_epoch", "UPDATE spaces SET epoch = $2 WHERE id = $1"};
}  // namespace fixture_sql

template <class T>
Errc code_of(const Result<T>& result) {
  EXPECT_TRUE(result.has_error()) << "succeeded, but should not";
  return result.has_error() ? result.error().code : Errc::internal;
}

class StorageWorld {
 public:
  static constexpr std::int64_t mib = 1 << 20;

  StorageWorld() {
    run(database->migrate());
    owner = add_account("owner@example.org");
  }
  ~StorageWorld() { pool.join(); }
  StorageWorld(const StorageWorld&) = delete;
  StorageWorld& operator=(const StorageWorld&) = delete;

  Account add_account(const std::string& email, const std::string& plan = "free") {
    Account account;
    account.caller.user = core::make_id<UserId>(clock, random);
    account.caller.session = core::make_id<core::SessionId>(clock, random);
    account.caller.device_name = "Laptop";
    account.caller.role = "user";
    account.space = account.caller.personal_space = core::make_id<SpaceId>(clock, random);
    account.root = new_id();
    const Timestamp now = clock.now();
    auto body = [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(fixture_sql::insert_user, account.caller.user, email, plan, now);
      Space space;
      space.id = account.space;
      space.owner = account.caller.user;
      space.kind = "personal";
      space.root = account.root;
      space.seq = 1;
      space.epoch = 1;
      co_await SpaceStore::create(tx, space, now);
      Node root;
      root.id = account.root;
      root.kind = NodeKind::folder;
      root.modified_at = root.uploaded_at = now;
      root.seq = root.tree_seq = 1;
      co_await TreeStore::insert(tx, space.id, account.caller.user, root);
      co_return Result<>();
    };
    EXPECT_TRUE(run(database::write(*database, body)).has_value());
    return account;
  }

  NodeId new_id() { return core::make_id<NodeId>(clock, random); }

  // The first column of the first row.
  template <class... Args>
  std::int64_t query(const database::Statement& statement, const Args&... args) {
    auto body = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
      const auto rows = co_await tx.execute(statement, args...);
      co_return rows.empty() ? 0 : rows.front().int64(0);
    };
    return run(database::write(*database, body)).value();
  }

  Space space(const Account& account) {
    auto body = [&](Transaction& tx) -> Task<Result<Space>> {
      const auto found = co_await SpaceStore::find(tx, account.space);
      co_return found.value();
    };
    return run(database::read(*database, body)).value();
  }
  Space space() { return space(owner); }

  // Every row of the space's journal after `seq`.
  std::vector<Node> journal(const Account& account, std::int64_t after = 0, int limit = 1'000'000) {
    auto body = [&](Transaction& tx) -> Task<Result<std::vector<Node>>> {
      co_return co_await TreeStore::changes(tx, account.space, after, limit);
    };
    return run(database::read(*database, body)).value();
  }

  std::optional<Node> find(const Account& account, NodeId id) {
    auto body = [&](Transaction& tx) -> Task<Result<std::optional<Node>>> {
      co_return co_await TreeStore::find(tx, account.space, id);
    };
    return run(database::read(*database, body)).value();
  }
  Node get(NodeId id) { return find(owner, id).value(); }

  Result<Node> apply(const Account& account, Operation operation) {
    return run(door.commit_one(account.caller, account.space, std::move(operation)));
  }
  Result<Node> apply(Operation operation) { return apply(owner, std::move(operation)); }
  BatchOutcome apply_batch(std::span<const Operation> operations,
                           const std::optional<IdempotencyKey>& key = std::nullopt) {
    return run(door.commit(owner.caller, owner.space, operations, key)).value();
  }

  Node expect(Result<Node> result) {
    EXPECT_TRUE(result.has_value()) << (result.has_error() ? result.error().detail : "");
    return result.has_value() ? std::move(result).value() : Node();
  }
  Node folder(NodeId parent, const std::string& name) { return expect(apply(MakeFolder{new_id(), parent, name})); }
  Node folder(const std::string& name) { return folder(owner.root, name); }

  // Receives `bytes` in pieces of at most `piece` bytes, as an upload does.
  Result<UploadedContent> receive(const Account& account, ByteView bytes, std::size_t piece = 100'000,
                                  UploadLimits limits = {1LL << 40, nullptr}) {
    std::size_t at = 0;
    const PieceSource source = [&]() -> Task<Result<ByteView>> {
      const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
      at += part.size();
      co_return part;
    };
    return run(receive_content(chunks, account.space, source, limits));
  }
  Result<Node> put(const Account& account, Put op, ByteView bytes) {
    auto uploaded = receive(account, bytes);
    if (uploaded.has_error()) return uploaded.error();
    op.content = std::move(uploaded.value().content);
    return run(door.commit_one(account.caller, account.space, std::move(op)));
  }
  Result<Node> put(Put op, std::string_view text) { return put(owner, std::move(op), core::as_bytes(text)); }
  static Put new_file(NodeId id, NodeId parent, std::string name) {
    Put op;
    op.id = id;
    op.parent = parent;
    op.filename = std::move(name);
    return op;
  }
  static Put new_version(NodeId id, std::int64_t base_version) {
    Put op;
    op.id = id;
    op.base_version = base_version;
    return op;
  }
  Node file(NodeId parent, const std::string& name, std::string_view text) {
    return expect(put(new_file(new_id(), parent, name), text));
  }
  Node file(const std::string& name, std::string_view text) { return file(owner.root, name, text); }

  // Stores chunks as POST /api/sync/chunks does: pending, not yet part of a version.
  Result<> send_chunks(const Account& account, const std::vector<Bytes>& parts) {
    ChunkWriter writer(chunks, account.space);
    auto body = [&]() -> Task<Result<>> {
      for (const auto& part : parts) co_await writer.append_chunk(content::name_of(part), part);
      co_return co_await writer.record();
    };
    return run(body);
  }
  // A content made of chunks that were sent before.
  static NewContent content_of(const std::vector<Bytes>& parts) {
    NewContent out;
    content::Sha256Hasher hasher;
    for (const auto& part : parts) {
      out.chunks.push_back({content::name_of(part), part.size()});
      out.size += static_cast<std::int64_t>(part.size());
      hasher.update(part);
    }
    out.sha256 = hasher.finish();
    out.content_id = content::content_id(out.chunks);
    std::vector<content::ManifestNode> nodes;
    out.manifest = content::make_manifest(out.chunks, nodes);
    EXPECT_TRUE(nodes.empty());
    return out;
  }

  // The bytes of a response body, files read from their descriptors.
  static std::string text_of(net::Response& response) { return text_of(response.body); }
  static std::string text_of(ContentReader::Body& body) { return net::read_body(body); }
  std::string content_of(const Account& account, NodeId id, std::int64_t version = 0) {
    auto found = run(service.find_content(account.caller, FileId{account.space, id}, version));
    if (found.has_error()) return "error: " + found.error().detail;
    const auto& what = found.value().version;
    auto body = run(reader.open(account.space, what, 0, static_cast<std::uint64_t>(what.size)));
    return body.has_error() ? "error: " + body.error().detail : text_of(body.value());
  }
  std::string content_of(NodeId id, std::int64_t version = 0) { return content_of(owner, id, version); }

  // What must hold after every commit: quota, reservations, journal numbers, names, tree_seq, no cycles.
  void check_invariants(const Account& account) {
    const Space now = space(account);
    const auto rows = journal(account);
    std::map<NodeId, Node> nodes;
    std::set<std::int64_t> numbers;
    std::set<std::pair<NodeId, std::string>> names;
    std::int64_t used = 0;
    for (const auto& node : rows) {
      nodes[node.id] = node;
      EXPECT_TRUE(numbers.insert(node.seq).second) << "two rows have seq " << node.seq;
      EXPECT_LE(node.seq, now.seq);
      if (!node.purged_at && node.kind == NodeKind::file) used += node.size;
      if (node.is_live() && node.parent) {
        EXPECT_TRUE(names.insert({*node.parent, node.filename}).second) << "two live items are named " << node.filename;
      }
    }
    EXPECT_EQ(now.storage_used, used);
    EXPECT_EQ(query(fixture_sql::user_used, account.caller.user), used);
    EXPECT_EQ(now.reserved, query(fixture_sql::pending, account.space));
    for (const auto& node : rows) {
      int steps = 0;
      for (auto parent = node.parent; parent && steps < 200; ++steps) {
        const auto found = nodes.find(*parent);
        if (found == nodes.end()) {
          ADD_FAILURE() << "the parent of " << node.filename << " has no row";
          break;
        }
        EXPECT_GE(found->second.tree_seq, node.seq)
            << "tree_seq of " << found->second.filename << " above " << node.filename;
        parent = found->second.parent;
      }
      EXPECT_LT(steps, 200) << "a cycle above " << node.filename;
    }
  }
  void check_invariants() { check_invariants(owner); }

  const testing::TemporaryDirectory folder_path;
  testing::FakeClock clock;
  testing::SeededRandom random;
  core::asio::thread_pool pool{2};
  const access::Plans plans{{{"free", {64 * mib, 32 * mib, 3, std::chrono::days(30), std::chrono::days(30)}},
                             {"tiny", {mib, mib / 2, 2, std::chrono::days(30), std::chrono::days(30)}}}};
  const std::unique_ptr<database::Database> database = database::make_sqlite_database(
      {.path = folder_path.path() / "test.db", .migrations = schema::sqlite_migrations()});
  const std::unique_ptr<blob::BlobStore> blobs = blob::make_local_blob_store(folder_path.path() / "blobs", pool);
  ChunkStore chunks{*database, *blobs, pool, plans, clock, random};
  CommitDoor door{*database, plans, clock, random};
  StorageService service{*database, chunks, door};
  ContentReader reader{chunks};
  Account owner;
};

class StorageTest : public ::testing::Test, protected StorageWorld {};

}  // namespace clouddocs::storage
