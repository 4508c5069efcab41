// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/serve.hpp"

#include <sys/resource.h>

#include <boost/asio/signal_set.hpp>
#include <iostream>
#include <thread>

#include "app/http_surface.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "features/storage/garbage_collector.hpp"
#include "net/server.hpp"

namespace clouddocs::app {
namespace {

using namespace std::chrono_literals;

// Sockets and open segments need descriptors; the usual soft limit of 1024 is for programs that use select().
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

core::Task<core::Result<storage::GarbageReport>> clean_once(World& world) {
  CO_CHECK(co_await world.auth.clean());
  storage::GarbageCollector collector(world.chunks, world.door);
  co_return co_await collector.run();
}

// Garbage collection and its like, at start-up and then hourly.
core::Task<> clean_up(World& world) {
  co_await core::sleep_for(30s);
  for (;;) {
    try {
      const auto outcome = co_await clean_once(world);
      if (outcome.has_error()) {
        core::log_warning("clean_up_failed", {{"error", outcome.error().detail}});
      } else {
        core::log_info("cleaned_up", {{"report", storage::to_json(outcome.value())}});
      }
    } catch (const core::ErrorException& error) {
      core::log_error("clean_up_failed", {{"error", std::string(error.what())}});
    }
    co_await core::sleep_for(1h);
  }
}

void log_request(const net::RequestObservation& seen) {
  if (!core::is_logged(core::LogLevel::debug)) return;
  core::log_debug("request",
                  {{"request_id", seen.request.id},
                   {"method", net::to_text(seen.request.method)},
                   {"route", seen.route},
                   {"status", seen.status},
                   {"bytes_in", seen.bytes_in},
                   {"bytes_out", seen.bytes_out},
                   {"micros", std::chrono::duration_cast<std::chrono::microseconds>(seen.duration).count()}});
}

net::ServerConfig server_config(const Config& config) {
  net::ServerConfig out;
  out.address = config.address();
  out.port = config.port();
  out.threads = config.threads;
  out.max_connections = config.max_connections;
  out.trusted_proxies = config.trusted_proxies;
  out.tls_certificate = config.tls_certificate;
  out.tls_key = config.tls_key;
  out.default_headers = security_headers(!config.tls_certificate.empty());
  return out;
}

core::Task<core::Result<std::int64_t>> count_accounts(World& world) {
  auto body = [&](database::Transaction& tx) -> core::Task<core::Result<std::int64_t>> {
    co_return co_await auth::AuthStore::count_users(tx);
  };
  co_return co_await database::read(*world.database, body);
}

void greet(const Config& config, std::uint16_t port, bool has_accounts) {
  std::string host = config.address();
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const std::string url =
      std::string(config.tls_certificate.empty() ? "http" : "https") + "://" + host + ":" + std::to_string(port);
  std::cout << "CloudDocs is ready: " << url << "\n";
  if (!has_accounts) {
    if (config.registration_open) {
      std::cout
          << "There is no account yet: open the address and register. The first account becomes the administrator's.\n";
    } else {
      std::cout << "There is no account yet. Make one: clouddocsd user add EMAIL --data " << config.data.string()
                << "\n";
    }
  }
  std::cout.flush();
}

}  // namespace

int serve(const Config& config) {
  raise_file_limit();
  World world(config);
  world.run(world.database->migrate());
  const auto accounts = world.run(count_accounts(world));

  HistoryGuard history(*world.database, *world.blobs);
  world.run(history.start());
  HttpSurface surface(world, history);
  const auto count_request = net::make_request_metrics(surface.metrics());
  net::Server server(server_config(config), surface.router(), [&](const net::RequestObservation& seen) {
    count_request(seen);
    log_request(seen);
  });

  core::asio::io_context control;
  core::asio::signal_set signals(control, SIGTERM, SIGINT);
  core::TaskGroup background;
  background.spawn(control.get_executor(), "revocations", world.sessions.poll());
  background.spawn(control.get_executor(), "history", history.keep());
  background.spawn(control.get_executor(), "clean_up", clean_up(world));
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    core::log_info("draining", {{"signal", number}});
    surface.set_draining();
    background.stop();
  });
  server.start();
  greet(config, server.port(), accounts.has_value() && accounts.value() > 0);
  core::log_info("ready", {{"listen", config.listen}, {"port", server.port()}, {"version", CLOUDDOCS_VERSION}});
  control.run();
  server.drain(std::chrono::seconds(config.drain_seconds));
  core::log_info("stopped");
  return 0;
}

}  // namespace clouddocs::app
