// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/applier.hpp"

#include <unistd.h>

#include <cerrno>

#include "client/scan/local_name.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr std::size_t window_steps = 1'000;
constexpr std::int64_t window_bytes = 256 << 20;
constexpr int max_depth = 4096;

// As the scan saw it. The change time is left out: the client's own renames alter it.
bool is_as_seen(const Stamp& now, const Stamp& seen) {
  return now.is_same_object(seen) && now.size == seen.size && now.mtime == seen.mtime;
}
bool is_download(const Step& step, const Node& target) {
  return target.kind == Kind::file && (step.type == Step::Type::create || step.type == Step::Type::update);
}

// Whether the disk is not as the plan took it to be, so that looking again helps.
bool is_overtaken(int error) {
  return error == ENOENT || error == EEXIST || error == ENOTDIR || error == ENOTEMPTY || error == EISDIR ||
         error == ESTALE;
}

}  // namespace

Applier::Applier(Remote& remote, const SpaceId& space, const Folder& folder, const Workers& workers,
                 std::function<void(std::int64_t)> on_progress)
    : remote_(remote), space_(space), folder_(folder), workers_(workers), on_progress_(std::move(on_progress)) {}

void Applier::run(Round& round) {
  round_ = &round;
  for (const auto& [id, outcome] : round.plan().outcomes) {
    if (outcome.local) places_[id] = {outcome.local_parent, outcome.local->local_name};
  }
  const auto& steps = round.plan().local;
  if (steps.empty()) return;
  std::filesystem::create_directories(folder_.root / own_folder / "tmp");
  for (std::size_t first = 0; first < steps.size();) {
    const auto last = window_end(first);
    run_window(first, last);
    first = last;
  }
}

std::size_t Applier::window_end(std::size_t first) const {
  const auto& steps = round_->plan().local;
  std::int64_t bytes = 0;
  std::size_t last = first;
  while (last < steps.size() && last - first < window_steps && bytes < window_bytes) {
    const auto& target = round_->outcome(steps[last].id).target;
    if (is_download(steps[last], target)) bytes += target.size;
    ++last;
  }
  return last;
}

void Applier::run_window(std::size_t first, std::size_t last) {
  const auto& steps = round_->plan().local;
  std::vector<DownloadJob> jobs;
  for (auto i = first; i < last; ++i) {
    const auto& target = round_->outcome(steps[i].id).target;
    if (!is_download(steps[i], target) || round_->has_failed(steps[i].id)) continue;
    DownloadJob job;
    job.target = target;
    job.temporary = temporary_for(target);
    jobs.push_back(std::move(job));
  }
  auto find_path = [this](const NodeId& id) {
    try {
      return path_of(id);
    } catch (const FileError&) {
      return Path();  // not on the disk (any more)
    }
  };
  Downloader downloader(remote_, round_->state(), space_, workers_, find_path, on_progress_);
  downloader.run(jobs);
  downloads_.clear();
  for (auto& job : jobs) downloads_.emplace(job.target.id, std::move(job));
  if (!jobs.empty())
    sync_file_system(folder_.root);  // contents before names: a crash leaves no empty file under a good name
  std::vector<NodeId> done;
  for (auto i = first; i < last; ++i) {
    const auto& step = steps[i];
    if (round_->has_failed(step.id)) continue;
    try {
      apply(step);
      if (!round_->has_failed(step.id)) done.push_back(step.id);
    } catch (const FileError& error) {
      round_->step_failed(step.id, error.what(), is_overtaken(error.error));
    }
  }
  sync_file_system(folder_.root);  // names before the record of them
  State::Transaction transaction(round_->state());
  for (const auto& id : done) round_->step_done(id);
  transaction.commit();
}

void Applier::apply(const Step& step) {
  switch (step.type) {
    case Step::Type::create: return create(step);
    case Step::Type::move: return move(step);
    case Step::Type::update: return update(step);
    case Step::Type::meta: return change_meta(step);
    case Step::Type::remove: return remove(step);
  }
}

bool Applier::take_download(const Step& step, DownloadJob& job) {
  auto found = downloads_.find(step.id);
  if (found == downloads_.end()) {
    round_->step_failed(step.id, "", true);
    return false;
  }
  job = std::move(found->second);
  downloads_.erase(found);
  if (!job.is_done) round_->step_failed(step.id, job.failure, job.failure.empty());
  return job.is_done;
}

void Applier::create(const Step& step) {
  const auto& target = round_->outcome(step.id).target;
  std::string local_name;
  const auto path = make_place(step, local_name);
  Stamp made;
  if (target.kind == Kind::folder) {
    if (::mkdir(path.c_str(), 0777) != 0) throw FileError("make the folder", path, errno);
  } else if (target.kind == Kind::symlink) {
    if (::symlink(target.target.c_str(), path.c_str()) != 0) throw FileError("make the link", path, errno);
    set_meta(path, target.modified_at, std::nullopt);
  } else {
    DownloadJob job;
    if (!take_download(step, job)) return;
    rename_new(job.temporary, path);
    made = job.stamp;
    round_->set_chunks(step.id, std::move(job.chunks));
  }
  if (target.kind != Kind::file) made = find_stat(path).value_or(EntryStat{}).stamp;
  places_[step.id] = {step.parent, local_name};
  round_->outcome(step.id).target.local_name = local_name;
  record(step.id, path, made);
}

void Applier::move(const Step& step) {
  const auto from = path_of(step.id);
  const auto& seen = round_->outcome(step.id).target.stamp;
  const auto now = find_stat(from);
  if (!now || !now->stamp.is_same_object(seen)) return round_->step_failed(step.id, "", true);
  std::string local_name;
  const auto to = make_place(step, local_name);
  if (from != to) rename_new(from, to);
  places_[step.id] = {step.parent, local_name};
  round_->outcome(step.id).target.local_name = local_name;
  record(step.id, to, seen);
}

void Applier::update(const Step& step) {
  auto& target = round_->outcome(step.id).target;
  const auto path = path_of(step.id);
  const auto seen = target.stamp;
  if (target.kind == Kind::symlink) {
    const auto temporary = temporary_for(target);
    ::unlink(temporary.c_str());
    if (::symlink(target.target.c_str(), temporary.c_str()) != 0) throw FileError("make the link", temporary, errno);
    set_meta(temporary, target.modified_at, std::nullopt);
    replace(temporary, path, seen);
    record(step.id, path, find_stat(path).value_or(EntryStat{}).stamp);
    return;
  }
  DownloadJob job;
  if (!take_download(step, job)) return;
  copy_mode(path, job.temporary, target.executable);
  replace(job.temporary, path, seen);
  round_->set_chunks(step.id, std::move(job.chunks));
  record(step.id, path, job.stamp);
}

// Puts the temporary file in the place of what the scan saw there. What turns out to be something else is put back untouched.
void Applier::replace(const Path& temporary, const Path& path, const Stamp& expected) {
  const auto before = find_stat(path);
  if (!before || !is_as_seen(before->stamp, expected)) throw FileError("replace", path, ESTALE);
  if (!exchange(temporary, path)) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw FileError("replace", path, errno);
    return;
  }
  const auto old = find_stat(temporary);
  if (!old || !is_as_seen(old->stamp, expected)) {
    exchange(temporary, path);
    throw FileError("replace", path, ESTALE);
  }
  if (::unlink(temporary.c_str()) != 0) throw FileError("remove", temporary, errno);
}

void Applier::change_meta(const Step& step) {
  auto& target = round_->outcome(step.id).target;
  const auto path = path_of(step.id);
  const auto now = find_stat(path);
  if (!now || !is_as_seen(now->stamp, target.stamp)) return round_->step_failed(step.id, "", true);
  set_meta(path, target.modified_at, target.executable);
  auto expected = target.stamp;
  expected.mtime = target.modified_at * 1000;
  record(step.id, path, expected);
}

void Applier::remove(const Step& step) {
  const auto& outcome = round_->outcome(step.id);
  const auto path = path_of(step.id);
  const auto now = find_stat(path);
  if (!now) return;  // gone already
  if (outcome.local->is_folder()) return remove_folder(step, path);
  if (!is_as_seen(now->stamp, outcome.local->stamp)) return round_->step_failed(step.id, "", true);
  // Moved aside first: what somebody writes at the last moment is seen and put back.
  const auto aside = folder_.root / own_folder / "tmp" / ("removed-" + core::to_text(step.id));
  if (::rename(path.c_str(), aside.c_str()) != 0) {
    if (errno == EXDEV && ::unlink(path.c_str()) == 0) return;
    throw FileError("remove", path, errno);
  }
  const auto moved = find_stat(aside);
  if (moved && !is_as_seen(moved->stamp, outcome.local->stamp)) {
    rename_new(aside, path);
    return round_->step_failed(step.id, "", true);
  }
  if (::unlink(aside.c_str()) != 0) throw FileError("remove", aside, errno);
}

void Applier::remove_folder(const Step& step, const Path& path) {
  if (::rmdir(path.c_str()) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST) throw FileError("remove", path, errno);
  // Something new, ignored or kept is in it: the folder stays, and counts as made here.
  round_->ask_for_retry();
  for (const auto& [id, place] : places_) {
    if (place.parent == step.id && round_->has_failed(id)) return round_->step_failed(step.id, "", true);
  }
}

std::filesystem::path Applier::path_of(const NodeId& id) const {
  Path path;
  NodeId at = id;
  for (int depth = 0; at != folder_.root_id && depth < max_depth; ++depth) {
    Place place;
    if (auto found = places_.find(at); found != places_.end()) {
      place = found->second;
    } else {
      const auto base = round_->state().find(at);
      if (!base) throw FileError("find", path, ENOENT);
      place = {base->parent, base->local_name};
    }
    path = path.empty() ? Path(place.name) : place.name / path;
    at = place.parent;
  }
  return folder_.root / path;
}

std::filesystem::path Applier::temporary_for(const Node& target) const {
  const auto hash = core::to_hex(core::ByteView(target.content_id).first(12));
  return folder_.root / own_folder / "tmp" / (hash + "-" + core::to_text(target.id));
}

// Where a step puts its node. A name that the disk cannot hold is escaped.
std::filesystem::path Applier::make_place(const Step& step, std::string& local_name) const {
  const auto parent = path_of(step.parent);
  local_name = to_local_name(step.name, false);
  if (folder_.is_case_insensitive) {
    if (const auto there = find_stat(parent / local_name);
        there && !there->stamp.is_same_object(round_->outcome(step.id).target.stamp)) {
      local_name = to_local_name(step.name, true);
    }
  }
  return parent / local_name;
}

// Takes down how the entry looks now. If it is no longer what was put there, the old stamp stays and the next scan will see the difference.
void Applier::record(const NodeId& id, const Path& path, const Stamp& expected) {
  const auto now = find_stat(path);
  const bool is_ours =
      now && (now->type == EntryType::folder ? now->stamp.is_same_object(expected) : is_as_seen(now->stamp, expected));
  round_->outcome(id).target.stamp = is_ours ? now->stamp : expected;
}

}  // namespace clouddocs::client
