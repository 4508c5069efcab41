// SPDX-License-Identifier: AGPL-3.0-or-later
#include <gtest/gtest.h>

#include <fstream>

#include "client/apply/downloader.hpp"
#include "client/apply/uploader.hpp"
#include "client/engine/device.hpp"
#include "client/remote/model_server.hpp"
#include "content/pseudo_random.hpp"
#include "net/http_client.hpp"

namespace clouddocs::client {
namespace {

// A server whose answers to fetch() a test can spoil.
class SpoiltRemote final : public Remote {
 public:
  explicit SpoiltRemote(Remote& inner) : inner_(inner) {}
  // Called with the number of the frame (from 0, over all requests); false: the connection breaks here.
  std::function<bool(int, content::ChunkStreamParser::Frame&)> before_frame;
  bool ends_early = false;  // break without an error

  core::Result<std::vector<Space>> spaces() override { return inner_.spaces(); }
  core::Result<ChangesPage> changes(const SpaceId& space, const std::string& cursor, int limit) override {
    return inner_.changes(space, cursor, limit);
  }
  core::Result<std::vector<VersionContent>> manifests(const SpaceId& space,
                                                      const std::vector<VersionOf>& files) override {
    return inner_.manifests(space, files);
  }
  core::Result<> fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                       const FrameSink& sink) override {
    bool is_broken = false;
    auto outcome = inner_.fetch(space, names, [&](content::ChunkStreamParser::Frame frame) {
      is_broken = before_frame && !before_frame(frames_++, frame);
      return !is_broken && sink(std::move(frame));
    });
    if (is_broken && !ends_early) throw net::NetworkError("cut off");
    return outcome;
  }
  core::Result<std::vector<content::ChunkName>> missing(const SpaceId& space,
                                                        const std::vector<content::ChunkName>& names) override {
    return inner_.missing(space, names);
  }
  core::Result<> store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) override {
    return inner_.store(space, chunk_stream);
  }
  core::Result<BatchResult> commit(const Batch& batch) override { return inner_.commit(batch); }
  core::Result<> report(const std::vector<Unsynced>& unsynced) override { return inner_.report(unsynced); }

 private:
  Remote& inner_;
  std::atomic<int> frames_ = 0;
};

// Device alpha sends, device beta receives with several requests in flight.
class TransferTest : public testing::Test {
 protected:
  SeededRandom random{1};
  SetClock clock;
  ModelServer server{random};
  SpoiltRemote remote{server};
  Device a{"alpha", server, clock, random, 2};
  Device b{"beta", remote, clock, random, 2};
};

TEST_F(TransferTest, ManyBlocksAndGroupsArriveAsTheyWere) {
  auto content = content::pseudo_random_bytes(3, 70U << 20);
  std::copy_n(content.begin(), 20U << 20, content.begin() + (40U << 20));  // chunks that come twice
  a.write("big", core::as_text(content));
  for (int i = 0; i < 40; ++i) a.write("small/" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  EXPECT_TRUE(a.sync().is_equal);
  EXPECT_TRUE(b.sync().is_equal);
  EXPECT_EQ(b.listing(), server.listing());
  EXPECT_LT(server.counters.bytes_stored, 54 << 20);
}

TEST_F(TransferTest, WhatCameBeforeTheConnectionBrokeIsNotFetchedAgain) {
  a.write("big", core::as_text(content::pseudo_random_bytes(4, 64U << 20)));
  a.sync();
  remote.before_frame = [](int frame, auto&) { return frame != 60; };  // the other requests go on
  EXPECT_THROW(b.sync(), net::NetworkError);
  EXPECT_FALSE(b.has("big"));
  b.crash();
  int fetched = 0;
  std::mutex mutex;
  remote.before_frame = [&](int, auto&) {
    const std::lock_guard lock(mutex);
    ++fetched;
    return true;
  };
  EXPECT_TRUE(b.sync().is_equal);
  EXPECT_EQ(b.listing(), server.listing());
  EXPECT_LT(fetched, 80);  // of some 110
}

TEST_F(TransferTest, BytesThatAreNotWhatTheirNameSaysAreNotTaken) {
  a.write("big", core::as_text(content::pseudo_random_bytes(5, 20U << 20)));
  a.write("small", "some text");
  a.sync();
  remote.before_frame = [](int frame, auto& it) {
    if (frame == 3 || it.bytes.size() < 100) it.bytes.back() ^= std::byte{1};
    return frame < 100;
  };
  EXPECT_FALSE(b.sync().is_equal);
  EXPECT_FALSE(b.has("small"));
  remote.before_frame = {};
  EXPECT_TRUE(b.sync().is_equal);
  EXPECT_EQ(b.listing(), server.listing());
}

TEST_F(TransferTest, AnAnswerThatEndsEarlyLeavesNoHalfFile) {
  a.write("big", core::as_text(content::pseudo_random_bytes(6, 20U << 20)));
  a.sync();
  remote.ends_early = true;
  remote.before_frame = [](int frame, auto&) { return frame % 10 != 9; };
  EXPECT_TRUE(b.sync().is_equal);  // looks again until it has all
  EXPECT_EQ(b.listing(), server.listing());
}

TEST_F(TransferTest, DamagedBytesOfThisDiskAreFetchedInstead) {
  auto content = content::pseudo_random_bytes(7, 12U << 20);
  a.write("big", core::as_text(content));
  a.sync();
  const auto page = server.changes(server.spaces()->front().space, "", 100).value();
  const auto target = std::ranges::find(page.items, "big", [](const Item& item) { return item.node.name; })->node;
  const auto space = server.spaces()->front().space;
  TemporaryFolder folder;
  State state(folder.path / "state.db");
  const VersionOf wanted{target.id, target.version};
  auto manifest = server.manifests(space, {wanted})->front().manifest;
  ASSERT_EQ(manifest.level, 0U);
  const NodeId old_file = core::make_id<NodeId>(clock, random);
  state.index_chunks(old_file, manifest.entries);
  auto old_content = content;
  old_content[5U << 20] ^= std::byte{1};
  std::ofstream(folder.path / "old", std::ios::binary) << core::as_text(old_content);
  const Workers workers(2);
  const auto before = server.counters.bytes_fetched;
  std::vector<DownloadJob> jobs(1);
  jobs[0].target = target;
  jobs[0].temporary = folder.path / "new";
  Downloader(remote, state, space, workers, [&](const NodeId&) { return folder.path / "old"; }, nullptr).run(jobs);
  EXPECT_TRUE(jobs[0].is_done);
  EXPECT_EQ(read_whole(folder.path / "new"), core::as_text(content));
  EXPECT_GT(server.counters.bytes_fetched - before, 0);
  EXPECT_LE(server.counters.bytes_fetched - before, 2 << 20);  // one chunk
}

TEST_F(TransferTest, TheChunkOfASmallFileIsKnownWithoutAsking) {
  a.write("one", "one");
  a.write("two", std::string(200'000, 'x'));
  a.sync();
  const auto before = server.counters.requests;
  EXPECT_TRUE(b.sync().is_equal);
  EXPECT_EQ(server.counters.requests - before, 3);  // spaces, changes, chunks
  EXPECT_EQ(b.listing(), server.listing());
}

TEST_F(TransferTest, AFileThatIsWrittenToWhileItIsReadIsNotSent) {
  TemporaryFolder folder;
  const auto path = folder.path / "busy";
  std::ofstream(path, std::ios::binary) << core::as_text(content::pseudo_random_bytes(8, 40U << 20));
  set_meta(path, 1'000'000'123'456, std::nullopt);
  const Workers workers(2);
  std::vector<UploadJob> jobs{{path, find_stat(path)->stamp, std::nullopt, false, {}}};
  auto write = [&, is_written = false](std::int64_t) mutable {
    if (!std::exchange(is_written, true)) std::ofstream(path, std::ios::app) << "more";
  };
  Uploader(server, server.spaces()->front().space, workers, write).run(jobs);
  EXPECT_TRUE(jobs[0].is_changing);
  EXPECT_FALSE(jobs[0].known);
}

}  // namespace
}  // namespace clouddocs::client
