// SPDX-License-Identifier: AGPL-3.0-or-later
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "client/cli/commands.hpp"
#include "client/engine/sync_engine.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "device";
}

// Reads a line from the terminal without showing it.
std::string ask_password() {
  std::cerr << "Password: " << std::flush;
  termios before{};
  const bool is_terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (is_terminal) {
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string password;
  std::getline(std::cin, password);
  if (is_terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << std::endl;
  }
  return password;
}

std::string_view text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}
std::int64_t number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

void print_devices(Output& out, const json::object& status) {
  const auto* devices = status.if_contains("devices");
  if (devices == nullptr || !devices->is_array()) return;
  out.line("Devices:");
  for (const auto& entry : devices->get_array()) {
    const auto& device = entry.as_object();
    const auto* connected = device.if_contains("connected");
    const bool is_connected = connected != nullptr && connected->is_bool() && connected->get_bool();
    const auto seen = number(device, "last_seen_at");
    out.line("  " + std::string(text(device, "device_name")) +
             (is_connected ? ": connected"
              : seen > 0   ? ": last seen " + format_time(seen)
                           : ": not seen yet"));
    const auto* unsynced = device.if_contains("unsynced");
    if (unsynced == nullptr || !unsynced->is_array()) continue;
    for (const auto& item : unsynced->get_array()) {
      out.line("    not synced: " + std::string(text(item.as_object(), "path")) + ": " +
               std::string(text(item.as_object(), "reason")));
    }
  }
}

}  // namespace

int explain(Output& out, const core::Error& error) {
  out.message("clouddocs: " + (error.detail.empty() ? std::string(core::to_code(error.code)) : error.detail));
  if (out.is_json()) out.json(json::object{{"error", core::to_code(error.code)}, {"detail", error.detail}});
  switch (error.code) {
    case core::Errc::unauthorized:
    case core::Errc::token_invalid:
    case core::Errc::token_expired:
    case core::Errc::credentials_invalid: return exit_not_signed_in;
    case core::Errc::stale_base:
    case core::Errc::name_taken: return exit_incomplete;
    default: return exit_failed;
  }
}

int run_login(Context& context, const LoginFlags& flags) {
  if (!flags.url.starts_with("http://") && !flags.url.starts_with("https://")) {
    context.out.message("clouddocs: the URL has to begin with https:// or http://");
    return exit_usage;
  }
  std::string password;
  if (flags.is_password_on_stdin) {
    std::getline(std::cin, password);
  } else {
    password = ask_password();
  }
  auto api = context.make_api();
  const auto device = flags.device_name.empty() ? host_name() : flags.device_name;
  const auto outcome = api.login(flags.url, flags.email, password, device);
  if (outcome.has_error()) return explain(context.out, outcome.error());
  context.out.line("Signed in as " + flags.email + "; this device is called " + device + ".");
  context.out.json(json::object{{"email", flags.email}, {"device_name", device}});
  return exit_ok;
}

int run_logout(Context& context) {
  auto api = context.make_api();
  api.logout();
  context.out.line("Signed out. The files stay where they are.");
  context.out.json(json::object{{"signed_in", false}});
  return exit_ok;
}

int run_status(Context& context) {
  auto api = context.make_api();
  const auto status = api.get("/api/sync/status");
  if (status.has_error()) return explain(context.out, status.error());
  auto answer = status->as_object();
  const auto account = api.account();
  json::array folders;
  for (const auto& folder : list_synced_folders(context.home)) {
    FolderLock lock(folder.state);
    folders.push_back(json::object{{"path", folder.path.string()}, {"running", !lock.try_lock()}});
  }
  context.out.line("Signed in as " + account.email + " at " + account.url + " (" + account.device_name + ").");
  const auto limit = number(answer, "storage_limit");
  context.out.line("Storage: " + format_bytes(number(answer, "storage_used")) +
                   (limit > 0 ? " of " + format_bytes(limit) : "") + ".");
  for (const auto& folder : folders) {
    context.out.line(std::string(folder.at("path").as_string()) + ": " +
                     (folder.at("running").as_bool() ? "being kept in sync" : "not running"));
  }
  print_devices(context.out, answer);
  answer["folders"] = std::move(folders);
  answer["email"] = account.email;
  answer["url"] = account.url;
  context.out.json(answer);
  return exit_ok;
}

}  // namespace clouddocs::client
