// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bus/bus.hpp"
#include "features/access/authentication.hpp"
#include "features/storage/commit_door.hpp"
#include "features/storage/cursor.hpp"
#include "net/websocket.hpp"

namespace clouddocs::sync {

using core::SessionId;
using core::SpaceId;
using core::UserId;

// One connected device. Lives on its connection's executor; everything in it is used there alone.
class Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  Subscriber(net::WebSocket& socket, UserId user, SessionId session)
      : socket_(&socket), user_(user), session_(session) {}

  UserId user() const { return user_; }
  SessionId session() const { return session_; }
  core::asio::any_io_executor executor() const { return socket_->executor(); }

  // Sends the frame, or, while an earlier one is still going out, remembers that the space has changed: one pending hint per
  // space, merged, is all that a slow consumer costs.
  void send_changes(const std::string& space, const std::string& from, const std::string& to,
                    const net::SharedFrame& frame);
  // What was remembered goes out when the socket has become writable.
  void flush();
  // Ends the connection with a bye frame.
  void close(std::uint16_t code, std::string_view reason, std::string_view detail);
  bool is_closing() const { return closing_; }
  // After this nothing touches the socket. REQUIRES: !is_closing().
  void detach() { socket_ = nullptr; }

 private:
  struct Pending {
    std::string from;
    std::string to;
  };
  net::WebSocket* socket_;
  UserId user_;
  SessionId session_;
  std::map<std::string, Pending> pending_;
  bool closed_ = false;  // no more hints
  bool closing_ = false;  // the close frame is being exchanged
};

// What a device last told of itself.
struct DeviceState {
  bool connected = false;
  core::Timestamp last_seen_at;
  std::map<SpaceId, std::int64_t> applied;  // seq per space
};

// Carries hints from commits to the sockets of a user, on this node and, through the bus, on the others. A hint may be lost; the
// journal is the truth. Thread-safe.
class Hub {
 public:
  Hub(bus::Bus& bus, const core::Clock& clock);
  ~Hub();

  // For CommitDoor::set_listener: one message for all sockets of the owner, built once.
  void publish(const storage::CommitNotice& notice);
  void add(const std::shared_ptr<Subscriber>& subscriber);
  void remove(const std::shared_ptr<Subscriber>& subscriber);
  // Closes the sockets of a session.
  void end_session(SessionId session);
  // Closes all of them: the server is going away.
  void drain();

  void report_applied(SessionId session, const std::map<SpaceId, std::int64_t>& applied);
  std::optional<DeviceState> device(SessionId session) const;
  std::size_t size() const;

 private:
  void deliver(std::string_view topic, std::string_view message);

  bus::Bus& bus_;
  const core::Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<UserId, std::vector<std::shared_ptr<Subscriber>>> subscribers_;
  std::unordered_map<SessionId, DeviceState> devices_;
  std::unique_ptr<bus::Bus::Subscription> subscription_;
};

}  // namespace clouddocs::sync
