// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "blob/blob_store.hpp"
#include "testing/run.hpp"
#include "testing/seeded_random.hpp"

// What every BlobStore keeps. An implementation's test file says
//   INSTANTIATE_TEST_SUITE_P(Local, BlobStoreContract, testing::Values(MakeBlobStoreUnderTest(...)));
namespace clouddocs::blob {

using core::Bytes;
using core::ByteView;
using core::Errc;
using core::Task;
using testing::run;
using testing::run_all;

// A new, empty store.
class BlobStoreUnderTest {
 public:
  virtual ~BlobStoreUnderTest() = default;
  virtual BlobStore& store() = 0;
  // Another store over the same objects, as after a restart.
  virtual std::unique_ptr<BlobStore> open_again() = 0;
};
using MakeBlobStoreUnderTest = std::function<std::unique_ptr<BlobStoreUnderTest>()>;

inline Task<> put(BlobStore& store, ObjectName name, std::string content) {
  const auto writer = co_await store.create(std::move(name));
  const std::array<ByteView, 1> parts{core::as_bytes(content)};
  co_await writer->append(parts);
  co_await writer->commit();
}

inline Bytes random_bytes(core::Random& random, std::size_t size) {
  Bytes bytes(size);
  random.fill(bytes);
  return bytes;
}

class BlobStoreContract : public ::testing::TestWithParam<MakeBlobStoreUnderTest> {
 protected:
  BlobStore& store() { return under_test_->store(); }
  BlobStoreUnderTest& under_test() { return *under_test_; }
  Task<std::vector<std::string>> names(std::string prefix, std::string after, std::size_t limit) {
    const auto objects = co_await store().list(prefix, after, limit);
    std::vector<std::string> found;
    for (const auto& object : objects) found.push_back(object.name);
    co_return found;
  }

 private:
  std::unique_ptr<BlobStoreUnderTest> under_test_ = GetParam()();
};

TEST_P(BlobStoreContract, GivesBackRanges) {
  run([&]() -> Task<> {
    co_await put(store(), "a/object-1.x", "0123456789");
    const auto whole = co_await store().get("a/object-1.x", 0, 10);
    EXPECT_EQ(core::as_text(whole.value()), "0123456789");
    const auto middle = co_await store().get("a/object-1.x", 3, 4);
    EXPECT_EQ(core::as_text(middle.value()), "3456");
    const auto nothing = co_await store().get("a/object-1.x", 10, 0);
    EXPECT_TRUE(nothing.value().empty());
  });
}

TEST_P(BlobStoreContract, RefusesRangesBeyondTheEnd) {
  run([&]() -> Task<> {
    co_await put(store(), "object", "0123456789");
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const std::array<std::pair<std::uint64_t, std::uint64_t>, 5> ranges{
        {{0, 11}, {10, 1}, {11, 0}, {5, most}, {most, 5}}};
    for (const auto& [offset, length] : ranges) {
      const auto result = co_await store().get("object", offset, length);
      EXPECT_TRUE(result.has_error() && result.error().code == Errc::range_invalid) << offset << "+" << length;
    }
  });
}

TEST_P(BlobStoreContract, KnowsWhatIsNotThere) {
  run([&]() -> Task<> {
    const auto content = co_await store().get("missing", 0, 1);
    EXPECT_EQ(content.error().code, Errc::not_found);
    const auto status = co_await store().stat("missing");
    EXPECT_EQ(status.error().code, Errc::not_found);
    EXPECT_EQ(store().open_local("missing"), nullptr);
    co_await store().remove("missing");
  });
}

TEST_P(BlobStoreContract, RefusesWhatIsNoName) {
  const auto refused = [&](std::string name) -> Task<> {
    bool thrown = false;
    try {
      co_await store().create(name);
    } catch (const std::invalid_argument&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown) << name;
    thrown = false;
    try {
      co_await store().get(name, 0, 1);
    } catch (const std::invalid_argument&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown) << name;
    EXPECT_EQ(store().open_local(name), nullptr);
  };
  for (const auto* name : {"", "../x", "/etc/passwd", "A", "a..b"}) run(refused(name));
}

TEST_P(BlobStoreContract, TellsSizeAndTime) {
  run([&]() -> Task<> {
    const auto before = core::system_clock().now();
    co_await put(store(), "object", "0123456789");
    const auto status = co_await store().stat("object");
    EXPECT_EQ(status.value().name, "object");
    EXPECT_EQ(status.value().size, 10U);
    EXPECT_LT(std::chrono::abs(status.value().modified_at - before), std::chrono::minutes(1));
  });
}

TEST_P(BlobStoreContract, KeepsEmptyObjects) {
  run([&]() -> Task<> {
    const auto writer = co_await store().create("empty");
    co_await writer->commit();
    const auto status = co_await store().stat("empty");
    EXPECT_EQ(status.value().size, 0U);
    const auto content = co_await store().get("empty", 0, 0);
    EXPECT_TRUE(content.value().empty());
  });
}

TEST_P(BlobStoreContract, ShowsNothingBeforeCommit) {
  run([&]() -> Task<> {
    {
      const auto writer = co_await store().create("object");
      const std::string content(3 << 20, 'x');
      const std::array<ByteView, 1> parts{core::as_bytes(content)};
      co_await writer->append(parts);
      const auto status = co_await store().stat("object");
      EXPECT_TRUE(status.has_error());
    }
    const auto found = co_await names("", "", 10);
    EXPECT_TRUE(found.empty());
    co_await put(store(), "object", "another attempt");
    const auto status = co_await store().stat("object");
    EXPECT_EQ(status.value().size, 15U);
  });
}

TEST_P(BlobStoreContract, NeverReplacesAnObject) {
  run([&]() -> Task<> {
    co_await put(store(), "object", "first");
    bool refused = false;
    try {
      co_await put(store(), "object", "second");
    } catch (const StorageUnavailable& error) {
      refused = !error.full;
    }
    EXPECT_TRUE(refused);
    const auto content = co_await store().get("object", 0, 5);
    EXPECT_EQ(core::as_text(content.value()), "first");
  });
}

TEST_P(BlobStoreContract, RemovesObjects) {
  run([&]() -> Task<> {
    co_await put(store(), "object", "content");
    co_await store().remove("object");
    const auto status = co_await store().stat("object");
    EXPECT_TRUE(status.has_error());
    const auto found = co_await names("", "", 10);
    EXPECT_TRUE(found.empty());
  });
}

TEST_P(BlobStoreContract, ListsInOrderByPrefixAndPage) {
  run([&]() -> Task<> {
    std::vector<std::string> all;
    for (int i = 0; i < 30; ++i) all.push_back("s/" + std::to_string(i));
    for (const auto* name : {"s", "s-1", "s.1", "s/0/a", "t/1", "a"}) all.emplace_back(name);
    for (const auto& name : all) co_await put(store(), name, name);
    std::ranges::sort(all);
    std::vector<std::string> paged;
    while (true) {
      const auto page = co_await names("", paged.empty() ? "" : paged.back(), 7);
      EXPECT_LE(page.size(), 7U);
      if (page.empty()) break;
      paged.insert(paged.end(), page.begin(), page.end());
    }
    EXPECT_EQ(paged, all);
    std::erase_if(all, [](const std::string& name) { return !name.starts_with("s/1"); });
    const auto by_prefix = co_await names("s/1", "", 100);
    EXPECT_EQ(by_prefix, all);
    const auto none = co_await names("s/1", "s/2", 100);
    EXPECT_TRUE(none.empty());
    const auto sizes = co_await store().list("s/0/a", "", 1);
    EXPECT_EQ(sizes.front().size, 5U);
  });
}

TEST_P(BlobStoreContract, KeepsALargeObjectOfManyParts) {
  testing::SeededRandom random;
  const Bytes block = random_bytes(random, 1 << 20);
  run([&]() -> Task<> {
    const auto writer = co_await store().create("large");
    std::uint64_t size = 0;
    while (size < 64U << 20) {
      // Parts of all sizes, some empty.
      std::vector<ByteView> parts;
      for (int i = 0; i < 700; ++i) {
        const auto offset = random.below(block.size());
        parts.push_back(
            ByteView(block).subspan(offset).first(std::min<std::size_t>(random.below(2000), block.size() - offset)));
        size += parts.back().size();
      }
      parts.emplace_back(block);
      size += block.size();
      co_await writer->append(parts);
    }
    co_await writer->commit();
    const auto status = co_await store().stat("large");
    EXPECT_EQ(status.value().size, size);
    const auto tail = co_await store().get("large", size - block.size(), block.size());
    EXPECT_TRUE(tail.value() == block);
  });
}

TEST_P(BlobStoreContract, SmallAppendsArriveInOrder) {
  run([&]() -> Task<> {
    const auto writer = co_await store().create("object");
    std::string expected;
    for (int i = 0; i < 20'000; ++i) {
      const std::string piece = std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), '.');
      expected += piece;
      const std::array<ByteView, 1> parts{core::as_bytes(piece)};
      co_await writer->append(parts);
    }
    co_await writer->commit();
    const auto content = co_await store().get("object", 0, expected.size());
    EXPECT_TRUE(core::as_text(content.value()) == expected);
  });
}

TEST_P(BlobStoreContract, TakesParallelWriters) {
  const auto write_and_check = [&](int i) -> Task<> {
    const std::string name = "parallel/" + std::to_string(i);
    const std::string content(static_cast<std::size_t>(i) * 1000 + 1, static_cast<char>('a' + i % 26));
    co_await put(store(), name, content);
    const auto read = co_await store().get(name, 0, content.size());
    EXPECT_TRUE(core::as_text(read.value()) == content);
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(write_and_check(i));
  run_all(std::move(tasks), 4);
  EXPECT_EQ(run(names("parallel/", "", 1000)).size(), 100U);
}

TEST_P(BlobStoreContract, CommittedObjectsAreThereAfterARestart) {
  run(put(store(), "object", "content"));
  const auto again = under_test().open_again();
  const auto content = run(again->get("object", 0, 7));
  EXPECT_EQ(core::as_text(content.value()), "content");
}

TEST_P(BlobStoreContract, LocalFilesHoldTheContent) {
  run(put(store(), "object", "content"));
  const auto file = store().open_local("object");
  if (!file) return;  // this store's objects are not files
  run(store().remove("object"));
  std::string content;
  std::getline(std::ifstream("/proc/self/fd/" + std::to_string(file->fd())), content);
  EXPECT_EQ(content, "content");
}

}  // namespace clouddocs::blob
