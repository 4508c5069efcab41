// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/event_loop.hpp"

#include <algorithm>
#include <ctime>

#include "core/random.hpp"

namespace clouddocs::net {

BufferPool::Memory BufferPool::take() {
  if (free_.empty()) return std::make_unique_for_overwrite<char[]>(buffer_size);
  Memory memory = std::move(free_.back());
  free_.pop_back();
  return memory;
}

void BufferPool::give_back(Memory memory) {
  constexpr std::size_t kept = 4;
  if (free_.size() < kept) free_.push_back(std::move(memory));
}

// Hint 1: one thread runs the context, others may still post to it.
EventLoop::EventLoop() : id_state_(core::system_random().next()), context(1), timer_(context) {}

void EventLoop::add(LoopMember& member) { members_.push_back(member); }
void EventLoop::remove(LoopMember& member) { members_.erase(members_.iterator_to(member)); }

void EventLoop::expect_deadline(SteadyTime deadline) {
  // Deadlines are coarse: only one well before the next sweep is worth moving the timer for.
  if (next_sweep_ == SteadyTime::max()) {
    schedule(std::min(deadline, std::chrono::steady_clock::now() + sweep_period));
  } else if (deadline + std::chrono::milliseconds(10) < next_sweep_) {
    schedule(deadline);
  }
}

void EventLoop::schedule(SteadyTime at) {
  next_sweep_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) sweep();
  });
}

void EventLoop::sweep() {
  const auto now = std::chrono::steady_clock::now();
  next_sweep_ = SteadyTime::max();
  for (auto& member : members_) member.sweep(now);
  if (!members_.empty()) expect_deadline(now + sweep_period);
}

void EventLoop::drain_members() {
  for (auto& member : members_) member.drain();
}

void EventLoop::cut_members() {
  // A member may leave the list while it is being cut.
  for (auto at = members_.begin(); at != members_.end();) (at++)->cut();
}

std::string_view EventLoop::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm at{};
    ::gmtime_r(&now, &at);
    char text[40];
    const int length =
        std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[at.tm_wday], at.tm_mday,
                      months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
    date_.assign(text, static_cast<std::size_t>(length));
    date_second_ = now;
  }
  return date_;
}

std::string EventLoop::make_request_id() {
  // splitmix64: no secret, only different from the others.
  std::uint64_t bits = id_state_ += 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  bits ^= bits >> 31;
  std::string id(16, '0');
  for (char& c : id) {
    c = "0123456789abcdef"[bits & 15U];
    bits >>= 4;
  }
  return id;
}

}  // namespace clouddocs::net
