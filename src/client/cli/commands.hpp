// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "client/cli/home.hpp"
#include "client/cli/output.hpp"
#include "client/remote/api_client.hpp"

namespace clouddocs::client {

// What every command works with.
struct Context {
  Home home;
  Output& out;
  std::string ca_file;
  std::chrono::milliseconds patience{60'000};

  ApiClient make_api() const { return {AccountFile(home.account_file()), {patience, ca_file}}; }
};

struct LoginFlags {
  std::string url;
  std::string email;
  std::string device_name;  // empty: the machine's name
  bool is_password_on_stdin = false;
};
int run_login(Context& context, const LoginFlags& flags);
int run_logout(Context& context);
int run_status(Context& context);

struct SyncFlags {
  std::string folder;
  bool is_once = false;
  bool allow_mass_delete = false;
  unsigned threads = 2;
};
int run_sync(Context& context, const SyncFlags& flags);
int run_forget(Context& context, const std::string& folder);

int run_ls(Context& context, const std::string& path);
int run_put(Context& context, const std::string& local, const std::string& remote);
int run_get(Context& context, const std::string& remote, const std::string& local);
int run_rm(Context& context, const std::string& path);
int run_mv(Context& context, const std::string& from, const std::string& to);
int run_mkdir(Context& context, const std::string& path);
int run_versions(Context& context, const std::string& path, std::optional<std::int64_t> restore);
int run_trash(Context& context, const std::string& restore_id, bool is_empty);

// Says what went wrong and what to do; the exit code for it.
int explain(Output& out, const core::Error& error);

}  // namespace clouddocs::client
