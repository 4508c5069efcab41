// SPDX-License-Identifier: AGPL-3.0-or-later
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iostream>
#include <map>
#include <stdexcept>

#include "commands.hpp"
#include "http.hpp"
#include "sockets.hpp"
#include "websocket.hpp"

namespace bench {
namespace {

// The sequence number inside a CloudDocs cursor: the last 8 of its 28 bytes, little-endian. 0 if there is none.
std::uint64_t sequence_of(std::string_view cursor) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : cursor) {
    bits = bits << 6U | static_cast<std::uint32_t>(digits.find(c));
    if ((held += 6) < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(held) & 0xffU);
  }
  std::uint64_t sequence = 0;
  for (std::size_t i = 0; bytes.size() == 28 && i < 8; ++i) {
    sequence |= std::uint64_t{static_cast<unsigned char>(bytes[20 + i])} << (8 * i);
  }
  return sequence;
}

std::uint64_t number_after(std::string_view text, std::string_view label) {
  std::uint64_t value = 0;
  const auto at = text.find(label);
  if (at == std::string_view::npos) return 0;
  const auto begin = text.find_first_not_of(' ', at + label.size());
  std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return value;
}

struct Listener {
  WebSocket socket;
  std::vector<bool> seen;
  std::uint64_t sequence = 0;  // every event up to it has been announced
};

struct Publisher {
  Descriptor socket;
  Answer answer;
  std::uint64_t event = 0;
  bool is_answered = true;
};

struct Event {
  Clock::time_point published;
  std::size_t waiting_for = 0;
};

// Publishes events over HTTP, `outstanding` at once; one is over when its answer and its frame on every WebSocket are in.
class FanOut {
 public:
  explicit FanOut(const Options& options)
      : maker_(options),
        mark_("event-" + options.text("seed", "1") + "-"),
        events_(options.number("events", 100)),
        publishers_(options.number("outstanding", 16)) {
    const auto count = options.number("listeners", 100);
    listeners_.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      listeners_.push_back({WebSocket(options.port(), options.text("ws-path", "/"), joined_headers(options)),
                            std::vector<bool>(events_.size()), 0});
      set_nonblocking(listeners_.back().socket.socket());
      poller_.add(listeners_.back().socket.socket(), i, EPOLLIN);
    }
    for (std::uint64_t i = 0; i < publishers_.size(); ++i) {
      publishers_[i].socket = connect_loopback(options.port());
      poller_.add(publishers_[i].socket, publisher_key + i, EPOLLIN);
    }
    settle();
  }

  void run() {
    const auto start = Clock::now();
    for (auto& publisher : publishers_) publish(publisher);
    while (finished_ < events_.size()) {
      const auto ready = poller_.wait(60'000);
      if (ready.empty()) throw std::runtime_error("an event did not reach every device within a minute");
      for (const auto& [key, events] : ready) {
        if (key >= publisher_key) {
          answered(publishers_[key - publisher_key]);
        } else {
          auto& listener = listeners_[key];
          listener.socket.receive([&](std::string_view frame) { announced(listener, frame); });
        }
      }
    }
    const double seconds = seconds_since(start);
    std::cout << "{\"seconds\":" << seconds << ",\"events\":" << finished_ << ",\"listeners\":" << listeners_.size()
              << ",\"frames\":" << frames_ << ",\"p50_ms\":" << percentile(latencies_, 0.5) * 1e3
              << ",\"p99_ms\":" << percentile(latencies_, 0.99) * 1e3 << "}\n";
  }

 private:
  static constexpr std::uint64_t publisher_key = 1U << 30U;

  // Takes the greetings, so that they are not part of the measurement.
  void settle() {
    const auto start = Clock::now();
    while (seconds_since(start) < 0.5) {
      for (const auto& [key, events] : poller_.wait(100)) {
        listeners_.at(key).socket.receive([](std::string_view) {});
      }
    }
  }

  void publish(Publisher& publisher) {
    publisher.is_answered = false;
    if (next_ == events_.size()) return;
    publisher.event = next_++;
    publisher.answer.clear();
    auto& event = events_[publisher.event];
    event = {Clock::now(), listeners_.size()};
    write_all(publisher.socket, maker_.request(mark_ + std::to_string(publisher.event) + ".", mark_));
  }

  void answered(Publisher& publisher) {
    std::array<char, 16384> buffer;
    const auto count = ::recv(publisher.socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) throw std::runtime_error("the server closed a publisher's connection");
    if (!publisher.answer.feed({buffer.data(), static_cast<std::size_t>(count)})) return;
    const auto& answer = publisher.answer;
    if (answer.status() / 100 != 2)
      throw std::runtime_error(std::to_string(answer.status()) + " " + std::string(answer.body()));
    publisher.is_answered = true;
    // A hint without its items covers the events up to its cursor.
    if (const auto sequence = number_after(answer.body(), "\"seq\":"); sequence != 0) {
      by_sequence_[sequence] = publisher.event;
      for (auto& listener : listeners_) {
        if (listener.sequence >= sequence) see(listener, publisher.event);
      }
    }
    next_if_over(publisher);
  }

  void announced(Listener& listener, std::string_view frame) {
    ++frames_;
    for (auto at = frame.find(mark_); at != std::string_view::npos; at = frame.find(mark_, at + 1)) {
      std::uint64_t number = events_.size();
      std::from_chars(frame.data() + at + mark_.size(), frame.data() + frame.size(), number);
      if (number < events_.size()) see(listener, number);
    }
    const auto to = frame.find("\"to\":\"");
    if (to == std::string_view::npos) return;
    const auto reached = sequence_of(frame.substr(to + 6, 38));
    for (auto entry = by_sequence_.upper_bound(listener.sequence);
         entry != by_sequence_.end() && entry->first <= reached; ++entry) {
      see(listener, entry->second);
    }
    listener.sequence = std::max(listener.sequence, reached);
  }

  void see(Listener& listener, std::uint64_t number) {
    if (listener.seen[number]) return;
    listener.seen[number] = true;
    if (--events_[number].waiting_for > 0) return;
    latencies_.push_back(seconds_since(events_[number].published));
    for (auto& publisher : publishers_) {
      if (publisher.event == number) next_if_over(publisher);
    }
  }

  void next_if_over(Publisher& publisher) {
    if (!publisher.is_answered || events_[publisher.event].waiting_for > 0) return;
    ++finished_;
    publish(publisher);
  }

  RequestMaker maker_;
  std::string mark_;
  std::vector<Event> events_;
  std::vector<Listener> listeners_;
  std::vector<Publisher> publishers_;
  std::map<std::uint64_t, std::uint64_t> by_sequence_;
  Poller poller_;
  std::uint64_t next_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t frames_ = 0;
  std::vector<double> latencies_;
};

}  // namespace

void fan_out(const Options& options) { FanOut(options).run(); }

void idle(const Options& options) {
  const auto count = options.number("count", 1000);
  const std::string ping = options.text("ping");
  Poller poller;
  std::vector<WebSocket> sockets;
  sockets.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    sockets.emplace_back(options.port(), options.text("ws-path", "/"), joined_headers(options));
    poller.add(sockets.back().socket(), i, EPOLLIN);
  }
  const Descriptor input(::dup(STDIN_FILENO));
  poller.add(input, count, EPOLLIN);
  std::cout << "{\"ready\":" << sockets.size() << "}" << std::endl;
  auto pinged = Clock::now();
  for (;;) {
    for (const auto& [key, events] : poller.wait(1000)) {
      if (key == count) return;
      sockets[key].receive([](std::string_view) {});
    }
    if (ping.empty() || seconds_since(pinged) < 25) continue;
    for (auto& socket : sockets) socket.send_text(ping);
    pinged = Clock::now();
  }
}

}  // namespace bench
