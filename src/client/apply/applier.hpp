// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "client/apply/downloader.hpp"
#include "client/apply/round.hpp"
#include "client/apply/workers.hpp"
#include "client/remote/remote.hpp"

namespace clouddocs::client {

// Carries out what the plan says for the disk. Contents are first brought to temporary files and checked, then put into place by renaming;
// nothing is replaced or removed that is not as the scan saw it, and nothing is recorded before it is durable. Used once.
class Applier {
 public:
  struct Folder {
    std::filesystem::path root;
    NodeId root_id;
    bool is_case_insensitive = false;
  };
  Applier(Remote& remote, const SpaceId& space, const Folder& folder, const Workers& workers,
          std::function<void(std::int64_t)> on_progress);
  // Throws net::NetworkError.
  void run(Round& round);

 private:
  using Path = std::filesystem::path;

  std::size_t window_end(std::size_t first) const;
  void run_window(std::size_t first, std::size_t last);
  void apply(const Step& step);
  void create(const Step& step);
  void move(const Step& step);
  void update(const Step& step);
  void change_meta(const Step& step);
  void remove(const Step& step);
  void remove_folder(const Step& step, const Path& path);
  bool take_download(const Step& step, DownloadJob& job);
  void replace(const Path& temporary, const Path& path, const Stamp& expected);

  Path path_of(const NodeId& id) const;
  Path temporary_for(const Node& target) const;
  Path make_place(const Step& step, std::string& local_name) const;
  void record(const NodeId& id, const Path& path, const Stamp& expected);

  Remote& remote_;
  SpaceId space_;
  Folder folder_;
  const Workers& workers_;
  std::function<void(std::int64_t)> on_progress_;
  Round* round_ = nullptr;
  std::map<NodeId, Place> places_;  // on the disk, by local name, for nodes that have steps or came under a new id
  std::map<NodeId, DownloadJob> downloads_;
};

}  // namespace clouddocs::client
