// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/download.hpp"

#include <gtest/gtest.h>

#include "core/encoding.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

// The examples of RFC 9110, section 14.1.2, for a representation of 10000 bytes, and what lies around them.
TEST(ParseRange, FollowsRfc9110) {
  struct Case {
    std::string header;
    std::uint64_t size;
    std::uint64_t offset;
    std::uint64_t length;
    bool partial;
  };
  const std::vector<Case> cases{{"bytes=0-499", 10'000, 0, 500, true},
                                {"bytes=500-999", 10'000, 500, 500, true},
                                {"bytes=-500", 10'000, 9'500, 500, true},
                                {"bytes=9500-", 10'000, 9'500, 500, true},
                                {"bytes=0-0", 10'000, 0, 1, true},
                                {"bytes=-1", 10'000, 9'999, 1, true},
                                {"bytes=0-", 10'000, 0, 10'000, true},
                                {"bytes=9999-20000", 10'000, 9'999, 1, true},
                                {"bytes=-20000", 10'000, 0, 10'000, true},
                                {"bytes= 5-9", 10'000, 5, 5, true},
                                // Ignored: malformed, of another unit, or several.
                                {"bytes=0-0,-1", 10'000, 0, 10'000, false},
                                {"bytes=500-499", 10'000, 0, 10'000, false},
                                {"bytes=abc-", 10'000, 0, 10'000, false},
                                {"bytes=5-x", 10'000, 0, 10'000, false},
                                {"bytes=--5", 10'000, 0, 10'000, false},
                                {"bytes=-", 10'000, 0, 10'000, false},
                                {"bytes=", 10'000, 0, 10'000, false},
                                {"bytes=5", 10'000, 0, 10'000, false},
                                {"lines=0-5", 10'000, 0, 10'000, false},
                                {"bytes=0-99999999999999999999", 10'000, 0, 10'000, false},
                                {"", 10'000, 0, 10'000, false}};
  for (const auto& expected : cases) {
    const auto range = parse_range(expected.header, expected.size);
    ASSERT_TRUE(range.has_value()) << expected.header;
    EXPECT_EQ(range.value().offset, expected.offset) << expected.header;
    EXPECT_EQ(range.value().length, expected.length) << expected.header;
    EXPECT_EQ(range.value().partial, expected.partial) << expected.header;
  }
  EXPECT_FALSE(parse_range(std::nullopt, 5).value().partial);
}

TEST(ParseRange, NothingOfARangeOutsideExists) {
  for (const std::string header : {"bytes=10000-", "bytes=20000-30000", "bytes=-0"}) {
    EXPECT_EQ(code_of(parse_range(header, 10'000)), Errc::range_invalid) << header;
  }
  EXPECT_EQ(code_of(parse_range("bytes=0-", 0)), Errc::range_invalid);
  EXPECT_EQ(code_of(parse_range("bytes=-5", 0)), Errc::range_invalid);
}

TEST(ContentDisposition, IsSafeForAnyName) {
  EXPECT_EQ(content_disposition("report.pdf"), "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf");
  EXPECT_EQ(content_disposition("a\"b\\c%d.txt"),
            "attachment; filename=\"a_b_c_d.txt\"; filename*=UTF-8''a%22b%5Cc%25d.txt");
  EXPECT_EQ(content_disposition("\u0436"), "attachment; filename=\"__\"; filename*=UTF-8''%D0%B6");
}

TEST(MatchesEtag, ComparesWeakly) {
  EXPECT_TRUE(matches_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("W/\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("\"x\" , \"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("*", "\"a\""));
  EXPECT_FALSE(matches_etag("\"b\"", "\"a\""));
  EXPECT_FALSE(matches_etag("a", "\"a\""));
  EXPECT_FALSE(matches_etag("", "\"a\""));
  EXPECT_FALSE(matches_etag("\"b\",", "\"a\""));
}

class DownloadTest : public StorageTest {
 protected:
  net::Response get(std::vector<std::pair<std::string, std::string>> headers) {
    net::Request request;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    const auto found = run(service.find_content(owner.caller, FileId{owner.space, made_.id}, 0)).value();
    auto response = run(respond_with_content(request, reader, owner.space, found.node, found.version));
    EXPECT_TRUE(response.has_value());
    return std::move(response).value();
  }
  std::string etag() const { return "\"" + core::to_hex(*made_.content_id) + "\""; }
  Node made_ = file("note.html", "0123456789");
};

TEST_F(DownloadTest, TheWholeIsSentAsASandboxedAttachment) {
  auto response = get({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(text_of(response), "0123456789");
  EXPECT_EQ(response.headers.find("ETag"), etag());
  EXPECT_EQ(response.headers.find("Content-Type"), "text/html");
  EXPECT_EQ(response.headers.find("Accept-Ranges"), "bytes");
  EXPECT_TRUE(response.headers.find("Content-Disposition")->starts_with("attachment"));
  EXPECT_TRUE(response.headers.find("Content-Security-Policy")->starts_with("sandbox"));
}

TEST_F(DownloadTest, APartIsSentWithItsPlace) {
  auto response = get({{"Range", "bytes=2-4"}});
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(text_of(response), "234");
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes 2-4/10");
}

TEST_F(DownloadTest, ARangeOutsideIs416) {
  auto response = get({{"Range", "bytes=10-"}});
  EXPECT_EQ(response.status, 416);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes */10");
}

TEST_F(DownloadTest, AKnownContentIs304) {
  EXPECT_EQ(get({{"If-None-Match", etag()}}).status, 304);
  EXPECT_EQ(get({{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(DownloadTest, IfRangeDecidesBetweenPartAndWhole) {
  EXPECT_EQ(get({{"Range", "bytes=2-4"}, {"If-Range", etag()}}).status, 206);
  EXPECT_EQ(get({{"Range", "bytes=2-4"}, {"If-Range", "\"older\""}}).status, 200);
  EXPECT_EQ(get({{"Range", "bytes=2-4"}, {"If-Range", "W/" + etag()}}).status, 200) << "weak tags do not count here";
}

}  // namespace
}  // namespace clouddocs::storage
