// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/apply/round.hpp"
#include "client/apply/workers.hpp"
#include "client/remote/remote.hpp"
#include "client/scan/scanner.hpp"
#include "client/state/state.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

namespace clouddocs::client {

// The sync stops for a reason that a person has to settle.
class SyncRefused : public std::runtime_error {
 public:
  enum class Reason { mass_delete, folder_missing, account };
  SyncRefused(Reason r, const std::string& text) : std::runtime_error(text), reason(r) {}
  Reason reason;
};

struct Progress {
  enum class Phase : std::uint8_t { listing, scanning, uploading, committing, downloading };
  Phase phase = Phase::listing;
  std::int64_t done = 0;   // bytes while up- and downloading, else entries
  std::int64_t total = 0;  // 0: not known
};

struct SyncReport {
  int uploaded = 0;    // files whose content went up
  int downloaded = 0;  // and came down
  int remote_changes = 0;
  int local_changes = 0;
  std::vector<Conflict> conflicts;
  std::vector<Unsynced> unsynced;
  bool is_equal = false;  // both sides were equal when it ended, but for what is unsynced
};

struct SyncOptions {
  std::filesystem::path root;
  std::string device_name;
  unsigned threads = 2;  // 0: all in the caller's thread, repeatable
  int page_size = 10'000;
  // Asked when a sync would delete more than max(50, a quarter) of the files on one side.
  std::function<bool(std::size_t count, std::size_t of, bool on_server)> allow_mass_delete;
  std::function<void(const Progress&)> on_progress;
};

// Keeps one folder the same as one space. One thread at a time. All it knows lies in the state, the folder and the server, so it may be destroyed
// (or killed) at any moment and made anew.
class SyncEngine {
 public:
  SyncEngine(SyncOptions options, State& state, Remote& remote, const core::Clock& clock, core::Random& random);

  // Brings both sides together. `changed`: the local folders (relative) in which something has happened; absent: looks everywhere. Looks
  // everywhere as well when an earlier call left something undone. Throws net::NetworkError, SyncRefused, StateError, ProtocolError.
  SyncReport sync_once(const std::optional<std::set<std::string>>& changed = std::nullopt);

  // The cursor that has been applied, for the server's status page.
  std::string cursor();
  SpaceId space() const { return space_; }

 private:
  void open();
  void check_folder();
  void read_changes();
  void restart_listing(bool is_authoritative);
  bool take_page(const ChangesPage& page, std::vector<NodeId>* listed);
  ScanResult scan(const std::optional<std::set<std::string>>& changed);
  void read_contents(ScanResult& scanned, SyncReport& report);
  void read_for_plan(Round& round, const Overlay& local);
  std::filesystem::path path_of(const Node& node, const Overlay& local) const;
  void guard(const Plan& plan) const;
  bool run_round(const std::optional<std::set<std::string>>& changed, SyncReport& report);
  void count(const Plan& plan, SyncReport& report) const;
  void progress(Progress::Phase phase, std::int64_t done, std::int64_t total) const;
  NodeId make_id();

  SyncOptions options_;
  State& state_;
  Remote& remote_;
  const core::Clock& clock_;
  core::Random& random_;
  Workers workers_;
  SpaceId space_;
  NodeId root_id_;
  bool is_open_ = false;
  bool is_case_insensitive_ = false;
  bool must_look_everywhere_ = true;
  std::set<NodeId> read_now_;  // whose content this round has read and sent
};

}  // namespace clouddocs::client
