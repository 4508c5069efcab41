// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/cli/output.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <iostream>

namespace clouddocs::client {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::array<std::string_view, 5> phases{"Reading the server's changes", "Looking for changes here",
                                                 "Uploading", "Committing", "Downloading"};
constexpr int bar_width = 30;

bool is_bytes(Progress::Phase phase) {
  return phase == Progress::Phase::uploading || phase == Progress::Phase::downloading;
}

std::string amount(const Progress& progress) {
  auto format = [&](std::int64_t n) { return is_bytes(progress.phase) ? format_bytes(n) : std::to_string(n); };
  if (progress.total == 0) return progress.done > 0 ? format(progress.done) : std::string();
  return format(progress.done) + " of " + format(progress.total);
}

}  // namespace

Output::Output(bool is_json) : is_json_(is_json), is_terminal_(::isatty(STDERR_FILENO) != 0) {}

void Output::line(std::string_view text) {
  if (is_json_) return;
  const std::lock_guard lock(mutex_);
  clear_bar();
  std::cout << text << std::endl;
}
void Output::json(const boost::json::value& value) {
  if (!is_json_) return;
  const std::lock_guard lock(mutex_);
  std::cout << boost::json::serialize(value) << std::endl;
}
void Output::message(std::string_view text) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  std::cerr << text << std::endl;
}

void Output::progress(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto interval = is_terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5'000);
  if (now - last_ < interval || is_json_) return;
  const bool is_first = last_ == Clock::time_point{};
  last_ = now;
  if (!is_terminal_ && is_first) return;  // short syncs say nothing in between
  const auto phase = phases.at(static_cast<std::size_t>(progress.phase));
  if (!is_terminal_) {
    std::cerr << phase << ": " << amount(progress) << std::endl;
    return;
  }
  std::string bar;
  if (progress.total > 0) {
    const auto full = static_cast<int>(std::min(progress.done, progress.total) * bar_width / progress.total);
    bar = " [" + std::string(static_cast<std::size_t>(full), '#') +
          std::string(static_cast<std::size_t>(bar_width - full), '.') + "]";
  }
  std::cerr << "\r\033[K" << phase << bar << " " << amount(progress) << std::flush;
  has_bar_ = true;
}
void Output::end_progress() {
  const std::lock_guard lock(mutex_);
  clear_bar();
  last_ = {};
}
void Output::clear_bar() {
  if (has_bar_) std::cerr << "\r\033[K" << std::flush;
  has_bar_ = false;
}

bool Output::ask(std::string_view question) {
  if (is_json_ || ::isatty(STDIN_FILENO) == 0 || !is_terminal_) return false;
  const std::lock_guard lock(mutex_);
  clear_bar();
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

std::string format_bytes(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units.at(unit));
}

std::string format_time(std::int64_t micros) {
  const std::time_t seconds = micros / 1'000'000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min);
}

boost::json::object to_json(const SyncReport& report) {
  boost::json::array unsynced;
  for (const auto& item : report.unsynced)
    unsynced.push_back(boost::json::object{{"path", item.path}, {"reason", item.reason}});
  boost::json::array conflicts;
  for (const auto& conflict : report.conflicts)
    conflicts.push_back(boost::json::object{{"filename", conflict.name}, {"copy", conflict.copy}});
  return {{"equal", report.is_equal},
          {"uploaded", report.uploaded},
          {"downloaded", report.downloaded},
          {"changes_sent", report.remote_changes},
          {"changes_received", report.local_changes},
          {"conflicts", std::move(conflicts)},
          {"unsynced", std::move(unsynced)}};
}

}  // namespace clouddocs::client
