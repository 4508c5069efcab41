// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"

namespace clouddocs::storage {

inline constexpr std::size_t max_name_bytes = 255;

// A file name as the tree keeps it: UTF-8 in Unicode normalisation form C, 1 to 255 bytes, not "." or "..", without '/' and without control
// characters. Errors: invalid_name, saying which rule was broken.
core::Result<std::string> normalise_name(std::string_view name);

// The name folded (NFKC, case-fold, Unicode of utf8proc): names that differ only so look alike to people and to case-insensitive
// devices. It orders listings; it does not decide equality.
std::string name_key(std::string_view name);

// "report.pdf" -> "report (2).pdf". Keeps the result within max_name_bytes without cutting a character.
std::string numbered_name(std::string_view name, int number);

// The media type that the extension suggests, "application/octet-stream" when it suggests none.
std::string_view guess_mime(std::string_view name);

}  // namespace clouddocs::storage
