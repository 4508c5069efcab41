// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/operation_json.hpp"

#include "core/encoding.hpp"
#include "features/access/fields.hpp"
#include "features/storage/cursor.hpp"

namespace clouddocs::sync {
namespace {

using access::Fields;
using core::Errc;
using core::Error;
using core::NodeId;
using core::Result;
using namespace storage;
namespace json = boost::json;

Result<NodeId> node_id(const Fields& fields, std::string_view name, core::SpaceId space) {
  TRY(const core::FileId id, fields.file_id(name));
  if (id.space != space) return access::invalid_member(name, "an id of the batch's space");
  return id.node;
}

Result<std::int64_t> natural(const Fields& fields, std::string_view name) {
  TRY(const std::int64_t value, fields.integer(name));
  if (value < 0) return access::invalid_member(name, "0 or more");
  return value;
}

Result<std::optional<core::Timestamp>> optional_time(const Fields& fields, std::string_view name) {
  TRY(const std::optional<std::int64_t> micros, fields.optional_integer(name));
  if (!micros) return std::optional<core::Timestamp>();
  return std::optional(core::from_micros(*micros));
}

Result<content::ChunkRef> parse_chunk(const json::value& value) {
  const Error invalid(Errc::invalid_request, "An entry of \"chunks\" is [name, size].");
  if (!value.is_array() || value.get_array().size() != 2) return invalid;
  const auto& pair = value.get_array();
  if (!pair[0].is_string() || !pair[1].is_int64() || pair[1].get_int64() < 0) return invalid;
  const auto name =
      content::parse_chunk_name(std::string_view(pair[0].get_string().data(), pair[0].get_string().size()));
  if (!name) return invalid;
  return content::ChunkRef{*name, static_cast<std::uint64_t>(pair[1].get_int64())};
}

Result<Operation> parse_put(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "parent_id", "filename", "base_version", "size", "level", "chunks", "sha256",
                         "modified_at", "executable"}));
  Put op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.parent, node_id(fields, "parent_id", space));
  TRY(op.filename, fields.text("filename"));
  TRY(op.base_version, natural(fields, "base_version"));
  TRY(op.content.size, natural(fields, "size"));
  TRY(const std::optional<std::int64_t> level, fields.optional_integer("level"));
  if (level.value_or(0) < 0 || level.value_or(0) > 3) return access::invalid_member("level", "0 to 3");
  op.content.manifest.level = static_cast<std::uint32_t>(level.value_or(0));
  TRY(const json::array* chunks, fields.array("chunks", content::max_inline_entries));
  for (const auto& value : *chunks) {
    TRY(const content::ChunkRef chunk, parse_chunk(value));
    op.content.manifest.entries.push_back(chunk);
  }
  const auto& manifest = op.content.manifest;
  const bool is_one_chunk = manifest.level == 0 && manifest.entries.size() == 1;
  TRY(const std::optional<std::string> told, fields.optional_text("sha256", 64));
  if (!told && is_one_chunk) {
    std::copy_n(manifest.entries[0].name.bytes.begin() + 1, op.content.sha256.size(), op.content.sha256.begin());
  } else {
    TRY(const std::string hash, fields.text("sha256", 64));
    const auto bytes = core::from_hex(hash);
    if (!bytes || bytes->size() != op.content.sha256.size())
      return access::invalid_member("sha256", "64 hexadecimal digits");
    std::copy(bytes->begin(), bytes->end(), op.content.sha256.begin());
  }
  TRY(op.modified_at, optional_time(fields, "modified_at"));
  TRY(op.executable, fields.optional_boolean("executable"));
  return Operation(std::move(op));
}

Result<Operation> parse_symlink(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "parent_id", "filename", "target", "modified_at", "base_seq"}));
  PutSymlink op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.parent, node_id(fields, "parent_id", space));
  TRY(op.filename, fields.text("filename"));
  TRY(op.target, fields.text("target"));
  TRY(op.modified_at, optional_time(fields, "modified_at"));
  TRY(op.base_seq, natural(fields, "base_seq"));
  return Operation(std::move(op));
}

Result<Operation> parse_mkdir(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "parent_id", "filename"}));
  MakeFolder op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.parent, node_id(fields, "parent_id", space));
  TRY(op.filename, fields.text("filename"));
  return Operation(std::move(op));
}

Result<Operation> parse_move(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "parent_id", "filename", "base_seq"}));
  Move op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.parent, node_id(fields, "parent_id", space));
  TRY(op.filename, fields.text("filename"));
  TRY(op.base_seq, natural(fields, "base_seq"));
  return Operation(std::move(op));
}

Result<Operation> parse_meta(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "base_seq", "modified_at", "executable"}));
  SetMeta op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.base_seq, natural(fields, "base_seq"));
  TRY(op.modified_at, optional_time(fields, "modified_at"));
  TRY(op.executable, fields.optional_boolean("executable"));
  return Operation(op);
}

Result<Operation> parse_delete(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "base_seq", "seen"}));
  Delete op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.base_seq, natural(fields, "base_seq"));
  TRY(const std::optional<std::string> seen, fields.optional_text("seen"));
  if (seen) {
    const auto cursor = parse_cursor(*seen);
    if (!cursor || cursor->space != space)
      return Error(Errc::cursor_invalid, "\"seen\" is not a cursor of this space.");
    op.seen_seq = cursor->seq;
  }
  return Operation(op);
}

Result<Operation> parse_restore(const Fields& fields, core::SpaceId space) {
  TRY_CHECK(fields.only({"op", "id", "base_seq"}));
  Restore op;
  TRY(op.id, node_id(fields, "id", space));
  TRY(op.base_seq, natural(fields, "base_seq"));
  return Operation(op);
}

}  // namespace

Result<Operation> parse_operation(const json::value& value, core::SpaceId space) {
  if (!value.is_object()) return Error(Errc::invalid_request, "An operation is an object.");
  const Fields fields(value.get_object());
  TRY(const std::string op, fields.text("op"));
  if (op == "put") return parse_put(fields, space);
  if (op == "symlink") return parse_symlink(fields, space);
  if (op == "mkdir") return parse_mkdir(fields, space);
  if (op == "move") return parse_move(fields, space);
  if (op == "meta") return parse_meta(fields, space);
  if (op == "delete") return parse_delete(fields, space);
  if (op == "restore") return parse_restore(fields, space);
  return access::invalid_member("op", "put, symlink, mkdir, move, meta, delete or restore");
}

}  // namespace clouddocs::sync
