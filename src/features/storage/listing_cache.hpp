// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace clouddocs::storage {

// A page of a listing as it was when its space stood at (epoch, seq).
struct CachedListing {
  std::int64_t epoch = 0;
  std::int64_t seq = 0;
  std::string etag;
  std::shared_ptr<const std::string> json;  // null: nobody has needed it yet
};

// The pages used last, within a limit of bytes. Knows nothing of what makes a page stale. Thread-safe.
class ListingCache {
 public:
  explicit ListingCache(std::uint64_t limit_bytes) : limit_(limit_bytes) {}

  // Null when there is none.
  std::shared_ptr<const CachedListing> find(std::string_view key);
  // Replaces what is there, and drops what was used longest ago. A page over the limit is not kept.
  void put(std::string key, std::shared_ptr<const CachedListing> page);
  std::uint64_t size_bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const CachedListing> page;
    std::uint64_t size = 0;
  };
  // REQUIRES: locked.
  void erase(std::list<Entry>::iterator entry);

  const std::uint64_t limit_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the front was used last
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // keys lie in the entries
  std::uint64_t size_ = 0;
};

}  // namespace clouddocs::storage
