// SPDX-License-Identifier: AGPL-3.0-or-later
// clouddocs, the device client.
#include <CLI/CLI.hpp>
#include <csignal>

#include "client/cli/commands.hpp"
#include "client/remote/remote.hpp"
#include "client/state/sqlite.hpp"

namespace {

using namespace clouddocs::client;

constexpr const char* footer = R"(Exit codes:
  0  done; with sync --once: both sides are equal
  1  failed
  2  wrong usage
  3  not signed in
  4  the server could not be reached
  5  done in part: conflict, or some files are not synced

What the client knows lies in $XDG_CONFIG_HOME/clouddocs and $XDG_STATE_HOME/clouddocs; CLOUDDOCS_HOME moves all of it.)";

// Every way a command can end, turned into words and an exit code.
int guarded(Output& out, const std::function<int()>& command) {
  try {
    return command();
  } catch (const NotSignedIn& error) {
    out.message(std::string("clouddocs: ") + error.what());
    return exit_not_signed_in;
  } catch (const clouddocs::net::NetworkError& error) {
    out.message(std::string("clouddocs: no answer from the server: ") + error.what());
    return exit_network;
  } catch (const SyncRefused& error) {
    out.message(std::string("clouddocs: ") + error.what());
    return error.reason == SyncRefused::Reason::mass_delete ? exit_incomplete : exit_failed;
  } catch (const clouddocs::core::ErrorException& error) {
    return explain(out, error.error);
  } catch (const std::exception& error) {
    out.message(std::string("clouddocs: ") + error.what());
    return exit_failed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App cli("CloudDocs: your files, the same on all devices.");
  cli.set_version_flag("--version", "clouddocs " CLOUDDOCS_VERSION);
  cli.require_subcommand(1);
  cli.footer(footer);
  cli.fallthrough();
  bool is_json = false;
  std::string ca_file;
  cli.add_flag("--json", is_json, "Print results as JSON, one value per line");
  cli.add_option("--ca-file", ca_file, "Trust the certificates in this PEM file instead of the system's");

  std::function<int(Context&)> command;
  auto add = [&](const char* name, const char* help, auto run) {
    auto* sub = cli.add_subcommand(name, help);
    sub->callback([&command, run] { command = run; });
    return sub;
  };

  LoginFlags login;
  auto* sub = add("login", "Sign this device in", [&](Context& context) { return run_login(context, login); });
  sub->add_option("url", login.url, "The server, for example https://files.example.org")->required();
  sub->add_option("--email", login.email, "Your account")->required();
  sub->add_option("--device-name", login.device_name, "What this device is called (default: the machine's name)");
  sub->add_flag("--password-stdin", login.is_password_on_stdin, "Read the password from standard input");
  add("logout", "Sign this device out; the files stay", [](Context& context) { return run_logout(context); });
  add("status", "Account, storage, devices and what is not synced",
      [](Context& context) { return run_status(context); });

  SyncFlags sync;
  sub = add("sync", "Keep a folder in sync until stopped", [&](Context& context) { return run_sync(context, sync); });
  sub->add_option("folder", sync.folder, "The folder")->required();
  sub->add_flag("--once", sync.is_once, "Stop when both sides are equal");
  sub->add_flag("--allow-mass-delete", sync.allow_mass_delete, "Do not ask before many files are deleted");
  sub->add_option("--threads", sync.threads, "How much to do at once")->check(CLI::Range(1, 16));
  std::string first;
  std::string second;
  sub = add("forget", "Stop syncing a folder; the files stay",
            [&](Context& context) { return run_forget(context, first); });
  sub->add_option("folder", first, "The folder")->required();

  sub = add("ls", "List a folder of the server", [&](Context& context) { return run_ls(context, first); });
  sub->add_option("path", first, "For example /photos (default: the top)");
  sub = add("put", "Upload a file; an existing one gets a new version",
            [&](Context& context) { return run_put(context, first, second); });
  sub->add_option("local", first, "The file")->required();
  sub->add_option("remote", second, "Path on the server, or a folder there (default: the top)");
  sub = add("get", "Download a file", [&](Context& context) { return run_get(context, first, second); });
  sub->add_option("remote", first, "Path on the server")->required();
  sub->add_option("local", second, "File or folder here (default: the same name)");
  sub = add("rm", "Move a file or folder to the trash", [&](Context& context) { return run_rm(context, first); });
  sub->add_option("path", first, "Path on the server")->required();
  sub = add("mv", "Rename or move a file or folder", [&](Context& context) { return run_mv(context, first, second); });
  sub->add_option("from", first, "Path on the server")->required();
  sub->add_option("to", second, "New path, or a folder that exists")->required();
  sub = add("mkdir", "Make a folder, and those above it", [&](Context& context) { return run_mkdir(context, first); });
  sub->add_option("path", first, "Path on the server")->required();
  std::int64_t version = 0;
  sub = add("versions", "List the versions of a file, or bring one back", [&](Context& context) {
    return run_versions(context, first, version > 0 ? std::optional(version) : std::nullopt);
  });
  sub->add_option("path", first, "Path on the server")->required();
  sub->add_option("--restore", version, "Make this version the current one")->check(CLI::PositiveNumber);
  bool is_empty = false;
  sub = add("trash", "List the trash, bring something back, or empty it",
            [&](Context& context) { return run_trash(context, first, is_empty); });
  auto* restore = sub->add_option("--restore", first, "The id of what to bring back");
  sub->add_flag("--empty", is_empty, "Delete everything in the trash for ever")->excludes(restore);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? exit_ok : exit_usage;
  }
  Output out(is_json);
  Context context{Home::from_environment(), out, ca_file};
  return guarded(out, [&] { return command(context); });
}
