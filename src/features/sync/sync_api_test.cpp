// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/sync_api.hpp"

#include <gtest/gtest.h>

#include "bus/local/local_bus.hpp"
#include "content/chunk_stream.hpp"
#include "core/encoding.hpp"
#include "features/auth/auth_fixture.hpp"

namespace clouddocs::sync {
namespace {

namespace json = boost::json;
using boost::json::object;
using storage::Node;
using testing::run;

class SyncApiTest : public ::testing::Test, protected auth::AuthWorld {
 protected:
  SyncApiTest() {
    sync_api.mount(router);
    space_id = caller->caller.personal_space;
    space_text = core::to_text(space_id);
    account.caller = caller->caller;
    account.space = space_id;
    account.root = run(service.list(account.caller, std::nullopt, {.limit = 1})).value().folder.id;
  }

  std::string file_id(core::NodeId id) const { return core::to_text(core::FileId{space_id, id}); }
  object mkdir(core::NodeId id, const std::string& name) {
    return {{"op", "mkdir"}, {"id", file_id(id)}, {"parent_id", file_id(account.root)}, {"filename", name}};
  }
  object put(core::NodeId id, const std::string& name, const std::vector<core::Bytes>& parts) {
    json::array list;
    std::string whole;
    for (const auto& part : parts) {
      list.push_back(json::array{content::to_text(content::name_of(part)), part.size()});
      whole += core::as_text(part);
    }
    return {{"op", "put"},
            {"id", file_id(id)},
            {"parent_id", file_id(account.root)},
            {"filename", name},
            {"base_version", 0},
            {"size", whole.size()},
            {"chunks", std::move(list)},
            {"sha256", core::to_hex(content::sha256(core::as_bytes(whole)))}};
  }
  object batch(const std::string& key, json::array operations) {
    return {{"space", space_text}, {"key", key}, {"operations", std::move(operations)}};
  }
  net::Reply send_stream(const std::string& stream, const std::string& type = std::string(content::chunk_stream_type)) {
    net::FakeBody body(stream, 50'000);
    return ann.ask(net::Method::post, "/api/sync/chunks?space=" + space_text, {{"Content-Type", type}}, &body);
  }
  static std::string stream_of(const std::vector<core::Bytes>& parts, bool with_end = true) {
    core::Bytes out;
    for (const auto& part : parts) {
      content::append_frame_header(out, content::name_of(part), static_cast<std::uint32_t>(part.size()));
      out.insert(out.end(), part.begin(), part.end());
    }
    if (with_end) content::append_end_frame(out);
    return std::string(core::as_text(out));
  }

  const std::unique_ptr<bus::Bus> bus = bus::make_local_bus();
  Hub hub{*bus, clock};
  DeviceReports reports;
  SyncApi sync_api{service, reader, auth, hub, reports};
  const auth::SignIn in = sign_up("ann@example.org");
  const std::shared_ptr<const access::Authentication> caller = run(api.authenticate(in.access_token)).value();
  core::SpaceId space_id;
  std::string space_text;
  storage::Account account;
  net::RouterClient ann = client(in);
  net::RouterClient bob = client(sign_up("bob@example.org"));
  net::RouterClient anyone{router};
};

TEST_F(SyncApiTest, EverythingNeedsAToken) {
  for (const std::string path : {"/api/sync/spaces", "/api/sync/changes", "/api/sync/status"}) {
    EXPECT_EQ(anyone.get(path).code(), "unauthorized") << path;
  }
  for (const std::string path : {"/api/sync/report", "/api/sync/manifests", "/api/sync/chunks/missing",
                                 "/api/sync/chunks/fetch", "/api/sync/chunks", "/api/sync/commit"}) {
    EXPECT_EQ(anyone.post(path).code(), "unauthorized") << path;
  }
}

TEST_F(SyncApiTest, SpacesHaveHeads) {
  const auto items = ann.get("/api/sync/spaces").json().at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("space").as_string(), space_text);
  EXPECT_EQ(items[0].at("kind").as_string(), "personal");
  EXPECT_EQ(items[0].at("root_id").as_string(), file_id(account.root));
  EXPECT_EQ(storage::parse_cursor(items[0].at("cursor").as_string())->seq, 1);
}

TEST_F(SyncApiTest, ChangesArePagedToTheHead) {
  for (int i = 0; i < 7; ++i) expect(apply(account, storage::MakeFolder{new_id(), account.root, std::to_string(i)}));
  std::string target = "/api/sync/changes?limit=3";
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 10; ++page) {
    const auto reply = ann.get(target).json();
    for (const auto& item : reply.at("items").as_array()) seen.insert(std::string(item.at("id").as_string()));
    cursor = reply.at("cursor").as_string();
    if (reply.at("at_head").as_bool()) break;
    target = "/api/sync/changes?limit=3&space=" + space_text + "&cursor=" + cursor;
  }
  EXPECT_EQ(seen.size(), 8U);
  EXPECT_EQ(storage::parse_cursor(cursor), (storage::Cursor{space_id, 1, space(account).seq}));
  const Node late = expect(apply(account, storage::MakeFolder{new_id(), account.root, "late"}));
  const auto more = ann.get("/api/sync/changes?cursor=" + cursor).json();
  ASSERT_EQ(more.at("items").as_array().size(), 1U);
  EXPECT_EQ(more.at("items").as_array()[0].at("seq").as_int64(), late.seq);
}

TEST_F(SyncApiTest, ACursorThatTheJournalCannotServeSaysWhatToDo) {
  expect(apply(account, storage::MakeFolder{new_id(), account.root, "a"}));
  const auto ask = [&](const storage::Cursor& cursor) {
    return ann.get("/api/sync/changes?cursor=" + to_text(cursor));
  };
  EXPECT_EQ(ask({space_id, 1, 100}).code(), "cursor_resync") << "ahead of the space";
  EXPECT_EQ(ask({space_id, 2, 1}).code(), "cursor_resync") << "of another history";
  EXPECT_EQ(ask({{}, 1, 1}).code(), "cursor_invalid");
  EXPECT_EQ(ann.get("/api/sync/changes?cursor=x").code(), "cursor_invalid");
  EXPECT_EQ(ann.get("/api/sync/changes?space=x").code(), "invalid_id");
  EXPECT_EQ(ann.get("/api/sync/changes?limit=0").code(), "invalid_request");
  EXPECT_EQ(bob.get("/api/sync/changes?space=" + space_text).code(), "not_found");
  static constexpr database::Statement floor{"test_floor", "UPDATE spaces SET floor_seq = 2"};
  query(floor);
  EXPECT_EQ(ask({space_id, 1, 1}).status, 410);
  EXPECT_EQ(ask({space_id, 1, 1}).code(), "cursor_relist");
  EXPECT_EQ(ask({space_id, 1, 2}).status, 200);
}

TEST_F(SyncApiTest, AListingInPagesPassesARaisedFloor) {
  for (int i = 0; i < 5; ++i) expect(apply(account, storage::MakeFolder{new_id(), account.root, std::to_string(i)}));
  static constexpr database::Statement floor{"test_floor_at", "UPDATE spaces SET floor_seq = $1"};
  query(floor, 5);
  std::string target = "/api/sync/changes?limit=1";
  std::set<std::string> seen;
  for (int page = 0; page < 10; ++page) {
    const auto reply = ann.get(target);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto body = reply.json();
    for (const auto& item : body.at("items").as_array()) seen.insert(std::string(item.at("id").as_string()));
    if (body.at("at_head").as_bool()) break;
    target = "/api/sync/changes?limit=1&cursor=" + std::string(body.at("cursor").as_string());
    if (page == 1) {
      // The floor moves once more: what this listing has seen so far may have been deleted and forgotten.
      const auto stopped = target;
      query(floor, 6);
      EXPECT_EQ(ann.get(stopped).code(), "cursor_relist");
      query(floor, 5);
    }
  }
  EXPECT_EQ(seen.size(), 6U);
}

TEST_F(SyncApiTest, ADeviceUploadsCommitsAndFetches) {
  const std::vector<core::Bytes> parts{content::pseudo_random_bytes(1, 300'000),
                                       content::pseudo_random_bytes(2, 1'000)};
  const auto a = content::to_text(content::name_of(parts[0]));
  const auto b = content::to_text(content::name_of(parts[1]));
  const object names{{"space", space_text}, {"chunks", json::array{a, b}}};
  EXPECT_EQ(ann.post("/api/sync/chunks/missing", names).json().at("missing").as_array().size(), 2U);
  EXPECT_EQ(send_stream(stream_of(parts)).json().at("stored").as_int64(), 2);
  EXPECT_TRUE(ann.post("/api/sync/chunks/missing", names).json().at("missing").as_array().empty());
  const core::NodeId id = new_id();
  const auto committed =
      ann.post("/api/sync/commit", batch("k1", {put(id, "data.bin", parts), mkdir(new_id(), "folder")}));
  ASSERT_EQ(committed.status, 200) << committed.body;
  const auto results = committed.json().at("results").as_array();
  for (const auto& result : results) EXPECT_EQ(result.at("status").as_int64(), 200);
  EXPECT_EQ(ann.post("/api/sync/commit", batch("k1", {put(id, "data.bin", parts), mkdir(new_id(), "x")})).code(),
            "key_reused");

  const auto manifests =
      ann.post("/api/sync/manifests",
               object{{"space", space_text},
                      {"files", json::array{object{{"id", file_id(id)}}, object{{"id", file_id(id)}, {"version", 9}},
                                            object{{"id", file_id(new_id())}}}}});
  const auto items = manifests.json().at("items").as_array();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].at("chunks").as_array().size(), 2U);
  EXPECT_EQ(items[0].at("level").as_int64(), 0);
  EXPECT_EQ(items[1].at("code").as_string(), "not_found");
  EXPECT_TRUE(items[2].at("version").is_null());

  const auto fetched = ann.post("/api/sync/chunks/fetch", names);
  EXPECT_EQ(fetched.header("Content-Type"), content::chunk_stream_type);
  EXPECT_EQ(fetched.body, stream_of(parts));
  EXPECT_EQ(bob.post("/api/sync/chunks/fetch", names).status, 404);
  check_invariants(account);
}

// Small ones out of the database and out of segments, large ones, unknown ones: the answer has the order of the question.
TEST_F(SyncApiTest, ChunksFromEverywhereComeInTheOrderAsked) {
  auto upload = [&](std::uint64_t seed, int count, std::size_t size) {
    std::vector<core::Bytes> parts;
    for (int i = 0; i < count; ++i)
      parts.push_back(content::pseudo_random_bytes(seed + static_cast<std::uint64_t>(i), size));
    EXPECT_EQ(send_stream(stream_of(parts)).status, 200);
    return parts;
  };
  auto expect_fetch = [&](const std::vector<core::Bytes>& parts) {
    const auto unknown = content::name_of(content::pseudo_random_bytes(9'999, 10));
    json::array names{content::to_text(unknown)};
    core::Bytes expected;
    content::append_frame_header(expected, unknown, content::chunk_missing);
    for (const auto& part : parts) names.emplace_back(content::to_text(content::name_of(part)));
    const auto frames = stream_of(parts);
    const auto fetched = ann.post("/api/sync/chunks/fetch", object{{"space", space_text}, {"chunks", names}});
    EXPECT_EQ(fetched.status, 200);
    EXPECT_TRUE(fetched.body == std::string(core::as_text(expected)) + frames);
  };
  auto some = upload(1, 5, 3'000);  // in the database
  const auto many = upload(100, 600, 5'000);  // in a segment, side by side, more than one read brings
  const auto large = upload(1'000, 3, 900'000);
  expect_fetch(some);
  expect_fetch(large);
  some.insert(some.end(), many.begin(), many.end());
  some.insert(some.begin() + 2, large.begin(), large.end());
  some.insert(some.end(), large[1]);
  std::swap(some[20], some[400]);
  expect_fetch(some);
}

TEST_F(SyncApiTest, TheSameBatchAgainGivesTheSameAnswer) {
  const auto request = batch("retry", {mkdir(new_id(), "a"), mkdir(new_id(), "a")});
  const auto first = ann.post("/api/sync/commit", request);
  EXPECT_EQ(ann.post("/api/sync/commit", request).body, first.body);
}

TEST_F(SyncApiTest, ABatchMustBeWellFormed) {
  const auto code = [&](const object& request) { return ann.post("/api/sync/commit", request).code(); };
  for (const std::string& key : {std::string(), std::string("a b"), std::string("\u0436"), std::string(65, 'x')}) {
    EXPECT_EQ(code(batch(key, {})), "invalid_request") << key;
  }
  EXPECT_EQ(code(batch("k", {object{{"op", "purge"}}})), "invalid_request");
  EXPECT_EQ(code(batch("k", json::array(1'001, json::value(5)))), "invalid_request");
  EXPECT_EQ(code({{"space", "x"}, {"key", "k"}, {"operations", json::array{}}}), "invalid_id");
  EXPECT_EQ(bob.post("/api/sync/commit", batch("k", {})).code(), "not_found");
  EXPECT_EQ(ann.post("/api/sync/commit", batch("empty", {})).status, 200);
}

TEST_F(SyncApiTest, APutThatDoesNotAddUpIsRefusedAndAnUnknownChunkIsItsOwnFailure) {
  const std::vector<core::Bytes> parts{content::pseudo_random_bytes(1, 1'000)};
  object wrong = put(new_id(), "a", parts);
  wrong["size"] = 999;
  EXPECT_EQ(ann.post("/api/sync/commit", batch("k", {wrong})).code(), "length_mismatch");
  object huge = put(new_id(), "a", parts);
  const auto name = content::to_text(content::name_of(parts[0]));
  const auto max = std::numeric_limits<std::int64_t>::max();
  huge["chunks"] = json::array{json::array{name, max}, json::array{name, max}, json::array{name, 1'002}};
  const auto overflow = ann.post("/api/sync/commit", batch("k", {huge}));
  EXPECT_NE(overflow.body.find("chunk_unknown"), std::string::npos)
      << "sizes whose sum wraps around to the size claimed";
  object level = put(new_id(), "b", parts);
  level["level"] = 1;
  const auto reply =
      ann.post("/api/sync/commit", batch("k2", {put(new_id(), "a", parts), level, mkdir(new_id(), "c")}));
  const auto results = reply.json().at("results").as_array();
  EXPECT_EQ(results[0].at("code").as_string(), "chunk_unknown");
  EXPECT_EQ(results[1].at("code").as_string(), "chunk_unknown");
  EXPECT_EQ(results[2].at("status").as_int64(), 200);
  check_invariants(account);
}

TEST_F(SyncApiTest, AChunkStreamIsTakenWholeOrNotAtAll) {
  const std::vector<core::Bytes> parts{content::pseudo_random_bytes(1, 1'000), content::pseudo_random_bytes(2, 70'000)};
  std::string changed = stream_of(parts);
  changed[60'000] ^= 1;
  const auto mismatch = send_stream(changed);
  EXPECT_EQ(mismatch.status, 422);
  EXPECT_EQ(mismatch.code(), "chunk_hash_mismatch");
  EXPECT_EQ(send_stream(stream_of(parts, false)).code(), "chunk_frame_invalid");
  EXPECT_EQ(send_stream(stream_of(parts).substr(0, 5'000)).code(), "chunk_frame_invalid");
  EXPECT_EQ(send_stream(stream_of(parts), "application/octet-stream").status, 415);
  core::Bytes missing;
  content::append_frame_header(missing, content::name_of(parts[0]), content::chunk_missing);
  content::append_end_frame(missing);
  EXPECT_EQ(send_stream(std::string(core::as_text(missing))).code(), "chunk_frame_invalid");
  net::FakeBody body(stream_of(parts));
  EXPECT_EQ(ann.ask(net::Method::post, "/api/sync/chunks?space=x",
                    {{"Content-Type", std::string(content::chunk_stream_type)}}, &body)
                .code(),
            "invalid_id");
  net::FakeBody foreign(stream_of(parts));
  EXPECT_EQ(bob.ask(net::Method::post, "/api/sync/chunks?space=" + space_text,
                    {{"Content-Type", std::string(content::chunk_stream_type)}}, &foreign)
                .status,
            404);
  EXPECT_EQ(space(account).reserved, 0);
  EXPECT_EQ(query(storage::fixture_sql::count_chunks, space_id), 0);
}

TEST_F(SyncApiTest, ARevokedSessionEndsARunningChunkStream) {
  const std::vector<core::Bytes> parts{content::pseudo_random_bytes(1, 500'000)};
  net::FakeBody body(stream_of(parts), 100'000);
  body.before_piece = [&](std::size_t at) {
    if (at == 200'000) registry.apply({0, in.user.id, in.session.id, std::nullopt});
  };
  const auto reply = ann.ask(net::Method::post, "/api/sync/chunks?space=" + space_text,
                             {{"Content-Type", std::string(content::chunk_stream_type)}}, &body);
  EXPECT_EQ(reply.code(), "token_invalid");
  EXPECT_EQ(query(storage::fixture_sql::count_chunks, space_id), 0);
}

TEST_F(SyncApiTest, NamesOfChunksAreChecked) {
  for (const json::value& names :
       {json::value(json::array{5}), json::value(json::array{"x"}), json::value("x"), json::value()}) {
    EXPECT_EQ(ann.post("/api/sync/chunks/missing", object{{"space", space_text}, {"chunks", names}}).code(),
              "invalid_request");
    EXPECT_EQ(ann.post("/api/sync/chunks/fetch", object{{"space", space_text}, {"chunks", names}}).code(),
              "invalid_request");
  }
  EXPECT_EQ(ann.post("/api/sync/manifests", object{{"space", space_text}, {"files", json::array{5}}}).code(),
            "invalid_request");
  EXPECT_EQ(bob.post("/api/sync/manifests", object{{"space", space_text}, {"files", json::array{}}}).code(),
            "not_found");
}

TEST_F(SyncApiTest, StatusTellsDevicesTheirLagAndWhatIsNotSynced) {
  expect(apply(account, storage::MakeFolder{new_id(), account.root, "a"}));
  hub.report_applied(in.session.id, {{space_id, 1}});
  EXPECT_EQ(ann.post("/api/sync/report", object{{"unsynced", json::array{object{{"path", "a?b"}, {"reason", "name"}}}}})
                .status,
            204);
  const auto status = ann.get("/api/sync/status").json();
  const auto& device = status.at("devices").as_array().at(0);
  EXPECT_EQ(device.at("device_name").as_string(), "Laptop");
  EXPECT_FALSE(device.at("connected").as_bool());
  EXPECT_EQ(device.at("lag").at(space_text).as_int64(), 1);
  EXPECT_EQ(device.at("unsynced").as_array().at(0).at("path").as_string(), "a?b");
  EXPECT_EQ(status.at("spaces").as_array().at(0).at("seq").as_int64(), space(account).seq);
  EXPECT_EQ(status.at("storage_limit").as_int64(), plans.get("free").storage);
  EXPECT_EQ(ann.post("/api/sync/report", object{{"unsynced", json::array{}}}).status, 204);
  EXPECT_TRUE(ann.get("/api/sync/status").json().at("devices").as_array().at(0).at("unsynced").as_array().empty());
  EXPECT_EQ(ann.post("/api/sync/report", object{{"unsynced", json::array{5}}}).status, 400);
  EXPECT_EQ(ann.post("/api/sync/report", object{{"unsynced", json::array(101, object{})}}).status, 400);
}

}  // namespace
}  // namespace clouddocs::sync
