// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/storage_api.hpp"

#include <gtest/gtest.h>

#include "core/encoding.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

using boost::json::object;
using net::Method;

// The API over a router whose filter takes `current` for the caller.
class StorageApiTest : public StorageTest {
 protected:
  StorageApiTest() {
    router.add_filter([this](net::Request& request) -> Task<Result<>> {
      if (!current) co_return Result<>();
      auto authentication = std::make_shared<access::Authentication>();
      authentication->caller = current->caller;
      authentication->revoked = revoked;
      request.session = std::move(authentication);
      co_return Result<>();
    });
    api.mount(router);
    current = owner;
  }

  std::string id_of(NodeId id) const { return core::to_text(FileId{owner.space, id}); }
  std::string path_of(NodeId id, const std::string& rest = "") const { return "/api/files/" + id_of(id) + rest; }

  using Form = std::vector<std::pair<std::string, std::string>>;
  static std::string form_of(const Form& fields, const std::string& filename, const std::string& content) {
    std::string out;
    for (const auto& [name, value] : fields) {
      out += "--frontier\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    out += "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
           "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + content + "\r\n--frontier--\r\n";
    return out;
  }
  net::Reply send_form(const std::string& text, std::size_t piece = 10'000) {
    net::FakeBody body(text, piece);
    return http.ask(Method::post, "/api/files/upload", {{"Content-Type", "multipart/form-data; boundary=frontier"}},
                    &body);
  }
  net::Reply upload(const Form& fields, const std::string& filename, const std::string& content) {
    return send_form(form_of(fields, filename, content));
  }

  std::optional<Account> current;
  const std::shared_ptr<std::atomic<bool>> revoked = std::make_shared<std::atomic<bool>>(false);
  const access::Signer tickets{Bytes(32), "download ticket"};
  Listings listings{*database, service, 1U << 20};
  StorageApi api{service, listings, reader, tickets, clock};
  net::Router router;
  net::RouterClient http{router};
};

TEST_F(StorageApiTest, EverythingNeedsAToken) {
  const Node made = file("a", "x");
  current.reset();
  for (const std::string& path :
       {std::string("/api/files"), path_of(made.id), path_of(made.id, "/metadata"), path_of(made.id, "/versions"),
        path_of(made.id, "/versions/1"), std::string("/api/trash")}) {
    EXPECT_EQ(http.get(path).code(), "unauthorized") << path;
  }
  for (const std::string& path : {std::string("/api/files/folders"), std::string("/api/files/upload"),
                                  path_of(made.id, "/copy"), path_of(made.id, "/versions/1/restore"),
                                  path_of(made.id, "/download-url"), "/api/trash/" + id_of(made.id) + "/restore"}) {
    EXPECT_EQ(http.post(path).code(), "unauthorized") << path;
  }
  EXPECT_EQ(http.del(path_of(made.id)).status, 401);
  EXPECT_EQ(http.del("/api/trash").status, 401);
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{}).status, 401);
}

TEST_F(StorageApiTest, AnotherAccountFindsNothing) {
  const Node made = file("a", "x");
  current = add_account("stranger@example.org");
  for (const std::string& path : {path_of(made.id), path_of(made.id, "/metadata"), path_of(made.id, "/versions"),
                                  "/api/files?parent_id=" + id_of(owner.root)}) {
    EXPECT_EQ(http.get(path).status, 404) << path;
  }
  EXPECT_EQ(http.del(path_of(made.id)).status, 404);
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{{"base_seq", made.seq}, {"filename", "b"}}).status, 404);
  EXPECT_EQ(http.post(path_of(made.id, "/copy"), object{}).status, 404);
  EXPECT_EQ(http.post("/api/trash/" + id_of(made.id) + "/restore").status, 404);
  EXPECT_EQ(upload({{"parent_id", id_of(owner.root)}}, "b", "x").status, 404);
}

TEST_F(StorageApiTest, UploadMakesAFileAndDownloadGivesItBack) {
  const std::string content(core::as_text(content::pseudo_random_bytes(1, 300'000)));
  const auto made = upload({{"parent_id", id_of(owner.root)}, {"modified_at", "1234567"}}, "report.pdf", content);
  ASSERT_EQ(made.status, 201) << made.body;
  const auto item = made.json();
  EXPECT_EQ(item.at("filename").as_string(), "report.pdf");
  EXPECT_EQ(item.at("size").as_int64(), 300'000);
  EXPECT_EQ(item.at("modified_at").as_int64(), 1'234'567);
  EXPECT_EQ(item.at("sha256").as_string(), core::to_hex(content::sha256(core::as_bytes(content))));
  const auto location = made.header("Location");
  const auto got = http.get(location);
  EXPECT_EQ(got.body, content);
  EXPECT_EQ(http.get(location, {{"Range", "bytes=5-9"}}).body, content.substr(5, 5));
  EXPECT_EQ(http.get(location, {{"If-None-Match", got.header("ETag")}}).status, 304);
  EXPECT_EQ(http.get(location + "/metadata").json(), item);
  check_invariants();
}

TEST_F(StorageApiTest, AnUploadToATakenNameSaysWhatItWants) {
  const Node made = file("a.txt", "one");
  const auto refused = upload({}, "a.txt", "two");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.code(), "name_taken");
  EXPECT_EQ(refused.json().at("item").at("id").as_string(), id_of(made.id));
  EXPECT_EQ(upload({{"on_conflict", "rename"}}, "a.txt", "two").text("filename"), "a (2).txt");
  EXPECT_EQ(upload({{"on_conflict", "version"}}, "a.txt", "two").code(), "invalid_request");
  const auto replaced = upload({{"on_conflict", "version"}, {"base_version", "1"}}, "a.txt", "two");
  EXPECT_EQ(replaced.json().at("version").as_int64(), 2);
  const auto stale = upload({{"on_conflict", "version"}, {"base_version", "1"}}, "a.txt", "three");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.json().at("item").at("version").as_int64(), 2);
  folder("sub");
  EXPECT_EQ(upload({{"on_conflict", "version"}, {"base_version", "1"}}, "sub", "x").code(), "name_taken");
  EXPECT_EQ(content_of(made.id), "two");
}

TEST_F(StorageApiTest, AnUploadFormMustBeWellFormed) {
  EXPECT_EQ(upload({{"parent_id", "x"}}, "a", "x").code(), "invalid_id");
  EXPECT_EQ(upload({{"on_conflict", "maybe"}}, "a", "x").code(), "invalid_request");
  EXPECT_EQ(upload({{"base_version", "0"}}, "a", "x").code(), "invalid_request");
  EXPECT_EQ(upload({{"modified_at", "now"}}, "a", "x").code(), "invalid_request");
  EXPECT_EQ(upload({{"colour", "red"}}, "a", "x").code(), "invalid_request");
  EXPECT_EQ(upload({}, "", "x").status, 422) << "an invalid name";
  EXPECT_EQ(upload({{"parent_id", id_of(new_id())}}, "a", "x").status, 404);
  EXPECT_EQ(send_form("--frontier\r\nContent-Disposition: form-data; name=\"parent_id\"\r\n\r\n" + id_of(owner.root) +
                      "\r\n--frontier--\r\n")
                .code(),
            "invalid_request");
  EXPECT_EQ(
      send_form("--frontier\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--frontier--\r\n").code(),
      "invalid_request");
  std::string late = form_of({}, "a", "x");
  late.insert(late.size() - 14, "--frontier\r\nContent-Disposition: form-data; name=\"parent_id\"\r\n\r\nx\r\n");
  EXPECT_EQ(send_form(late).code(), "invalid_request") << "fields come before the file";
  EXPECT_GE(send_form(form_of({}, "a", "x").substr(0, 60)).status, 400) << "cut off";
  EXPECT_EQ(journal(owner).size(), 1U) << "nothing was made";
}

TEST_F(StorageApiTest, ARevokedSessionEndsARunningUpload) {
  const std::string text = form_of({}, "a", std::string(2'000'000, 'x'));
  net::FakeBody body(text, 100'000);
  body.before_piece = [&](std::size_t at) { revoked->store(at >= 1'000'000); };
  const auto reply =
      http.ask(Method::post, "/api/files/upload", {{"Content-Type", "multipart/form-data; boundary=frontier"}}, &body);
  EXPECT_EQ(reply.code(), "token_invalid");
  EXPECT_EQ(journal(owner).size(), 1U);
}

TEST_F(StorageApiTest, FoldersAreMadeListedAndPaged) {
  const auto made = http.post("/api/files/folders", object{{"filename", "Photos"}});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(http.post("/api/files/folders", object{{"filename", "Photos"}}).status, 409);
  EXPECT_EQ(http.post("/api/files/folders", object{}).text("field"), "filename");
  EXPECT_EQ(http.post("/api/files/folders", object{{"filename", "x"}, {"parent_id", 5}}).code(), "invalid_request");
  const auto photos = made.text("id");
  EXPECT_EQ(http.post("/api/files/folders", object{{"filename", "2026"}, {"parent_id", photos}}).status, 201);
  file("b", "x");
  file("a", "x");
  const auto first = http.get("/api/files?limit=2");
  const auto page = first.json();
  ASSERT_EQ(page.at("items").as_array().size(), 2U);
  EXPECT_EQ(page.at("items").as_array()[0].at("filename").as_string(), "Photos");
  const auto rest = http.get("/api/files?limit=2&cursor=" + first.text("next_cursor")).json();
  EXPECT_EQ(rest.at("items").as_array()[0].at("filename").as_string(), "b");
  EXPECT_TRUE(rest.at("next_cursor").is_null());
  const auto inner = http.get("/api/files?parent_id=" + photos).json();
  EXPECT_EQ(inner.at("path").as_array().size(), 1U);
  EXPECT_EQ(inner.at("folder").at("filename").as_string(), "Photos");
  EXPECT_EQ(http.get("/api/files?parent_id=x").code(), "invalid_id");
  EXPECT_EQ(http.get("/api/files?sort=x").code(), "invalid_request");
  EXPECT_EQ(http.get("/api/files", {{"If-None-Match", first.header("ETag")}}).status, 304);
  file("c", "x");
  EXPECT_EQ(http.get("/api/files", {{"If-None-Match", first.header("ETag")}}).status, 200);
}

TEST_F(StorageApiTest, AListingIsJsonWhateverTheNames) {
  const std::vector<std::string> names{"\"quoted\"", "\xd1\x84\xd0\xb0\xd0\xb9\xd0\xbb", "plain", "trailing \"",
                                       "a\"\"b"};
  for (const auto& name : names) file(name, "x");
  std::set<std::string> got;
  for (int round = 0; round < 2; ++round) {
    const auto reply = http.get("/api/files");
    EXPECT_EQ(reply.header("Content-Type"), "application/json");
    EXPECT_EQ(reply.header("Cache-Control"), "private, no-cache");
    const auto page = reply.json();
    for (const auto& item : page.at("items").as_array()) got.insert(std::string(item.at("filename").as_string()));
  }
  EXPECT_EQ(got, std::set<std::string>(names.begin(), names.end()));
}

TEST_F(StorageApiTest, TheListingOfAFolderIsFreshWhenAFolderAboveWasRenamed) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const auto path = "/api/files?parent_id=" + id_of(sub.id);
  const auto etag = http.get(path).header("ETag");
  EXPECT_EQ(http.get(path, {{"If-None-Match", etag}}).status, 304);
  expect(apply(Move{top.id, std::nullopt, "renamed"}));
  EXPECT_EQ(http.get(path, {{"If-None-Match", etag}}).status, 200) << "the path shown has changed";
}

TEST_F(StorageApiTest, PatchRenamesAndMoves) {
  const Node made = file("a.txt", "x");
  const Node sub = folder("sub");
  const auto moved = http.send(Method::patch, path_of(made.id),
                               object{{"base_seq", made.seq}, {"filename", "b.txt"}, {"parent_id", id_of(sub.id)}});
  EXPECT_EQ(moved.status, 200);
  EXPECT_EQ(moved.text("parent_id"), id_of(sub.id));
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{{"base_seq", made.seq}, {"filename", "c"}}).status, 412);
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{{"filename", "c"}}).text("field"), "base_seq");
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{{"base_seq", -1}, {"filename", "c"}}).text("field"),
            "base_seq");
  const auto foreign = core::to_text(FileId{SpaceId{}, sub.id});
  EXPECT_EQ(http.send(Method::patch, path_of(made.id), object{{"base_seq", 1}, {"parent_id", foreign}}).code(),
            "invalid_request");
  EXPECT_EQ(http.send(Method::patch, "/api/files/x", object{}).code(), "invalid_id");
}

TEST_F(StorageApiTest, DeleteGoesToTheTrashAndBack) {
  const Node made = file("a.txt", "x");
  EXPECT_EQ(http.del(path_of(made.id) + "?base_seq=0").status, 412);
  EXPECT_EQ(http.del(path_of(made.id) + "?base_seq=x").status, 400);
  EXPECT_EQ(http.del(path_of(made.id) + "?permanent=maybe").status, 400);
  EXPECT_EQ(http.del(path_of(made.id)).status, 200);
  const auto trash = http.get("/api/trash").json();
  ASSERT_EQ(trash.at("items").as_array().size(), 1U);
  const auto back = "/api/trash/" + id_of(made.id) + "/restore";
  file("a.txt", "another");
  EXPECT_EQ(http.post(back).status, 409);
  EXPECT_EQ(http.post(back, object{{"on_conflict", "x"}}).text("field"), "on_conflict");
  EXPECT_EQ(http.post(back, object{{"on_conflict", "rename"}}).text("filename"), "a (2).txt");
  EXPECT_EQ(http.del(path_of(made.id) + "?permanent=true").status, 204);
  EXPECT_EQ(http.get(path_of(made.id)).status, 404);
  EXPECT_EQ(http.get("/api/trash?limit=0").status, 400);
  expect(apply(Delete{folder("b").id}));
  expect(apply(Delete{folder("c").id}));
  EXPECT_FALSE(http.get("/api/trash?limit=1").json().at("next_cursor").is_null());
  EXPECT_EQ(http.del("/api/trash").json().at("purged").as_int64(), 2);
  check_invariants();
}

TEST_F(StorageApiTest, CopyTakesANameAndAPlace) {
  const Node made = file("a.txt", "x");
  const Node sub = folder("sub");
  EXPECT_EQ(http.post(path_of(made.id, "/copy"), object{}).status, 409);
  EXPECT_EQ(http.post(path_of(made.id, "/copy"), object{{"on_conflict", "rename"}}).text("filename"), "a (2).txt");
  EXPECT_EQ(http.post(path_of(made.id, "/copy"), object{{"parent_id", id_of(sub.id)}, {"filename", "b"}}).status, 201);
  EXPECT_EQ(http.post(path_of(owner.root, "/copy"), object{}).code(), "forbidden");
}

TEST_F(StorageApiTest, VersionsAreListedSentAndRestored) {
  const Node made = file("a.txt", "one");
  expect(put(new_version(made.id, 1), "two"));
  const auto versions = http.get(path_of(made.id, "/versions")).json().at("items").as_array();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_TRUE(versions[0].at("current").as_bool());
  EXPECT_EQ(versions[0].at("device_name").as_string(), "Laptop");
  EXPECT_EQ(http.get(path_of(made.id, "/versions/1")).body, "one");
  EXPECT_EQ(http.get(path_of(made.id, "/versions/9")).status, 404);
  EXPECT_EQ(http.get(path_of(made.id, "/versions/0")).status, 400);
  const auto restored = http.post(path_of(made.id, "/versions/1/restore"), object{{"base_version", 2}});
  EXPECT_EQ(restored.json().at("version").as_int64(), 3) << restored.body;
  EXPECT_EQ(content_of(made.id), "one");
}

TEST_F(StorageApiTest, ADownloadLinkOpensOneFileForAMinute) {
  const Node made = file("a.txt", "content");
  const Node other = file("b.txt", "other");
  const auto url = http.post(path_of(made.id, "/download-url")).text("url");
  current.reset();
  EXPECT_EQ(http.get(url).body, "content");
  const auto ticket = url.substr(url.find('?'));
  EXPECT_EQ(http.get(path_of(other.id) + ticket).code(), "token_invalid");
  for (std::size_t i = url.find('=') + 1; i < url.size(); i += 5) {
    std::string forged = url;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(http.get(forged).status, 401) << i;
  }
  EXPECT_EQ(http.get(path_of(made.id) + "?ticket=x").status, 401);
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(http.get(url).status, 200);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(http.get(url).status, 401);
}

}  // namespace
}  // namespace clouddocs::storage
