// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/list_query.hpp"

#include <gtest/gtest.h>

#include "features/storage/name.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

net::Request request_of(std::vector<std::pair<std::string, std::string>> query) {
  net::Request request;
  request.query = std::move(query);
  return request;
}

const std::vector<std::pair<std::string, Sort>> sorts{{"name", {SortKey::name, false}},
                                                      {"-name", {SortKey::name, true}},
                                                      {"modified_at", {SortKey::modified_at, false}},
                                                      {"-modified_at", {SortKey::modified_at, true}},
                                                      {"size", {SortKey::size, false}},
                                                      {"-size", {SortKey::size, true}}};

TEST(ListQuery, HasDefaults) {
  const auto query = parse_list_query(request_of({})).value();
  EXPECT_EQ(query.limit, 100);
  EXPECT_EQ(query.sort.key, SortKey::name);
  EXPECT_FALSE(query.sort.descending);
  EXPECT_FALSE(query.after);
}

TEST(ListQuery, RefusesWhatItDoesNotKnow) {
  for (const std::string limit : {"0", "1001", "-1", "x", "", "10x", "99999999999999999999"}) {
    const auto refused = parse_list_query(request_of({{"limit", limit}}));
    EXPECT_EQ(code_of(refused), Errc::invalid_request) << limit;
    EXPECT_EQ(refused.error().extension, "\"field\":\"limit\"");
  }
  EXPECT_EQ(parse_list_query(request_of({{"limit", "1000"}})).value().limit, 1'000);
  for (const std::string sort : {"", "-", "Name", "owner", "--name"}) {
    EXPECT_EQ(code_of(parse_list_query(request_of({{"sort", sort}}))), Errc::invalid_request) << sort;
  }
}

TEST(ListQuery, ACursorOfAnotherSortIsRefused) {
  Node node;
  node.filename = "a";
  for (const auto& [name, sort] : sorts) {
    const auto cursor = make_list_cursor(sort, node);
    for (const auto& [other, other_sort] : sorts) {
      const auto parsed = parse_list_query(request_of({{"sort", other}, {"cursor", cursor}}));
      if (name == other) {
        EXPECT_TRUE(parsed.has_value());
      } else {
        EXPECT_EQ(code_of(parsed), Errc::cursor_invalid) << name << " for " << other;
      }
    }
  }
  for (const std::string text : {"", "x", "AAAA", "not base64!"}) {
    EXPECT_EQ(code_of(parse_list_query(request_of({{"cursor", text}}))), Errc::cursor_invalid);
    EXPECT_EQ(code_of(parse_trash_query(request_of({{"cursor", text}}))), Errc::cursor_invalid);
  }
}

using ListPagingTest = StorageTest;

// Folders first, then the key, then the id: what every page boundary must respect.
bool comes_before(const Sort& sort, const Node& a, const Node& b) {
  const bool a_file = a.kind != NodeKind::folder;
  const bool b_file = b.kind != NodeKind::folder;
  if (a_file != b_file) return b_file;
  const auto by = [&](const auto& left, const auto& right) {
    if (left != right) return sort.descending ? right < left : left < right;
    return sort.key == SortKey::name && sort.descending ? b.id < a.id : a.id < b.id;  // one index, read backwards
  };
  if (sort.key == SortKey::name) return by(name_key(a.filename), name_key(b.filename));
  if (sort.key == SortKey::size) return by(a.size, b.size);
  return by(a.modified_at, b.modified_at);
}

TEST_F(ListPagingTest, PagesOfEverySortTogetherAreTheWholeList) {
  const std::vector<std::string> words{"a", "A", "b", "B", "\u00e4", "\u00c4", "zeta", "ZETA", "10", "9"};
  for (int i = 0; i < 70; ++i) {
    const std::string name = words[random.below(words.size())] + std::string(random.below(3), 'x') +
                             (random.below(2) == 0 ? "" : std::to_string(random.below(9)));
    // Few sizes and times, so that there are many ties; times before 1970 too.
    const auto time = core::from_micros(static_cast<std::int64_t>(random.below(4)) * 1'000'000 - 2'000'000);
    Put op = new_file(new_id(), owner.root, name);
    op.modified_at = time;
    const auto made = random.below(4) == 0 ? apply(MakeFolder{new_id(), owner.root, name})
                                           : put(std::move(op), std::string(random.below(4), 'x'));
    if (made.has_error()) EXPECT_EQ(made.error().code, Errc::name_taken);
    if (made.has_value() && random.below(6) == 0) expect(apply(Delete{made.value().id}));
  }
  std::vector<Node> live;
  for (const auto& node : journal(owner)) {
    if (node.is_live() && node.parent) live.push_back(node);
  }
  for (const auto& [text, sort] : sorts) {
    std::vector<Node> expected = live;
    std::sort(expected.begin(), expected.end(), [&](const Node& a, const Node& b) { return comes_before(sort, a, b); });
    for (const int limit : {1, 2, 7, 100}) {
      std::vector<std::string> got;
      std::optional<std::string> cursor;
      do {
        auto request = request_of({{"sort", text}, {"limit", std::to_string(limit)}});
        if (cursor) request.query.emplace_back("cursor", *cursor);
        const auto query = parse_list_query(request).value();
        const auto page = run(service.list(owner.caller, std::nullopt, query)).value();
        for (const auto& node : page.items) got.push_back(core::to_text(node.id));
        cursor = page.has_more ? std::optional(make_list_cursor(query.sort, page.items.back())) : std::nullopt;
      } while (cursor && got.size() <= live.size());
      std::vector<std::string> wanted;
      for (const auto& node : expected) wanted.push_back(core::to_text(node.id));
      EXPECT_EQ(got, wanted) << text << " in pages of " << limit;
    }
  }
}

TEST_F(ListPagingTest, PagesOfTheTrashTogetherAreTheWholeTrashLatestFirst) {
  std::vector<Node> trashed;
  for (int i = 0; i < 25; ++i) {
    const Node made = folder(std::to_string(i));
    trashed.push_back(expect(apply(Delete{made.id})));
    if (random.below(2) == 0) clock.advance(std::chrono::seconds(1));
  }
  std::sort(trashed.begin(), trashed.end(),
            [](const Node& a, const Node& b) { return std::pair(a.deleted_at, a.id) > std::pair(b.deleted_at, b.id); });
  std::vector<NodeId> got;
  std::optional<std::string> cursor;
  do {
    auto request = request_of({{"limit", "4"}});
    if (cursor) request.query.emplace_back("cursor", *cursor);
    const auto query = parse_trash_query(request).value();
    const auto page = run(service.trash(owner.caller, query.before, query.before_id, query.limit)).value();
    for (const auto& node : page) got.push_back(node.id);
    cursor = page.empty() ? std::nullopt : std::optional(make_trash_cursor(page.back()));
  } while (cursor && got.size() <= trashed.size());
  std::vector<NodeId> wanted;
  for (const auto& node : trashed) wanted.push_back(node.id);
  EXPECT_EQ(got, wanted);
}

TEST_F(ListPagingTest, AListingShowsItsFolderAndTheWayToIt) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const auto listing = run(service.list(owner.caller, FileId{owner.space, sub.id}, {.limit = 10})).value();
  EXPECT_EQ(listing.folder.id, sub.id);
  ASSERT_EQ(listing.path.size(), 2U);
  EXPECT_EQ(listing.path[0].id, owner.root);
  EXPECT_EQ(listing.path[1].filename, "top");
  const auto list = [&](const Account& who, NodeId id) {
    return run(service.list(who.caller, FileId{owner.space, id}, {.limit = 10}));
  };
  EXPECT_EQ(code_of(list(owner, file("f", "x").id)), Errc::invalid_request);
  EXPECT_EQ(code_of(list(owner, new_id())), Errc::not_found);
  EXPECT_EQ(code_of(list(add_account("stranger@example.org"), top.id)), Errc::not_found);
}

TEST_F(ListPagingTest, WhatACallerMayNotKnowOfIsNotFound) {
  const Node made = file("a", "x");
  const Account stranger = add_account("stranger@example.org");
  const FileId id{owner.space, made.id};
  EXPECT_EQ(code_of(run(service.find(stranger.caller, id))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.find_content(stranger.caller, id, 0))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.versions(stranger.caller, id, 10))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.plan_upload(stranger.caller, FileId{owner.space, owner.root}, "x"))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.find_content(owner.caller, id, 5))), Errc::not_found);
  const FileId sub{owner.space, folder("sub").id};
  EXPECT_EQ(code_of(run(service.find_content(owner.caller, sub, 0))), Errc::invalid_request);
  EXPECT_EQ(code_of(run(service.versions(owner.caller, sub, 10))), Errc::invalid_request);
  const FileId none{owner.space, new_id()};
  EXPECT_EQ(code_of(run(service.find(owner.caller, none))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.versions(owner.caller, none, 10))), Errc::not_found);
  EXPECT_EQ(code_of(run(service.plan_upload(owner.caller, id, "x"))), Errc::not_found) << "a file takes no children";
}

}  // namespace
}  // namespace clouddocs::storage
