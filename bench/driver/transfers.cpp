// SPDX-License-Identifier: AGPL-3.0-or-later
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/sendfile.h>

#include <array>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "commands.hpp"
#include "http.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

constexpr std::size_t buffer_size = 256 * 1024;

// Runs `work(0) ... work(count - 1)` at once, each on a thread; the seconds until the last ends.
double run_streams(std::uint64_t count, const std::function<void(std::uint64_t)>& work) {
  std::vector<std::exception_ptr> errors(count);
  std::vector<std::thread> threads;
  threads.reserve(count);
  const auto start = Clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return seconds_since(start);
}

void send_part(const Descriptor& socket, const Descriptor& file, std::uint64_t from, std::uint64_t size) {
  auto offset = static_cast<off_t>(from);
  for (std::uint64_t left = size; left > 0;) {
    const auto sent = ::sendfile(socket.get(), file.get(), &offset, std::min<std::uint64_t>(left, 8U << 20U));
    if (sent <= 0) fail("sendfile");
    left -= static_cast<std::uint64_t>(sent);
  }
}

Answer read_answer(Stream& stream) {
  Answer answer;
  std::array<char, 16384> buffer;
  while (!answer.feed({buffer.data(), stream.read(buffer.data(), buffer.size())})) {
  }
  return answer;
}

// What a download hands its bytes to: nothing, or a SHA-256.
class Sink {
 public:
  explicit Sink(bool is_digest) : context_(is_digest ? ::EVP_MD_CTX_new() : nullptr, &::EVP_MD_CTX_free) {
    if (context_) ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr);
  }
  void take(std::string_view bytes) {
    if (context_) ::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  std::string digest() {
    std::string out;
    if (!context_) return out;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned size = 0;
    ::EVP_DigestFinal_ex(context_.get(), hash.data(), &size);
    constexpr std::string_view digits = "0123456789abcdef";
    for (unsigned i = 0; i < size; ++i) {
      out += digits[hash[i] >> 4U];
      out += digits[hash[i] & 15U];
    }
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

// One GET; the number of bytes of its body.
std::uint64_t get(Stream& stream, const std::string& request, int wanted_status, std::string& buffer, Sink& sink) {
  stream.write(request);
  Answer answer;
  while (!answer.has_head()) answer.feed({buffer.data(), stream.read(buffer.data(), 4096)});
  if (answer.status() != wanted_status) throw std::runtime_error("status " + std::to_string(answer.status()));
  std::uint64_t received = answer.body().size();
  sink.take(answer.body());
  while (received < answer.content_length()) {
    const auto count =
        stream.read(buffer.data(), std::min<std::uint64_t>(buffer.size(), answer.content_length() - received));
    sink.take({buffer.data(), count});
    received += count;
  }
  return received;
}

}  // namespace

void upload(const Options& options) {
  const Descriptor file(::open(options.text("file").c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("open " + options.text("file"));
  const auto streams = options.number("streams", 1);
  const auto part = static_cast<std::uint64_t>(::lseek(file.get(), 0, SEEK_END)) / streams;
  const RequestMaker maker(options);
  const std::string name = options.text("name", "big");
  std::vector<std::string> answers(streams);
  const double seconds = run_streams(streams, [&](std::uint64_t i) {
    Stream stream(options.port(), false);
    const auto wrapped = maker.envelope(streams == 1 ? name : name + "-" + std::to_string(i), part);
    stream.write(wrapped.before);
    send_part(stream.socket(), file, i * part, part);
    if (!wrapped.after.empty()) stream.write(wrapped.after);
    const auto answer = read_answer(stream);
    answers[i] = answer.body();
    if (answer.status() / 100 != 2) throw std::runtime_error(std::to_string(answer.status()) + " " + answers[i]);
  });
  std::cout << "{\"seconds\":" << seconds << ",\"bytes\":" << part * streams << ",\"answer\":" << quoted(answers[0])
            << "}\n";
}

void download(const Options& options) {
  const bool is_tls = options.number("tls", 0) != 0;
  const auto size = options.number("size", 0);
  const auto range = options.number("range", 0);
  const auto streams = options.number("streams", 1);
  const std::string head = "GET " + options.text("path", "/") + " HTTP/1.1\r\n" + joined_headers(options);
  std::vector<std::uint64_t> received(streams);
  std::string digest;
  const double seconds = run_streams(streams, [&](std::uint64_t i) {
    Stream stream(options.port(), is_tls);
    std::string buffer(buffer_size, '\0');
    Sink sink(options.number("digest", 0) != 0 && i == 0);
    if (range == 0) received[i] = get(stream, head + "\r\n", 200, buffer, sink);
    for (std::uint64_t from = 0; range != 0 && from < size; from += range) {
      const auto last = std::min(from + range, size) - 1;
      const std::string line = "Range: bytes=" + std::to_string(from) + "-" + std::to_string(last) + "\r\n\r\n";
      received[i] += get(stream, head + line, 206, buffer, sink);
    }
    if (i == 0) digest = sink.digest();
  });
  std::uint64_t bytes = 0;
  for (const auto count : received) bytes += count;
  std::cout << "{\"seconds\":" << seconds << ",\"bytes\":" << bytes << ",\"sha256\":" << quoted(digest) << "}\n";
}

}  // namespace bench
