// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/state/sqlite.hpp"
#include "client/tree/node.hpp"
#include "content/manifest.hpp"

namespace clouddocs::client {

// The content of a file on this disk, as it was when its stamp was taken.
struct KnownContent {
  content::Sha256 content_id{};
  content::Sha256 sha256{};
  std::vector<content::ChunkRef> chunks;
};

// Where a chunk lies in a file of the synced tree.
struct ChunkPlace {
  NodeId file;
  std::int64_t offset = 0;
};

// What a device remembers about one synced folder: the synced tree, the mirror of the server's rows with the cursor, which of them have not been
// merged yet (dirty), and what files contain. It is written after the effect it speaks of, so it may be behind, never ahead. For
// one thread at a time.
class State final : public TreeView {
 public:
  explicit State(const std::filesystem::path& file);

  // Groups writes: all or none. Nested ones join the outer.
  class Transaction {
   public:
    explicit Transaction(State& state);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    State& state_;
    bool is_outer_;
    bool is_open_ = true;
  };

  std::optional<std::string> find_setting(std::string_view key);
  void set_setting(std::string_view key, std::string_view value);
  void remove_setting(std::string_view key);

  // The synced tree.
  std::optional<Node> find(const NodeId& id) const override;
  std::optional<NodeId> find_child(const NodeId& parent, const std::string& name) const override;
  std::vector<Node> children(const NodeId& parent) const;
  std::optional<Node> find_object(const Stamp& stamp) const;  // by inode and birth
  void put_synced(const Node& node);
  void remove_synced(const NodeId& id);
  std::int64_t count_synced_files() const;
  bool is_empty() const;

  // The server's rows. `is_trashed` ones and those below them stay, invisible.
  struct RemoteRow {
    Node node;
    bool is_trashed = false;
  };
  void put_remote(const RemoteRow& row);  // and marks it dirty
  void remove_remote(const NodeId& id);  // and marks it dirty
  void remove_remote_except(const std::vector<NodeId>& listed);  // after an authoritative listing
  void forget_remote();  // and the synced tree with it: the history of the server is another one
  std::optional<Node> find_visible(const NodeId& id, const NodeId& root) const;
  std::optional<Node> find_remote(const NodeId& id) const;  // visible or not
  // How the server's tree differs from the synced one.
  Overlay remote_overlay(const NodeId& root) const;
  void mark_all_dirty();
  void clear_dirty(const NodeId& id);
  void clear_all_dirty();

  // Contents by stamp, and chunks of synced files.
  std::optional<KnownContent> find_content(const Stamp& stamp) const;
  void put_content(const Stamp& stamp, const KnownContent& known);
  void index_chunks(const NodeId& file, std::span<const content::ChunkRef> chunks);
  void remove_chunks(const NodeId& file);
  std::vector<ChunkPlace> find_chunk(const content::ChunkName& name) const;

 private:
  void add_hidden(Overlay& overlay, const NodeId& folder, const NodeId& root) const;

  mutable Sqlite db_;
  bool in_transaction_ = false;
};

}  // namespace clouddocs::client
