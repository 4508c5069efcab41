// SPDX-License-Identifier: AGPL-3.0-or-later
// Multipart bodies: no crash, and the same parts however the bytes are cut into pieces.
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "net/multipart.hpp"

using namespace clouddocs;

namespace {

class PiecewiseBody : public net::BodyReader {
 public:
  PiecewiseBody(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
  std::optional<std::uint64_t> content_length() const override { return std::nullopt; }
  core::Task<core::Result<core::ByteView>> read() override {
    lent_ = std::make_unique<std::string>(text_.substr(0, piece_));
    text_.remove_prefix(lent_->size());
    co_return core::as_bytes(*lent_);
  }

 private:
  std::string_view text_;
  std::size_t piece_;
  std::unique_ptr<std::string> lent_;  // a new piece of memory each time: a view kept too long is found
};

core::Task<core::Result<std::string>> read_all(net::Request& request) {
  CO_TRY(net::MultipartReader reader, net::MultipartReader::open(request));
  std::string all;
  while (true) {
    CO_TRY(const auto part, co_await reader.next_part());
    if (!part) co_return all;
    all += "[" + part->name + "|" + part->filename.value_or("-") + "|" + part->content_type + "]";
    while (true) {
      CO_TRY(const auto piece, co_await reader.read());
      if (piece.empty()) break;
      all += core::as_text(piece);
    }
  }
}

std::string outcome(std::string_view text, std::size_t piece) {
  PiecewiseBody body(text, piece);
  net::Request request;
  request.body = &body;
  request.headers.add("Content-Type", "multipart/form-data; boundary=XX");
  std::string result = "unfinished";
  core::asio::io_context context;
  const auto run = [&]() -> core::Task<> {
    const auto all = co_await read_all(request);
    result = all.has_value() ? *all : "error";
  };
  core::asio::co_spawn(context, run(), [](const std::exception_ptr& error) {
    if (error) std::abort();
  });
  context.run();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (outcome(input, input.size() + 1) != outcome(input, 1U + bytes[0] % 16U)) std::abort();
  return 0;
}
