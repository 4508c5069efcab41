// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>

#include "core/error.hpp"
#include "features/storage/operation.hpp"

namespace clouddocs::sync {

// One operation of POST /api/sync/commit. The content of a put carries its manifest as sent; its chunk list is resolved later.
// Errors: invalid_request, invalid_id, cursor_invalid, naming the member.
core::Result<storage::Operation> parse_operation(const boost::json::value& value, core::SpaceId space);

}  // namespace clouddocs::sync
