// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/multipart.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <random>

namespace clouddocs::net {
namespace {

using core::Errc;
using core::Result;
using core::Task;

template <class T>
T run(Task<T> task) {
  core::asio::io_context context;
  auto future = core::asio::co_spawn(context, std::move(task), core::asio::use_future);
  context.run();
  return future.get();
}

// Yields a text in pieces of one size, each in memory of its own, so that a view kept too long is found by ASan.
class PiecewiseBody : public BodyReader {
 public:
  PiecewiseBody(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  std::optional<std::uint64_t> content_length() const override { return text_.size(); }
  Task<Result<core::ByteView>> read() override {
    lent_ = std::make_unique<std::string>(text_.substr(at_, piece_));
    at_ += lent_->size();
    co_return core::as_bytes(*lent_);
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
  std::unique_ptr<std::string> lent_;
};

struct ReadPart {
  std::string name;
  std::optional<std::string> filename;
  std::string type;
  std::string content;
};

struct Form {
  explicit Form(std::string text, std::size_t piece = 100'000,
                std::string_view type = "multipart/form-data; boundary=XX")
      : body(std::move(text), piece) {
    request.headers.add("Content-Type", type);
    request.body = &body;
  }
  // All parts, or the error.
  Result<std::vector<ReadPart>> read() {
    auto task = [&]() -> Task<Result<std::vector<ReadPart>>> {
      CO_TRY(MultipartReader reader, MultipartReader::open(request));
      std::vector<ReadPart> parts;
      while (true) {
        CO_TRY(auto part, co_await reader.next_part());
        if (!part) co_return parts;
        ReadPart read{part->name, part->filename, part->content_type, ""};
        while (true) {
          CO_TRY(const auto piece, co_await reader.read());
          if (piece.empty()) break;
          read.content += core::as_text(piece);
        }
        parts.push_back(std::move(read));
      }
    };
    return run(task());
  }

  PiecewiseBody body;
  Request request;
};

const std::string two_parts =
    "--XX\r\nContent-Disposition: form-data; name=\"parent_id\"\r\n\r\nabc\r\n"
    "--XX \r\nContent-Type: image/png\r\ncontent-disposition: form-data; filename=\"a \\\"b\\\" %22;\xc3\xa4.png\"; "
    "name=file\r\n\r\n"
    "\r\n\r\n--X\r\n--XY\r--XX--\r\n\r\n--XX--\r\nepilogue";
const std::string second_content = "\r\n\r\n--X\r\n--XY\r--XX--\r\n";

TEST(Multipart, YieldsPartsHoweverTheBytesArrive) {
  for (std::size_t piece = 1; piece < 120; ++piece) {
    const auto parts = Form(two_parts, piece).read();
    ASSERT_TRUE(parts.has_value()) << piece << parts.error().detail;
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ((*parts)[0].name, "parent_id");
    EXPECT_FALSE((*parts)[0].filename.has_value());
    EXPECT_EQ((*parts)[0].type, "text/plain");
    EXPECT_EQ((*parts)[0].content, "abc");
    EXPECT_EQ((*parts)[1].name, "file");
    EXPECT_EQ((*parts)[1].filename, "a \"b\" %22;\xc3\xa4.png");
    EXPECT_EQ((*parts)[1].type, "image/png");
    EXPECT_EQ((*parts)[1].content, second_content) << piece;
  }
}

TEST(Multipart, RandomContentsComeBackUnchanged) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> contents(random() % 4);
    std::string text = round % 2 == 0 ? "preamble\r\n" : "";
    for (auto& content : contents) {
      for (auto left = random() % 200; left > 0; --left) content += "\r\n-XY"[random() % 5];
      if (content.find("\r\n--XX") != std::string::npos) content.clear();
      text += "--XX\r\nContent-Disposition: form-data; name=n\r\n\r\n" + content + "\r\n";
    }
    const auto parts = Form(text + "--XX--", 1 + random() % 60).read();
    ASSERT_TRUE(parts.has_value());
    ASSERT_EQ(parts->size(), contents.size());
    for (std::size_t i = 0; i < contents.size(); ++i) EXPECT_EQ((*parts)[i].content, contents[i]);
  }
}

TEST(Multipart, NextPartSkipsWhatWasNotRead) {
  Form form(two_parts, 5);
  auto task = [&]() -> Task<Result<std::string>> {
    CO_TRY(MultipartReader reader, MultipartReader::open(form.request));
    CO_CHECK(co_await reader.next_part());
    CO_TRY(const auto second, co_await reader.next_part());
    CO_TRY(const auto text, co_await reader.read_text(1000));
    CO_TRY(const auto third, co_await reader.next_part());
    CO_TRY(const auto fourth, co_await reader.next_part());
    co_return second->name + text + (third || fourth ? "more" : "");
  };
  EXPECT_EQ(run(task()).value(), "file" + second_content);
}

TEST(Multipart, TextOverItsLimitIsAnError) {
  Form form(two_parts);
  auto task = [&]() -> Task<Result<std::string>> {
    CO_TRY(MultipartReader reader, MultipartReader::open(form.request));
    CO_CHECK(co_await reader.next_part());
    co_return co_await reader.read_text(2);
  };
  EXPECT_EQ(run(task()).error().code, Errc::body_too_large);
}

TEST(Multipart, MalformedBodiesAreRefused) {
  const std::string start = "--XX\r\nContent-Disposition: form-data; name=a\r\n";
  for (const std::string& text : std::vector<std::string>{
           start + "\r\nabc\r\n--XXy\r\n", "--XX\r\nContent-Type: a\r\n\r\nabc\r\n--XX--",
           "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XX--",
           "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--XX--", start + "no colon\r\n\r\n\r\n--XX--",
           start + "A: b\n\r\n\r\n--XX--", start + "A: " + std::string(9000, 'a') + "\r\n\r\n\r\n--XX--",
           std::string(9000, 'a') + start + "\r\n\r\n--XX--"}) {
    const auto parts = Form(text, 7).read();
    EXPECT_EQ(parts.has_error() ? parts.error().code : Errc::internal, Errc::invalid_request) << text.substr(0, 100);
  }
}

TEST(Multipart, BodiesThatEndEarlyAreIncomplete) {
  const std::string start = "--XX\r\nContent-Disposition: form-data; name=a\r\n";
  for (const std::string& text :
       std::vector<std::string>{"", "--XX", "--XX\r\n", start, start + "\r\nabc", start + "\r\nabc\r\n--XX"}) {
    const auto parts = Form(text, 7).read();
    EXPECT_EQ(parts.has_error() ? parts.error().code : Errc::internal, Errc::upload_incomplete) << text;
  }
}

TEST(Multipart, OtherTypesAreUnsupported) {
  for (const std::string_view type : {"", "application/json", "multipart/form-data",
                                      "multipart/form-data; boundary=", "multipart/mixed; boundary=XX"}) {
    EXPECT_EQ(Form(two_parts, 100, type).read().error().code, Errc::unsupported_media_type) << type;
  }
  EXPECT_TRUE(Form(two_parts, 100, "Multipart/Form-Data; charset=utf-8; Boundary=\"XX\"").read().has_value());
}

}  // namespace
}  // namespace clouddocs::net
