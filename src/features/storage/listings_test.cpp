// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/listings.hpp"

#include <gtest/gtest.h>

#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

constexpr std::uint64_t cache_bytes = 1U << 20;

// Lets the bodies of a real database through and counts them.
class CountingDatabase final : public database::Database {
 public:
  explicit CountingDatabase(database::Database& to) : to_(to) {}
  Task<> run(database::Access access, ByteView combine_key, const Body& body) override {
    ++runs;
    return to_.run(access, combine_key, body);
  }
  Task<> migrate() override { return to_.migrate(); }
  Task<SchemaVersion> schema_version() override { return to_.schema_version(); }
  Task<std::string> system_identifier() override { return to_.system_identifier(); }
  std::atomic<int> runs = 0;

 private:
  database::Database& to_;
};

class ListingsTest : public StorageTest {
 protected:
  FileId id_of(NodeId id) const { return {owner.space, id}; }
  ListingPage page(NodeId folder, const std::string& known = "", const ListQuery& query = {}) {
    return run(listings.page(owner.caller, id_of(folder), query, known)).value();
  }
  // The page as it is without any memory.
  std::string built(NodeId folder, const ListQuery& query = {}) {
    Listings fresh(*database, service, 0);
    return *run(fresh.page(owner.caller, id_of(folder), query, "")).value().json;
  }
  // After `change` the page that was in memory before is the page as it is now, under another ETag.
  template <class Change>
  void expect_fresh(const std::string& what, NodeId folder, Change change) {
    const ListingPage before = page(folder);
    EXPECT_EQ(page(folder).json, before.json) << what << ": is not answered from memory";
    change();
    const ListingPage after = page(folder, before.etag);
    ASSERT_NE(after.json, nullptr) << what << ": taken for unchanged";
    EXPECT_NE(*after.json, *before.json) << what;
    EXPECT_EQ(*after.json, built(folder)) << what;
    EXPECT_EQ(page(folder, after.etag).json, nullptr) << what;
  }

  CountingDatabase counting{*database};
  StorageService counted_service{counting, chunks, door};
  Listings listings{counting, counted_service, cache_bytes};
};

TEST_F(ListingsTest, AChangeShowsAtOnce) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const Node other = folder("other");
  Node made = file(sub.id, "a.txt", "one");
  expect_fresh("upload", sub.id, [&] { file(sub.id, "b.txt", "two"); });
  expect_fresh("new version", sub.id, [&] { made = expect(put(new_version(made.id, 1), "another")); });
  expect_fresh("rename", sub.id, [&] { made = expect(apply(Move{made.id, std::nullopt, "c.txt"})); });
  expect_fresh("move out", sub.id, [&] { expect(apply(Move{made.id, other.id, std::nullopt})); });
  expect_fresh("move in", sub.id, [&] { expect(apply(Move{made.id, sub.id, std::nullopt})); });
  expect_fresh("delete", sub.id, [&] { expect(apply(Delete{made.id})); });
  expect_fresh("restore", sub.id, [&] { expect(apply(Restore{made.id})); });
  expect_fresh("new folder", sub.id, [&] { folder(sub.id, "deeper"); });
  expect_fresh("rename of the folder", sub.id, [&] { expect(apply(Move{sub.id, std::nullopt, "renamed"})); });
  expect_fresh("rename of a folder above", sub.id, [&] { expect(apply(Move{top.id, std::nullopt, "summit"})); });
  expect_fresh("move of a folder above", sub.id, [&] { expect(apply(Move{top.id, other.id, std::nullopt})); });
}

TEST_F(ListingsTest, AChangeBelowAFolderOfThePageShowsAtOnce) {
  const Node sub = folder("sub");
  expect_fresh("tree_seq of a folder listed", owner.root, [&] { file(sub.id, "a", "x"); });
}

TEST_F(ListingsTest, ACommitOfAnotherProcessShowsAtOnce) {
  const Node sub = folder("sub");
  const auto elsewhere = database::make_sqlite_database(
      {.path = folder_path.path() / "test.db", .migrations = schema::sqlite_migrations()});
  CommitDoor their_door(*elsewhere, plans, clock, random);
  expect_fresh("commit elsewhere", sub.id, [&] {
    MakeFolder op{new_id(), sub.id, "theirs"};
    expect(run(their_door.commit_one(owner.caller, owner.space, std::move(op))));
  });
}

TEST_F(ListingsTest, AnotherHistoryIsAnotherPage) {
  const Node sub = folder("sub");
  const ListingPage before = page(sub.id);
  query(fixture_sql::set_epoch, owner.space, 7);
  EXPECT_NE(page(sub.id).json, before.json);
  EXPECT_EQ(*page(sub.id).json, built(sub.id));
}

TEST_F(ListingsTest, WhatIsInMemoryIsForThoseWhoMaySeeIt) {
  const Node sub = folder("sub");
  const ListingPage mine = page(sub.id);
  const Account stranger = add_account("stranger@example.org");
  for (const std::string& known : {std::string(), mine.etag, std::string("*")}) {
    const auto refused = run(listings.page(stranger.caller, id_of(sub.id), {}, known));
    EXPECT_EQ(code_of(refused), Errc::not_found);
    EXPECT_EQ(refused.error().detail, "There is no such file or folder.");
  }
  static constexpr database::Statement give_away{"test_give_away", "UPDATE spaces SET owner_id = $2 WHERE id = $1"};
  query(give_away, owner.space, stranger.caller.user);
  EXPECT_EQ(code_of(run(listings.page(owner.caller, id_of(sub.id), {}, ""))), Errc::not_found);
  EXPECT_EQ(*run(listings.page(stranger.caller, id_of(sub.id), {}, "")).value().json, *mine.json);
}

TEST_F(ListingsTest, APurgedFolderIsGoneAlsoFromMemory) {
  const Node sub = folder("sub");
  page(sub.id);
  expect(apply(Delete{sub.id}));
  page(sub.id);
  expect(apply(Purge{sub.id}));
  EXPECT_EQ(code_of(run(listings.page(owner.caller, id_of(sub.id), {}, ""))), Errc::not_found);
}

TEST_F(ListingsTest, ChangesElsewhereInTheSpaceLeaveThePageInMemory) {
  const Node sub = folder("sub");
  const Node other = folder("other");
  const ListingPage before = page(sub.id);
  file(other.id, "a", "x");
  EXPECT_EQ(page(sub.id).json, before.json);
  counting.runs = 0;
  EXPECT_EQ(page(sub.id).json, before.json);
  EXPECT_EQ(counting.runs, 1) << "the page is not known to be valid at the new seq";
}

TEST_F(ListingsTest, APageThatNobodyHasNeededYetIsMadeWhenItIs) {
  const Node sub = folder("sub");
  const std::string etag = page(sub.id).etag;
  Listings restarted(counting, counted_service, cache_bytes);
  const auto ask = [&](const std::string& known) {
    return run(restarted.page(owner.caller, id_of(sub.id), {}, known)).value();
  };
  EXPECT_EQ(ask(etag).json, nullptr);
  EXPECT_EQ(ask(etag).json, nullptr);
  EXPECT_EQ(*ask("").json, built(sub.id));
  EXPECT_EQ(*ask("\"other\"").json, built(sub.id));
}

TEST_F(ListingsTest, EveryQuestionHasItsOwnAnswer) {
  for (int i = 0; i < 5; ++i) file("file " + std::to_string(i), std::string(static_cast<std::size_t>(9 - i), 'x'));
  std::vector<ListQuery> queries;
  for (const SortKey key : {SortKey::name, SortKey::modified_at, SortKey::size}) {
    for (const bool descending : {false, true}) {
      const Sort sort{key, descending};
      for (const int limit : {1, 2, 3}) {
        queries.push_back({.sort = sort, .limit = limit});
        const auto first = run(service.list(owner.caller, std::nullopt, queries.back())).value();
        net::Request request;
        request.query = {{"cursor", make_list_cursor(sort, first.items.back())},
                         {"sort", std::string(descending ? "-" : "") + (key == SortKey::name   ? "name"
                                                                        : key == SortKey::size ? "size"
                                                                                               : "modified_at")},
                         {"limit", std::to_string(limit)}};
        queries.push_back(parse_list_query(request).value());
      }
    }
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& query : queries) EXPECT_EQ(*page(owner.root, "", query).json, built(owner.root, query));
  }
}

TEST_F(ListingsTest, TheRootAskedForWithoutItsIdIsNotTheFolderWithTheNilId) {
  const auto root = run(listings.page(owner.caller, std::nullopt, {}, ""));
  EXPECT_EQ(*root.value().json, built(owner.root));
  EXPECT_EQ(code_of(run(listings.page(owner.caller, id_of(NodeId{}), {}, ""))), Errc::not_found);
}

TEST_F(ListingsTest, ManyWhoAskTogetherCostOneLookAtTheSpace) {
  const Node sub = folder("sub");
  const ListingPage kept = page(sub.id);
  counting.runs = 0;
  std::vector<Task<>> tasks;
  auto ask = [&]() -> Task<> {
    const auto got = co_await listings.page(owner.caller, id_of(sub.id), {}, "");
    EXPECT_EQ(got.value().json, kept.json);
  };
  for (int i = 0; i < 40; ++i) tasks.push_back(ask());
  testing::run_all(std::move(tasks), 1);
  EXPECT_EQ(counting.runs, 1);
}

// Readers and a writer at the same time: what a reader gets is never older than the last commit that it knows of.
TEST_F(ListingsTest, NoReaderGetsAPageFromBeforeACommitItKnowsOf) {
  const Node sub = folder("sub");
  std::atomic<int> committed = 0;
  std::vector<Task<>> tasks;
  constexpr int files = 40;
  auto write = [&]() -> Task<> {
    for (int i = 0; i < files; ++i) {
      MakeFolder op{new_id(), sub.id, "folder " + std::to_string(i)};
      const auto made = co_await door.commit_one(owner.caller, owner.space, std::move(op));
      EXPECT_TRUE(made.has_value());
      ++committed;
    }
  };
  auto read = [&]() -> Task<> {
    while (committed < files) {
      const int known = committed;
      const auto got = co_await listings.page(owner.caller, id_of(sub.id), {}, "");
      const auto items = boost::json::parse(*got.value().json).at("items").as_array().size();
      EXPECT_GE(items, static_cast<std::size_t>(known));
    }
  };
  tasks.push_back(write());
  for (int i = 0; i < 6; ++i) tasks.push_back(read());
  testing::run_all(std::move(tasks), 3);
}

}  // namespace
}  // namespace clouddocs::storage
