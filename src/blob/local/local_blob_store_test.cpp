// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/local/local_blob_store.hpp"

#include <sys/file.h>

#include <fcntl.h>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "blob/blob_store_contract.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::blob {
namespace {

namespace fs = std::filesystem;

class LocalStoreUnderTest final : public BlobStoreUnderTest {
 public:
  BlobStore& store() override { return *store_; }
  std::unique_ptr<BlobStore> open_again() override { return make_local_blob_store(folder_.path() / "blobs", pool_); }

 private:
  testing::TemporaryDirectory folder_;
  core::asio::thread_pool pool_{2};
  std::unique_ptr<BlobStore> store_ = open_again();
};

std::unique_ptr<BlobStoreUnderTest> make_under_test() { return std::make_unique<LocalStoreUnderTest>(); }
INSTANTIATE_TEST_SUITE_P(Local, BlobStoreContract, ::testing::Values(MakeBlobStoreUnderTest(make_under_test)));

// Fails the n-th of its calls, counted from 1, and notes the order of all.
class FailingCalls final : public FileCalls {
 public:
  void fail_at(int call, int error) {
    const std::lock_guard lock(mutex_);
    remaining_ = call;
    error_ = error;
    made_.clear();
  }
  std::vector<std::string> made() const {
    const std::lock_guard lock(mutex_);
    return made_;
  }
  int create(const char* path) override { return fails("create") ? -1 : FileCalls::create(path); }
  ssize_t write(int fd, const iovec* parts, int count) override {
    return fails("write") ? -1 : FileCalls::write(fd, parts, count);
  }
  int sync_content(int fd) override { return fails("sync_content") ? -1 : FileCalls::sync_content(fd); }
  int rename_to_new(const char* from, const char* to) override {
    return fails("rename") ? -1 : FileCalls::rename_to_new(from, to);
  }
  int sync_directory(int fd) override { return fails("sync_directory") ? -1 : FileCalls::sync_directory(fd); }

 private:
  bool fails(const char* name) {
    const std::lock_guard lock(mutex_);
    made_.emplace_back(name);
    if (--remaining_ != 0) return false;
    errno = error_;
    return true;
  }
  mutable std::mutex mutex_;
  std::vector<std::string> made_;
  int remaining_ = 0;
  int error_ = 0;
};

// Writes one byte at a time, and is interrupted before each.
class SlowCalls final : public FileCalls {
 public:
  ssize_t write(int fd, const iovec* parts, int) override {
    if (interrupted_ = !interrupted_; interrupted_) {
      errno = EINTR;
      return -1;
    }
    const iovec one{parts->iov_base, 1};
    return FileCalls::write(fd, &one, 1);
  }

 private:
  bool interrupted_ = false;
};

class LocalBlobStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<BlobStore> open(FileCalls& calls = system_file_calls()) {
    return make_local_blob_store(folder_.path() / "blobs", pool_, calls);
  }
  std::size_t files_in_tmp() {
    const fs::directory_iterator files(folder_.path() / "blobs/tmp");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
  testing::TemporaryDirectory folder_;
  core::asio::thread_pool pool_{2};
};

TEST_F(LocalBlobStoreTest, SyncsContentBeforeTheNameAndTheNameBeforeItAnswers) {
  FailingCalls calls;
  const auto store = open(calls);
  calls.fail_at(0, 0);
  run(put(*store, "object", "content"));
  // The first object of a folder makes the folder durable too.
  EXPECT_EQ(calls.made(), (std::vector<std::string>{"create", "write", "sync_content", "sync_directory", "rename",
                                                    "sync_directory"}));
  run(store->remove("object"));
  calls.fail_at(0, 0);
  run(put(*store, "object", "content"));
  EXPECT_EQ(calls.made(), (std::vector<std::string>{"create", "write", "sync_content", "rename", "sync_directory"}));
}

TEST_F(LocalBlobStoreTest, AnyFailingCallFailsTheCommitAndLeavesNothing) {
  FailingCalls calls;
  const auto store = open(calls);
  int failing = 1;
  for (;; ++failing) {
    calls.fail_at(failing, failing % 2 == 0 ? ENOSPC : EIO);
    try {
      run(put(*store, "object", "content"));
      break;
    } catch (const StorageUnavailable& error) {
      EXPECT_EQ(error.full, failing % 2 == 0);
    }
    EXPECT_TRUE(run(store->stat("object")).has_error());
  }
  EXPECT_GE(failing, 6);
  EXPECT_TRUE(run(store->stat("object")).has_value());
  pool_.join();
  EXPECT_EQ(files_in_tmp(), 0U);
}

TEST_F(LocalBlobStoreTest, AWriterThatFailedStaysFailed) {
  FailingCalls calls;
  const auto store = open(calls);
  run([&]() -> Task<> {
    const auto writer = co_await store->create("object");
    const std::string content(2 << 20, 'x');
    const std::array<ByteView, 1> parts{core::as_bytes(content)};
    calls.fail_at(2, ENOSPC);
    for (int i = 0; i < 2; ++i) {
      bool failed = false;
      try {
        co_await writer->append(parts);
      } catch (const StorageUnavailable&) {
        failed = true;
      }
      EXPECT_TRUE(failed);
    }
    bool failed = false;
    try {
      co_await writer->commit();
    } catch (const StorageUnavailable&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
  });
}

TEST_F(LocalBlobStoreTest, PartialAndInterruptedWritesAreContinued) {
  SlowCalls calls;
  const auto store = open(calls);
  run(put(*store, "object", "some content"));
  EXPECT_EQ(core::as_text(run(store->get("object", 0, 12)).value()), "some content");
}

TEST_F(LocalBlobStoreTest, StartRemovesOldLeftoversOnly) {
  const auto store = open();
  const auto tmp = folder_.path() / "blobs/tmp";
  const auto two_hours_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const auto* name : {"young", "old", "locked"}) std::ofstream(tmp / name) << "x";
  fs::last_write_time(tmp / "old", two_hours_ago);
  fs::last_write_time(tmp / "locked", two_hours_ago);
  const FileHandle writer(::open((tmp / "locked").c_str(), O_RDONLY | O_CLOEXEC));
  ::flock(writer.fd(), LOCK_EX);
  open();
  EXPECT_TRUE(fs::exists(tmp / "young"));
  EXPECT_FALSE(fs::exists(tmp / "old"));
  EXPECT_TRUE(fs::exists(tmp / "locked"));
}

TEST_F(LocalBlobStoreTest, TheLayoutOnDiskIsFixed) {
  run(put(*open(), "s/0190af", "content"));
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "blobs/objects")) {
    if (entry.is_regular_file()) found.push_back(fs::relative(entry.path(), folder_.path() / "blobs").string());
  }
  EXPECT_EQ(found, (std::vector<std::string>{"objects/6/s,0190af"}));
}

TEST_F(LocalBlobStoreTest, AFolderThatCannotBeMadeIsReported) {
  EXPECT_THROW(make_local_blob_store(folder_.path() / "none" / "blobs", pool_), StorageUnavailable);
}

}  // namespace
}  // namespace clouddocs::blob
