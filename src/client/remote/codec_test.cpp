// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/codec.hpp"

#include <gtest/gtest.h>

#include "client/engine/device.hpp"

namespace clouddocs::client {
namespace {

TEST(Codec, BatchGoesBothWays) {
  SeededRandom random(1);
  Batch batch;
  random.fill(batch.space.bytes);
  batch.key = "key-1";
  for (int type = 0; type < 7; ++type) {
    Operation operation;
    operation.type = static_cast<Operation::Type>(type);
    random.fill(operation.id.bytes);
    random.fill(operation.parent.bytes);
    operation.name = "a name";
    operation.base_version = 3;
    operation.base_seq = 4;
    operation.size = 5;
    operation.manifest = {1, {{content::name_of({}), 5}}};
    operation.modified_at = 6;
    operation.target = "target";
    operation.seen = "cursor";
    batch.operations.push_back(operation);
  }
  const auto text = batch_to_json(batch);
  const auto again = parse_batch(text);
  EXPECT_EQ(batch_to_json(again), text);
  EXPECT_EQ(again.operations[0].manifest, batch.operations[0].manifest);
  EXPECT_EQ(again.operations[6].base_seq, 4);
}

TEST(Codec, APutSaysNothingThatFollowsFromItsOnlyChunk) {
  SeededRandom random(2);
  Batch batch;
  batch.key = "key-1";
  batch.operations.resize(3);
  for (auto& operation : batch.operations) random.fill(operation.sha256);
  batch.operations[0].manifest = {0, {{content::make_chunk_name(batch.operations[0].sha256), 5}}};
  batch.operations[1].manifest = {0, {{content::name_of({}), 5}}};
  batch.operations[2].manifest = {1, {{content::make_chunk_name(batch.operations[2].sha256), 5}}};
  const auto text = batch_to_json(batch);
  EXPECT_EQ(text.find(core::to_hex(batch.operations[0].sha256)), std::string::npos);
  EXPECT_NE(text.find(core::to_hex(batch.operations[1].sha256)), std::string::npos);
  EXPECT_NE(text.find(core::to_hex(batch.operations[2].sha256)), std::string::npos);
  const auto again = parse_batch(text);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again.operations[i].sha256, batch.operations[i].sha256);
  EXPECT_EQ(batch_to_json(again), text);
}

TEST(Codec, ParsesAPageOfChanges) {
  const core::FileId id{};
  const auto text = core::to_text(id);
  const auto page = parse_changes(R"({"items":[{"id":")" + text +
                                  R"(","parent_id":null,"kind":"folder","filename":"","size":0,"version":1,
    "content_id":null,"sha256":null,"executable":false,"modified_at":5,"uploaded_at":5,"deleted_at":7,"seq":9,"tree_seq":9,"target":null,
    "purged":false,"mime":null,"later":"ignored"}],"cursor":"c","at_head":true})");
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_TRUE(page.items[0].is_trashed);
  EXPECT_EQ(page.items[0].node.seq, 9);
  EXPECT_TRUE(page.at_head);
}

TEST(Codec, RefusesBrokenAnswers) {
  for (const auto* text : {"", "[]", "{}", R"({"items":1,"cursor":"c"})", R"({"items":[{"id":"x"}],"cursor":"c"})",
                           R"({"items":[],"cursor":5})"}) {
    EXPECT_THROW(parse_changes(text), ProtocolError) << text;
  }
  EXPECT_THROW(parse_missing(R"({"missing":["short"]})"), ProtocolError);
  EXPECT_THROW(parse_manifests(R"({"items":[{"id":"x"}]})"), ProtocolError);
  EXPECT_THROW(parse_batch_result(R"({"results":[5]})"), ProtocolError);
}

TEST(Codec, ErrorCodesGoBothWays) {
  EXPECT_EQ(errc_of("name_taken"), core::Errc::name_taken);
  EXPECT_EQ(errc_of("something_new"), core::Errc::internal);
}

}  // namespace
}  // namespace clouddocs::client
