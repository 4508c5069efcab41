// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/hub.hpp"

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <deque>

#include "bus/local/local_bus.hpp"
#include "features/auth/auth_fixture.hpp"
#include "features/sync/push_api.hpp"

namespace clouddocs::sync {
namespace {

using core::Errc;
using core::Error;
using core::Task;
using testing::run;
using namespace std::chrono_literals;

// A socket whose peer reads only when told to, and says what the test has queued.
class FakeSocket final : public net::WebSocket {
 public:
  explicit FakeSocket(core::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  Task<core::Result<std::string>> read(std::size_t, std::chrono::steady_clock::duration) override {
    for (;;) {
      if (!incoming.empty()) {
        auto next = std::move(incoming.front());
        incoming.pop_front();
        co_return next;
      }
      if (close_code != 0) co_return Error(Errc::gone, "closed");
      co_await core::sleep_for(1ms);
    }
  }
  bool try_send(const net::SharedFrame& frame) override {
    if (blocked) return false;
    // The frame header has 2 bytes for short texts, 4 for longer ones.
    sent.push_back(frame->substr(frame->size() < 128 ? 2 : 4));
    if (slow) blocked = true;
    return true;
  }
  void on_writable(std::function<void()> callback) override { writable_ = std::move(callback); }
  Task<> close(std::uint16_t code, std::string) override {
    close_code = code;
    co_return;
  }
  core::asio::any_io_executor executor() override { return executor_; }

  void become_writable() {
    blocked = false;
    if (writable_) writable_();
  }

  std::deque<core::Result<std::string>> incoming;
  std::vector<std::string> sent;
  std::uint16_t close_code = 0;
  bool blocked = false;
  bool slow = false;  // takes one frame, then waits

 private:
  core::asio::any_io_executor executor_;
  std::function<void()> writable_;
};

class HubTest : public ::testing::Test, protected auth::AuthWorld {
 protected:
  storage::CommitNotice notice(std::int64_t from, std::int64_t to, std::size_t rows = 1) {
    storage::CommitNotice out{owner.space, owner.caller.user, 1, from, to, {}};
    for (std::size_t i = 0; i < rows; ++i) {
      storage::Node node;
      node.id = new_id();
      node.filename = "row";
      node.seq = to;
      out.changed.push_back(node);
    }
    return out;
  }
  std::string cursor(std::int64_t seq) const { return to_text(storage::Cursor{owner.space, 1, seq}); }
  void run_posted() {
    context.restart();
    context.run();
  }
  static boost::json::object parse(const std::string& text) { return boost::json::parse(text).as_object(); }

  core::asio::io_context context;
  const std::unique_ptr<bus::Bus> bus = bus::make_local_bus();
  Hub hub{*bus, clock};
  FakeSocket socket{context.get_executor()};
  const std::shared_ptr<Subscriber> subscriber =
      std::make_shared<Subscriber>(socket, owner.caller.user, owner.caller.session);
};

TEST_F(HubTest, AHintCarriesTheRowsWhenTheyAreFew) {
  hub.add(subscriber);
  hub.publish(notice(1, 2));
  hub.publish(notice(2, 40, 33));
  hub.publish(notice(40, 41, 0));
  run_posted();
  ASSERT_EQ(socket.sent.size(), 3U);
  const auto first = parse(socket.sent[0]);
  EXPECT_EQ(first.at("type").as_string(), "changes");
  EXPECT_EQ(first.at("space").as_string(), core::to_text(owner.space));
  EXPECT_EQ(first.at("from").as_string(), cursor(1));
  EXPECT_EQ(first.at("to").as_string(), cursor(2));
  EXPECT_EQ(first.at("changes").as_array().size(), 1U);
  EXPECT_FALSE(parse(socket.sent[1]).contains("changes"));
  EXPECT_FALSE(parse(socket.sent[2]).contains("changes"));
}

TEST_F(HubTest, HintsForASlowConsumerAreMerged) {
  hub.add(subscriber);
  socket.slow = true;
  for (std::int64_t seq = 1; seq < 1'000; ++seq) hub.publish(notice(seq, seq + 1));
  run_posted();
  ASSERT_EQ(socket.sent.size(), 1U);
  socket.blocked = false;
  subscriber->flush();
  ASSERT_EQ(socket.sent.size(), 2U);
  const auto merged = parse(socket.sent[1]);
  EXPECT_EQ(merged.at("from").as_string(), cursor(2));
  EXPECT_EQ(merged.at("to").as_string(), cursor(1'000));
  EXPECT_FALSE(merged.contains("changes"));
  socket.blocked = false;
  subscriber->flush();
  EXPECT_EQ(socket.sent.size(), 2U) << "nothing waits any more";
}

TEST_F(HubTest, OthersHearNothing) {
  hub.add(subscriber);
  auto foreign = notice(1, 2);
  foreign.owner = core::UserId{};
  hub.publish(foreign);
  bus->publish("changes:x", "garbage");
  bus->publish("changes:" + core::to_text(owner.caller.user), "short");
  run_posted();
  EXPECT_TRUE(socket.sent.empty());
  hub.remove(subscriber);
  hub.publish(notice(1, 2));
  run_posted();
  EXPECT_TRUE(socket.sent.empty());
  EXPECT_EQ(hub.size(), 0U);
}

TEST_F(HubTest, AnEndedSessionIsToldAndClosed) {
  hub.add(subscriber);
  hub.end_session(core::SessionId{});
  run_posted();
  EXPECT_EQ(socket.close_code, 0);
  hub.end_session(owner.caller.session);
  run_posted();
  EXPECT_EQ(socket.close_code, 4401);
  EXPECT_EQ(parse(socket.sent.back()).at("code").as_string(), "revoked");
  const auto count = socket.sent.size();
  hub.publish(notice(1, 2));
  run_posted();
  EXPECT_EQ(socket.sent.size(), count) << "no more hints";
  EXPECT_FALSE(subscriber->is_closing());
}

TEST_F(HubTest, DevicesAreKnownByWhatTheyReport) {
  EXPECT_FALSE(hub.device(owner.caller.session));
  hub.add(subscriber);
  const auto second = std::make_shared<Subscriber>(socket, owner.caller.user, owner.caller.session);
  hub.add(second);
  EXPECT_TRUE(hub.device(owner.caller.session)->connected);
  clock.advance(5s);
  hub.report_applied(owner.caller.session, {{owner.space, 7}});
  EXPECT_EQ(hub.device(owner.caller.session)->applied.at(owner.space), 7);
  EXPECT_EQ(hub.device(owner.caller.session)->last_seen_at, clock.now());
  hub.remove(subscriber);
  EXPECT_TRUE(hub.device(owner.caller.session)->connected) << "one of its two sockets is left";
  hub.remove(second);
  EXPECT_FALSE(hub.device(owner.caller.session)->connected);
  hub.remove(second);
}

// The WebSocket's own conversation.
class PushApiTest : public HubTest {
 protected:
  PushApiTest() { push.mount(router); }

  // Opens the socket as the router does and lets it run until `until` or a second has passed.
  void converse(const std::string& token, const std::function<bool()>& until,
                const std::function<void()>& then = nullptr) {
    net::RouterClient one(router);
    one.token = token;
    auto response = one.respond(net::Method::get, "/api/sync/ws", {}, nullptr);
    ASSERT_EQ(response.status, 101);
    auto session = std::get<net::WebSocketSession>(response.body);
    auto body = [&]() -> Task<> { co_await session(socket); };
    auto watch = [&]() -> Task<> {
      for (int i = 0; i < 2'000 && !until(); ++i) co_await core::sleep_for(1ms);
      EXPECT_TRUE(until());
      if (then) then();
      for (int i = 0; i < 50 && socket.close_code == 0; ++i) co_await core::sleep_for(1ms);
      socket.incoming.push_back(Error(Errc::gone, "closed"));
    };
    core::asio::co_spawn(context, body(), core::asio::detached);
    core::asio::co_spawn(context, watch(), core::asio::detached);
    run_posted();
    EXPECT_EQ(hub.size(), 0U);
  }

  PushApi push{hub, api, *database};
  const auth::SignIn in = sign_up("ann@example.org");
};

TEST_F(PushApiTest, TheFirstFrameTellsTheHeads) {
  converse(in.access_token, [&] { return !socket.sent.empty(); });
  const auto hello = parse(socket.sent.at(0));
  EXPECT_EQ(hello.at("type").as_string(), "hello");
  EXPECT_EQ(hello.at("spaces").as_array().size(), 1U);
}

TEST_F(PushApiTest, ABrowserSendsItsTokenInTheFirstFrame) {
  socket.incoming.push_back(boost::json::serialize(boost::json::object{{"type", "auth"}, {"token", in.access_token}}));
  converse("", [&] { return !socket.sent.empty(); });
  EXPECT_EQ(parse(socket.sent.at(0)).at("type").as_string(), "hello");
}

TEST_F(PushApiTest, WithoutAGoodTokenItIsClosed) {
  for (const std::string first :
       {"x", "{}", R"({"type":"auth"})", R"({"type":"auth","token":"x"})", R"({"type":"ping"})"}) {
    socket.sent.clear();
    socket.close_code = 0;
    socket.incoming = {first};
    converse("", [&] { return socket.close_code != 0; });
    EXPECT_EQ(socket.close_code, 4401) << first;
    EXPECT_EQ(parse(socket.sent.at(0)).at("type").as_string(), "bye");
  }
  net::RouterClient one(router);
  one.token = "x";
  EXPECT_EQ(one.respond(net::Method::get, "/api/sync/ws", {}, nullptr).status, 401);
}

TEST_F(PushApiTest, APingReportsWhatWasAppliedAndIsAnswered) {
  const auto space = run(api.authenticate(in.access_token)).value()->caller.personal_space;
  socket.incoming.push_back(std::string("not json"));
  socket.incoming.push_back(boost::json::serialize(
      boost::json::object{{"type", "ping"},
                          {"cursors", boost::json::object{{core::to_text(space), to_text(storage::Cursor{space, 1, 9})},
                                                          {"other", to_text(storage::Cursor{space, 1, 5})},
                                                          {core::to_text(owner.space), 5},
                                                          {"x", "y"}}}}));
  converse(in.access_token, [&] { return socket.sent.size() >= 2; });
  EXPECT_EQ(parse(socket.sent.at(1)).at("type").as_string(), "pong");
  const auto device = hub.device(in.session.id);
  ASSERT_EQ(device->applied.size(), 1U);
  EXPECT_EQ(device->applied.at(space), 9);
}

TEST_F(PushApiTest, ASilentDeviceIsClosed) {
  socket.incoming.push_back(Error(Errc::unavailable, "timeout"));
  converse(in.access_token, [&] { return socket.close_code != 0; });
  EXPECT_EQ(socket.close_code, 4408);
}

TEST_F(PushApiTest, LogoutClosesTheSocket) {
  registry.add_listener([&](core::SessionId session) { hub.end_session(session); });
  converse(
      in.access_token, [&] { return !socket.sent.empty(); },
      [&] { registry.apply({0, in.user.id, in.session.id, std::nullopt}); });
  EXPECT_EQ(socket.close_code, 4401);
  EXPECT_EQ(parse(socket.sent.back()).at("code").as_string(), "revoked");
}

}  // namespace
}  // namespace clouddocs::sync
