// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <csignal>
#include <latch>
#include <system_error>
#include <thread>

#include "core/log.hpp"
#include "net/server/connection.hpp"
#include "net/server/listener.hpp"
#include "net/server/server_environment.hpp"

namespace clouddocs::net {

namespace asio = core::asio;

struct Server::State {
  ServerEnvironment environment;
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::vector<std::thread> threads;
  std::uint16_t port = 0;

  // Runs `call(index)` on every loop and waits.
  template <class F>
  void on_each_loop(F call) {
    std::latch done(static_cast<std::ptrdiff_t>(loops.size()));
    for (std::size_t i = 0; i < loops.size(); ++i) {
      asio::post(loops[i]->context, [&, i] {
        call(i);
        done.count_down();
      });
    }
    done.wait();
  }

  bool wait_until_empty(std::chrono::steady_clock::time_point limit) const {
    while (environment.connections.load() > 0) {
      if (std::chrono::steady_clock::now() >= limit) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
};

Server::Server(ServerConfig config, const Router& router, std::function<void(const RequestObservation&)> observer)
    : state_(new State{ServerEnvironment{std::move(config), router, std::move(observer), TrustedProxies({}), nullptr},
                       {},
                       {},
                       {},
                       {},
                       0}) {
  ServerConfig& settings = state_->environment.config;
  state_->environment.proxies = TrustedProxies(settings.trusted_proxies);
  if (!settings.tls_certificate.empty())
    state_->environment.tls = std::make_unique<TlsContext>(settings.tls_certificate, settings.tls_key);
  if (settings.threads == 0) settings.threads = std::max(1U, std::thread::hardware_concurrency());
  state_->port = settings.port;
  for (unsigned i = 0; i < settings.threads; ++i) {
    state_->loops.push_back(std::make_unique<EventLoop>());
    const Listener::Sharing sharing = i == 0 ? Listener::Sharing::first : Listener::Sharing::further;
    state_->listeners.push_back(
        std::make_unique<Listener>(state_->environment, *state_->loops.back(), state_->port, sharing));
    state_->port = state_->listeners.back()->port();
  }
}

Server::~Server() { drain(std::chrono::milliseconds(0)); }

void Server::start() {
  // sendfile(2) and OpenSSL write without MSG_NOSIGNAL; a peer that went away must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  for (std::size_t i = 0; i < state_->loops.size(); ++i) {
    auto& context = state_->loops[i]->context;
    state_->guards.emplace_back(context.get_executor());
    state_->listeners[i]->start();
    state_->threads.emplace_back([&context] { context.run(); });
  }
}

std::uint16_t Server::port() const { return state_->port; }

std::vector<asio::any_io_executor> Server::executors() const {
  std::vector<asio::any_io_executor> executors;
  for (const auto& loop : state_->loops) executors.emplace_back(loop->context.get_executor());
  return executors;
}

void Server::drain(std::chrono::milliseconds grace) {
  if (state_->threads.empty()) return;
  state_->environment.draining = true;
  state_->on_each_loop([&](std::size_t i) {
    state_->listeners[i]->close();
    state_->loops[i]->drain_members();
  });
  if (!state_->wait_until_empty(std::chrono::steady_clock::now() + grace)) {
    state_->on_each_loop([&](std::size_t i) { state_->loops[i]->cut_members(); });
    // Only what ignores cancellation is left: work on a blocking pool, which must end before the loop that it reports to goes away.
    if (!state_->wait_until_empty(std::chrono::steady_clock::now() + std::chrono::seconds(30))) {
      core::log_error("drain_stuck", {{"connections", state_->environment.connections.load()}});
    }
  }
  state_->guards.clear();
  for (const auto& loop : state_->loops) loop->context.stop();
  for (auto& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void Server::reload_certificate() {
  if (state_->environment.tls) state_->environment.tls->reload();
}

std::size_t Server::connections() const { return state_->environment.connections.load(std::memory_order_relaxed); }

}  // namespace clouddocs::net
