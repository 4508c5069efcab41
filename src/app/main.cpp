// SPDX-License-Identifier: AGPL-3.0-or-later
// clouddocsd, the server: serve, migrate, user, fsck, gc.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/serve.hpp"
#include "core/log.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX asks programs to declare it

namespace {

using namespace clouddocs;

struct Flags {
  std::string config_file;
  app::Settings settings;
};

void add_flag(CLI::App& command, Flags& flags, const std::string& flag, const std::string& setting,
              const std::string& help) {
  command.add_option_function<std::string>(
      "--" + flag,
      [&flags, flag, setting](const std::string& value) { flags.settings[setting] = {value, "--" + flag}; }, help);
}

void add_common(CLI::App& command, Flags& flags) {
  command.add_option("--config", flags.config_file, "Configuration file (TOML); also CLOUDDOCS_CONFIG");
  add_flag(command, flags, "data", "data", "Folder that holds everything the server writes (default: data)");
  add_flag(command, flags, "log-level", "log_level", "debug, info, warning or error");
}

// The configuration from file, environment and flags, later ones first. Exits with all errors when it is not valid.
app::Config load(const Flags& flags) {
  std::vector<std::string> errors;
  app::Settings settings;
  const char* from_environment = std::getenv("CLOUDDOCS_CONFIG");
  const std::string file = !flags.config_file.empty()    ? flags.config_file
                           : from_environment != nullptr ? from_environment
                                                         : "";
  if (!file.empty()) settings = app::read_file(file, errors);
  for (auto& [name, setting] : app::read_environment(environ)) settings[name] = setting;
  for (const auto& [name, setting] : flags.settings) settings[name] = setting;
  app::Config config = app::make_config(settings, errors);
  if (!errors.empty()) {
    std::cerr << "The configuration is not valid:\n";
    for (const auto& error : errors) std::cerr << "  " << error << "\n";
    std::exit(2);
  }
  constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};
  const auto level = std::find(levels.begin(), levels.end(), config.log_level) - levels.begin();
  core::set_log_level(static_cast<core::LogLevel>(level));
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App cli("CloudDocs server: cloud file storage with real-time synchronisation.");
  cli.set_version_flag("--version", "clouddocsd " CLOUDDOCS_VERSION);
  cli.require_subcommand(1);
  Flags flags;
  int code = 0;

  auto* serve = cli.add_subcommand("serve", "Run the server");
  add_common(*serve, flags);
  add_flag(*serve, flags, "listen", "listen", "ADDRESS:PORT (default: 127.0.0.1:8080; port 0: any free one)");
  add_flag(*serve, flags, "threads", "threads", "Event loops (default: one per core)");
  add_flag(*serve, flags, "tls-certificate", "tls_certificate",
           "PEM file; with --tls-key the server speaks TLS 1.3 itself");
  add_flag(*serve, flags, "tls-key", "tls_key", "PEM file");
  serve->callback([&] { code = app::serve(load(flags)); });

  auto* migrate = cli.add_subcommand("migrate", "Bring the database schema up to date");
  add_common(*migrate, flags);
  migrate->callback([&] { code = app::migrate(load(flags)); });

  app::add_user_commands(
      cli, [&](CLI::App& command) { add_common(command, flags); }, [&] { return load(flags); }, code);
  app::add_storage_commands(
      cli, [&](CLI::App& command) { add_common(command, flags); }, [&] { return load(flags); }, code);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int parsed = cli.exit(error);
    return parsed == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "clouddocsd: " << error.what() << "\n";
    return 1;
  }
  return code;
}
