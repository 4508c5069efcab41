// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/hub.hpp"

#include <boost/asio/post.hpp>

#include "core/log.hpp"

namespace clouddocs::sync {
namespace {

constexpr std::string_view topic_prefix = "changes:";
// Rows travel with the hint when they are few: then a device needs no request at all.
constexpr std::size_t max_inline_rows = 32;
constexpr std::size_t max_devices = 100'000;

std::string changes_frame(std::string_view space, std::string_view from, std::string_view to,
                          std::string_view changes) {
  std::string out = "{\"type\":\"changes\",\"space\":\"";
  out.append(space).append("\",\"from\":\"").append(from).append("\",\"to\":\"").append(to).append("\"");
  if (!changes.empty()) out.append(",\"changes\":").append(changes);
  out += '}';
  return out;
}

}  // namespace

void Subscriber::send_changes(const std::string& space, const std::string& from, const std::string& to,
                              const net::SharedFrame& frame) {
  if (socket_ == nullptr || closed_) return;
  const auto waiting = pending_.find(space);
  if (waiting == pending_.end() && socket_->try_send(frame)) return;
  if (waiting == pending_.end()) {
    pending_[space] = {from, to};
  } else {
    waiting->second.to = to;
  }
}

void Subscriber::flush() {
  while (socket_ != nullptr && !closed_ && !pending_.empty()) {
    const auto first = pending_.begin();
    const auto frame = net::make_text_frame(changes_frame(first->first, first->second.from, first->second.to, {}));
    if (!socket_->try_send(frame)) return;
    pending_.erase(first);
  }
}

void Subscriber::close(std::uint16_t code, std::string_view reason, std::string_view detail) {
  if (socket_ == nullptr || closed_) return;
  closed_ = true;
  socket_->try_send(net::make_text_frame("{\"type\":\"bye\",\"code\":\"" + std::string(reason) + "\",\"detail\":\"" +
                                         std::string(detail) + "\"}"));
  closing_ = true;
  auto closing = [](net::WebSocket& socket, std::uint16_t close_code, std::string close_reason) -> core::Task<> {
    co_await socket.close(close_code, std::move(close_reason));
  };
  core::asio::co_spawn(socket_->executor(), closing(*socket_, code, std::string(reason)),
                       [self = shared_from_this()](const std::exception_ptr& error) {
                         if (error) core::log_debug("websocket_close_failed");
                         self->closing_ = false;
                       });
}

Hub::Hub(bus::Bus& bus, const core::Clock& clock) : bus_(bus), clock_(clock) {
  subscription_ = bus_.subscribe(std::string(topic_prefix),
                                 [this](std::string_view topic, std::string_view message) { deliver(topic, message); });
}

Hub::~Hub() { subscription_.reset(); }

void Hub::publish(const storage::CommitNotice& notice) {
  const std::string space = core::to_text(notice.space);
  const std::string from = to_text(storage::Cursor{notice.space, notice.epoch, notice.from});
  const std::string to = to_text(storage::Cursor{notice.space, notice.epoch, notice.to});
  std::string rows;
  if (!notice.changed.empty() && notice.changed.size() <= max_inline_rows) {
    rows = "[";
    for (const auto& node : notice.changed) {
      if (rows.size() > 1) rows += ',';
      storage::append_item(rows, notice.space, node);
    }
    rows += ']';
  }
  // The three texts have fixed lengths; the receiver cuts them off the front.
  bus_.publish(std::string(topic_prefix) + core::to_text(notice.owner),
               space + " " + from + " " + to + " " + changes_frame(space, from, to, rows));
}

void Hub::deliver(std::string_view topic, std::string_view message) {
  const auto user = core::parse_id<UserId>(topic.substr(topic_prefix.size()));
  constexpr std::size_t space_size = 22;
  constexpr std::size_t cursor_size = 38;
  if (!user || message.size() < space_size + 2 * cursor_size + 3) return;
  std::vector<std::shared_ptr<Subscriber>> receivers;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscribers_.find(*user);
    if (found == subscribers_.end()) return;
    receivers = found->second;
  }
  struct Hint {
    std::string space;
    std::string from;
    std::string to;
    net::SharedFrame frame;
  };
  const auto hint = std::make_shared<const Hint>(
      Hint{std::string(message.substr(0, space_size)), std::string(message.substr(space_size + 1, cursor_size)),
           std::string(message.substr(space_size + cursor_size + 2, cursor_size)),
           net::make_text_frame(message.substr(space_size + 2 * cursor_size + 3))});
  // One wake-up per event loop, not per socket.
  std::vector<std::pair<core::asio::any_io_executor, std::vector<std::shared_ptr<Subscriber>>>> by_loop;
  for (auto& receiver : receivers) {
    const auto executor = receiver->executor();
    auto loop =
        std::find_if(by_loop.begin(), by_loop.end(), [&](const auto& entry) { return entry.first == executor; });
    if (loop == by_loop.end()) loop = by_loop.insert(by_loop.end(), {executor, {}});
    loop->second.push_back(std::move(receiver));
  }
  for (auto& [executor, group] : by_loop) {
    core::asio::post(executor, [hint, loop_group = std::move(group)] {
      for (const auto& subscriber : loop_group)
        subscriber->send_changes(hint->space, hint->from, hint->to, hint->frame);
    });
  }
}

void Hub::add(const std::shared_ptr<Subscriber>& subscriber) {
  const std::lock_guard lock(mutex_);
  subscribers_[subscriber->user()].push_back(subscriber);
  if (devices_.size() >= max_devices) devices_.clear();
  auto& device = devices_[subscriber->session()];
  device.connected = true;
  device.last_seen_at = clock_.now();
}

void Hub::remove(const std::shared_ptr<Subscriber>& subscriber) {
  const std::lock_guard lock(mutex_);
  const auto found = subscribers_.find(subscriber->user());
  if (found == subscribers_.end()) return;
  std::erase(found->second, subscriber);
  const bool more = std::any_of(found->second.begin(), found->second.end(),
                                [&](const auto& other) { return other->session() == subscriber->session(); });
  if (found->second.empty()) subscribers_.erase(found);
  auto& device = devices_[subscriber->session()];
  device.connected = more;
  device.last_seen_at = clock_.now();
}

void Hub::end_session(SessionId session) {
  std::vector<std::shared_ptr<Subscriber>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [user, list] : subscribers_) {
      std::copy_if(list.begin(), list.end(), std::back_inserter(ended),
                   [&](const auto& subscriber) { return subscriber->session() == session; });
    }
  }
  for (const auto& subscriber : ended) {
    core::asio::post(subscriber->executor(),
                     [subscriber] { subscriber->close(4401, "revoked", "This session has ended. Sign in again."); });
  }
}

void Hub::drain() {
  std::vector<std::shared_ptr<Subscriber>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [user, list] : subscribers_) all.insert(all.end(), list.begin(), list.end());
  }
  for (const auto& subscriber : all) {
    core::asio::post(subscriber->executor(), [subscriber] {
      subscriber->close(1001, "draining", "The server is going away. Connect again in a moment.");
    });
  }
}

void Hub::report_applied(SessionId session, const std::map<SpaceId, std::int64_t>& applied) {
  const std::lock_guard lock(mutex_);
  auto& device = devices_[session];
  device.last_seen_at = clock_.now();
  for (const auto& [space, seq] : applied) device.applied[space] = seq;
}

std::optional<DeviceState> Hub::device(SessionId session) const {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(session);
  if (found == devices_.end()) return std::nullopt;
  return found->second;
}

std::size_t Hub::size() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [user, list] : subscribers_) count += list.size();
  return count;
}

}  // namespace clouddocs::sync
