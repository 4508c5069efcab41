// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/http_client.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "net/server_fixture.hpp"
#include "net/websocket.hpp"

namespace clouddocs::net {
namespace {

using namespace std::chrono_literals;
using core::Result;
using core::Task;

class HttpClientTest : public ::testing::Test, protected ServerFixture {
 protected:
  HttpClientTest() {
    config.idle_timeout = 10s;
    config.stall_timeout = 10s;
    router.add(Method::get, "/hello", [](Request& request) -> Task<Result<Response>> {
      Response response = Response::text("hello " + std::string(request.headers.find("X-Name").value_or("nobody")));
      response.headers.add("X-Answer", "42");
      co_return response;
    });
    const auto echo = [](Request& request) -> Task<Result<Response>> {
      if (request.headers.find("Expect")) co_return core::Errc::invalid_request;
      CO_TRY(std::string text, co_await request.read_text(64U << 20));
      co_return Response::text(std::move(text));
    };
    for (const Method method : {Method::post, Method::put, Method::patch, Method::del})
      router.add(method, "/echo", echo, {.body_limit = 64U << 20});
    router.add(Method::get, "/hang", [](Request&) -> Task<Result<Response>> {
      co_await core::sleep_for(1h);
      co_return Response::empty();
    });
    router.add(Method::get, "/ws", [](Request& request) -> Task<Result<Response>> {
      if (request.query_value("token") != "t") co_return core::Errc::unauthorized;
      Response response;
      response.body = WebSocketSession([](WebSocket& socket) -> Task<> {
        while (true) {
          const auto message = co_await socket.read(1U << 20, 10s);
          if (message.has_error()) co_return;
          if (*message == "bye") co_return co_await socket.close(4000, "");
          socket.try_send(make_text_frame(*message));
        }
      });
      co_return response;
    });
    start();
    base = "http://127.0.0.1:" + std::to_string(port());
  }
  HttpClient::Request request(std::string method, std::string path) {
    HttpClient::Request made;
    made.method = std::move(method);
    made.url = base + path;
    return made;
  }
  std::string ws_url() { return "ws" + base.substr(4) + "/ws?token=t"; }

  std::string base;
  HttpClient client{HttpClient::Options{}};
};

TEST_F(HttpClientTest, SendsEveryMethodAndKeepsTheConnection) {
  auto get = request("GET", "/hello");
  get.headers.emplace_back("X-Name", "you");
  const auto answer = client.send(get);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello you");
  EXPECT_EQ(answer.header("x-answer"), "42");
  EXPECT_EQ(answer.header("X-Absent"), "");
  EXPECT_EQ(client.send(request("HEAD", "/hello")).header("Content-Length"), "12");
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    auto echo = request(method, "/echo");
    EXPECT_EQ(client.send(echo).body, "") << method;
    echo.body = std::string(5000, 'x');
    EXPECT_EQ(client.send(echo).body, echo.body) << method;
  }
  EXPECT_EQ(client.send(request("GET", "/nothing")).status, 404);
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(HttpClientTest, StreamsBothWaysAndCountsBytes) {
  auto upload = request("PUT", "/echo");
  const std::string piece(300'000, 'p');
  int left = 20;
  upload.source = [&] { return left-- > 0 ? core::as_bytes(piece) : core::ByteView(); };
  upload.source_length = 20 * piece.size();
  std::uint64_t received = 0;
  upload.sink = [&](core::ByteView bytes) {
    received += bytes.size();
    return true;
  };
  EXPECT_EQ(client.send(upload).status, 200);
  EXPECT_EQ(received, upload.source_length);
  EXPECT_GT(client.bytes_sent(), upload.source_length);
  EXPECT_LT(client.bytes_sent(), upload.source_length + 1000);
  EXPECT_GT(client.bytes_received(), upload.source_length);
  EXPECT_LT(client.bytes_received(), upload.source_length + 1000);
}

TEST_F(HttpClientTest, SinkCanStopAndSeesNoErrors) {
  auto upload = request("PUT", "/echo");
  upload.body = std::string(10'000'000, 'x');
  int calls = 0;
  upload.sink = [&](core::ByteView) { return ++calls < 2; };
  EXPECT_EQ(client.send(upload).status, 200);
  EXPECT_EQ(calls, 2);
  auto missing = request("GET", "/nothing");
  missing.sink = [&](core::ByteView) { return ++calls > 0; };
  EXPECT_NE(client.send(missing).body.find("not_found"), std::string::npos);
  EXPECT_EQ(calls, 2);
  missing.body_limit = 5;
  EXPECT_THROW(client.send(missing), NetworkError);
}

TEST_F(HttpClientTest, ExceptionsOfTheCallerPassThrough) {
  auto upload = request("PUT", "/echo");
  upload.source_length = 10;
  upload.source = []() -> core::ByteView { throw std::logic_error("source"); };
  EXPECT_THROW(client.send(upload), std::logic_error);
  auto get = request("GET", "/hello");
  get.sink = [](core::ByteView) -> bool { throw std::logic_error("sink"); };
  EXPECT_THROW(client.send(get), std::logic_error);
  EXPECT_EQ(client.send(request("GET", "/hello")).status, 200);
}

TEST_F(HttpClientTest, FailuresAreNetworkErrors) {
  auto nowhere = request("GET", "/");
  nowhere.url = "http://127.0.0.1:1/";
  EXPECT_THROW(client.send(nowhere), NetworkError);
  nowhere.url = "file:///etc/passwd";
  EXPECT_THROW(client.send(nowhere), NetworkError);
  HttpClient impatient({.connect_timeout = 1s, .stall_timeout = 1s, .user_agent = "test"});
  EXPECT_THROW(impatient.send(request("GET", "/hang")), NetworkError);
}

TEST_F(HttpClientTest, AbortEndsRunningRequests) {
  std::thread aborter([&] {
    std::this_thread::sleep_for(100ms);
    client.abort();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(client.send(request("GET", "/hang")), NetworkError);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  aborter.join();
  EXPECT_THROW(client.send(request("GET", "/hello")), NetworkError);
}

TEST_F(HttpClientTest, ThreadsShareTheClient) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) right += client.send(request("GET", "/hello")).status == 200 ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

TEST_F(HttpClientTest, WebSocketSendsReadsAndTimesOut) {
  WebSocketClient socket(ws_url(), {}, 5s);
  EXPECT_FALSE(socket.read(20ms).has_value());
  for (const std::size_t size : {1U, 200U, 70'000U, 900'000U}) {
    const std::string message(size, 'm');
    socket.send(message);
    EXPECT_TRUE(socket.read(5s) == message) << size;
  }
  socket.send("bye");
  try {
    socket.read(5s);
    ADD_FAILURE();
  } catch (const NetworkError& e) {
    EXPECT_STREQ(e.what(), "the server closed the WebSocket with code 4000");
  }
  EXPECT_THROW(socket.read(5s), NetworkError);
}

TEST_F(HttpClientTest, WebSocketRefusalNamesTheStatus) {
  try {
    WebSocketClient socket("ws" + base.substr(4) + "/ws", {{"X-A", "b"}}, 5s);
    ADD_FAILURE();
  } catch (const NetworkError& e) {
    EXPECT_NE(std::string(e.what()).find("401"), std::string::npos);
  }
  EXPECT_THROW(WebSocketClient(base, {}, 5s), NetworkError);
  EXPECT_THROW(WebSocketClient("ws://127.0.0.1:1/", {}, 5s), NetworkError);
}

TEST_F(HttpClientTest, WebSocketCloseWakesTheReader) {
  WebSocketClient socket(ws_url(), {}, 5s);
  std::thread closer([&] {
    std::this_thread::sleep_for(50ms);
    socket.close();
  });
  EXPECT_THROW(socket.read(1min), NetworkError);
  closer.join();
  EXPECT_THROW(socket.send("x"), NetworkError);
}

TEST_F(HttpClientTest, WebSocketEndsWithItsServer) {
  WebSocketClient socket(ws_url(), {}, 5s);
  std::thread drainer([&] { server->drain(3s); });
  EXPECT_THROW(socket.read(1min), NetworkError);
  drainer.join();
}

}  // namespace
}  // namespace clouddocs::net
