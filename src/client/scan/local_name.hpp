// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace clouddocs::client {

// The folder at the top of a synced folder that holds the device's own files: the marker and unfinished downloads.
inline constexpr std::string_view own_folder = ".clouddocs";
inline constexpr std::string_view temporary_prefix = ".clouddocs-tmp-";
inline constexpr std::string_view ignore_file = ".clouddocsignore";

// Whether the client keeps this name for itself: never synced.
bool is_own_name(std::string_view local_name);

// The name on the server for a name on the disk: NFC. nullopt when it is not valid UTF-8 (then it cannot be synced).
std::optional<std::string> to_remote_name(std::string_view local_name);

// `text` for a message: what is not UTF-8 is replaced, and it is cut to `limit` bytes.
std::string to_printable(std::string_view text, std::size_t limit);

// The name on the disk for a name of the server. The same, unless the disk cannot hold it (too long, kept for the client, or `is_taken`: a case-insensitive
// disk already holds one that differs by case only): then shortened and marked with a hash of the full name, "long na~1f09ab42.txt".
// Which name was meant is remembered in the state, so the way back is exact.
std::string to_local_name(std::string_view remote_name, bool is_taken);

}  // namespace clouddocs::client
