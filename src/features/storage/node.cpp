// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/node.hpp"

#include <charconv>

#include "core/encoding.hpp"

namespace clouddocs::storage {
namespace {

std::optional<content::Sha256> read_hash(const database::Rows::Row& row, std::size_t column) {
  const auto bytes = row.bytes(column);
  content::Sha256 hash{};
  if (row.is_null(column) || bytes.size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), bytes.data(), hash.size());
  return hash;
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_hash(std::string& out, const std::optional<content::Sha256>& hash) {
  if (!hash) {
    out += "null";
    return;
  }
  out += '"';
  core::append_hex(out, *hash);
  out += '"';
}

void append_text(std::string& out, const std::optional<std::string>& text) {
  if (text) {
    append_json_string(out, *text);
  } else {
    out += "null";
  }
}

void append_time(std::string& out, const std::optional<Timestamp>& at) {
  if (at) {
    append_number(out, core::to_micros(*at));
  } else {
    out += "null";
  }
}

}  // namespace

std::string_view to_text(NodeKind kind) {
  switch (kind) {
    case NodeKind::file: return "file";
    case NodeKind::folder: return "folder";
    case NodeKind::symlink: return "symlink";
  }
  return "file";
}

Node read_node(const database::Rows::Row& row, std::size_t first) {
  Node node;
  node.id = row.id<NodeId>(first);
  if (!row.is_null(first + 1)) node.parent = row.id<NodeId>(first + 1);
  node.kind = static_cast<NodeKind>(row.int64(first + 2));
  node.filename = row.text(first + 3);
  node.size = row.int64(first + 4);
  node.version = row.int64(first + 5);
  node.content_id = read_hash(row, first + 6);
  node.sha256 = read_hash(row, first + 7);
  node.executable = row.boolean(first + 8);
  node.modified_at = row.timestamp(first + 9);
  node.uploaded_at = row.timestamp(first + 10);
  node.deleted_at = row.optional_timestamp(first + 11);
  node.purged_at = row.optional_timestamp(first + 12);
  node.seq = row.int64(first + 13);
  node.tree_seq = row.int64(first + 14);
  node.target = row.optional_text(first + 15);
  node.mime = row.optional_text(first + 16);
  return node;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // where the characters that need no escape begin
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(plain, i - plain);
    plain = i + 1;
    if (c >= 0x20) {
      out += '\\';
      out += text[i];
    } else {
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  out += text.substr(plain);
  out += '"';
}

void append_item(std::string& out, SpaceId space, const Node& node) {
  out += "{\"id\":\"";
  core::append_text(out, FileId{space, node.id});
  out += "\",\"parent_id\":";
  if (node.parent) {
    out += '"';
    core::append_text(out, FileId{space, *node.parent});
    out += '"';
  } else {
    out += "null";
  }
  out += ",\"kind\":\"";
  out += to_text(node.kind);
  out += "\",\"filename\":";
  append_json_string(out, node.filename);
  out += ",\"size\":";
  append_number(out, node.size);
  out += ",\"version\":";
  append_number(out, node.version);
  out += ",\"content_id\":";
  append_hash(out, node.content_id);
  out += ",\"sha256\":";
  append_hash(out, node.sha256);
  out += ",\"mime\":";
  append_text(out, node.mime);
  out += ",\"target\":";
  append_text(out, node.target);
  out += node.executable ? ",\"executable\":true" : ",\"executable\":false";
  out += ",\"modified_at\":";
  append_number(out, core::to_micros(node.modified_at));
  out += ",\"uploaded_at\":";
  append_number(out, core::to_micros(node.uploaded_at));
  out += ",\"deleted_at\":";
  append_time(out, node.deleted_at);
  out += ",\"seq\":";
  append_number(out, node.seq);
  out += ",\"tree_seq\":";
  if (node.kind == NodeKind::folder) {
    append_number(out, node.tree_seq);
  } else {
    out += "null";
  }
  out += node.purged_at ? ",\"purged\":true}" : ",\"purged\":false}";
}

std::string to_item(SpaceId space, const Node& node) {
  std::string out;
  out.reserve(512);
  append_item(out, space, node);
  return out;
}

}  // namespace clouddocs::storage
