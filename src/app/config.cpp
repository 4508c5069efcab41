// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <functional>

namespace clouddocs::app {
namespace {

using Errors = std::vector<std::string>;
using Assign = std::function<void(Config&, const Setting&, const std::string&, Errors&)>;

void complain(Errors& errors, const std::string& name, const Setting& setting, std::string_view expected) {
  errors.push_back(setting.source + ": " + name + " must be " + std::string(expected) + ", not \"" + setting.value +
                   "\".");
}

template <class T>
Assign number(T Config::* member, std::int64_t min, std::int64_t max) {
  return [=](Config& config, const Setting& setting, const std::string& name, Errors& errors) {
    std::int64_t value = 0;
    const auto* end = setting.value.data() + setting.value.size();
    const auto [stop, error] = std::from_chars(setting.value.data(), end, value);
    if (error != std::errc() || stop != end || value < min || value > max) {
      complain(errors, name, setting, "a number from " + std::to_string(min) + " to " + std::to_string(max));
      return;
    }
    config.*member = static_cast<T>(value);
  };
}

Assign text(std::string Config::* member) {
  return [=](Config& config, const Setting& setting, const std::string&, Errors&) { config.*member = setting.value; };
}

Assign boolean(bool Config::* member) {
  return [=](Config& config, const Setting& setting, const std::string& name, Errors& errors) {
    if (setting.value != "true" && setting.value != "false") {
      complain(errors, name, setting, "true or false");
      return;
    }
    config.*member = setting.value == "true";
  };
}

Assign list(std::vector<std::string> Config::* member) {
  return [=](Config& config, const Setting& setting, const std::string&, Errors&) {
    std::vector<std::string> items;
    std::string_view rest = setting.value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      auto item = rest.substr(0, comma);
      while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
      while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
      if (!item.empty()) items.emplace_back(item);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    config.*member = std::move(items);
  };
}

Assign limit(std::int64_t access::RateLimits::* member) {
  return [=](Config& config, const Setting& setting, const std::string& name, Errors& errors) {
    std::int64_t value = 0;
    const auto* end = setting.value.data() + setting.value.size();
    const auto [stop, error] = std::from_chars(setting.value.data(), end, value);
    if (error != std::errc() || stop != end || value < 1) {
      complain(errors, name, setting, "a number of at least 1");
      return;
    }
    config.rate_limits.*member = value;
  };
}

// A size such as 500, 10M, 5G, 2T (powers of 1024).
std::optional<std::int64_t> parse_size(std::string_view value) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view unit = value.substr(static_cast<std::size_t>(stop - value.data()));
  if (error != std::errc() || number < 0) return std::nullopt;
  constexpr std::string_view units = "KMGT";
  if (unit.empty()) return number;
  const auto power = units.find(unit.front());
  if (unit.size() > 1 || power == std::string_view::npos || number > (std::int64_t{1} << 20)) return std::nullopt;
  return number << (10 * (power + 1));
}

void set_plan(Config& config, const Setting& setting, const std::string& name, Errors& errors) {
  const auto first = name.find('.');
  const auto last = name.rfind('.');
  if (first == last) {
    complain(errors, name, setting, "a table (plans.NAME.storage and so on)");
    return;
  }
  auto& plan = config.plans[name.substr(first + 1, last - first - 1)];
  const std::string member = name.substr(last + 1);
  const auto size = parse_size(setting.value);
  if (!size) {
    complain(errors, name, setting, "a number, or a size such as 500M, 10G or 2T");
    return;
  }
  const auto set_count = [&](auto& target, std::int64_t most, const char* wanted) {
    if (*size > most) {
      complain(errors, name, setting, wanted);
    } else {
      target = std::decay_t<decltype(target)>(static_cast<int>(*size));
    }
  };
  if (member == "storage") {
    plan.storage = *size;
  } else if (member == "max_file_size") {
    plan.max_file_size = *size;
  } else if (member == "devices") {
    set_count(plan.devices, 1'000'000, "a number of devices, 1000000 at most");
  } else if (member == "history_days") {
    set_count(plan.history, 36'500, "a number of days, 36500 at most");
  } else if (member == "trash_days") {
    set_count(plan.trash, 36'500, "a number of days, 36500 at most");
  } else {
    errors.push_back(setting.source + ": " + name + " is not a setting of a plan.");
  }
}

const std::map<std::string, Assign>& assignments() {
  static const std::map<std::string, Assign> table{
      {"data",
       [](Config& config, const Setting& setting, const std::string&, Errors&) { config.data = setting.value; }},
      {"listen", text(&Config::listen)},
      {"threads", number(&Config::threads, 0, 256)},
      {"log_level", text(&Config::log_level)},
      {"registration_open", boolean(&Config::registration_open)},
      {"default_plan", text(&Config::default_plan)},
      {"trusted_proxies", list(&Config::trusted_proxies)},
      {"cors_origins", list(&Config::cors_origins)},
      {"tls_certificate", text(&Config::tls_certificate)},
      {"tls_key", text(&Config::tls_key)},
      {"max_connections", number(&Config::max_connections, 1, 1'000'000)},
      {"drain_seconds", number(&Config::drain_seconds, 0, 3'600)},
      {"rate_limits.anonymous_per_minute", limit(&access::RateLimits::anonymous_per_minute)},
      {"rate_limits.session_per_minute", limit(&access::RateLimits::session_per_minute)},
      {"rate_limits.failed_logins", limit(&access::RateLimits::failed_logins)},
  };
  return table;
}

std::string to_text(const toml::node& node) {
  if (const auto* string = node.as_string()) return string->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  std::string out;
  if (const auto* items = node.as_array()) {
    for (const auto& item : *items) out += (out.empty() ? "" : ",") + to_text(item);
  }
  return out;
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& source, Settings& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, name + ".", source, out);
    } else {
      out[name] = {to_text(node), source};
    }
  }
}

void check(const Config& config, Errors& errors) {
  const auto colon = config.listen.rfind(':');
  const bool has_port = colon != std::string::npos && colon + 1 < config.listen.size() &&
                        config.listen.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  if (!has_port || config.address().empty() ||
      std::stoul("0" + config.listen.substr(colon + 1).substr(0, 6)) > 65'535) {
    errors.push_back("listen must be ADDRESS:PORT, for example 127.0.0.1:8080 or [::]:8080, not \"" + config.listen +
                     "\".");
  }
  if (config.tls_certificate.empty() != config.tls_key.empty()) {
    errors.emplace_back("tls_certificate and tls_key must be given together.");
  }
  for (const auto& [name, path] :
       {std::pair("tls_certificate", config.tls_certificate), std::pair("tls_key", config.tls_key)}) {
    if (!path.empty() && !std::filesystem::exists(path))
      errors.push_back(std::string(name) + ": there is no file " + path + ".");
  }
  if (!config.plans.contains(config.default_plan)) {
    errors.push_back("default_plan names \"" + config.default_plan + "\", which is no plan.");
  }
  constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};
  if (std::find(levels.begin(), levels.end(), config.log_level) == levels.end()) {
    errors.push_back("log_level must be debug, info, warning or error, not \"" + config.log_level + "\".");
  }
  for (const auto& [name, plan] : config.plans) {
    if (plan.storage <= 0 || plan.max_file_size <= 0 || plan.devices <= 0) {
      errors.push_back("The plan \"" + name + "\" needs storage, max_file_size and devices above 0.");
    }
  }
}

}  // namespace

std::string Config::address() const {
  auto host = listen.substr(0, listen.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

std::uint16_t Config::port() const {
  return static_cast<std::uint16_t>(std::stoul(listen.substr(listen.rfind(':') + 1)));
}

Settings read_file(const std::filesystem::path& path, std::vector<std::string>& errors) {
  Settings settings;
  try {
    flatten(toml::parse_file(path.string()), "", path.string(), settings);
  } catch (const toml::parse_error& error) {
    errors.push_back(path.string() + ": line " + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
  return settings;
}

Settings read_environment(const char* const* environment) {
  Settings settings;
  constexpr std::string_view prefix = "CLOUDDOCS_";
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry(*environment);
    const auto equals = entry.find('=');
    if (!entry.starts_with(prefix) || equals == std::string_view::npos) continue;
    std::string name(entry.substr(prefix.size(), equals - prefix.size()));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const Setting setting{std::string(entry.substr(equals + 1)), std::string(entry.substr(0, equals))};
    // Two underscores stand for the dot: CLOUDDOCS_RATE_LIMITS__ANONYMOUS_PER_MINUTE.
    for (auto at = name.find("__"); at != std::string::npos; at = name.find("__")) name.replace(at, 2, ".");
    // Other programs of the project have variables of their own (CLOUDDOCS_HOME): only known names count here.
    if (assignments().contains(name) || name.starts_with("plans.")) settings[name] = setting;
  }
  return settings;
}

Config make_config(const Settings& settings, std::vector<std::string>& errors) {
  Config config;
  for (const auto& [name, setting] : settings) {
    const auto found = assignments().find(name);
    if (found != assignments().end()) {
      found->second(config, setting, name, errors);
    } else if (name.starts_with("plans.")) {
      set_plan(config, setting, name, errors);
    } else {
      errors.push_back(setting.source + ": there is no setting named \"" + name + "\".");
    }
  }
  check(config, errors);
  return config;
}

}  // namespace clouddocs::app
