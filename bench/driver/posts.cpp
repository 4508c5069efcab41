// SPDX-License-Identifier: AGPL-3.0-or-later
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include "commands.hpp"
#include "http.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

// Bytes that no other file of the run has, so that no server can store two of them once.
void fill(std::string& content, std::uint64_t seed) {
  for (std::size_t at = 0; at < content.size(); at += 8) {
    std::uint64_t mixed = seed += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31U;
    std::memcpy(content.data() + at, &mixed, std::min<std::size_t>(8, content.size() - at));
  }
}

struct Connection {
  Descriptor socket;
  std::string request;
  std::size_t sent = 0;
  bool waits_for_room = false;
  Answer answer;
  Clock::time_point started;
};

class Posts {
 public:
  explicit Posts(const Options& options)
      : maker_(options),
        content_(options.number("size", 4096), '\0'),
        count_(options.number("count", 1000)),
        seed_(options.number("seed", 1)),
        prefix_(options.text("prefix", "f-")),
        connections_(std::min<std::uint64_t>(options.number("connections", 8), count_)) {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].socket = connect_loopback(options.port());
      set_nonblocking(connections_[i].socket);
      poller_.add(connections_[i].socket, i, EPOLLIN);
    }
  }

  void run() {
    const auto start = Clock::now();
    for (auto& connection : connections_) begin(connection);
    while (done_ < count_) {
      const auto ready = poller_.wait(60'000);
      if (ready.empty()) throw std::runtime_error("no answer for a minute");
      for (const auto& [key, events] : ready) serve(key, events);
    }
    const double seconds = seconds_since(start);
    std::cout << "{\"seconds\":" << seconds << ",\"ok\":" << done_ - failed_ << ",\"failed\":" << failed_
              << ",\"p50_ms\":" << percentile(latencies_, 0.5) * 1e3
              << ",\"p99_ms\":" << percentile(latencies_, 0.99) * 1e3 << ",\"first_failure\":" << quoted(first_failure_)
              << "}\n";
  }

 private:
  void begin(Connection& connection) {
    if (next_ == count_) return;
    fill(content_, seed_ * 0x100000000U + next_);
    connection.request = maker_.request(prefix_ + std::to_string(next_), content_);
    ++next_;
    connection.sent = 0;
    connection.answer.clear();
    connection.started = Clock::now();
    write(connection);
  }

  void write(Connection& connection) {
    const auto written = ::send(connection.socket.get(), connection.request.data() + connection.sent,
                                connection.request.size() - connection.sent, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) fail("send");
    connection.sent += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    const auto key = static_cast<std::uint64_t>(&connection - connections_.data());
    const bool waits_for_room = connection.sent < connection.request.size();
    if (waits_for_room == connection.waits_for_room) return;
    connection.waits_for_room = waits_for_room;
    poller_.change(connection.socket, key, waits_for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void serve(std::uint64_t key, std::uint32_t events) {
    auto& connection = connections_[key];
    if ((events & EPOLLOUT) != 0) write(connection);
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    std::array<char, 16384> buffer;
    const auto count = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) throw std::runtime_error("the server closed a connection");
    if (!connection.answer.feed({buffer.data(), static_cast<std::size_t>(count)})) return;
    latencies_.push_back(seconds_since(connection.started));
    ++done_;
    if (connection.answer.status() / 100 != 2 && failed_++ == 0) {
      first_failure_ = std::to_string(connection.answer.status()) + " " + std::string(connection.answer.body());
    }
    begin(connection);
  }

  RequestMaker maker_;
  std::string content_;
  std::uint64_t count_;
  std::uint64_t seed_;
  std::string prefix_;
  std::vector<Connection> connections_;
  Poller poller_;
  std::uint64_t next_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::string first_failure_;
  std::vector<double> latencies_;
};

}  // namespace

void posts(const Options& options) { Posts(options).run(); }

}  // namespace bench
