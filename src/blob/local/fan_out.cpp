// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/local/fan_out.hpp"

#include <algorithm>
#include <filesystem>

namespace clouddocs::blob {
namespace {

namespace fs = std::filesystem;

// Flat, so that "a" and "a/b" do not meet as file and folder.
std::string swap_character(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

}  // namespace

FanOut::FanOut(std::string root, FileCalls& calls) : root_(std::move(root)), calls_(calls) {
  if (create_folder(root_)) sync_directory(calls_, fs::path(root_).parent_path());
}

// FNV-1a. Part of the layout on disk: never changes.
unsigned FanOut::folder_number(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash % folder_count;
}

std::string FanOut::folder(unsigned number) const { return root_ + "/" + "0123456789abcdef"[number]; }

std::string FanOut::path_of(const ObjectName& name) const {
  return folder(folder_number(name)) + "/" + swap_character(name, '/', ',');
}

std::string FanOut::prepare_folder_of(const ObjectName& name) {
  const unsigned number = folder_number(name);
  auto path = folder(number);
  if (is_durable_[number]) return path;
  const std::lock_guard lock(mutex_);
  if (is_durable_[number]) return path;
  // Synced once by every process: one that made the folder may have died, or be about to sync it.
  create_folder(path);
  sync_directory(calls_, root_);
  is_durable_[number] = true;
  return path;
}

void FanOut::visit_names(const std::function<void(ObjectName name)>& visit) const {
  for (unsigned i = 0; i < folder_count; ++i) {
    std::error_code error;
    for (fs::directory_iterator entry(folder(i), error), end; !error && entry != end; entry.increment(error)) {
      visit(swap_character(entry->path().filename().string(), ',', '/'));
    }
    if (error && error != std::errc::no_such_file_or_directory)
      throw StorageUnavailable("cannot list objects: " + error.message());
  }
}

}  // namespace clouddocs::blob
