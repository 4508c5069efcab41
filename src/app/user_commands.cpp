// SPDX-License-Identifier: AGPL-3.0-or-later
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/commands.hpp"
#include "app/world.hpp"

namespace clouddocs::app {
namespace {

// Asks for a password twice on the terminal without showing it, or reads one line of standard input.
std::string read_password(bool from_stdin) {
  std::string password;
  if (from_stdin || ::isatty(STDIN_FILENO) == 0) {
    std::getline(std::cin, password);
    return password;
  }
  termios before{};
  ::tcgetattr(STDIN_FILENO, &before);
  termios hidden = before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  std::string again;
  std::cerr << "Password: ";
  std::getline(std::cin, password);
  std::cerr << "\nOnce more: ";
  std::getline(std::cin, again);
  std::cerr << "\n";
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  if (password != again) throw std::runtime_error("The two passwords differ. Nothing was changed.");
  return password;
}

struct UserOptions {
  std::string email;
  std::string plan;
  bool admin = false;
  bool password_stdin = false;
};

template <class T>
T unwrap(core::Result<T> result) {
  if (result.has_error()) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

}  // namespace

int migrate(const Config& config) {
  World world(config);
  world.run(world.database->migrate());
  const auto version = world.run(world.database->schema_version());
  std::cout << "The schema is at migration " << version.applied << " of " << version.known << ".\n";
  return 0;
}

void add_user_commands(CLI::App& cli, const AddCommon& add_common, const LoadConfig& load, int& code) {
  auto* user = cli.add_subcommand("user", "Manage accounts");
  user->require_subcommand(1);
  auto options = std::make_shared<UserOptions>();
  auto add = [&](const char* name, const char* help) {
    auto* command = user->add_subcommand(name, help);
    add_common(*command);
    command->add_option("email", options->email, "The account's e-mail address")->required();
    return command;
  };

  auto* create = add("add", "Make an account");
  create->add_option("--plan", options->plan, "The plan (default: the configured one)");
  create->add_flag("--admin", options->admin, "An administrator");
  create->add_flag("--password-stdin", options->password_stdin, "Read the password from standard input");
  create->callback([options, load, &code] {
    const Config config = load();
    World world(config);
    world.run(world.database->migrate());
    const auto made = unwrap(world.run(world.auth.add_user(options->email, read_password(options->password_stdin),
                                                           options->plan.empty() ? config.default_plan : options->plan,
                                                           options->admin ? "admin" : "user")));
    std::cout << "Made the account " << made.email << " with the plan " << made.plan << ".\n";
    code = 0;
  });

  auto* passwd = add("passwd", "Set an account's password and sign it out everywhere");
  passwd->add_flag("--password-stdin", options->password_stdin, "Read the password from standard input");
  passwd->callback([options, load, &code] {
    World world(load());
    world.run(world.database->migrate());
    unwrap(world.run(world.auth.reset_password(options->email, read_password(options->password_stdin))));
    std::cout << "The password is set; every session of " << options->email << " has ended.\n";
    code = 0;
  });

  auto* plan = add("plan", "Set an account's plan");
  plan->add_option("plan", options->plan, "The plan's name")->required();
  plan->callback([options, load, &code] {
    World world(load());
    world.run(world.database->migrate());
    unwrap(world.run(world.auth.set_plan(options->email, options->plan)));
    std::cout << options->email << " has the plan " << options->plan << " now.\n";
    code = 0;
  });
}

}  // namespace clouddocs::app
