// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <mutex>
#include <thread>

#include "net/server_fixture.hpp"

namespace clouddocs::net {
namespace {

using namespace std::chrono_literals;
using core::Result;
using core::Task;

class ServerTest : public ::testing::Test, protected ServerFixture {
 protected:
  ServerTest() {
    router.add(Method::get, "/hello", [](Request&) -> Task<Result<Response>> { co_return Response::text("hello"); });
    router.add(Method::post, "/echo", [](Request& request) -> Task<Result<Response>> {
      CO_TRY(std::string text, co_await request.read_text(1U << 20));
      co_return Response::text(std::move(text));
    });
    router.add(Method::post, "/ignore",
               [](Request&) -> Task<Result<Response>> { co_return Response::text("ignored"); });
    router.add(Method::get, "/whoami", [](Request& request) -> Task<Result<Response>> {
      co_return Response::text(request.peer + (request.secure ? " secure " : " plain ") + request.id);
    });
    router.add(Method::get, "/throws", [](Request&) -> Task<Result<Response>> {
      throw std::runtime_error("broken");
      co_return Response::empty();
    });
  }
};

constexpr std::string_view hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  config.default_headers.add("X-Content-Type-Options", "nosniff");
  start();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(hello);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.at("x-request-id").size(), 16U);
    EXPECT_TRUE(answer.headers.at("date").ends_with(" GMT"));
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port());
  std::string burst;
  for (int i = 0; i < 100; ++i) {
    const std::string body = std::to_string(i);
    burst += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  client.send(burst);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().body, std::to_string(i));
}

TEST_F(ServerTest, AcceptsARequestByteByByte) {
  config.header_timeout = 10s;
  start();
  RawClient client(port());
  const std::string request =
      "\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
  for (const char c : request + std::string(hello)) client.send(std::string_view(&c, 1));
  EXPECT_EQ(client.read().body, "abcde");
  EXPECT_EQ(client.read().body, "hello");
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  start();
  RawClient client(port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = client.read(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-length"), "5");
  EXPECT_EQ(client.ask(hello).body, "hello");
}

TEST_F(ServerTest, Http10ClosesUnlessAskedToStay) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /hello HTTP/1.0\r\n\r\n").headers.at("connection"), "close");
  EXPECT_TRUE(client.is_closed());
  RawClient staying(port());
  EXPECT_EQ(staying.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers.at("connection"),
            "keep-alive");
  EXPECT_EQ(staying.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body, "hello");
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").headers.at("connection"),
            "close");
  EXPECT_TRUE(client.is_closed());
}

struct BadRequest {
  std::string_view name;
  std::string text;
  int status;
};

class BadRequestTest : public ServerTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithAProblemAndTheConnectionCloses) {
  start();
  RawClient client(port());
  // A request smuggled behind the bad one must never be answered.
  const auto answer = client.ask(GetParam().text + std::string(hello));
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_NE(answer.body.find(answer.headers.at("x-request-id")), std::string::npos);
  client.shutdown();
  EXPECT_EQ(client.read_all(), "");
}

const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";

INSTANTIATE_TEST_SUITE_P(
    Requests, BadRequestTest,
    ::testing::Values(
        BadRequest{"BothLengths", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"BothLengthsReversed", post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"TwoLengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
        BadRequest{"TheSameLengthTwice", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        BadRequest{"LengthList", post + "Content-Length: 3, 3\r\n\r\nabc", 400},
        BadRequest{"SignedLength", post + "Content-Length: +3\r\n\r\nabc", 400},
        BadRequest{"NegativeLength", post + "Content-Length: -3\r\n\r\nabc", 400},
        BadRequest{"HugeLength", post + "Content-Length: 99999999999999999999\r\n\r\nabc", 400},
        BadRequest{"EmptyLength", post + "Content-Length: \r\n\r\nabc", 400},
        BadRequest{"OtherCoding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        BadRequest{"ChunkedTwice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"ChunkedInHttp10", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"BadChunkSize", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", 400},
        BadRequest{"HugeChunkSize", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc\r\n0\r\n\r\n",
                   400},
        BadRequest{"ChunkWithoutEnd", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
        BadRequest{"ChunkSizeWithBareLineFeed", post + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400},
        BadRequest{"FoldedLine", "GET /hello HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},
        BadRequest{"SpaceBeforeColon", "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\n", 400},
        BadRequest{"BareLineFeed", "GET /hello HTTP/1.1\nHost: x\n\n", 400},
        BadRequest{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400},
        BadRequest{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        BadRequest{"ControlCharacter",
                   "GET /hello HTTP/1.1\r\nHost: x\r\nA: b\x01"
                   "c\r\n\r\n",
                   400},
        BadRequest{"NoMethod", " /hello HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        BadRequest{"RelativeTarget", "GET hello HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        BadRequest{"BrokenQuery", "GET /hello?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        BadRequest{"Http2", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        BadRequest{"Http09", "GET /hello HTTP/0.9\r\nHost: x\r\n\r\n", 505},
        BadRequest{"NoHttp", "GET /hello FTP/1.1\r\nHost: x\r\n\r\n", 400},
        BadRequest{"TooManyHeaders", "GET /hello HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n",
                   431}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(ServerTest, EndlessHeadIsCutAtTheLimit) {
  start();
  RawClient client(port());
  client.send("GET /" + std::string(17'000, 'a'));
  EXPECT_EQ(client.read().status, 431);
}

TEST_F(ServerTest, SlowHeadIsAnswered408) {
  start();
  RawClient client(port());
  client.send("GET /hello HT");
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_NE(answer.body.find("\"code\":\"request_timeout\""), std::string::npos);
}

TEST_F(ServerTest, SilentAndIdleConnectionsAreClosedWithoutAWord) {
  start();
  RawClient silent(port());
  EXPECT_EQ(silent.read_all(), "");
  RawClient idle(port());
  EXPECT_EQ(idle.ask(hello).status, 200);
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(ServerTest, UnknownPathMethodAndExceptionBecomeProblems) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
  const auto wrong = client.ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD, OPTIONS");
  const auto options = client.ask("OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_FALSE(options.headers.contains("content-length"));
  EXPECT_EQ(client.ask("GET /throws HTTP/1.1\r\nHost: x\r\n\r\n").status, 500);
  EXPECT_EQ(client.ask("PROPFIND /hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 405);
  EXPECT_EQ(client.ask("GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
}

TEST_F(ServerTest, RequestIdIsTakenWhenSane) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1.2_3\r\n\r\n").headers.at("x-request-id"),
            "abc-1.2_3");
  EXPECT_EQ(
      client.ask("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: a<b>\r\n\r\n").headers.at("x-request-id").size(),
      16U);
}

TEST_F(ServerTest, ForwardedFieldsCountFromTrustedProxiesOnly) {
  start();
  const std::string request =
      "GET /whoami HTTP/1.1\r\nHost: x\r\nX-Request-Id: i\r\nX-Forwarded-For: 9.9.9.9, 203.0.113.7\r\n"
      "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: https\r\n\r\n";
  EXPECT_EQ(RawClient(port()).ask(request).body, "127.0.0.1 plain i");
  server.reset();
  config.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  start();
  EXPECT_EQ(RawClient(port()).ask(request).body, "203.0.113.7 secure i");
}

TEST_F(ServerTest, MalformedTrustedProxyIsNamed) {
  config.trusted_proxies = {"10.0.0.0/33"};
  EXPECT_THROW(start(), std::invalid_argument);
}

TEST_F(ServerTest, AddressInUseIsAnError) {
  start();
  ServerConfig same = config;
  same.port = port();
  EXPECT_THROW(Server(same, router, {}), std::system_error);
}

TEST_F(ServerTest, RefusesConnectionsAboveTheLimit) {
  config.max_connections = 2;
  start();
  RawClient first(port());
  RawClient second(port());
  EXPECT_EQ(first.ask(hello).status, 200);
  EXPECT_EQ(second.ask(hello).status, 200);
  RawClient third(port());
  EXPECT_EQ(third.read().status, 503);
}

// UBSan needs descriptors of its own to look at objects and reports nonsense without.
#if !__has_feature(undefined_behavior_sanitizer)
TEST_F(ServerTest, RunningOutOfDescriptorsDelaysNewConnectionsOnly) {
  config.header_timeout = config.idle_timeout = 10s;
  start();
  RawClient present(port());
  EXPECT_EQ(present.ask(hello).status, 200);
  std::vector<int> held;
  for (int copy = ::dup(0); copy >= 0; copy = ::dup(0)) held.push_back(copy);
  ::close(held.back());
  held.pop_back();
  RawClient waiting(port());  // takes the last descriptor: nothing is left for the server's side
  waiting.send(hello);
  const std::clock_t before = std::clock();
  EXPECT_FALSE(waiting.receive(300ms));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(present.ask(hello).status, 200);
  for (const int copy : held) ::close(copy);
  EXPECT_EQ(waiting.read().body, "hello");
}
#endif

TEST_F(ServerTest, ObserverSeesRouteStatusAndBytes) {
  struct Seen {
    std::string route;
    int status;
    std::uint64_t in;
    std::uint64_t out;
  };
  std::mutex mutex;
  std::vector<Seen> seen;
  start([&](const RequestObservation& observation) {
    const std::lock_guard lock(mutex);
    seen.push_back({std::string(observation.route), observation.status, observation.bytes_in, observation.bytes_out});
  });
  const std::string request = post + "Content-Length: 4\r\n\r\nbody";
  RawClient client(port());
  const auto answer = client.ask(request + std::string(hello));
  client.read();
  server->drain(1s);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].route, "/echo");
  EXPECT_EQ(seen[0].in, request.size());
  EXPECT_EQ(seen[0].out, answer.head.size() + 2 + answer.body.size());
  EXPECT_EQ(seen[1].in, hello.size());
}

TEST_F(ServerTest, DrainEndsIdleConnectionsAndLetsRequestsFinish) {
  std::atomic<bool> running = false;
  router.add(Method::get, "/slow", [&](Request&) -> Task<Result<Response>> {
    running = true;
    co_await core::sleep_for(200ms);
    co_return Response::text("done");
  });
  config.idle_timeout = 60s;
  start();
  RawClient idle(port());
  EXPECT_EQ(idle.ask(hello).status, 200);
  RawClient busy(port());
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!running) std::this_thread::sleep_for(1ms);
  std::thread drainer([&] { server->drain(10s); });
  const auto answer = busy.read();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(idle.is_closed());
  drainer.join();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_THROW(RawClient{port()}, std::runtime_error);
}

TEST_F(ServerTest, DrainCutsWhatOutlastsTheGrace) {
  std::atomic<bool> running = false;
  router.add(Method::get, "/forever", [&](Request&) -> Task<Result<Response>> {
    running = true;
    co_await core::sleep_for(1h);
    co_return Response::text("never");
  });
  start();
  RawClient client(port());
  client.send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!running) std::this_thread::sleep_for(1ms);
  server->drain(50ms);
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(client.read_all(), "");
}

}  // namespace
}  // namespace clouddocs::net
