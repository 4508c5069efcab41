// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/engine/sync_engine.hpp"

#include <atomic>

#include "client/apply/applier.hpp"
#include "client/apply/committer.hpp"
#include "client/apply/uploader.hpp"
#include "client/scan/local_name.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr int max_rounds = 12;
constexpr std::size_t mass_delete_floor = 50;
constexpr std::string_view marker_name = "folder.json";

// The device's own mark in the folder: an unmounted or replaced folder does not have it, and is not taken for "everything deleted".
std::filesystem::path marker(const std::filesystem::path& root) { return root / own_folder / marker_name; }

// File times advance in steps of a few milliseconds. A file that was written to just before it was read may be written to once more without a new
// time: such a stamp is not to be trusted, and spoilt so that the next scan reads the file again.
constexpr std::int64_t time_step = 20'000'000;
void distrust_if_fresh(Stamp& stamp, std::chrono::system_clock::time_point read_at) {
  const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(read_at.time_since_epoch()).count();
  if (stamp.mtime > at - time_step) stamp.ctime = 0;
}

bool detect_case_insensitive(const std::filesystem::path& root) {
  std::string other(marker_name);
  other[0] = 'F';
  return find_stat(root / own_folder / other).has_value();
}

}  // namespace

SyncEngine::SyncEngine(SyncOptions options, State& state, Remote& remote, const core::Clock& clock, core::Random& random)
    : options_(std::move(options)), state_(state), remote_(remote), clock_(clock), random_(random), workers_(options_.threads) {}

NodeId SyncEngine::make_id() { return core::make_id<NodeId>(clock_, random_); }
std::string SyncEngine::cursor() { return state_.find_setting("cursor").value_or(""); }
void SyncEngine::progress(Progress::Phase phase, std::int64_t done, std::int64_t total) const {
  if (options_.on_progress) options_.on_progress({phase, done, total});
}

// Finds out which space this folder belongs to; the first time it is the personal one.
void SyncEngine::open() {
  if (is_open_) return;
  auto space = state_.find_setting("space");
  auto root = state_.find_setting("root");
  if (!space || !root) {
    auto spaces = remote_.spaces();
    if (spaces.has_error()) throw core::ErrorException(spaces.error());
    const auto personal = std::ranges::find(*spaces, "personal", &Space::kind);
    if (personal == spaces->end()) throw ProtocolError("the server names no personal space");
    space = core::to_text(personal->space);
    root = core::to_text(personal->root);
    State::Transaction transaction(state_);
    state_.set_setting("space", *space);
    state_.set_setting("root", *root);
    transaction.commit();
  }
  space_ = core::parse_id<SpaceId>(*space).value();
  root_id_ = core::parse_id<NodeId>(*root).value();
  check_folder();
  is_case_insensitive_ = detect_case_insensitive(options_.root);
  is_open_ = true;
}

void SyncEngine::check_folder() {
  auto folder_id = state_.find_setting("folder_id");
  const auto mark = marker(options_.root);
  if (!folder_id) {
    std::filesystem::create_directories(mark.parent_path());
    folder_id = core::to_text(make_id());
    write_atomically(mark, "{\"folder\": \"" + *folder_id + "\"}\n", 0644);
    state_.set_setting("folder_id", *folder_id);
  }
  if (!find_stat(mark) || read_whole(mark).find(*folder_id) == std::string::npos) {
    throw SyncRefused(SyncRefused::Reason::folder_missing,
                      "The folder " + options_.root.string() + " is not the one that was synced (" + mark.string() +
                          " is missing or another): is a disk not mounted? Nothing has been changed. To sync this folder anew, "
                          "run: clouddocs forget " + options_.root.string());
  }
}

void SyncEngine::read_changes() {
  std::optional<std::vector<NodeId>> listed;  // collected while a full listing is read that shall be authoritative
  if (state_.find_setting("relisting")) restart_listing(true);
  if (state_.find_setting("relisting")) listed.emplace();
  int rows = 0;
  for (int restarts = 0;;) {
    auto page = remote_.changes(space_, cursor(), options_.page_size);
    if (page.has_error()) {
      const auto code = page.error().code;
      const bool is_known = code == core::Errc::cursor_relist || code == core::Errc::cursor_resync || code == core::Errc::cursor_invalid;
      if (!is_known || ++restarts > 3) throw core::ErrorException(page.error());
      restart_listing(code == core::Errc::cursor_relist);
      listed.reset();
      if (code == core::Errc::cursor_relist) listed.emplace();
      continue;
    }
    rows += static_cast<int>(page->items.size());
    progress(Progress::Phase::listing, rows, 0);
    if (take_page(*page, listed ? &*listed : nullptr)) return;
  }
}

// From the beginning. Authoritative: what the listing lacks was deleted. Otherwise (the server was set back) absence means nothing: rows that the server lacks now
// are forgotten together with what was synced, so that the files here are new files.
void SyncEngine::restart_listing(bool is_authoritative) {
  State::Transaction transaction(state_);
  state_.set_setting("cursor", "");
  if (is_authoritative) {
    state_.set_setting("relisting", "1");
  } else {
    state_.remove_setting("relisting");
    state_.forget_remote();
  }
  transaction.commit();
}

// Whether the head has been reached.
bool SyncEngine::take_page(const ChangesPage& page, std::vector<NodeId>* listed) {
  State::Transaction transaction(state_);
  for (const auto& item : page.items) {
    mirror(state_, item);
    if (listed != nullptr && !item.is_purged) listed->push_back(item.node.id);
  }
  if (page.at_head && listed != nullptr) {
    state_.remove_remote_except(*listed);
    state_.remove_setting("relisting");
  }
  state_.set_setting("cursor", page.cursor);
  transaction.commit();
  return page.at_head;
}

ScanResult SyncEngine::scan(const std::optional<std::set<std::string>>& changed) {
  progress(Progress::Phase::scanning, 0, 0);
  Scanner scanner(state_, {options_.root, root_id_, [this] { return make_id(); }});
  return changed && !must_look_everywhere_ ? scanner.scan(*changed) : scanner.scan_all();
}

// Reads what the scan found changed, sends the chunks, and tells the local tree what the contents are. What cannot be read stays as it was.
void SyncEngine::read_contents(ScanResult& scanned, SyncReport& report) {
  std::vector<UploadJob> jobs;
  std::vector<NodeId> ids;
  std::int64_t total = 0;
  for (const auto& [id, path] : scanned.to_read) {
    const auto& stamp = scanned.local.at(id)->stamp;
    jobs.push_back({options_.root / path, stamp, state_.find_content(stamp), false, {}});
    ids.push_back(id);
    total += stamp.size;
  }
  if (jobs.empty()) return;
  std::int64_t done = 0;
  const auto read_at = std::chrono::system_clock::now();
  Uploader uploader(remote_, space_, workers_, [&](std::int64_t bytes) { progress(Progress::Phase::uploading, done += bytes, total); });
  uploader.run(jobs);
  State::Transaction transaction(state_);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto& node = scanned.local.at(ids[i]);
    if (jobs[i].known) {
      distrust_if_fresh(node->stamp, read_at);
      state_.put_content(node->stamp, *jobs[i].known);
      node->content_id = jobs[i].known->content_id;
      read_now_.insert(ids[i]);
      continue;
    }
    const auto& path = scanned.to_read.at(ids[i]);
    report.unsynced.push_back({path, jobs[i].is_changing ? "it is being written to: will be tried again" : jobs[i].failure});
    scanned.local.erase(ids[i]);
  }
  transaction.commit();
}

// A file that was not changed here but has to be put (the server deleted it while its folder was moved here): its content may be unknown.
void SyncEngine::read_for_plan(Round& round, const Overlay& local) {
  std::vector<UploadJob> jobs;
  std::vector<NodeId> ids;
  for (const auto& step : round.plan().remote) {
    const auto& outcome = round.outcome(step.id);
    const bool is_put = step.type == Step::Type::create || step.type == Step::Type::update;
    if (!is_put || outcome.target.kind != Kind::file || !outcome.local || read_now_.contains(outcome.local->id)) continue;
    jobs.push_back({path_of(*outcome.local, local), outcome.local->stamp, state_.find_content(outcome.local->stamp), false, {}});
    ids.push_back(step.id);
  }
  if (jobs.empty()) return;
  Uploader(remote_, space_, workers_, nullptr).run(jobs);
  State::Transaction transaction(state_);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].known) {
      state_.put_content(jobs[i].stamp, *jobs[i].known);
    } else {
      round.step_failed(ids[i], jobs[i].failure, jobs[i].failure.empty() || jobs[i].is_changing);
    }
  }
  transaction.commit();
}

// Where a node of the local tree lies.
std::filesystem::path SyncEngine::path_of(const Node& node, const Overlay& local) const {
  std::filesystem::path path = node.local_name;
  NodeId at = node.parent;
  while (at != root_id_) {
    const auto moved = local.find(at);
    const auto folder = moved != local.end() ? moved->second : state_.find(at);
    if (!folder) break;
    path = folder->local_name / path;
    at = folder->parent;
  }
  return options_.root / path;
}

void SyncEngine::guard(const Plan& plan) const {
  const auto synced = static_cast<std::size_t>(state_.count_synced_files());
  const auto limit = std::max(mass_delete_floor, synced / 4);
  std::size_t on_server = 0;
  std::size_t here = 0;
  for (const auto& [id, outcome] : plan.outcomes) {
    if (outcome.is_alive) continue;
    if (outcome.remote && !outcome.remote->is_folder()) ++on_server;
    if (outcome.local && !outcome.local->is_folder()) ++here;
  }
  auto ask = [&](std::size_t count, bool is_server) {
    if (count <= limit || (options_.allow_mass_delete && options_.allow_mass_delete(count, synced, is_server))) return;
    throw SyncRefused(SyncRefused::Reason::mass_delete,
                      "This sync would delete " + std::to_string(count) + " of " + std::to_string(synced) + " files " +
                          (is_server ? "on the server" : "in " + options_.root.string()) +
                          ". Nothing has been changed. If that is what you want, run it again with --allow-mass-delete.");
  };
  ask(on_server, true);
  ask(here, false);
}

void SyncEngine::count(const Plan& plan, SyncReport& report) const {
  auto is_content = [&](const Step& step) {
    return plan.outcomes.at(step.id).target.kind == Kind::file && (step.type == Step::Type::create || step.type == Step::Type::update);
  };
  report.uploaded += static_cast<int>(std::ranges::count_if(plan.remote, is_content));
  report.downloaded += static_cast<int>(std::ranges::count_if(plan.local, is_content));
  report.remote_changes += static_cast<int>(plan.remote.size());
  report.local_changes += static_cast<int>(plan.local.size());
  report.conflicts.insert(report.conflicts.end(), plan.conflicts.begin(), plan.conflicts.end());
}

// One look, one plan, one try to carry it out. Returns whether another one is needed.
bool SyncEngine::run_round(const std::optional<std::set<std::string>>& changed, SyncReport& report) {
  Committer committer(remote_, state_, space_, random_);
  committer.resume();
  auto scanned = scan(changed);
  read_now_.clear();
  report.unsynced = std::move(scanned.unsynced);
  read_contents(scanned, report);
  read_changes();  // last, so that the plan is as fresh as can be
  const PlanOptions options{root_id_, options_.device_name, clock_.now(), [this] { return make_id(); }};
  const auto out = plan(state_, scanned.local, state_.remote_overlay(root_id_), options);
  guard(out);
  count(out, report);
  Round round(state_, out, root_id_);
  read_for_plan(round, scanned.local);
  progress(Progress::Phase::committing, 0, static_cast<std::int64_t>(out.remote.size()));
  committer.run(round);
  std::atomic<std::int64_t> done{0};
  std::int64_t total = 0;
  for (const auto& step : out.local) {
    if (step.type == Step::Type::create || step.type == Step::Type::update) total += out.outcomes.at(step.id).target.size;
  }
  Applier applier(remote_, space_, {options_.root, root_id_, is_case_insensitive_}, workers_,
                  [&](std::int64_t bytes) { progress(Progress::Phase::downloading, done += bytes, total); });
  applier.run(round);
  round.finish();
  report.unsynced.insert(report.unsynced.end(), round.unsynced().begin(), round.unsynced().end());
  if (!round.needs_retry() && round.unsynced().empty()) state_.clear_all_dirty();
  must_look_everywhere_ = round.needs_retry();
  return round.needs_retry();
}

SyncReport SyncEngine::sync_once(const std::optional<std::set<std::string>>& changed) {
  if (is_open_) check_folder();
  open();
  SyncReport report;
  for (int round = 0; round < max_rounds; ++round) {
    if (run_round(changed, report)) continue;
    report.is_equal = report.unsynced.empty();
    return report;
  }
  report.unsynced.push_back({"", "the files keep changing: will be tried again"});
  return report;
}

}  // namespace clouddocs::client
