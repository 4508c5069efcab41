// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/conflict_name.hpp"

#include <spdlog/fmt/fmt.h>

namespace clouddocs::client {
namespace {

constexpr std::size_t max_name = 255;
constexpr std::size_t max_extension = 16;

// Cuts at most to `limit` bytes without splitting a UTF-8 sequence.
std::string_view shorten(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return text.substr(0, limit);
}

}  // namespace

std::string conflict_name(std::string_view name, std::string_view device, core::Timestamp when, int attempt) {
  auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot > max_extension) dot = name.size();
  std::string safe_device(shorten(device, 40));
  for (auto& c : safe_device) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = '-';
  }
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(when));
  auto mark = fmt::format(" (conflict, {}, {:04}-{:02}-{:02}", safe_device, static_cast<int>(day.year()),
                          static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  mark += attempt > 1 ? fmt::format(", {})", attempt) : std::string(")");
  const auto extension = name.substr(dot);
  const auto stem = shorten(name.substr(0, dot), max_name - mark.size() - extension.size());
  return fmt::format("{}{}{}", stem, mark, extension);
}

}  // namespace clouddocs::client
