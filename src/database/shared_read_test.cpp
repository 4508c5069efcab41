// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/shared_read.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "testing/run.hpp"

namespace clouddocs::database {
namespace {

using core::Task;
namespace asio = core::asio;

class NoTransaction final : public Transaction {
 public:
  using Transaction::execute;
  Task<Rows> execute(const Statement&, std::span<const Value>) override { co_return Rows(); }
};

// Runs bodies at once, on the caller's thread.
class FakeDatabase final : public Database {
 public:
  Task<> run(Access, core::ByteView, const Body& body) override {
    ++runs;
    if (is_overloaded) throw DatabaseError(DatabaseError::Kind::unavailable, "overloaded");
    for (int i = 0; i < runs_of_body; ++i) {
      NoTransaction tx;
      co_await body(tx);
      if (const auto call = std::exchange(after_body, nullptr)) call();
    }
  }
  Task<> migrate() override { co_return; }
  Task<SchemaVersion> schema_version() override { co_return SchemaVersion{0, 0}; }
  Task<std::string> system_identifier() override { co_return ""; }

  std::atomic<int> runs = 0;
  int runs_of_body = 1;
  bool is_overloaded = false;
  std::function<void()> after_body;  // called once
};

class SharedReadTest : public ::testing::Test {
 protected:
  Task<> expect(int key, int value) {
    EXPECT_EQ(co_await shared_.get(key), value);
    ++answered_;
  }
  Task<> expect_failure() {
    bool failed = false;
    try {
      co_await shared_.get(1);
    } catch (const DatabaseError&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    ++answered_;
  }

  FakeDatabase db_;
  int reads_ = 0;
  int offset_ = 100;
  bool read_fails_ = false;
  SharedRead<int, int> shared_{db_, [this](Transaction&, const int& key) -> Task<int> {
                                 ++reads_;
                                 if (read_fails_) throw DatabaseError(DatabaseError::Kind::broken, "no such table");
                                 co_return key + offset_;
                               }};
  int answered_ = 0;
};

TEST_F(SharedReadTest, ThoseWhoAskTogetherShareAReadAndThoseWhoAskTheSameAStatement) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < 30; ++i) tasks.push_back(expect(i % 3, i % 3 + 100));
  testing::run_all(std::move(tasks), 1);
  EXPECT_EQ(answered_, 30);
  EXPECT_EQ(db_.runs, 1);
  EXPECT_EQ(reads_, 3);
}

TEST_F(SharedReadTest, NothingIsKept) {
  testing::run(expect(1, 101));
  offset_ = 200;
  testing::run(expect(1, 201));
  EXPECT_EQ(db_.runs, 2);
}

TEST_F(SharedReadTest, WhoAsksWhileAReadRunsIsAnsweredByTheNext) {
  asio::io_context context(1);
  db_.after_body = [&] {
    offset_ = 200;
    asio::co_spawn(context, expect(1, 201), [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
  };
  asio::co_spawn(context, expect(1, 101), [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
  context.run();
  EXPECT_EQ(answered_, 2);
  EXPECT_EQ(db_.runs, 2);
}

TEST_F(SharedReadTest, ABodyThatIsRunAgainAnswersWithWhatItReadLast) {
  db_.runs_of_body = 2;
  db_.after_body = [&] { offset_ += 100; };
  testing::run(expect(1, 201));
}

TEST_F(SharedReadTest, AFailureReachesAllWhoWaitAndNobodyElse) {
  std::vector<Task<>> refused;
  for (int i = 0; i < 3; ++i) refused.push_back(expect_failure());
  db_.is_overloaded = true;
  testing::run_all(std::move(refused), 1);
  db_.is_overloaded = false;
  read_fails_ = true;
  std::vector<Task<>> broken;
  for (int i = 0; i < 3; ++i) broken.push_back(expect_failure());
  testing::run_all(std::move(broken), 1);
  EXPECT_EQ(db_.runs, 2);
  read_fails_ = false;
  testing::run(expect(1, 101));
  EXPECT_EQ(answered_, 7);
}

TEST_F(SharedReadTest, TheFirstToAskIsCutOffAndTheOthersAreAnswered) {
  asio::io_context context(1);
  asio::cancellation_signal cut;
  asio::co_spawn(context, expect(1, 101), asio::bind_cancellation_slot(cut.slot(), [](const std::exception_ptr&) {}));
  asio::co_spawn(context, expect(2, 102), [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
  asio::post(context, [&] { cut.emit(asio::cancellation_type::terminal); });
  context.run();
  EXPECT_GE(answered_, 1);
  EXPECT_EQ(db_.runs, 1);
}

TEST_F(SharedReadTest, AsksFromManyThreads) {
  std::vector<Task<>> tasks;
  std::atomic<int> answered = 0;
  SharedRead<int, int> shared{db_, [](Transaction&, const int& key) -> Task<int> { co_return key; }};
  auto ask = [&](int key) -> Task<> {
    for (int i = 0; i < 50; ++i) {
      if (co_await shared.get(key) == key) ++answered;
    }
  };
  for (int i = 0; i < 20; ++i) tasks.push_back(ask(i));
  testing::run_all(std::move(tasks), 4);
  EXPECT_EQ(answered, 1'000);
}

}  // namespace
}  // namespace clouddocs::database
