// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/scanner.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>

#include "client/plan/sequence.hpp"
#include "client/scan/local_name.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr int max_depth = 4096;

Kind kind_of(EntryType type) {
  return type == EntryType::folder ? Kind::folder : type == EntryType::symlink ? Kind::symlink : Kind::file;
}
std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

Scanner::Scanner(const State& state, ScanOptions options) : state_(state), options_(std::move(options)) {
  const auto file = options_.root / ignore_file;
  if (find_stat(file)) ignore_ = IgnoreRules(read_whole(file));
}

ScanResult Scanner::scan_all() {
  queue_.push_back({options_.root_id, "", true});
  run(true);
  return std::move(result_);
}

ScanResult Scanner::scan(const std::set<std::string>& folders) {
  for (const auto& path : folders) {
    if (auto folder = resolve(path)) queue_.push_back(std::move(*folder));
  }
  run(false);
  return std::move(result_);
}

void Scanner::run(bool descend) {
  descend_ = descend;
  while (!queue_.empty()) {
    auto folder = std::move(queue_.back());
    queue_.pop_back();
    if (scanned_.insert(folder.id).second) scan_folder(folder);
  }
  place_later();
  add_deleted();
}

// The nearest folder on the way to `path` that the synced tree knows and the disk still has.
// The server takes no more than that, and UTF-8 only.
void Scanner::skip(const std::string& path, const std::string& reason) {
  result_.unsynced.push_back({to_printable(path, 4'096), to_printable(reason, 500)});
}

std::optional<Scanner::Folder> Scanner::resolve(const std::string& path) const {
  Folder folder{options_.root_id, "", true};
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto name = path.substr(at, end - at);
    const auto children = state_.children(folder.id);
    const auto child =
        std::ranges::find_if(children, [&](const Node& node) { return node.local_name == name && node.is_folder(); });
    if (child == children.end()) break;
    const auto stat = find_stat(options_.root / join(folder.path, name));
    if (!stat || !stat->stamp.is_same_object(child->stamp)) break;
    folder = {child->id, join(folder.path, name), true};
    at = end + 1;
  }
  return folder;
}

std::vector<std::string> Scanner::list(const Folder& folder, bool& is_readable) {
  std::vector<std::string> names;
  const auto path = options_.root / folder.path;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  is_readable = dir != nullptr;
  if (!dir) {
    if (errno != ENOENT && errno != ENOTDIR) skip(folder.path, FileError("list", path, errno).what());
    return names;
  }
  errno = 0;
  while (const auto* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !is_own_name(name)) names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) {
    is_readable = false;
    skip(folder.path, FileError("list", path, errno).what());
  }
  std::ranges::sort(names);  // the same order on every file system
  return names;
}

void Scanner::scan_folder(const Folder& folder) {
  bool is_readable = false;
  const auto names = list(folder, is_readable);
  if (!is_readable) return;  // what cannot be seen is not deleted
  std::unordered_map<std::string, Node> known;
  if (folder.is_known) {
    for (auto& child : state_.children(folder.id)) {
      expected_.insert(child.id);
      known.emplace(child.local_name, std::move(child));
    }
  }
  for (const auto& name : names) {
    try {
      look_at(folder, name, known);
    } catch (const FileError& error) {
      skip(join(folder.path, name), error.what());
      if (auto child = known.find(name); child != known.end()) assigned_.insert(child->second.id);
    }
  }
}

void Scanner::look_at(const Folder& folder, const std::string& name,
                      const std::unordered_map<std::string, Node>& known) {
  Found found{folder.id, join(folder.path, name), name, {}, {}};
  const auto child = known.find(name);
  const auto stat = find_stat(options_.root / found.path);
  if (!stat) return;  // gone since the listing
  found.stat = *stat;
  if (ignore_.is_ignored(found.path, found.stat.type == EntryType::folder)) {
    if (child != known.end()) assigned_.insert(child->second.id);  // synced before it was ignored: left as it is
    return;
  }
  if (found.stat.type == EntryType::other) return skip(found.path, "not a file, folder or symbolic link");
  if (child != known.end() && child->second.kind == kind_of(found.stat.type)) found.same_place = child->second;
  if (found.same_place && found.same_place->stamp.is_same_object(found.stat.stamp)) {
    assign(found, found.same_place);
  } else if (found.stat.type == EntryType::folder) {
    place_folder(found);
  } else {
    later_.push_back(std::move(found));  // whose it is shows when everything has been seen
  }
}

void Scanner::place_folder(const Found& found) {
  auto moved = find_moved(found);
  if (!moved && found.same_place && !assigned_.contains(found.same_place->id)) moved = found.same_place;
  assign(found, moved);
}

// The synced node that this object is, if it lay elsewhere and lies there no more.
std::optional<Node> Scanner::find_moved(const Found& found) const {
  auto base = state_.find_object(found.stat.stamp);
  if (!base || base->kind != kind_of(found.stat.type) || assigned_.contains(base->id)) return std::nullopt;
  // Without a birth time an inode number may have been used again: only an untouched file counts.
  const auto& stamp = found.stat.stamp;
  if (stamp.birth == 0 && !base->is_folder() && (base->stamp.size != stamp.size || base->stamp.mtime != stamp.mtime))
    return std::nullopt;
  const auto still = find_stat(path_of(*base));
  if (still && still->stamp.is_same_object(stamp)) return std::nullopt;  // another hard link
  return base;
}

void Scanner::place_later() {
  std::vector<const Found*> rest;
  for (const auto& found : later_) {
    if (auto moved = find_moved(found)) {
      assign(found, moved);
    } else {
      rest.push_back(&found);
    }
  }
  for (const auto* found : rest) {
    // Replaced in place (editors write a new file and rename it over the old one): the same node with new content.
    const bool is_replaced = found->same_place && !assigned_.contains(found->same_place->id);
    assign(*found, is_replaced ? found->same_place : std::nullopt);
  }
}

void Scanner::assign(const Found& found, const std::optional<Node>& base) {
  Node node;
  const bool is_in_transit = found.local_name.starts_with(transit_prefix);
  auto name =
      base && base->local_name == found.local_name ? std::optional(base->name) : to_remote_name(found.local_name);
  if (base) assigned_.insert(base->id);
  if (!name) return skip(found.path, "the name is not valid UTF-8: rename it");
  node.id = base ? base->id : options_.make_id();
  node.parent = base && is_in_transit ? base->parent : found.parent;
  node.name = base && is_in_transit ? base->name : *name;
  node.local_name = found.local_name;
  node.kind = kind_of(found.stat.type);
  node.stamp = found.stat.stamp;
  if (node.kind == Kind::file) {
    node.size = node.stamp.size;
    node.executable = found.stat.executable;
    node.modified_at = found.stat.modified_at();
    if (base && base->stamp == node.stamp) node.content_id = base->content_id;
  } else if (node.kind == Kind::symlink) {
    node.modified_at = found.stat.modified_at();
    node.target = read_link(options_.root / found.path);
    if (!core::is_utf8(node.target)) return skip(found.path, "the target of the link is not valid UTF-8");
  }
  const bool is_touched =
      !base || (node.is_folder() ? !base->stamp.is_same_object(node.stamp) : base->stamp != node.stamp);
  if (node.is_folder() && (!base || descend_)) queue_.push_back({node.id, found.path, base.has_value()});
  if (!is_touched && place_of(node) == place_of(*base) && has_same_content(node, *base) && has_same_meta(node, *base) &&
      node.local_name == base->local_name) {
    return;
  }
  if (node.kind == Kind::file && is_touched) result_.to_read.emplace(node.id, found.path);
  const auto id = node.id;
  result_.local.insert_or_assign(id, std::move(node));
}

void Scanner::add_deleted() {
  for (const auto& id : expected_) {
    if (!assigned_.contains(id)) add_deleted_below(id);
  }
}
void Scanner::add_deleted_below(const NodeId& id) {
  result_.local[id] = std::nullopt;
  for (const auto& child : state_.children(id)) {
    if (!assigned_.contains(child.id)) add_deleted_below(child.id);
  }
}

std::filesystem::path Scanner::path_of(const Node& base) const {
  std::string path = base.local_name;
  auto parent = base.parent;
  for (int depth = 0; parent != options_.root_id && depth < max_depth; ++depth) {
    const auto folder = state_.find(parent);
    if (!folder) break;
    path = folder->local_name + "/" + path;
    parent = folder->parent;
  }
  return options_.root / path;
}

}  // namespace clouddocs::client
