// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/websocket.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/server/websocket_frame.hpp"
#include "net/server_fixture.hpp"

namespace clouddocs::net {
namespace {

using namespace std::chrono_literals;
using core::Errc;
using core::Result;
using core::Task;

constexpr FrameMask mask{0x12, 0x34, 0x56, 0x78};
constexpr std::string_view handshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string frame(Opcode opcode, std::string_view payload, bool final = true) {
  std::string bytes;
  append_frame(bytes, opcode, payload, &mask);
  if (!final) bytes[0] = static_cast<char>(bytes[0] & 0x7f);
  return bytes;
}

std::string close_frame(std::uint16_t code, bool masked) {
  std::string bytes;
  append_close_frame(bytes, code, "", masked ? &mask : nullptr);
  return bytes;
}

class WebSocketTest : public ::testing::Test, protected ServerFixture {
 protected:
  // Serves `session` at /ws.
  void serve(WebSocketSession session) {
    router.add(Method::get, "/ws", [session](Request&) -> Task<Result<Response>> {
      Response response;
      response.body = session;
      co_return response;
    });
    start();
  }
  // Echoes text; notes how read() ended.
  void serve_echo(std::size_t limit = 1000, std::chrono::milliseconds timeout = 10s) {
    serve([this, limit, timeout](WebSocket& socket) -> Task<> {
      while (true) {
        auto message = co_await socket.read(limit, timeout);
        if (message.has_error()) {
          ended = message.error().code;
          co_return;
        }
        socket.try_send(make_text_frame(*message));
      }
    });
  }
  std::unique_ptr<RawClient> connect(int receive_buffer = 0) {
    auto client = std::make_unique<RawClient>(port(), receive_buffer);
    EXPECT_EQ(client->ask(handshake).headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    return client;
  }
  Errc ending() {
    for (int i = 0; i < 500 && ended == Errc::internal; ++i) std::this_thread::sleep_for(10ms);
    return ended;
  }
  std::string text(std::string_view message) { return *make_text_frame(message); }

  std::atomic<Errc> ended = Errc::internal;
};

TEST_F(WebSocketTest, EchoesWholeAndFragmentedMessages) {
  serve_echo(300'000);
  const auto client = connect();
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 200'000U}) {
    const std::string message(size, 'a');
    client->send(frame(Opcode::text, message));
    EXPECT_TRUE(client->read_exactly(text(message).size()) == text(message)) << size;
  }
  client->send(frame(Opcode::text, "ab", false) + frame(Opcode::ping, "p") + frame(Opcode::continuation, "cd", false) +
               frame(Opcode::continuation, "ef"));
  EXPECT_EQ(client->read_exactly(3), std::string("\x8a\x01p"));
  EXPECT_EQ(client->read_exactly(8), text("abcdef"));
}

TEST_F(WebSocketTest, TakesFramesByteByByteAndManyAtOnce) {
  serve_echo();
  const auto client = connect();
  for (const char c : frame(Opcode::text, "slow")) client->send(std::string_view(&c, 1));
  EXPECT_EQ(client->read_exactly(6), text("slow"));
  std::string burst;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    burst += frame(Opcode::text, std::to_string(i));
    expected += text(std::to_string(i));
  }
  client->send(burst);
  EXPECT_EQ(client->read_exactly(expected.size()), expected);
}

TEST_F(WebSocketTest, FramesBehindTheHandshakeAreNotLost) {
  serve_echo();
  RawClient client(port());
  client.send(std::string(handshake) + frame(Opcode::text, "early"));
  EXPECT_EQ(client.read().status, 101);
  EXPECT_EQ(client.read_exactly(7), text("early"));
}

TEST_F(WebSocketTest, PeersCloseIsAnswered) {
  serve_echo();
  const auto client = connect();
  client->send(frame(Opcode::pong, "") + close_frame(1001, true));
  EXPECT_EQ(client->read_all(), close_frame(1001, false));
  EXPECT_EQ(ending(), Errc::gone);
}

TEST_F(WebSocketTest, LostPeerIsGone) {
  serve_echo();
  connect().reset();
  EXPECT_EQ(ending(), Errc::gone);
}

struct Violation {
  std::string_view name;
  std::string bytes;
  std::uint16_t code;
  Errc errc = Errc::invalid_request;
};
class ViolationTest : public WebSocketTest, public ::testing::WithParamInterface<Violation> {};

TEST_P(ViolationTest, ClosesWithItsCode) {
  serve_echo();
  const auto client = connect();
  client->send(GetParam().bytes);
  EXPECT_EQ(client->read_exactly(4), close_frame(GetParam().code, false));
  client->shutdown();
  EXPECT_EQ(client->read_all(), "");
  EXPECT_EQ(ending(), GetParam().errc);
}

INSTANTIATE_TEST_SUITE_P(
    Frames, ViolationTest,
    ::testing::Values(Violation{"Unmasked", *make_text_frame("x"), 1002},
                      Violation{"ReservedBit", "\xc1\x80mask", 1002},
                      Violation{"UnknownOpcode", frame(static_cast<Opcode>(3), "x"), 1002},
                      Violation{"ContinuationFirst", frame(Opcode::continuation, "x"), 1002},
                      Violation{"TextInsideText", frame(Opcode::text, "x", false) + frame(Opcode::text, "y"), 1002},
                      Violation{"LongPing", frame(Opcode::ping, std::string(126, 'x')), 1002},
                      Violation{"FragmentedPing", frame(Opcode::ping, "x", false), 1002},
                      Violation{"LengthNotShortest", std::string("\x81\xfe\x00\x01", 4) + "maskx", 1002},
                      Violation{"Binary", frame(Opcode::binary, "x"), 1003},
                      Violation{"NotUtf8", frame(Opcode::text, "\xff"), 1007},
                      Violation{"TooLong", frame(Opcode::text, std::string(1001, 'x')), 1009, Errc::body_too_large},
                      Violation{"TooLongInFragments",
                                frame(Opcode::text, std::string(600, 'x'), false) +
                                    frame(Opcode::continuation, std::string(600, 'x')),
                                1009, Errc::body_too_large},
                      Violation{"CloseCodeReserved", close_frame(1005, true), 1002},
                      Violation{"CloseOfOneByte", frame(Opcode::close, "x"), 1002}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(WebSocketTest, ReadTimesOutAndCanBeCalledAgain) {
  std::atomic<int> timeouts = 0;
  serve([&](WebSocket& socket) -> Task<> {
    while (true) {
      const auto message = co_await socket.read(1000, 50ms);
      if (message.has_value()) co_return;
      if (message.error().code != Errc::unavailable) co_return;
      ++timeouts;
      socket.try_send(make_text_frame("again"));
    }
  });
  const auto client = connect();
  EXPECT_EQ(client->read_exactly(14), text("again") + text("again"));
  client->send(frame(Opcode::text, "x"));
  client->send(close_frame(1000, true));
  EXPECT_TRUE(client->is_closed());
  EXPECT_GE(timeouts.load(), 2);
}

TEST_F(WebSocketTest, SlowConsumerIsToldApartAndHearsAgainWhenWritable) {
  std::atomic<int> refused = 0;
  std::atomic<bool> stop = false;
  const SharedFrame large = make_text_frame(std::string(100'000, 'x'));
  config.stall_timeout = 10s;
  serve([&](WebSocket& socket) -> Task<> {
    socket.on_writable([&] { socket.try_send(make_text_frame("caught up")); });
    while (socket.try_send(large)) co_await core::sleep_for(1ms);
    ++refused;
    EXPECT_FALSE(socket.try_send(large));
    co_await socket.read(1000, 10s);
    stop = true;
  });
  const auto client = connect(4096);
  while (refused == 0) std::this_thread::sleep_for(1ms);
  const std::string bytes = client->read_until(text("caught up"));
  EXPECT_EQ((bytes.size() - text("caught up").size()) % large->size(), 0U);
  EXPECT_GE(bytes.size(), large->size());
  client->send(frame(Opcode::text, "x"));
  client->send(close_frame(1000, true));
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(stop.load());
}

TEST_F(WebSocketTest, ConsumerThatStopsReadingIsCut) {
  const SharedFrame large = make_text_frame(std::string(100'000, 'x'));
  serve([&](WebSocket& socket) -> Task<> {
    while (socket.try_send(large)) co_await core::sleep_for(1ms);
    ended = (co_await socket.read(1000, 60s)).error().code;
  });
  const auto client = connect(4096);
  EXPECT_EQ(ending(), Errc::gone);
  for (int i = 0; i < 300 && server->connections() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(WebSocketTest, ServerClosesWithCodeAndReasonAndWaitsForTheAnswer) {
  serve([](WebSocket& socket) -> Task<> { co_await socket.close(4001, "revoked"); });
  const auto client = connect();
  std::string expected;
  append_close_frame(expected, 4001, "revoked");
  EXPECT_EQ(client->read_exactly(expected.size()), expected);
  client->send(frame(Opcode::text, "too late") + close_frame(4001, true));
  EXPECT_TRUE(client->is_closed(1s));
}

TEST_F(WebSocketTest, CloseFromElsewhereEndsTheReader) {
  std::atomic<WebSocket*> shared = nullptr;
  serve([&](WebSocket& socket) -> Task<> {
    shared = &socket;
    ended = (co_await socket.read(1000, 60s)).error().code;
  });
  const auto client = connect();
  while (shared == nullptr) std::this_thread::sleep_for(1ms);
  WebSocket* socket = shared;
  const auto closer = [socket]() -> Task<> { co_await socket->close(4001, ""); };
  core::asio::co_spawn(socket->executor(), closer(), [](const std::exception_ptr&) {});
  EXPECT_EQ(client->read_exactly(4), close_frame(4001, false));
  client->send(close_frame(4001, true));
  EXPECT_EQ(ending(), Errc::gone);
  EXPECT_TRUE(client->is_closed());
  server->drain(1s);
}

TEST_F(WebSocketTest, PeerThatNeverAnswersACloseIsLeft) {
  serve([](WebSocket& socket) -> Task<> { co_await socket.close(4001, ""); });
  const auto client = connect();
  EXPECT_EQ(client->read_exactly(4), close_frame(4001, false));
  EXPECT_TRUE(client->is_closed(4s));
}

TEST_F(WebSocketTest, SessionThatThrowsClosesWith1011) {
  serve([](WebSocket&) -> Task<> {
    throw std::runtime_error("broken");
    co_return;
  });
  const auto client = connect();
  EXPECT_EQ(client->read_exactly(4), close_frame(1011, false));
}

TEST_F(WebSocketTest, DrainCloses1001) {
  serve_echo();
  const auto client = connect();
  client->send(frame(Opcode::text, "a"));
  EXPECT_EQ(client->read_exactly(3), text("a"));
  std::thread drainer([&] { server->drain(5s); });
  std::string expected;
  append_close_frame(expected, 1001, "server is going away");
  EXPECT_EQ(client->read_exactly(expected.size()), expected);
  client->send(close_frame(1001, true));
  EXPECT_TRUE(client->is_closed());
  drainer.join();
  EXPECT_EQ(ended, Errc::gone);
}

TEST_F(WebSocketTest, OrdinaryRequestIsToldToUpgrade) {
  serve_echo();
  RawClient client(port());
  const auto answer = client.ask("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.status, 426);
  EXPECT_EQ(answer.headers.at("sec-websocket-version"), "13");
  std::string old(handshake);
  old.replace(old.find("13\r\n"), 2, "08");
  EXPECT_EQ(client.ask(old).status, 426);
  std::string with_body(handshake);
  with_body.insert(with_body.size() - 2, "Content-Length: 3\r\n");
  EXPECT_EQ(client.ask(with_body + "abc").status, 426);
}

}  // namespace
}  // namespace clouddocs::net
