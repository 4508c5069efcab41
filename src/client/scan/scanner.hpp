// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/remote/remote.hpp"
#include "client/scan/file_system.hpp"
#include "client/scan/ignore_rules.hpp"
#include "client/state/state.hpp"
#include "client/tree/node.hpp"

namespace clouddocs::client {

struct ScanOptions {
  std::filesystem::path root;
  NodeId root_id;
  std::function<NodeId()> make_id;  // for nodes that are new
};

struct ScanResult {
  Overlay local;  // how the disk differs from the synced tree
  // Files whose content has to be read, relative path by id; their content_id in `local` is not known yet.
  std::map<NodeId, std::string> to_read;
  std::vector<Unsynced> unsynced;
};

// Compares the folder on the disk with the synced tree. Recognises what was renamed or moved by its inode and birth time. Reads no contents. Used once.
class Scanner {
 public:
  Scanner(const State& state, ScanOptions options);
  ScanResult scan_all();
  // Only these folders (relative paths, "" is the top) and whatever is new in them.
  ScanResult scan(const std::set<std::string>& folders);

 private:
  struct Folder {
    NodeId id;
    std::string path;
    bool is_known = false;  // has children in the synced tree
  };
  struct Found {
    NodeId parent;
    std::string path;
    std::string local_name;
    EntryStat stat;
    std::optional<Node> same_place;  // the synced node of that name and kind
  };

  void run(bool descend);
  void scan_folder(const Folder& folder);
  std::vector<std::string> list(const Folder& folder, bool& is_readable);
  void look_at(const Folder& folder, const std::string& name, const std::unordered_map<std::string, Node>& known);
  void place_folder(const Found& found);
  void place_later();
  void assign(const Found& found, const std::optional<Node>& base);
  std::optional<Node> find_moved(const Found& found) const;
  void add_deleted();
  void add_deleted_below(const NodeId& id);
  std::optional<Folder> resolve(const std::string& path) const;
  std::filesystem::path path_of(const Node& base) const;
  void skip(const std::string& path, const std::string& reason);

  const State& state_;
  ScanOptions options_;
  IgnoreRules ignore_;
  bool descend_ = true;
  std::vector<Folder> queue_;
  std::unordered_set<NodeId> scanned_;
  std::unordered_set<NodeId> expected_;  // synced children of scanned folders
  std::unordered_set<NodeId> assigned_;
  std::vector<Found> later_;
  ScanResult result_;
};

}  // namespace clouddocs::client
