// SPDX-License-Identifier: AGPL-3.0-or-later
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <thread>

#include "net/server_fixture.hpp"

namespace clouddocs::net {
namespace {

using namespace std::chrono_literals;
using core::Errc;
using core::Result;
using core::Task;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

// A file in memory that goes when the last region does.
std::shared_ptr<const int> memory_file(const std::string& content) {
  const int fd = ::memfd_create("content", 0);
  if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    throw std::runtime_error("write");
  return {new int(fd), [](const int* held) {
            ::close(*held);
            delete held;
          }};
}

class PatternSource : public BodySource {
 public:
  PatternSource(std::string content, std::size_t piece, bool fails = false)
      : content_(std::move(content)), piece_(piece), fails_(fails) {}
  Task<core::ByteView> next() override {
    if (fails_ && at_ >= content_.size() / 2) throw std::runtime_error("source broke");
    const auto piece = std::string_view(content_).substr(at_, piece_);
    at_ += piece.size();
    co_return core::as_bytes(piece);
  }

 private:
  std::string content_;
  std::size_t piece_;
  bool fails_;
  std::size_t at_ = 0;
};

class ServerBodyTest : public ::testing::Test, protected ServerFixture {
 protected:
  ServerBodyTest() {
    router.add(Method::post, "/count",
               [this](Request& request) -> Task<Result<Response>> {
                 std::uint64_t total = 0;
                 while (true) {
                   const auto piece = co_await request.body->read();
                   if (piece.has_error()) last_error = piece.error().code;
                   CO_CHECK(piece);
                   if (piece->empty()) break;
                   total += piece->size();
                   received = total;
                   if (pause) co_await core::sleep_for(20ms);
                 }
                 co_return Response::text(std::to_string(total));
               },
               {.body_limit = 64U << 20, .rate_limited = true});
    router.add(Method::post, "/echo",
               [](Request& request) -> Task<Result<Response>> {
                 CO_TRY(std::string text, co_await request.read_text(4U << 20));
                 co_return Response::text(std::move(text));
               },
               {.body_limit = 4U << 20, .rate_limited = true});
    router.add(Method::post, "/ignore", [](Request&) -> Task<Result<Response>> { co_return Response::text("ignored"); },
               {.body_limit = 1U << 30, .rate_limited = true});
    router.add(Method::post, "/small", [](Request& request) -> Task<Result<Response>> {
      CO_TRY(std::string text, co_await request.read_text(100));
      co_return Response::text(std::move(text));
    });
  }

  void add_body(std::string path, std::function<void(Response&)> fill) {
    router.add(Method::get, std::move(path), [fill](Request&) -> Task<Result<Response>> {
      Response response;
      fill(response);
      co_return response;
    });
  }
  RawClient::Answer get(RawClient& client, const std::string& path) {
    return client.ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  std::atomic<std::uint64_t> received = 0;
  std::atomic<Errc> last_error = Errc::internal;
  std::atomic<bool> pause = false;
};

std::string head_of(std::string_view path, std::size_t length, std::string_view more = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(more) + "\r\n";
}

TEST_F(ServerBodyTest, LargeBodyArrivesWhole) {
  start();
  const std::string content = pattern(3'000'001);
  RawClient client(port());
  std::thread writer([&] { client.send(head_of("/echo", content.size()) + content); });
  const auto answer = client.read();
  writer.join();
  EXPECT_TRUE(answer.body == content);
}

TEST_F(ServerBodyTest, ChunkedBodyOfEverySplitArrivesWhole) {
  start();
  RawClient client(port());
  for (const std::size_t size : {1U, 77U, 1000U, 65536U, 300000U}) {
    const std::string content = pattern(700'001);
    std::string request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string_view sent = std::string_view(content).substr(0, size == 1U ? 5000 : content.size());
    for (std::size_t at = 0; at < sent.size(); at += size) {
      const auto piece = sent.substr(at, size);
      char line[32];
      std::snprintf(line, sizeof line, "%zX\r\n", piece.size());
      request += line + std::string(piece) + "\r\n";
    }
    request += "0\r\n\r\n";
    std::thread writer([&] { client.send(request); });
    const auto answer = client.read();
    writer.join();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == sent) << size;
  }
}

TEST_F(ServerBodyTest, PipelinedChunkedBodiesDoNotMix) {
  start();
  RawClient client(port());
  std::string burst;
  for (int i = 0; i < 50; ++i) {
    burst += "POST /ignore HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    burst += "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
  }
  client.send(burst);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.read().body, "ignored");
    EXPECT_EQ(client.read().body, "abcde");
  }
}

TEST_F(ServerBodyTest, SlowHandlerHoldsItsClientBack) {
  pause = true;
  start();
  RawClient client(port());
  constexpr std::size_t size = 32U << 20;
  const std::string content(size, 'x');
  std::thread writer([&] { client.send(head_of("/count", size) + content); });
  std::this_thread::sleep_for(100ms);
  // Pieces of 256 KiB, one each 20 ms: what the kernel's buffers do not take stays with the client.
  EXPECT_LT(received.load(), size / 4);
  pause = false;
  EXPECT_EQ(client.read().body, std::to_string(size));
  writer.join();
}

TEST_F(ServerBodyTest, StalledBodyIsIncompleteAndCloses) {
  start();
  RawClient client(port());
  client.send(head_of("/count", 100) + "abc");
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(last_error.load(), Errc::upload_incomplete);
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST_F(ServerBodyTest, LostClientEndsTheRead) {
  start();
  {
    RawClient client(port());
    client.send(head_of("/count", 100) + "abc");
  }
  for (int i = 0; i < 200 && last_error.load() != Errc::upload_incomplete; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(last_error.load(), Errc::upload_incomplete);
}

TEST_F(ServerBodyTest, BodyOverTheRoutesLimitIsRefused) {
  start();
  RawClient declared(port());
  EXPECT_EQ(declared.ask(head_of("/small", 2U << 20)).status, 413);
  RawClient chunked(port());
  std::string request = "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) request += "20000\r\n" + std::string(0x20000, 'x') + "\r\n";
  std::thread writer([&] { chunked.send(request); });
  EXPECT_EQ(chunked.read().status, 413);
  writer.join();
}

TEST_F(ServerBodyTest, RefusalOfAnUploadReachesAClientThatIsStillSending) {
  start();
  RawClient client(port());
  std::thread writer([&] { client.send(head_of("/count", 1U << 30) + std::string(32U << 20, 'x')); });
  EXPECT_EQ(client.read().status, 413);
  client.shutdown();
  writer.join();
}

TEST_F(ServerBodyTest, SmallUnreadBodyKeepsTheConnectionLargeOneClosesIt) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask(head_of("/ignore", 1000) + std::string(1000, 'x')).body, "ignored");
  EXPECT_EQ(client.ask(head_of("/ignore", 60'000) + std::string(60'000, 'x')).body, "ignored");
  const auto answer = client.ask(head_of("/ignore", 100'000) + std::string(1000, 'x'));
  EXPECT_EQ(answer.body, "ignored");
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST_F(ServerBodyTest, ContinueIsSaidWhenTheHandlerReads) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask(head_of("/echo", 3, "Expect: 100-continue\r\n")).status, 100);
  EXPECT_EQ(client.ask("abc").body, "abc");
  // A handler that does not read gets no body: the final answer comes at once.
  const auto refused = client.ask(head_of("/ignore", 3, "Expect: 100-continue\r\n"));
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  RawClient large(port());
  EXPECT_EQ(large.ask(head_of("/small", 2U << 20, "Expect: 100-continue\r\n")).status, 413);
}

TEST_F(ServerBodyTest, FileRegionsAndMemoryAreJoined) {
  const std::string content = pattern(9U << 20);
  const auto file = memory_file(content);
  add_body("/parts", [&](Response& response) {
    BodyParts body;
    for (int i = 0; i < 100; ++i) {
      const auto offset = static_cast<std::uint64_t>(i) * 50'000;
      body.parts.emplace_back(std::make_shared<const std::string>("[" + std::to_string(i) + "]"));
      body.parts.emplace_back(FileRegion{file, *file, offset, 50'000});
      body.length += std::get<0>(body.parts[body.parts.size() - 2])->size() + 50'000;
    }
    body.parts.emplace_back(FileRegion{file, *file, 0, 0});
    body.parts.emplace_back(std::make_shared<const std::string>("end"));
    body.length += 3;
    response.body = std::move(body);
  });
  add_body("/file", [&](Response& response) {
    response.body = BodyParts{{FileRegion{file, *file, 1, content.size() - 1}}, content.size() - 1};
  });
  add_body("/memory", [&](Response& response) {
    BodyParts body;
    for (int i = 0; i < 1000; ++i) body.parts.emplace_back(std::make_shared<const std::string>("x"));
    body.length = 1000;
    response.body = std::move(body);
  });
  start();
  RawClient client(port());
  std::string expected;
  for (std::size_t i = 0; i < 100; ++i) expected += "[" + std::to_string(i) + "]" + content.substr(i * 50'000, 50'000);
  EXPECT_TRUE(get(client, "/parts").body == expected + "end");
  EXPECT_TRUE(get(client, "/file").body == content.substr(1));
  EXPECT_EQ(get(client, "/memory").body, std::string(1000, 'x'));
}

TEST_F(ServerBodyTest, FileShorterThanItsRegionCutsTheConnection) {
  const auto file = memory_file("short");
  add_body("/file", [&](Response& response) { response.body = BodyParts{{FileRegion{file, *file, 0, 100}}, 100}; });
  start();
  RawClient client(port());
  EXPECT_EQ(get(client, "/file").body, "short");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerBodyTest, StreamsWithAndWithoutLength) {
  const std::string content = pattern(1'000'000);
  add_body("/chunked", [&](Response& response) {
    response.body = BodyStream{std::make_unique<PatternSource>(content, 70'000), {}};
  });
  add_body("/known", [&](Response& response) {
    response.body = BodyStream{std::make_unique<PatternSource>(content, 70'000), content.size()};
  });
  add_body("/short", [&](Response& response) {
    response.body = BodyStream{std::make_unique<PatternSource>(content, 70'000), content.size() + 1};
  });
  add_body("/broken", [&](Response& response) {
    response.body = BodyStream{std::make_unique<PatternSource>(content, 70'000, true), {}};
  });
  start();
  RawClient client(port());
  const auto chunked = get(client, "/chunked");
  EXPECT_EQ(chunked.headers.at("transfer-encoding"), "chunked");
  EXPECT_TRUE(chunked.body == content);
  EXPECT_TRUE(get(client, "/known").body == content);
  EXPECT_TRUE(client.ask("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body == content);
  RawClient cut(port());
  EXPECT_EQ(get(cut, "/short").body.size(), content.size());
  EXPECT_TRUE(cut.is_closed());
  RawClient broken(port());
  broken.send("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string bytes = broken.read_all();
  EXPECT_GT(bytes.size(), content.size() / 2);
  EXPECT_FALSE(bytes.ends_with("0\r\n\r\n"));
}

TEST_F(ServerBodyTest, ReaderThatStopsIsCutAfterTheStallTimeout) {
  add_body("/large", [&](Response& response) { response.body = std::make_shared<const std::string>(64U << 20, 'x'); });
  start();
  RawClient client(port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 500 && server->connections() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerBodyTest, SlowReaderGetsTheWholeAnswer) {
  const std::string content = pattern(8U << 20);
  add_body("/large", [&](Response& response) {
    response.headers.add("X-Injected", "a\r\nSet-Cookie: b");
    response.body = content;
  });
  start();
  RawClient client(port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(150ms);
  const auto answer = client.read();
  EXPECT_TRUE(answer.body == content);
  EXPECT_EQ(answer.headers.at("x-injected"), "a  Set-Cookie: b");
  EXPECT_FALSE(answer.headers.contains("set-cookie"));
}

}  // namespace
}  // namespace clouddocs::net
