// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/access/fields.hpp"

#include <algorithm>

#include "core/encoding.hpp"

namespace clouddocs::access {

using core::Errc;
using core::Error;
using core::Result;

Error invalid_member(std::string_view name, std::string_view expected) {
  return {Errc::invalid_request, "The member \"" + std::string(name) + "\" must be " + std::string(expected) + ".",
          "\"field\":\"" + std::string(name) + "\""};
}

const boost::json::value* Fields::find(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<> Fields::only(std::initializer_list<std::string_view> names) const {
  for (const auto& member : object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string extension = "\"field\":" + boost::json::serialize(boost::json::string(name));
    return Error(Errc::invalid_request, "The member \"" + std::string(name.substr(0, 100)) + "\" means nothing here.",
                 std::move(extension));
  }
  return {};
}

Result<std::optional<std::string>> Fields::optional_text(std::string_view name, std::size_t max_bytes) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return invalid_member(name, "a string");
  const auto& text = value->get_string();
  if (text.size() > max_bytes) return invalid_member(name, "at most " + std::to_string(max_bytes) + " bytes long");
  return std::optional<std::string>(std::string(text.data(), text.size()));
}

Result<std::string> Fields::text(std::string_view name, std::size_t max_bytes) const {
  TRY(std::optional<std::string> value, optional_text(name, max_bytes));
  if (!value) return invalid_member(name, "given");
  return std::move(*value);
}

Result<std::optional<std::int64_t>> Fields::optional_integer(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  if (value->is_int64()) return std::optional(value->get_int64());
  return invalid_member(name, "an integer");
}

Result<std::int64_t> Fields::integer(std::string_view name) const {
  TRY(const std::optional<std::int64_t> value, optional_integer(name));
  if (!value) return invalid_member(name, "given");
  return *value;
}

Result<std::optional<bool>> Fields::optional_boolean(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<bool>();
  if (value->is_bool()) return std::optional(value->get_bool());
  return invalid_member(name, "true or false");
}

Result<std::optional<core::FileId>> Fields::optional_file_id(std::string_view name) const {
  TRY(const std::optional<std::string> value, optional_text(name));
  if (!value) return std::optional<core::FileId>();
  const auto id = core::parse_file_id(*value);
  if (!id)
    return Error(Errc::invalid_id, "The member \"" + std::string(name) + "\" is not the id of a file or folder.");
  return std::optional(*id);
}

Result<core::FileId> Fields::file_id(std::string_view name) const {
  TRY(const std::optional<core::FileId> value, optional_file_id(name));
  if (!value) return invalid_member(name, "given");
  return *value;
}

Result<core::SpaceId> Fields::space_id(std::string_view name) const {
  TRY(const std::string value, text(name));
  const auto id = core::parse_id<core::SpaceId>(value);
  if (!id) return Error(Errc::invalid_id, "The member \"" + std::string(name) + "\" is not the id of a space.");
  return *id;
}

Result<const boost::json::array*> Fields::array(std::string_view name, std::size_t max_items) const {
  const auto* value = find(name);
  if (value == nullptr || !value->is_array()) return invalid_member(name, "an array");
  if (value->get_array().size() > max_items) {
    return invalid_member(name, "an array of at most " + std::to_string(max_items) + " items");
  }
  return &value->get_array();
}

}  // namespace clouddocs::access
