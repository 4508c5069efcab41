// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string_view>

namespace clouddocs::app {

// api/openapi.yaml, embedded in the binary.
std::string_view openapi_document();

}  // namespace clouddocs::app
