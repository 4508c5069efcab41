// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <initializer_list>
#include <string_view>

namespace clouddocs::core {

enum class LogLevel { debug, info, warning, error };

// A member of a log line. Never pass secrets (tokens, passwords, keys).
struct LogField {
  template <class T>
  LogField(std::string_view k, const T& v) : key(k), value(boost::json::value_from(v)) {}
  std::string_view key;
  boost::json::value value;
};
using LogFields = std::initializer_list<LogField>;

// Writes one JSON object per line to standard error: {"time", "level", "event", ...fields}. Thread-safe.
void log(LogLevel level, std::string_view event, LogFields fields = {});
inline void log_debug(std::string_view event, LogFields fields = {}) { log(LogLevel::debug, event, fields); }
inline void log_info(std::string_view event, LogFields fields = {}) { log(LogLevel::info, event, fields); }
inline void log_warning(std::string_view event, LogFields fields = {}) { log(LogLevel::warning, event, fields); }
inline void log_error(std::string_view event, LogFields fields = {}) { log(LogLevel::error, event, fields); }

// Lines below `level` are dropped. Default: info.
void set_log_level(LogLevel level);
bool is_logged(LogLevel level);

}  // namespace clouddocs::core
