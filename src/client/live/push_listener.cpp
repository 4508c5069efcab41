// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/live/push_listener.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>

#include "core/log.hpp"
#include "core/random.hpp"
#include "net/http_client.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds ping_interval{25'000};
constexpr milliseconds answer_limit{60'000};  // silence that long: the connection is dead
constexpr milliseconds read_step{250};
constexpr milliseconds shortest_wait{500};
constexpr milliseconds longest_wait{30'000};

std::string to_socket_url(const std::string& url) {
  return (url.starts_with("https://") ? "wss://" + url.substr(8) : "ws://" + url.substr(7)) + "/api/sync/ws";
}

}  // namespace

PushListener::PushListener(ApiClient& api, std::function<void()> on_change)
    : api_(api), on_change_(std::move(on_change)), thread_([this](const std::stop_token& stop) { run(stop); }) {}
PushListener::~PushListener() = default;

std::string PushListener::head(const std::string& space) const {
  const std::lock_guard lock(mutex_);
  const auto found = heads_.find(space);
  return found == heads_.end() ? "" : found->second;
}
void PushListener::set_cursor(const std::string& space, const std::string& cursor) {
  const std::lock_guard lock(mutex_);
  cursors_[space] = cursor;
}

void PushListener::run(const std::stop_token& stop) {
  auto wait = shortest_wait;
  while (!stop.stop_requested()) {
    const auto started = Clock::now();
    try {
      listen(stop);
    } catch (const std::exception& error) {
      // Whatever it was, try again; the sync itself tells the user of troubles.
      core::log_debug("push_lost", {{"error", std::string(error.what())}});
    }
    if (is_connected_.exchange(false)) on_change_();
    if (Clock::now() - started > answer_limit) wait = shortest_wait;
    const auto pause = wait / 2 + milliseconds(static_cast<std::int64_t>(core::system_random().next() %
                                                                         static_cast<std::uint64_t>(wait.count())));
    std::mutex mutex;
    std::condition_variable_any sleeper;
    std::unique_lock lock(mutex);
    sleeper.wait_for(lock, stop, pause, [] { return false; });
    wait = std::min(wait * 2, longest_wait);
  }
}

void PushListener::listen(const std::stop_token& stop) {
  const auto account = api_.account();
  std::unique_ptr<net::WebSocketClient> socket;
  try {
    socket = std::make_unique<net::WebSocketClient>(
        to_socket_url(account.url),
        std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer " + account.access_token}},
        milliseconds(10'000));
  } catch (const net::NetworkError& error) {
    if (std::string_view(error.what()).find("401") != std::string_view::npos) api_.refresh(account.access_token);
    throw;
  }
  auto last_heard = Clock::now();
  auto last_ping = Clock::now();
  while (!stop.stop_requested()) {
    if (auto text = socket->read(read_step)) {
      last_heard = Clock::now();
      take(*text);
    }
    if (Clock::now() - last_heard > answer_limit) return;
    if (Clock::now() - last_ping > ping_interval) {
      socket->send(ping());
      last_ping = Clock::now();
    }
  }
  socket->close();
}

void PushListener::take(const std::string& text) {
  const auto value = json::parse(text);
  const auto& frame = value.as_object();
  const std::string_view type = frame.at("type").as_string();
  if (type == "hello") {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& space : frame.at("spaces").as_array()) {
        heads_[std::string(space.at("space").as_string())] = space.at("cursor").as_string();
      }
    }
    is_connected_ = true;
    on_change_();
  } else if (type == "changes") {
    {
      const std::lock_guard lock(mutex_);
      heads_[std::string(frame.at("space").as_string())] = frame.at("to").as_string();
    }
    on_change_();
  }
}

std::string PushListener::ping() const {
  const std::lock_guard lock(mutex_);
  json::object cursors;
  for (const auto& [space, cursor] : cursors_) cursors[space] = cursor;
  return json::serialize(json::object{{"type", "ping"}, {"cursors", std::move(cursors)}});
}

}  // namespace clouddocs::client
