// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/operation_json.hpp"

#include <gtest/gtest.h>

#include "content/sha256.hpp"
#include "core/encoding.hpp"
#include "features/storage/cursor.hpp"
#include "testing/fake_clock.hpp"
#include "testing/seeded_random.hpp"

namespace clouddocs::sync {
namespace {

namespace json = boost::json;
using core::Errc;

class OperationJsonTest : public ::testing::Test {
 protected:
  std::string id() { return core::to_text(core::FileId{space_, core::make_id<core::NodeId>(clock_, random_)}); }

  // Built by hand: braces around a single array copy it.
  static json::array list_of(const json::value& entry) {
    json::array out;
    out.push_back(entry);
    return out;
  }

  // A complete example of each operation.
  std::map<std::string, json::object> examples() {
    const auto chunk = content::to_text(content::make_chunk_name({}));
    return {
        {"put",
         {{"op", "put"},
          {"id", id()},
          {"parent_id", id()},
          {"filename", "a"},
          {"base_version", 0},
          {"size", 5},
          {"chunks", json::array{json::array{chunk, 5}, json::array{chunk, 5}}},
          {"sha256", std::string(64, 'a')}}},
        {"symlink",
         {{"op", "symlink"}, {"id", id()}, {"parent_id", id()}, {"filename", "a"}, {"target", "b"}, {"base_seq", 0}}},
        {"mkdir", {{"op", "mkdir"}, {"id", id()}, {"parent_id", id()}, {"filename", "a"}}},
        {"move", {{"op", "move"}, {"id", id()}, {"parent_id", id()}, {"filename", "a"}, {"base_seq", 7}}},
        {"meta", {{"op", "meta"}, {"id", id()}, {"base_seq", 7}}},
        {"delete", {{"op", "delete"}, {"id", id()}, {"base_seq", 7}}},
        {"restore", {{"op", "restore"}, {"id", id()}, {"base_seq", 7}}}};
  }
  std::optional<core::Error> refusal(const json::value& value) {
    const auto parsed = parse_operation(value, space_);
    return parsed.has_error() ? std::optional(parsed.error()) : std::nullopt;
  }

  testing::FakeClock clock_;
  testing::SeededRandom random_;
  const core::SpaceId space_ = core::make_id<core::SpaceId>(clock_, random_);
};

TEST_F(OperationJsonTest, TakesACompleteExampleOfEach) {
  for (const auto& [name, value] : examples()) EXPECT_FALSE(refusal(value)) << name;
}

TEST_F(OperationJsonTest, EveryMemberMustBeThere) {
  for (const auto& [name, value] : examples()) {
    for (const auto& member : value) {
      json::object without = value;
      without.erase(member.key());
      const auto error = refusal(without);
      ASSERT_TRUE(error) << name << " without " << member.key();
      EXPECT_EQ(error->code, Errc::invalid_request);
      EXPECT_EQ(error->extension, "\"field\":\"" + std::string(member.key()) + "\"");
      without[member.key()] = nullptr;
      EXPECT_TRUE(refusal(without)) << name << " with null for " << member.key();
    }
  }
}

TEST_F(OperationJsonTest, EveryMemberMustBeOfItsKind) {
  for (const auto& [name, value] : examples()) {
    for (const auto& member : value) {
      for (const json::value& wrong :
           {json::value(true), json::value(-1), json::value(1.5), json::value(json::object()), json::value("\x01")}) {
        if (wrong.is_string() && (member.key() == "filename" || member.key() == "target"))
          continue;  // the door checks names
        json::object changed = value;
        changed[member.key()] = wrong;
        EXPECT_TRUE(refusal(changed)) << name << "." << member.key() << " = " << json::serialize(wrong);
      }
    }
  }
}

TEST_F(OperationJsonTest, IdsAreOfTheBatchsSpace) {
  const auto foreign = core::to_text(
      core::FileId{core::make_id<core::SpaceId>(clock_, random_), core::make_id<core::NodeId>(clock_, random_)});
  for (const auto& [name, value] : examples()) {
    for (const std::string member : {"id", "parent_id"}) {
      if (!value.contains(member)) continue;
      json::object changed = value;
      changed[member] = foreign;
      EXPECT_EQ(refusal(changed).value().code, Errc::invalid_request) << name;
      changed[member] = "not an id";
      EXPECT_EQ(refusal(changed).value().code, Errc::invalid_id) << name;
    }
  }
}

TEST_F(OperationJsonTest, ReadsEveryFieldOfAPut) {
  json::object value = examples().at("put");
  value["base_version"] = 3;
  value["level"] = 2;
  value["modified_at"] = -5;
  value["executable"] = true;
  const auto parsed = parse_operation(value, space_).value();
  const auto& put = std::get<storage::Put>(parsed);
  EXPECT_EQ(put.base_version, 3);
  EXPECT_EQ(put.content.size, 5);
  EXPECT_EQ(put.content.manifest.level, 2U);
  ASSERT_EQ(put.content.manifest.entries.size(), 2U);
  EXPECT_EQ(put.content.manifest.entries[0].size, 5U);
  EXPECT_EQ(core::to_hex(put.content.sha256), std::string(64, 'a'));
  EXPECT_EQ(put.modified_at, core::from_micros(-5));
  EXPECT_EQ(put.executable, true);
  EXPECT_FALSE(put.content.verified) << "the device's word is not yet checked";
}

TEST_F(OperationJsonTest, RefusesWhatIsNoManifest) {
  const json::object put = examples().at("put");
  const auto chunk = content::to_text(content::make_chunk_name({}));
  const std::vector<json::value> entries{json::value(chunk),     json::array{},           json::array{chunk},
                                         json::array{chunk, -1}, json::array{chunk, 1.5}, json::array{5, 5},
                                         json::array{"x", 5},    json::array{chunk, 5, 5}};
  for (const auto& entry : entries) {
    json::object changed = put;
    changed["chunks"] = list_of(entry);
    EXPECT_TRUE(refusal(changed)) << json::serialize(entry);
  }
  json::object many = put;
  many["chunks"] = json::array(65, json::array{chunk, 5});
  EXPECT_TRUE(refusal(many));
  for (const int level : {-1, 4}) {
    json::object changed = put;
    changed["level"] = level;
    EXPECT_TRUE(refusal(changed));
  }
  for (const std::string& hash :
       {std::string(63, 'a'), std::string(62, 'a'), std::string(65, 'a'), std::string(64, 'g')}) {
    json::object changed = put;
    changed["sha256"] = hash;
    EXPECT_TRUE(refusal(changed)) << hash;
  }
}

TEST_F(OperationJsonTest, TheHashOfAnOnlyChunkIsThatOfTheFile) {
  json::object put = examples().at("put");
  const auto hash = content::sha256(core::as_bytes("x"));
  put["chunks"] = list_of(json::array{content::to_text(content::make_chunk_name(hash)), 5});
  EXPECT_EQ(core::to_hex(std::get<storage::Put>(parse_operation(put, space_).value()).content.sha256),
            std::string(64, 'a'))
      << "what the device says counts";
  put.erase("sha256");
  EXPECT_EQ(std::get<storage::Put>(parse_operation(put, space_).value()).content.sha256, hash);
  put["level"] = 1;
  EXPECT_TRUE(refusal(put)) << "a node, not a chunk of the content";
}

TEST_F(OperationJsonTest, ADeleteNamesWhatTheDeviceHasSeen) {
  json::object value = examples().at("delete");
  EXPECT_FALSE(std::get<storage::Delete>(parse_operation(value, space_).value()).seen_seq);
  value["seen"] = to_text(storage::Cursor{space_, 1, 42});
  EXPECT_EQ(std::get<storage::Delete>(parse_operation(value, space_).value()).seen_seq, 42);
  value["seen"] = to_text(storage::Cursor{{}, 1, 42});
  EXPECT_EQ(refusal(value).value().code, Errc::cursor_invalid);
  value["seen"] = "x";
  EXPECT_EQ(refusal(value).value().code, Errc::cursor_invalid);
}

TEST_F(OperationJsonTest, RefusesWhatIsNoOperation) {
  for (const json::value& value :
       {json::value(), json::value(5), json::value("put"), json::value(json::array()),
        json::value(json::object{{"op", "purge"}}), json::value(json::object{{"op", "copy"}})}) {
    EXPECT_EQ(refusal(value).value().code, Errc::invalid_request) << json::serialize(value);
  }
}

}  // namespace
}  // namespace clouddocs::sync
