// SPDX-License-Identifier: AGPL-3.0-or-later
// What each operation of a commit does to the tree; batch.cpp holds what they share.
#include "features/storage/batch.hpp"
#include "features/storage/name.hpp"

namespace clouddocs::storage {

using core::Errc;
using core::Error;

Task<OperationResult> Batch::run(const Put& op) {
  if (op.content.size > plan_.max_file_size) {
    co_return Error(Errc::file_too_large,
                    "A file of this plan has at most " + std::to_string(plan_.max_file_size) + " bytes.");
  }
  if (op.base_version == 0) co_return co_await create_file(op);
  CO_TRY(Node node, co_await find_live(op.id));
  if (node.kind != NodeKind::file) co_return Error(Errc::invalid_request, "Only a file has content.");
  co_return co_await replace_content(std::move(node), op);
}

Task<OperationResult> Batch::create_file(const Put& op) {
  if (const auto existing = co_await TreeStore::find(tx_, space_.id, op.id)) {
    // A retry whose first answer was lost is a success; anything else with this id is refused.
    const bool same = existing->is_live() && existing->parent == op.parent &&
                      existing->content_id == op.content.content_id && existing->size == op.content.size &&
                      existing->version == 1;
    if (same) co_return *existing;
    co_return Error(Errc::id_taken, "The id is in use.");
  }
  CO_CHECK(co_await require_folder(op.parent));
  CO_TRY(std::string name, co_await claim_name(op.parent, op.filename, op.rename_if_taken));
  CO_CHECK(co_await settle_chunks(op.content));
  CO_CHECK(charge(op.content.size));
  Node node;
  node.id = op.id;
  node.parent = op.parent;
  node.kind = NodeKind::file;
  node.mime = std::string(guess_mime(name));
  node.filename = std::move(name);
  node.size = op.content.size;
  node.version = 1;
  node.content_id = op.content.content_id;
  node.sha256 = op.content.sha256;
  node.executable = op.executable.value_or(false);
  node.modified_at = op.modified_at.value_or(now_);
  co_return co_await insert(std::move(node), make_version(op.content, 1));
}

Task<OperationResult> Batch::replace_content(Node node, const Put& op) {
  // Equal content is never a conflict.
  if (node.content_id == op.content.content_id && node.size == op.content.size) co_return node;
  if (op.base_version != node.version && op.base_version != any_base) co_return stale(node);
  CO_CHECK(co_await settle_chunks(op.content));
  CO_CHECK(charge(op.content.size - node.size));
  node.size = op.content.size;
  node.version += 1;
  node.content_id = op.content.content_id;
  node.sha256 = op.content.sha256;
  if (op.executable) node.executable = *op.executable;
  node.modified_at = op.modified_at.value_or(now_);
  node.uploaded_at = now_;
  const Version version = make_version(op.content, node.version);
  co_await TreeStore::insert_version(tx_, space_.id, node.id, version);
  co_return co_await save(std::move(node));
}

Task<OperationResult> Batch::run(const PutSymlink& op) {
  if (op.target.empty() || op.target.size() > 4'096 || op.target.find('\0') != std::string::npos) {
    co_return Error(Errc::invalid_request, "The target of a symbolic link has 1 to 4096 bytes and no NUL.");
  }
  if (op.base_seq == 0) {
    if (const auto existing = co_await TreeStore::find(tx_, space_.id, op.id)) {
      if (existing->is_live() && existing->parent == op.parent && existing->target == op.target) co_return *existing;
      co_return Error(Errc::id_taken, "The id is in use.");
    }
    CO_CHECK(co_await require_folder(op.parent));
    CO_TRY(std::string name, co_await claim_name(op.parent, op.filename, false));
    Node node;
    node.id = op.id;
    node.parent = op.parent;
    node.kind = NodeKind::symlink;
    node.filename = std::move(name);
    node.target = op.target;
    node.modified_at = op.modified_at.value_or(now_);
    co_return co_await insert(std::move(node), std::nullopt);
  }
  CO_TRY(Node node, co_await find_live(op.id));
  if (node.kind != NodeKind::symlink) co_return Error(Errc::invalid_request, "The item is not a symbolic link.");
  if (node.target == op.target) co_return node;
  if (op.base_seq != any_base && op.base_seq != node.seq) co_return stale(node);
  node.target = op.target;
  node.modified_at = op.modified_at.value_or(now_);
  co_return co_await save(std::move(node));
}

Task<OperationResult> Batch::run(const MakeFolder& op) {
  if (const auto existing = co_await TreeStore::find(tx_, space_.id, op.id)) {
    const bool same = existing->is_live() && existing->kind == NodeKind::folder && existing->parent == op.parent;
    if (same) co_return *existing;
    co_return Error(Errc::id_taken, "The id is in use.");
  }
  CO_TRY(const std::size_t depth, co_await require_folder(op.parent));
  if (depth >= static_cast<std::size_t>(max_depth))
    co_return Error(Errc::too_deep, "Folders can be nested 128 deep at most.");
  CO_TRY(std::string name, co_await claim_name(op.parent, op.filename, false));
  Node node;
  node.id = op.id;
  node.parent = op.parent;
  node.kind = NodeKind::folder;
  node.filename = std::move(name);
  node.modified_at = now_;
  co_return co_await insert(std::move(node), std::nullopt);
}

Task<OperationResult> Batch::run(const Move& op) {
  if (op.id == space_.root) co_return Error(Errc::forbidden, "The root of a space cannot be moved or renamed.");
  CO_TRY(Node node, co_await find_live(op.id));
  if (op.base_seq != any_base && op.base_seq != node.seq) co_return stale(node);
  const NodeId target = op.parent.value_or(*node.parent);
  CO_TRY(const std::size_t depth, co_await require_folder(target));
  if (node.kind == NodeKind::folder && target != *node.parent) {
    for (const auto& ancestor : co_await TreeStore::ancestors(tx_, space_.id, target)) {
      if (ancestor.id == node.id)
        co_return Error(Errc::cycle, "A folder cannot be moved into itself or into what it holds.");
    }
    const auto height = co_await TreeStore::height(tx_, space_.id, node.id);
    if (depth + 1 + static_cast<std::size_t>(height) > static_cast<std::size_t>(max_depth)) {
      co_return Error(Errc::too_deep, "Folders can be nested 128 deep at most.");
    }
  }
  const std::string wanted = op.filename.value_or(node.filename);
  CO_TRY(std::string name, co_await claim_name(target, wanted, false, node.id));
  if (target == *node.parent && name == node.filename) co_return node;
  const NodeId old_parent = *node.parent;
  node.parent = target;
  if (node.kind == NodeKind::file && name != node.filename) node.mime = std::string(guess_mime(name));
  node.filename = std::move(name);
  live_folders_.clear();
  co_return co_await save(std::move(node), old_parent);
}

Task<OperationResult> Batch::run(const SetMeta& op) {
  CO_TRY(Node node, co_await find_live(op.id));
  if (op.base_seq != any_base && op.base_seq != node.seq) co_return stale(node);
  if (op.modified_at) node.modified_at = *op.modified_at;
  if (op.executable && node.kind == NodeKind::file) node.executable = *op.executable;
  co_return co_await save(std::move(node));
}

Task<OperationResult> Batch::run(const Delete& op) {
  if (op.id == space_.root) co_return Error(Errc::forbidden, "The root of a space cannot be deleted.");
  CO_TRY(Node node, co_await find_live(op.id));
  if (op.base_seq != any_base && op.base_seq != node.seq) co_return stale(node);
  if (node.kind == NodeKind::folder && op.seen_seq && node.tree_seq > *op.seen_seq) {
    Error error = stale(node);
    error.detail = "The folder holds changes that this device has not seen yet. Fetch them and decide again.";
    co_return error;
  }
  node.deleted_at = now_;
  live_folders_.clear();
  co_return co_await save(std::move(node));
}

Task<OperationResult> Batch::run(const Restore& op) {
  auto node = co_await TreeStore::find(tx_, space_.id, op.id);
  if (!node || node->purged_at) co_return Error(Errc::gone, "There is no such item any more.");
  if (op.base_seq != any_base && op.base_seq != node->seq) co_return stale(*node);
  if (!node->deleted_at) co_return *node;
  if (op.parent) {
    for (const auto& ancestor : co_await TreeStore::ancestors(tx_, space_.id, *op.parent)) {
      if (ancestor.id == node->id) co_return Error(Errc::cycle, "A folder cannot be restored into itself.");
    }
    node->parent = op.parent;
  }
  CO_TRY(const std::size_t depth, co_await require_folder(*node->parent));
  if (node->kind == NodeKind::folder) {
    const auto height = co_await TreeStore::height(tx_, space_.id, node->id);
    if (depth + 1 + static_cast<std::size_t>(height) > static_cast<std::size_t>(max_depth)) {
      co_return Error(Errc::too_deep, "Folders can be nested 128 deep at most.");
    }
  }
  CO_TRY(std::string name, co_await claim_name(*node->parent, node->filename, op.rename_if_taken, node->id));
  node->filename = std::move(name);
  node->deleted_at.reset();
  live_folders_.clear();
  co_return co_await save(std::move(*node));
}

Task<OperationResult> Batch::run(const RestoreVersion& op) {
  CO_TRY(Node node, co_await find_live(op.id));
  if (node.kind != NodeKind::file) co_return Error(Errc::invalid_request, "Only a file has versions.");
  if (op.base_version != any_base && op.base_version != node.version) co_return stale(node);
  auto version = co_await TreeStore::find_version(tx_, space_.id, op.id, op.version);
  if (!version) co_return Error(Errc::not_found, "The file has no version " + std::to_string(op.version) + ".");
  if (version->content_id == node.content_id) co_return node;
  CO_CHECK(charge(version->size - node.size));
  node.size = version->size;
  node.version += 1;
  node.content_id = version->content_id;
  node.sha256 = version->sha256;
  node.modified_at = now_;
  node.uploaded_at = now_;
  version->number = node.version;
  version->author = caller_.user;
  version->device_name = caller_.device_name;
  version->created_at = now_;
  co_await TreeStore::insert_version(tx_, space_.id, node.id, *version);
  co_return co_await save(std::move(node));
}

Task<Result<std::vector<Node>>> Batch::collect_for_copy(const Node& source) {
  std::vector<Node> nodes{source};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].kind != NodeKind::folder) continue;
    const NodeId folder = nodes[i].id;
    for (auto& child : co_await TreeStore::children(tx_, space_.id, folder, max_copy + 1)) {
      nodes.push_back(std::move(child));
      if (nodes.size() > static_cast<std::size_t>(max_copy)) {
        co_return Error(Errc::invalid_request, "At most " + std::to_string(max_copy) + " items can be copied at once.");
      }
    }
  }
  co_return nodes;
}

Task<OperationResult> Batch::run(const Copy& op) {
  CO_TRY(Node source, co_await find_live(op.source));
  CO_TRY(const std::size_t depth, co_await require_folder(op.parent));
  CO_TRY(std::string name, co_await claim_name(op.parent, op.filename, op.rename_if_taken));
  CO_TRY(std::vector<Node> nodes, co_await collect_for_copy(source));
  const auto height = co_await TreeStore::height(tx_, space_.id, source.id);
  if (depth + 1 + static_cast<std::size_t>(height) > static_cast<std::size_t>(max_depth)) {
    co_return Error(Errc::too_deep, "Folders can be nested 128 deep at most.");
  }
  std::map<NodeId, NodeId> copies;
  std::optional<Node> top;
  for (Node& node : nodes) {
    const NodeId original = node.id;
    node.id = top ? core::make_id<NodeId>(clock_, random_) : op.id;
    node.parent = top ? copies.at(*node.parent) : op.parent;
    if (!top) node.filename = name;
    copies.emplace(original, node.id);
    std::optional<Version> version;
    if (node.kind == NodeKind::file) {
      CO_CHECK(charge(node.size));
      version = co_await TreeStore::find_version(tx_, space_.id, original, node.version);
      if (!version) co_return Error(Errc::internal, "The content of a file is not recorded.");
      version->number = 1;
      version->author = caller_.user;
      version->device_name = caller_.device_name;
      version->created_at = now_;
      node.version = 1;
    }
    OperationResult made = co_await insert(std::move(node), std::move(version));
    if (made.has_error()) co_return made;
    if (!top) top = made.value();
  }
  co_return std::move(*top);
}

Task<OperationResult> Batch::run(const Purge& op) {
  auto root = co_await TreeStore::find(tx_, space_.id, op.id);
  if (!root || root->purged_at) co_return Error(Errc::gone, "There is no such item any more.");
  bool trashed = false;
  for (const auto& ancestor : co_await TreeStore::ancestors(tx_, space_.id, op.id))
    trashed = trashed || ancestor.trashed;
  if (!trashed) co_return Error(Errc::invalid_request, "Only what is in the trash can be deleted for good.");
  Node last = *root;
  for (Node& node : co_await TreeStore::subtree_bottom_up(tx_, space_.id, op.id, max_purge)) {
    if (node.kind == NodeKind::file) CO_CHECK(charge(-node.size));
    node.purged_at = now_;
    OperationResult saved = co_await save(std::move(node));
    if (saved.has_error()) co_return saved;
    if (saved.value().id == op.id) last = saved.value();
  }
  co_return last;
}

}  // namespace clouddocs::storage
