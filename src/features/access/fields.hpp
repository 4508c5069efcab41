// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/ids.hpp"

namespace clouddocs::access {

// Reads members of a request's JSON object; every error names the member at fault. Borrowed: the object must outlive it.
class Fields {
 public:
  explicit Fields(const boost::json::object& object) : object_(object) {}

  // Errors: invalid_request when there is a member of another name.
  core::Result<> only(std::initializer_list<std::string_view> names) const;

  // A member that must be there. Errors: invalid_request, invalid_id.
  core::Result<std::string> text(std::string_view name, std::size_t max_bytes = 4'096) const;
  core::Result<std::int64_t> integer(std::string_view name) const;
  core::Result<core::FileId> file_id(std::string_view name) const;
  core::Result<core::SpaceId> space_id(std::string_view name) const;
  core::Result<const boost::json::array*> array(std::string_view name, std::size_t max_items) const;

  // A member that may be missing (or null).
  core::Result<std::optional<std::string>> optional_text(std::string_view name, std::size_t max_bytes = 4'096) const;
  core::Result<std::optional<std::int64_t>> optional_integer(std::string_view name) const;
  core::Result<std::optional<bool>> optional_boolean(std::string_view name) const;
  core::Result<std::optional<core::FileId>> optional_file_id(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name) const;
  const boost::json::object& object_;
};

core::Error invalid_member(std::string_view name, std::string_view expected);

}  // namespace clouddocs::access
