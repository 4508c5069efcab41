// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/history_guard.hpp"

#include <charconv>

#include "core/log.hpp"

namespace clouddocs::app {
namespace {

using core::Result;
using core::Task;
using namespace std::chrono_literals;

constexpr auto note_interval = 5s;
constexpr std::string_view prefix = "heads/";

constexpr database::Statement sum_heads{"history_sum",
                                        "SELECT COALESCE(SUM(seq), 0), COALESCE(MAX(epoch), 1) FROM spaces"};
constexpr database::Statement set_epoch{"history_set_epoch", "UPDATE spaces SET epoch = $1"};

struct Note {
  std::int64_t epoch = 0;
  std::int64_t total = 0;
};

std::string name_of(const Note& note) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "heads/%010lld-%019lld", static_cast<long long>(note.epoch),
                static_cast<long long>(note.total));
  return text.data();
}

std::optional<Note> parse_note(std::string_view name) {
  Note note;
  name.remove_prefix(prefix.size());
  const auto* end = name.data() + name.size();
  const auto epoch = std::from_chars(name.data(), end, note.epoch);
  if (epoch.ec != std::errc() || epoch.ptr == end || *epoch.ptr != '-') return std::nullopt;
  const auto total = std::from_chars(epoch.ptr + 1, end, note.total);
  if (total.ec != std::errc() || total.ptr != end) return std::nullopt;
  return note;
}

}  // namespace

Task<> HistoryGuard::start() {
  Note newest;
  for (const auto& object : co_await blobs_.list(std::string(prefix), "", 1'000)) {
    if (const auto note = parse_note(object.name); note && name_of(*note) > name_of(newest)) newest = *note;
  }
  bool restored = false;
  auto body = [&](database::Transaction& tx) -> Task<Result<>> {
    const auto rows = co_await tx.execute(sum_heads);
    total_ = rows.front().int64(0);
    epoch_ = rows.front().int64(1);
    restored = newest.epoch > epoch_ || (newest.epoch == epoch_ && newest.total > total_);
    if (restored) {
      epoch_ = std::max(epoch_, newest.epoch) + 1;
      co_await tx.execute(set_epoch, epoch_);
    }
    co_return Result<>();
  };
  (co_await database::write(db_, body)).value();
  if (restored)
    core::log_warning("history_replaced", {{"epoch", epoch_}, {"known", newest.total}, {"found", total_.load()}});
  co_await write_note();
}

Task<> HistoryGuard::write_note() {
  const Note note{epoch_, total_.load()};
  if (note.total == noted_) co_return;
  const std::string name = name_of(note);
  const auto before = co_await blobs_.list(std::string(prefix), "", 1'000);
  const bool exists =
      std::any_of(before.begin(), before.end(), [&](const auto& object) { return object.name == name; });
  if (!exists) {
    auto writer = co_await blobs_.create(name);
    co_await writer->commit();
  }
  for (const auto& object : before) {
    if (object.name < name) co_await blobs_.remove(object.name);
  }
  noted_ = note.total;
}

Task<> HistoryGuard::keep() {
  for (;;) {
    co_await core::sleep_for(note_interval);
    try {
      co_await write_note();
    } catch (const core::ErrorException& error) {
      core::log_warning("history_note_failed", {{"error", std::string(error.what())}});
    }
  }
}

}  // namespace clouddocs::app
