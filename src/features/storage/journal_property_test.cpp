// SPDX-License-Identifier: AGPL-3.0-or-later
// The journal reaches exactly the tree: random workloads, replayed from random cursors in pages of random size.
#include <gtest/gtest.h>

#include "core/encoding.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

// What a device knows of the space: the rows it was told, the latest of each.
struct Mirror {
  std::map<NodeId, Node> rows;
  std::int64_t cursor = 0;
};

class JournalPropertyTest : public StorageTest {
 protected:
  NodeId any_node() {
    const auto& rows = truth_.rows;
    auto at = rows.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random.below(rows.size())));
    return at->first;
  }
  std::int64_t any_base_of(NodeId id) {
    return random.below(4) == 0 ? static_cast<std::int64_t>(random.below(50)) : truth_.rows.at(id).seq;
  }
  std::string any_name() { return std::string(1, static_cast<char>('a' + random.below(12))); }

  Operation any_operation() {
    const NodeId id = any_node();
    switch (random.below(10)) {
      case 0:
      case 1: return MakeFolder{new_id(), id, any_name()};
      case 2:
      case 3: {
        Put op = new_file(random.below(2) == 0 ? new_id() : id, any_node(), any_name());
        if (op.id == id) op.base_version = truth_.rows.at(id).version;
        contents_.push_back(receive(owner, content::pseudo_random_bytes(random.next(), random.below(3'000))).value());
        op.content = contents_.back().content;
        return op;
      }
      case 4: return Move{id, any_node(), any_name(), any_base_of(id)};
      case 5: return Delete{id, any_base_of(id), static_cast<std::int64_t>(random.below(200))};
      case 6: return Restore{id, any_base, std::nullopt, random.below(2) == 0};
      case 7: return Copy{id, new_id(), any_node(), any_name(), random.below(2) == 0};
      case 8: return random.below(4) == 0 ? Operation(Purge{id}) : Operation(RestoreVersion{id, 1});
      default: return SetMeta{id, any_base_of(id), clock.now(), random.below(2) == 0};
    }
  }

  void step() {
    std::vector<Operation> operations;
    for (auto i = random.below(6) + 1; i > 0; --i) operations.push_back(any_operation());
    apply_batch(operations, IdempotencyKey{std::to_string(++steps_), {}});
    contents_.clear();
    catch_up(truth_, 1'000'000);
    clock.advance(std::chrono::milliseconds(random.below(5'000)));
  }

  // One page of GET /api/sync/changes. Whether the mirror is at the head now.
  bool fetch_page(Mirror& mirror, int limit) {
    const auto page = journal(owner, mirror.cursor, limit);
    for (const auto& node : page) {
      EXPECT_GT(node.seq, mirror.cursor) << "a page is in order, each number once";
      mirror.cursor = node.seq;
      mirror.rows[node.id] = node;
    }
    return page.size() < static_cast<std::size_t>(limit);
  }
  void catch_up(Mirror& mirror, int limit) {
    while (!fetch_page(mirror, limit)) {
    }
  }

  // The paths that a person sees, with what is there.
  static std::map<std::string, std::string> visible(const Mirror& mirror) {
    std::map<std::string, std::string> out;
    for (const auto& [id, node] : mirror.rows) {
      std::string path;
      const Node* at = &node;
      while (at != nullptr && at->is_live() && at->parent) {
        path = "/" + at->filename + path;
        const auto parent = mirror.rows.find(*at->parent);
        at = parent == mirror.rows.end() ? nullptr : &parent->second;
      }
      if (at == nullptr || !at->is_live()) continue;
      out[path] = node.content_id ? core::to_hex(*node.content_id) : "folder";
    }
    return out;
  }
  // The same from listings alone.
  void list_into(std::map<std::string, std::string>& out, NodeId folder, const std::string& path) {
    out[path] = "folder";
    const auto listing = run(service.list(owner.caller, FileId{owner.space, folder}, {.limit = 1'000}));
    for (const auto& node : expect_listing(listing).items) {
      if (node.kind == NodeKind::folder) {
        list_into(out, node.id, path + "/" + node.filename);
      } else {
        out[path + "/" + node.filename] = core::to_hex(node.content_id.value());
      }
    }
  }
  static const Listing& expect_listing(const Result<Listing>& listing) {
    EXPECT_TRUE(listing.has_value());
    return listing.value();
  }

  Mirror truth_;

 private:
  std::vector<UploadedContent> contents_;
  int steps_ = 0;
};

TEST_F(JournalPropertyTest, ReplayFromAnyCursorReachesWhatAFreshListingShows) {
  catch_up(truth_, 1'000);
  std::vector<Mirror> devices(4);
  for (int round = 0; round < 60; ++round) {
    step();
    // A device fetches some pages now and then, with changes going on in between.
    for (auto& device : devices) {
      if (random.below(3) == 0) fetch_page(device, static_cast<int>(random.below(5)) + 1);
    }
  }
  std::map<std::string, std::string> listed;
  list_into(listed, owner.root, "");
  for (auto& device : devices) {
    catch_up(device, static_cast<int>(random.below(20)) + 1);
    EXPECT_EQ(visible(device), listed);
    EXPECT_EQ(device.rows.size(), truth_.rows.size());
  }
  Mirror fresh;
  catch_up(fresh, 7);
  EXPECT_EQ(visible(fresh), listed);
  check_invariants();
}

TEST_F(JournalPropertyTest, TheInvariantsHoldAfterEveryCommit) {
  catch_up(truth_, 1'000);
  for (int round = 0; round < 60; ++round) {
    step();
    check_invariants();
    if (HasFailure()) return;
  }
}

TEST_F(JournalPropertyTest, CommitsFromManySidesLeaveNoGap) {
  std::atomic<bool> done = false;
  Mirror reader_mirror;
  auto write = [&](int side) -> Task<> {
    for (int i = 0; i < 40; ++i) {
      const auto made = co_await door.commit_one(
          owner.caller, owner.space,
          MakeFolder{core::make_id<NodeId>(clock, random), owner.root, std::to_string(side) + "-" + std::to_string(i)});
      EXPECT_TRUE(made.has_value());
    }
    done = true;
  };
  // Reads while commits run: what it has passed must never gain a row behind it.
  auto follow = [&]() -> Task<> {
    while (!done) {
      auto body = [&](Transaction& tx) -> Task<Result<std::vector<Node>>> {
        co_return co_await TreeStore::changes(tx, owner.space, reader_mirror.cursor, 3);
      };
      const auto page = co_await database::read(*database, body);
      for (const auto& node : page.value()) {
        reader_mirror.cursor = node.seq;
        reader_mirror.rows[node.id] = node;
      }
    }
  };
  std::vector<Task<>> tasks;
  tasks.push_back(follow());
  for (int side = 0; side < 4; ++side) tasks.push_back(write(side));
  testing::run_all(std::move(tasks));
  catch_up(reader_mirror, 10);
  EXPECT_EQ(reader_mirror.rows.size(), journal(owner).size());
}

}  // namespace
}  // namespace clouddocs::storage
