// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/codec.hpp"

#include <array>

#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> operation_names{"put",  "symlink", "mkdir",  "move",
                                                          "meta", "delete",  "restore"};

// Members of an object; wrong or missing ones end the parse with what was expected.
class Members {
 public:
  explicit Members(const json::value& value) : object_(value.if_object()) {
    if (object_ == nullptr) throw ProtocolError("an object was expected in the server's answer");
  }
  const json::value* find(std::string_view key) const {
    const auto* value = object_->if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const json::value& get(std::string_view key) const {
    const auto* value = find(key);
    if (value == nullptr) throw ProtocolError("the server's answer lacks " + std::string(key));
    return *value;
  }
  std::string_view text(std::string_view key) const { return as_text(get(key), key); }
  std::string_view text_or_empty(std::string_view key) const {
    const auto* value = find(key);
    return value == nullptr ? std::string_view() : as_text(*value, key);
  }
  std::int64_t number(std::string_view key, std::int64_t absent = 0) const {
    const auto* value = find(key);
    return value == nullptr ? absent : to_number(*value);
  }
  bool boolean(std::string_view key) const {
    const auto* value = find(key);
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  const json::array& array(std::string_view key) const {
    const auto* value = get(key).if_array();
    if (value == nullptr) throw ProtocolError(std::string(key) + " in the server's answer is not a list");
    return *value;
  }
  static std::int64_t to_number(const json::value& value) {
    boost::system::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (error) throw ProtocolError("a number was expected in the server's answer");
    return number;
  }
  static std::string_view as_text(const json::value& value, std::string_view key) {
    const auto* text = value.if_string();
    if (text == nullptr) throw ProtocolError(std::string(key) + " in the server's answer is not a text");
    return *text;
  }

 private:
  const json::object* object_;
};

json::value parse(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error) throw ProtocolError("the server's answer is not JSON");
  return value;
}

NodeId parse_node_id(std::string_view text) {
  const auto id = core::parse_file_id(text);
  if (!id) throw ProtocolError("the server's answer holds a broken id");
  return id->node;
}
content::ChunkName parse_name(std::string_view text) {
  const auto name = content::parse_chunk_name(text);
  if (!name) throw ProtocolError("the server's answer holds a broken chunk name");
  return *name;
}
content::Sha256 parse_hash(std::string_view text) {
  content::Sha256 out{};
  if (text.empty()) return out;
  const auto bytes = core::from_hex(text);
  if (!bytes || bytes->size() != out.size()) throw ProtocolError("the server's answer holds a broken hash");
  std::ranges::copy(*bytes, out.begin());
  return out;
}
Kind parse_kind(std::string_view text) {
  if (text == "folder") return Kind::folder;
  if (text == "symlink") return Kind::symlink;
  if (text == "file") return Kind::file;
  throw ProtocolError("the server's answer holds an unknown kind");
}

content::Manifest parse_manifest(const Members& members) {
  content::Manifest manifest;
  manifest.level = static_cast<std::uint32_t>(members.number("level"));
  for (const auto& entry : members.array("chunks")) {
    const auto* pair = entry.if_array();
    if (pair == nullptr || pair->size() != 2) throw ProtocolError("the server's answer holds a broken manifest");
    manifest.entries.push_back({parse_name(Members::as_text(pair->at(0), "chunk")),
                                static_cast<std::uint64_t>(Members::to_number(pair->at(1)))});
  }
  return manifest;
}
json::array to_json(const content::Manifest& manifest) {
  json::array out;
  out.reserve(manifest.entries.size());
  for (const auto& entry : manifest.entries) out.push_back(json::array{content::to_text(entry.name), entry.size});
  return out;
}

// A file that is one chunk has the hash of this chunk.
bool is_one_chunk(const content::Manifest& manifest) { return manifest.level == 0 && manifest.entries.size() == 1; }

json::object to_json(const SpaceId& space, const Operation& operation) {
  using Type = Operation::Type;
  json::object out{{"op", operation_names.at(static_cast<std::size_t>(operation.type))},
                   {"id", core::to_text(FileId{space, operation.id})}};
  const auto type = operation.type;
  if (type == Type::put || type == Type::symlink || type == Type::mkdir || type == Type::move) {
    out["parent_id"] = core::to_text(FileId{space, operation.parent});
    out["filename"] = operation.name;
  }
  if (type == Type::put) {
    out["base_version"] = operation.base_version;
    out["size"] = operation.size;
    if (operation.manifest.level > 0) out["level"] = operation.manifest.level;
    out["chunks"] = to_json(operation.manifest);
    const auto& manifest = operation.manifest;
    if (!is_one_chunk(manifest) || manifest.entries[0].name != content::make_chunk_name(operation.sha256))
      out["sha256"] = core::to_hex(operation.sha256);
  } else if (type != Type::mkdir) {
    out["base_seq"] = operation.base_seq;
  }
  if (type == Type::symlink) out["target"] = operation.target;
  if (type == Type::put || type == Type::symlink || type == Type::meta) out["modified_at"] = operation.modified_at;
  const bool is_new_file = type == Type::put && operation.base_version == 0;  // not executable unless told
  if (type == Type::meta || (type == Type::put && (operation.executable || !is_new_file)))
    out["executable"] = operation.executable;
  if (type == Type::del && !operation.seen.empty()) out["seen"] = operation.seen;
  return out;
}

Operation parse_operation(const json::value& value) {
  const Members members(value);
  Operation operation;
  const auto name = std::ranges::find(operation_names, members.text("op"));
  if (name == operation_names.end()) throw ProtocolError("an unknown operation");
  operation.type = static_cast<Operation::Type>(name - operation_names.begin());
  operation.id = parse_node_id(members.text("id"));
  if (const auto parent = members.text_or_empty("parent_id"); !parent.empty()) operation.parent = parse_node_id(parent);
  operation.name = members.text_or_empty("filename");
  operation.base_version = members.number("base_version");
  operation.base_seq = members.number("base_seq");
  operation.size = members.number("size");
  if (members.find("chunks") != nullptr) operation.manifest = parse_manifest(members);
  const auto hash = members.text_or_empty("sha256");
  operation.sha256 = parse_hash(hash);
  if (hash.empty() && is_one_chunk(operation.manifest))
    std::copy_n(operation.manifest.entries[0].name.bytes.begin() + 1, operation.sha256.size(),
                operation.sha256.begin());
  operation.modified_at = members.number("modified_at");
  operation.executable = members.boolean("executable");
  operation.target = members.text_or_empty("target");
  operation.seen = members.text_or_empty("seen");
  return operation;
}

}  // namespace

Item parse_item(const json::value& value) {
  const Members members(value);
  Item item;
  auto& node = item.node;
  node.id = parse_node_id(members.text("id"));
  if (const auto parent = members.text_or_empty("parent_id"); !parent.empty()) node.parent = parse_node_id(parent);
  node.seq = members.number("seq");
  item.is_purged = members.boolean("purged");
  if (item.is_purged) return item;
  node.kind = parse_kind(members.text("kind"));
  node.name = members.text_or_empty("filename");
  item.is_trashed = members.find("deleted_at") != nullptr;
  node.modified_at = members.number("modified_at");
  node.version = members.number("version");
  node.executable = members.boolean("executable");
  node.target = members.text_or_empty("target");
  if (node.kind == Kind::file) {
    node.size = members.number("size");
    node.content_id = parse_hash(members.text_or_empty("content_id"));
    node.sha256 = parse_hash(members.text_or_empty("sha256"));
  }
  return item;
}

ChangesPage parse_changes(std::string_view text) {
  const auto value = parse(text);
  const Members members(value);
  ChangesPage page;
  for (const auto& item : members.array("items")) page.items.push_back(parse_item(item));
  page.cursor = members.text("cursor");
  page.at_head = members.boolean("at_head");
  return page;
}

std::vector<Space> parse_spaces(std::string_view text) {
  const auto value = parse(text);
  std::vector<Space> out;
  for (const auto& entry : Members(value).array("items")) {
    const Members members(entry);
    Space space;
    const auto id = core::parse_id<SpaceId>(members.text("space"));
    if (!id) throw ProtocolError("the server's answer holds a broken id");
    space.space = *id;
    space.kind = members.text("kind");
    space.name = members.text_or_empty("name");
    space.root = parse_node_id(members.text("root_id"));
    space.cursor = members.text("cursor");
    out.push_back(std::move(space));
  }
  return out;
}

std::vector<VersionContent> parse_manifests(std::string_view text) {
  const auto value = parse(text);
  std::vector<VersionContent> out;
  for (const auto& entry : Members(value).array("items")) {
    const Members members(entry);
    VersionContent content;
    content.id = parse_node_id(members.text("id"));
    content.version = members.number("version");
    content.is_found = members.find("code") == nullptr;
    if (content.is_found) {
      content.content_id = parse_hash(members.text("content_id"));
      content.manifest = parse_manifest(members);
    }
    out.push_back(std::move(content));
  }
  return out;
}

std::vector<content::ChunkName> parse_missing(std::string_view text) {
  const auto value = parse(text);
  std::vector<content::ChunkName> out;
  for (const auto& name : Members(value).array("missing")) out.push_back(parse_name(Members::as_text(name, "missing")));
  return out;
}

BatchResult parse_batch_result(std::string_view text) {
  const auto value = parse(text);
  const Members members(value);
  BatchResult out;
  out.cursor = members.text_or_empty("cursor");
  out.from = members.text_or_empty("from");
  for (const auto& entry : members.array("results")) {
    const Members one(entry);
    OperationResult result;
    result.status = static_cast<int>(one.number("status"));
    if (!result.is_ok()) result.code = errc_of(one.text_or_empty("code"));
    result.detail = one.text_or_empty("detail");
    if (const auto* item = one.find("item")) result.item = parse_item(*item);
    out.results.push_back(std::move(result));
  }
  return out;
}

std::string batch_to_json(const Batch& batch) {
  json::array operations;
  operations.reserve(batch.operations.size());
  for (const auto& operation : batch.operations) operations.push_back(to_json(batch.space, operation));
  return json::serialize(
      json::object{{"space", core::to_text(batch.space)}, {"key", batch.key}, {"operations", std::move(operations)}});
}

Batch parse_batch(std::string_view text) {
  const auto value = parse(text);
  const Members members(value);
  Batch batch;
  const auto space = core::parse_id<SpaceId>(members.text("space"));
  if (!space) throw ProtocolError("a broken batch");
  batch.space = *space;
  batch.key = members.text("key");
  for (const auto& operation : members.array("operations")) batch.operations.push_back(parse_operation(operation));
  return batch;
}

std::string chunks_to_json(const SpaceId& space, const std::vector<content::ChunkName>& names) {
  json::array chunks;
  chunks.reserve(names.size());
  for (const auto& name : names) chunks.emplace_back(content::to_text(name));
  return json::serialize(json::object{{"space", core::to_text(space)}, {"chunks", std::move(chunks)}});
}

std::string manifests_to_json(const SpaceId& space, const std::vector<VersionOf>& files) {
  json::array list;
  for (const auto& file : files) {
    json::object entry{{"id", core::to_text(FileId{space, file.id})}};
    if (file.version > 0) entry["version"] = file.version;
    list.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"space", core::to_text(space)}, {"files", std::move(list)}});
}

core::Errc errc_of(std::string_view code) {
  for (int i = 0; i <= static_cast<int>(core::Errc::internal); ++i) {
    if (core::to_code(static_cast<core::Errc>(i)) == code) return static_cast<core::Errc>(i);
  }
  return core::Errc::internal;
}

}  // namespace clouddocs::client
