// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/listing_cache.hpp"

namespace clouddocs::storage {
namespace {

// Nodes of list and map, the page and its strings.
constexpr std::uint64_t entry_overhead = 400;

}  // namespace

std::shared_ptr<const CachedListing> ListingCache::find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->page;
}

void ListingCache::put(std::string key, std::shared_ptr<const CachedListing> page) {
  const std::uint64_t size = entry_overhead + key.size() + (page->json ? page->json->capacity() : 0);
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) erase(found->second);
  if (size > limit_) return;
  while (size_ + size > limit_) erase(std::prev(entries_.end()));
  size_ += size;
  entries_.push_front({std::move(key), std::move(page), size});
  index_.emplace(entries_.front().key, entries_.begin());
}

std::uint64_t ListingCache::size_bytes() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

void ListingCache::erase(std::list<Entry>::iterator entry) {
  index_.erase(entry->key);
  size_ -= entry->size;
  entries_.erase(entry);
}

}  // namespace clouddocs::storage
