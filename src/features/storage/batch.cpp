// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/batch.hpp"

#include "features/storage/name.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

std::string item_member(SpaceId space, const Node& node) { return "\"item\":" + to_item(space, node); }

// The nodes that an operation refers to, and the one it makes (if any).
struct References {
  std::vector<NodeId> uses;
  std::optional<NodeId> makes;
};

References references(const Operation& operation) {
  struct Visitor {
    References operator()(const Put& op) const {
      if (op.base_version == 0) return {{op.parent}, op.id};
      return {{op.id}, {}};
    }
    References operator()(const PutSymlink& op) const {
      if (op.base_seq == 0) return {{op.parent}, op.id};
      return {{op.id}, {}};
    }
    References operator()(const MakeFolder& op) const { return {{op.parent}, op.id}; }
    References operator()(const Move& op) const {
      if (op.parent) return {{op.id, *op.parent}, {}};
      return {{op.id}, {}};
    }
    References operator()(const Copy& op) const { return {{op.source, op.parent}, op.id}; }
    References operator()(const SetMeta& op) const { return {{op.id}, {}}; }
    References operator()(const Delete& op) const { return {{op.id}, {}}; }
    References operator()(const Restore& op) const { return {{op.id}, {}}; }
    References operator()(const RestoreVersion& op) const { return {{op.id}, {}}; }
    References operator()(const Purge& op) const { return {{op.id}, {}}; }
  };
  return std::visit(Visitor{}, operation);
}

}  // namespace

Batch::Batch(Transaction& tx, const Caller& caller, Space space, const access::Plan& plan, std::int64_t first_seq,
             Timestamp now, const core::Clock& clock, core::Random& random)
    : tx_(tx),
      caller_(caller),
      space_(std::move(space)),
      plan_(plan),
      seq_(first_seq),
      now_(now),
      clock_(clock),
      random_(random) {}

Task<OperationResult> Batch::apply(const Operation& operation) {
  const auto refs = references(operation);
  for (const auto& id : refs.uses) {
    if (failed_.contains(id)) {
      if (refs.makes) failed_.insert(*refs.makes);
      co_return Error(Errc::dependency_failed, "An operation that this one depends on failed.");
    }
  }
  gathered_ = {};
  auto body = [&]() -> Task<OperationResult> {
    auto visit = [&](const auto& op) { return run(op); };
    co_return co_await std::visit(visit, operation);
  };
  OperationResult result = co_await tx_.nested(body);
  if (result.has_error()) {
    if (refs.makes && result.error().code != Errc::id_taken) failed_.insert(*refs.makes);
    co_return result;
  }
  total_.used += gathered_.used;
  total_.reserved += gathered_.reserved;
  for (const auto& [folder, seq] : gathered_.dirty_folders) total_.dirty_folders[folder] = seq;
  for (auto& [id, node] : gathered_.changed) total_.changed[id] = std::move(node);
  co_return result;
}

Task<> Batch::finish() {
  for (const auto& [folder, seq] : total_.dirty_folders)
    co_await TreeStore::touch_upwards(tx_, space_.id, folder, seq_);
  co_await SpaceStore::add_usage(tx_, space_, total_.used, total_.reserved);
}

std::vector<Node> Batch::changed() const {
  std::vector<Node> nodes;
  nodes.reserve(total_.changed.size());
  for (const auto& [id, node] : total_.changed) nodes.push_back(node);
  std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.seq < b.seq; });
  return nodes;
}

Error Batch::stale(const Node& node) const {
  return {Errc::stale_base,
          "The item has changed since the state that this change is based on. Fetch it and decide again.",
          item_member(space_.id, node)};
}

Task<Result<Node>> Batch::find_live(NodeId id) {
  auto node = co_await TreeStore::find(tx_, space_.id, id);
  if (!node || node->purged_at) co_return Error(Errc::gone, "There is no such item any more.");
  if (node->deleted_at) co_return Error(Errc::gone, "The item is in the trash.", item_member(space_.id, *node));
  if (node->parent && !live_folders_.contains(*node->parent)) {
    for (const auto& ancestor : co_await TreeStore::ancestors(tx_, space_.id, *node->parent)) {
      if (ancestor.trashed) {
        co_return Error(Errc::gone, "The item lies in a folder that is in the trash.", item_member(space_.id, *node));
      }
    }
  }
  co_return std::move(*node);
}

Task<Result<std::size_t>> Batch::require_folder(NodeId id) {
  if (const auto known = live_folders_.find(id); known != live_folders_.end()) co_return known->second;
  const auto chain = co_await TreeStore::ancestors(tx_, space_.id, id);
  if (chain.empty()) co_return Error(Errc::gone, "The folder does not exist any more.");
  if (chain.front().kind != NodeKind::folder) co_return Error(Errc::invalid_request, "The parent is not a folder.");
  for (const auto& ancestor : chain) {
    if (ancestor.trashed) co_return Error(Errc::gone, "The folder, or one that holds it, is in the trash.");
  }
  if (chain.size() > static_cast<std::size_t>(max_depth)) {
    co_return Error(Errc::too_deep, "Folders can be nested 128 deep at most.");
  }
  live_folders_.emplace(id, chain.size());
  co_return chain.size();
}

Task<Result<std::string>> Batch::claim_name(NodeId parent, std::string_view filename, bool rename_if_taken,
                                            std::optional<NodeId> except) {
  CO_TRY(std::string name, normalise_name(filename));
  auto holder = co_await TreeStore::find_by_name(tx_, space_.id, parent, name);
  if (!holder || holder->id == except) co_return name;
  if (rename_if_taken) {
    for (int number = 2; number < 1'000; ++number) {
      const std::string candidate = numbered_name(name, number);
      if (!co_await TreeStore::find_by_name(tx_, space_.id, parent, candidate)) co_return candidate;
    }
  }
  co_return Error(Errc::name_taken, "There is already an item named \"" + name + "\" in this folder.",
                  item_member(space_.id, *holder));
}

Result<> Batch::charge(std::int64_t bytes) {
  if (bytes > 0 && space_.storage_used + total_.used + gathered_.used + bytes > plan_.storage) {
    return Error(Errc::quota_exceeded, "The storage of this account is full: it would hold more than " +
                                           std::to_string(plan_.storage) +
                                           " bytes. Delete something or change the plan.");
  }
  gathered_.used += bytes;
  return {};
}

Task<Result<>> Batch::settle_chunks(const NewContent& content) {
  for (const auto& chunk : content.along) {
    const auto known = co_await ChunkIndex::add(tx_, space_.id, chunk, false, now_);
    if (known && known->was_pending) gathered_.reserved -= known->size;
  }
  if (content.along.empty()) {
    for (const auto& chunk : content.chunks) {
      const auto touched = co_await ChunkIndex::touch(tx_, space_.id, chunk.name, true, now_);
      if (!touched || touched->size != static_cast<std::int64_t>(chunk.size)) {
        co_return Error(Errc::chunk_unknown, "The chunk " + content::to_text(chunk.name) +
                                                 " of this size is not in the space. Send it and commit again.");
      }
      if (touched->was_pending) gathered_.reserved -= touched->size;
    }
  }
  for (const auto& name : content.node_chunks) {
    const auto touched = co_await ChunkIndex::touch(tx_, space_.id, name, true, now_);
    if (!touched) {
      co_return Error(Errc::chunk_unknown, "The manifest node " + content::to_text(name) + " is not in the space.");
    }
    if (touched->was_pending) gathered_.reserved -= touched->size;
  }
  co_return Result<>();
}

Version Batch::make_version(const NewContent& content, std::int64_t number) const {
  Version version;
  version.number = number;
  version.content_id = content.content_id;
  version.size = content.size;
  version.sha256 = content.sha256;
  version.verified = content.verified;
  version.manifest = content::encode_manifest(content.manifest);
  version.author = caller_.user;
  version.device_name = caller_.device_name;
  version.created_at = now_;
  return version;
}

Task<OperationResult> Batch::insert(Node node, std::optional<Version> version) {
  node.seq = next_seq();
  node.tree_seq = node.seq;
  node.uploaded_at = now_;
  if (!co_await TreeStore::insert(tx_, space_.id, caller_.user, node)) {
    co_return Error(Errc::id_taken, "The id is in use.");
  }
  if (version) co_await TreeStore::insert_version(tx_, space_.id, node.id, *version);
  if (node.parent) gathered_.dirty_folders[*node.parent] = node.seq;
  gathered_.changed[node.id] = node;
  co_return node;
}

Task<OperationResult> Batch::save(Node node, std::optional<NodeId> also_dirty) {
  node.seq = next_seq();
  node.tree_seq = std::max(node.tree_seq, node.seq);
  co_await TreeStore::update(tx_, space_.id, node);
  if (node.parent) gathered_.dirty_folders[*node.parent] = node.seq;
  if (also_dirty) gathered_.dirty_folders[*also_dirty] = node.seq;
  gathered_.changed[node.id] = node;
  co_return node;
}

}  // namespace clouddocs::storage
