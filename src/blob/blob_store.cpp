// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/blob_store.hpp"

#include <unistd.h>

#include <algorithm>

namespace clouddocs::blob {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_object_name(std::string_view text) {
  const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '/' || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 200 && is_letter_or_digit(text.front()) &&
         std::ranges::all_of(text, allowed) && text.find("..") == std::string_view::npos;
}

void check_object_name(std::string_view name) {
  if (!is_object_name(name)) throw std::invalid_argument("not an object name: '" + std::string(name) + "'");
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace clouddocs::blob
