// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "client/engine/sync_engine.hpp"

namespace clouddocs::client {

// What the program exits with; `clouddocs --help` lists them.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_not_signed_in = 3,
  exit_network = 4,
  exit_incomplete = 5
};

// Speaks to the user: results on standard output (text, or one JSON value per line with --json), messages and progress on standard error. Thread-safe.
class Output {
 public:
  explicit Output(bool is_json);
  bool is_json() const { return is_json_; }
  void line(std::string_view text);  // a result, in text mode only
  void json(const boost::json::value& value);  // a result, in JSON mode only
  void message(std::string_view text);  // for a person
  void progress(const Progress& progress);  // a bar on a terminal, a line now and then elsewhere
  void end_progress();
  bool ask(std::string_view question);  // false when nobody can answer

 private:
  void clear_bar();

  bool is_json_;
  bool is_terminal_;
  std::mutex mutex_;
  bool has_bar_ = false;
  std::chrono::steady_clock::time_point last_{};
};

std::string format_bytes(std::int64_t bytes);
std::string format_time(std::int64_t micros);  // local time, to the minute
boost::json::object to_json(const SyncReport& report);

}  // namespace clouddocs::client
