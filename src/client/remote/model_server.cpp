// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/model_server.hpp"

#include <spdlog/fmt/fmt.h>

#include "client/remote/codec.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {

using core::Errc;

namespace {
constexpr std::string_view listing_mark = ".listing";
}

ModelServer::ModelServer(core::Random& random) : random_(random) {
  random_.fill(space_.bytes);
  random_.fill(root_.bytes);
  Row root;
  root.item.node.id = root_;
  root.item.node.kind = Kind::folder;
  root.item.node.seq = root.tree_seq = ++seq_;
  rows_[root_] = root;
}

std::string ModelServer::make_cursor(std::int64_t seq) const { return fmt::format("{}.{}", epoch_, seq); }

core::Result<std::vector<Space>> ModelServer::spaces() {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  return std::vector<Space>{{space_, "personal", "", root_, make_cursor(seq_)}};
}

core::Result<ChangesPage> ModelServer::changes(const SpaceId&, const std::string& cursor, int limit) {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  int epoch = epoch_;
  long long from = 0;
  if (!cursor.empty()) {
    if (std::sscanf(cursor.c_str(), "%d.%lld", &epoch, &from) != 2) return core::Error(Errc::cursor_invalid);
    if (epoch != epoch_) return core::Error(Errc::cursor_resync);
    // The pages of a listing that has begun lie below the floor too.
    if (from < floor_ && !cursor.ends_with(listing_mark)) return core::Error(Errc::cursor_relist);
  }
  const bool is_listing = cursor.empty() || cursor.ends_with(listing_mark);
  std::map<std::int64_t, const Row*> by_seq;
  for (const auto& [id, row] : rows_) {
    if (row.item.node.seq > from && !(from == 0 && row.item.is_purged)) by_seq[row.item.node.seq] = &row;
  }
  ChangesPage page;
  page.cursor = make_cursor(seq_);
  page.at_head = true;
  for (const auto& [seq, row] : by_seq) {
    if (static_cast<int>(page.items.size()) == limit) {
      page.at_head = false;
      page.cursor = make_cursor(page.items.back().node.seq) + (is_listing ? std::string(listing_mark) : "");
      break;
    }
    page.items.push_back(row->item);
  }
  return page;
}

core::Result<std::vector<VersionContent>> ModelServer::manifests(const SpaceId&, const std::vector<VersionOf>& files) {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  if (files.size() > 1000) return core::Error(Errc::invalid_request);
  std::vector<VersionContent> out;
  for (const auto& file : files) {
    auto* row = find(file.id);
    const auto wanted = file.version == 0 && row != nullptr ? row->item.node.version : file.version;
    const auto found = versions_.find({file.id, wanted});
    VersionContent content{file.id, wanted, {}, {}, found != versions_.end()};
    if (content.is_found) {
      content.content_id = found->second.content_id;
      content.manifest = found->second.manifest;
    }
    out.push_back(std::move(content));
  }
  return out;
}

core::Result<> ModelServer::fetch(const SpaceId&, const std::vector<content::ChunkName>& names, const FrameSink& sink) {
  std::vector<content::ChunkStreamParser::Frame> frames;
  {
    const std::lock_guard lock(mutex_);
    ++counters.requests;
    if (names.size() > 10'000) return core::Error(Errc::invalid_request);
    for (const auto& name : names) {
      const auto found = chunks_.find(name);
      frames.push_back({name, found == chunks_.end(), found == chunks_.end() ? core::Bytes() : found->second});
      counters.bytes_fetched += static_cast<std::int64_t>(frames.back().bytes.size());
    }
  }
  for (auto& frame : frames) {
    if (!sink(std::move(frame))) break;
  }
  return {};
}

core::Result<std::vector<content::ChunkName>> ModelServer::missing(const SpaceId&,
                                                                   const std::vector<content::ChunkName>& names) {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  if (names.size() > 10'000) return core::Error(Errc::invalid_request);
  std::vector<content::ChunkName> out;
  for (const auto& name : names) {
    if (!chunks_.contains(name)) out.push_back(name);
  }
  return out;
}

core::Result<> ModelServer::store(const SpaceId&, std::span<const core::ByteView> chunk_stream) {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  content::ChunkStreamParser parser;
  std::vector<content::ChunkStreamParser::Frame> frames;
  std::size_t size = 0;
  for (auto rest : chunk_stream) {
    size += rest.size();
    while (true) {
      TRY(auto frame, parser.next(rest));
      if (!frame) break;
      if (content::name_of(frame->bytes) != frame->name) return core::Error(Errc::chunk_hash_mismatch);
      frames.push_back(std::move(*frame));
    }
  }
  if (size > 64U << 20) return core::Error(Errc::body_too_large);
  if (!parser.is_finished()) return core::Error(Errc::chunk_frame_invalid);
  for (auto& frame : frames) {
    counters.bytes_stored += static_cast<std::int64_t>(frame.bytes.size());
    chunks_[frame.name] = std::move(frame.bytes);
  }
  return {};
}

core::Result<BatchResult> ModelServer::commit(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  ++counters.requests;
  if (batch.operations.size() > 1000) return core::Error(Errc::invalid_request);
  const auto body = batch_to_json(batch);
  if (parse_batch(body).operations.size() != batch.operations.size()) return core::Error(Errc::invalid_json);
  if (auto known = batches_.find(batch.key); known != batches_.end()) {
    if (known->second.first != body) return core::Error(Errc::key_reused);
    return known->second.second;
  }
  BatchResult result;
  result.from = make_cursor(seq_);
  std::set<NodeId> failed;
  for (const auto& operation : batch.operations) {
    ++counters.operations;
    auto one = apply(operation, failed);
    if (!one.is_ok()) failed.insert(operation.id);
    result.results.push_back(std::move(one));
  }
  result.cursor = make_cursor(seq_);
  batches_[batch.key] = {body, result};
  return result;
}

core::Result<> ModelServer::report(const std::vector<Unsynced>& unsynced) {
  const std::lock_guard lock(mutex_);
  reported = unsynced;
  return {};
}

OperationResult ModelServer::apply(const Operation& operation, std::set<NodeId>& failed) {
  using Type = Operation::Type;
  const bool is_new = operation.type == Type::mkdir || (operation.type == Type::put && operation.base_version == 0) ||
                      (operation.type == Type::symlink && operation.base_seq == 0);
  if (failed.contains(operation.id) ||
      ((is_new || operation.type == Type::move) && failed.contains(operation.parent))) {
    return fail(Errc::dependency_failed);
  }
  switch (operation.type) {
    case Type::put: return put(operation);
    case Type::mkdir: return make(operation, Kind::folder);
    case Type::symlink: return make(operation, Kind::symlink);
    case Type::move: return move(operation);
    case Type::del: return remove(operation);
    case Type::restore: return fail(Errc::invalid_request);
    case Type::meta: break;
  }
  auto* row = find(operation.id);
  if (row == nullptr || !is_live(operation.id)) return fail(Errc::gone, row);
  if (row->item.node.seq != operation.base_seq) return fail(Errc::stale_base, row);
  row->item.node.modified_at = operation.modified_at;
  row->item.node.executable = operation.executable;
  touch(*row);
  return ok(operation.id);
}

bool ModelServer::check_place(const Operation& operation, OperationResult& out) {
  auto* parent = find(operation.parent);
  if (parent == nullptr || !parent->item.node.is_folder() || !is_live(operation.parent)) {
    out = fail(Errc::gone);
    return false;
  }
  if (auto* holder = find_holder(operation.parent, operation.name);
      holder != nullptr && holder->item.node.id != operation.id) {
    out = fail(Errc::name_taken, holder);
    return false;
  }
  if (operation.name.empty() || operation.name.size() > 255) {
    out = fail(Errc::invalid_name);
    return false;
  }
  return true;
}

OperationResult ModelServer::put(const Operation& operation) {
  const auto chunks = expand(operation.manifest);
  if (!chunks) return fail(Errc::chunk_unknown);
  auto* row = find(operation.id);
  if (operation.base_version == 0) {
    auto made = make(operation, Kind::file);
    if (!made.is_ok()) return made;
    row = find(operation.id);
  } else {
    if (row == nullptr || row->item.is_purged || !is_live(operation.id)) return fail(Errc::gone, row);
    if (row->item.node.version != operation.base_version) return fail(Errc::stale_base, row);
    touch(*row);
  }
  auto& node = row->item.node;
  ++node.version;
  node.size = operation.size;
  node.content_id = content::content_id(*chunks);
  node.sha256 = operation.sha256;
  node.modified_at = operation.modified_at;
  node.executable = operation.executable;
  versions_[{node.id, node.version}] = {node.content_id, node.size, operation.manifest};
  return ok(operation.id);
}

OperationResult ModelServer::make(const Operation& operation, Kind kind) {
  OperationResult out;
  if (auto* row = find(operation.id); row != nullptr) {
    if (kind != Kind::symlink || operation.base_seq == 0) return fail(Errc::id_taken, row);
    if (row->item.node.seq != operation.base_seq) return fail(Errc::stale_base, row);
    if (!is_live(operation.id)) return fail(Errc::gone, row);
    row->item.node.target = operation.target;
    touch(*row);
    return ok(operation.id);
  }
  if (!check_place(operation, out)) return out;
  Row row;
  auto& node = row.item.node;
  node.id = operation.id;
  node.parent = operation.parent;
  node.name = operation.name;
  node.kind = kind;
  node.target = operation.target;
  node.modified_at = operation.modified_at;
  auto& stored = rows_[operation.id] = row;
  names_[{node.parent, node.name}].insert(node.id);
  touch(stored);
  return ok(operation.id);
}

OperationResult ModelServer::move(const Operation& operation) {
  OperationResult out;
  auto* row = find(operation.id);
  if (row == nullptr || row->item.is_purged || !is_live(operation.id)) return fail(Errc::gone, row);
  if (row->item.node.seq != operation.base_seq) return fail(Errc::stale_base, row);
  if (!check_place(operation, out)) return out;
  if (is_below(operation.parent, operation.id)) return fail(Errc::cycle, row);
  auto& node = row->item.node;
  names_[{node.parent, node.name}].erase(node.id);
  touch(*row);
  node.parent = operation.parent;
  node.name = operation.name;
  names_[{node.parent, node.name}].insert(node.id);
  touch(*row);
  return ok(operation.id);
}

OperationResult ModelServer::remove(const Operation& operation) {
  auto* row = find(operation.id);
  if (row == nullptr || row->item.is_purged || !is_live(operation.id)) return fail(Errc::gone, row);
  if (row->item.node.seq != operation.base_seq) return fail(Errc::stale_base, row);
  if (row->item.node.is_folder()) {
    int epoch = 0;
    long long seen = 0;
    if (std::sscanf(operation.seen.c_str(), "%d.%lld", &epoch, &seen) != 2 || row->tree_seq > seen)
      return fail(Errc::stale_base, row);
  }
  row->item.is_trashed = true;
  touch(*row);
  return ok(operation.id);
}

OperationResult ModelServer::ok(const NodeId& id) { return {200, Errc::internal, "", rows_.at(id).item}; }
OperationResult ModelServer::fail(Errc code, const Row* row) {
  OperationResult out{409, code, "", {}};
  if (row != nullptr) out.item = row->item;
  return out;
}

// A new place in the journal; the folders above remember that something below has changed.
void ModelServer::touch(Row& row) {
  row.item.node.seq = row.tree_seq = ++seq_;
  for (auto* up = find(row.item.node.parent); up != nullptr; up = find(up->item.node.parent)) up->tree_seq = seq_;
}

ModelServer::Row* ModelServer::find(const NodeId& id) {
  auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : &found->second;
}
ModelServer::Row* ModelServer::find_holder(const NodeId& parent, const std::string& name) {
  for (const auto& id : names_[{parent, name}]) {
    if (auto* row = find(id); !row->item.is_trashed && !row->item.is_purged) return row;
  }
  return nullptr;
}
bool ModelServer::is_live(NodeId id) {
  while (id != root_) {
    auto* row = find(id);
    if (row == nullptr || row->item.is_trashed || row->item.is_purged) return false;
    id = row->item.node.parent;
  }
  return true;
}
bool ModelServer::is_below(NodeId id, const NodeId& above) {
  for (; id != root_; id = find(id)->item.node.parent) {
    if (id == above) return true;
  }
  return false;
}

std::optional<std::vector<content::ChunkRef>> ModelServer::expand(const content::Manifest& manifest) {
  auto entries = manifest.entries;
  for (auto level = manifest.level; level > 0; --level) {
    std::vector<content::ChunkRef> below;
    for (const auto& entry : entries) {
      const auto found = chunks_.find(entry.name);
      if (found == chunks_.end()) return std::nullopt;
      const auto node = content::decode_node(found->second);
      if (node.has_error()) return std::nullopt;
      below.insert(below.end(), node->begin(), node->end());
    }
    entries = std::move(below);
  }
  for (const auto& entry : entries) {
    const auto found = chunks_.find(entry.name);
    if (found == chunks_.end() || found->second.size() != entry.size) return std::nullopt;
  }
  return entries;
}

std::set<std::string> ModelServer::listing() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [id, row] : rows_) {
    if (id == root_ || !is_live(id)) continue;
    std::string path;
    for (NodeId at = id; at != root_; at = find(at)->item.node.parent) path = "/" + find(at)->item.node.name + path;
    const auto& node = row.item.node;
    if (node.is_folder()) path += "/";
    if (node.kind == Kind::file)
      path += (node.executable ? " x " : " - ") + core::to_hex(core::ByteView(node.content_id).first(8));
    if (node.kind == Kind::symlink) path += " -> " + node.target;
    out.insert(path);
  }
  return out;
}

std::set<content::Sha256> ModelServer::every_content() {
  const std::lock_guard lock(mutex_);
  std::set<content::Sha256> out;
  for (const auto& [key, version] : versions_) out.insert(version.content_id);
  return out;
}
std::int64_t ModelServer::head() {
  const std::lock_guard lock(mutex_);
  return seq_;
}
void ModelServer::start_new_epoch() {
  const std::lock_guard lock(mutex_);
  ++epoch_;
}
void ModelServer::drop_journal() {
  const std::lock_guard lock(mutex_);
  purge_trash();
  std::erase_if(rows_, [](const auto& entry) { return entry.second.item.is_purged; });
  for (auto& [place, ids] : names_) std::erase_if(ids, [&](const NodeId& id) { return !rows_.contains(id); });
  floor_ = ++seq_;
}
void ModelServer::purge_trash() {
  const std::lock_guard lock(mutex_);
  std::vector<NodeId> gone;
  for (const auto& [id, row] : rows_) {
    if (!is_live(id) && !row.item.is_purged) gone.push_back(id);
  }
  for (const auto& id : gone) {
    auto& row = rows_.at(id);
    row.item.is_purged = true;
    touch(row);
  }
}

}  // namespace clouddocs::client
