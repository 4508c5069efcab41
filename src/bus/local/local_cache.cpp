// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_cache.hpp"

#include <array>
#include <charconv>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace clouddocs::bus {
namespace {

using core::Task;
using TimePoint = std::chrono::steady_clock::time_point;

// Nodes of list and map, and the two strings, measured at about this size.
constexpr std::uint64_t entry_overhead = 200;

// A part of the keys with a lock of its own. The front of the list was used last.
class Shard {
 public:
  struct Entry {
    std::string key;
    std::string value;
    TimePoint expires;
    std::uint64_t size() const { return key.size() + value.size() + entry_overhead; }
  };

  std::optional<std::string> get(const std::string& key, TimePoint now) {
    const std::lock_guard lock(mutex_);
    const Entry* const entry = find(key, now);
    return entry != nullptr ? std::optional(entry->value) : std::nullopt;
  }

  void set(Entry entry, std::uint64_t limit) {
    const std::lock_guard lock(mutex_);
    put(std::move(entry), limit);
  }

  void remove(const std::string& key) {
    const std::lock_guard lock(mutex_);
    erase(key);
  }

  std::int64_t increment(Entry fresh, std::int64_t by, TimePoint now, std::uint64_t limit) {
    const std::lock_guard lock(mutex_);
    Entry* const entry = find(fresh.key, now);
    if (entry == nullptr) {
      fresh.value = std::to_string(by);
      put(std::move(fresh), limit);
      return by;
    }
    // In place: this is what each request does. A digit more than the limit allows goes with the next entry that comes.
    std::int64_t count = 0;
    std::from_chars(entry->value.data(), entry->value.data() + entry->value.size(), count);
    count += by;
    size_ -= entry->size();
    entry->value = std::to_string(count);
    size_ += entry->size();
    return count;
  }

 private:
  // All REQUIRE: locked.
  Entry* find(const std::string& key, TimePoint now) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    if (found->second->expires <= now) {
      erase(key);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front();
  }

  void put(Entry entry, std::uint64_t limit) {
    erase(entry.key);
    if (entry.size() > limit) return;
    while (size_ + entry.size() > limit) erase(std::string(entries_.back().key));
    size_ += entry.size();
    entries_.push_front(std::move(entry));
    index_.emplace(entries_.front().key, entries_.begin());
  }

  void erase(const std::string& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    size_ -= entry->size();
    entries_.erase(entry);
  }

  std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // keys lie in the entries
  std::uint64_t size_ = 0;
};

class LocalCache final : public Cache {
 public:
  explicit LocalCache(LocalCacheOptions options) : options_(std::move(options)) {}

  Task<std::optional<std::string>> get(std::string key) override { co_return shard_of(key).get(key, options_.now()); }

  Task<> set(std::string key, std::string value, std::chrono::milliseconds ttl) override {
    if (ttl.count() <= 0) co_return;
    auto& shard = shard_of(key);
    shard.set({std::move(key), std::move(value), options_.now() + ttl}, shard_limit());
  }

  Task<> remove(std::string key) override {
    shard_of(key).remove(key);
    co_return;
  }

  Task<std::int64_t> increment(std::string key, std::int64_t by, std::chrono::milliseconds ttl) override {
    auto& shard = shard_of(key);
    const auto now = options_.now();
    co_return shard.increment({std::move(key), {}, now + ttl}, by, now, shard_limit());
  }

 private:
  Shard& shard_of(const std::string& key) { return shards_[std::hash<std::string>()(key) % shards_.size()]; }
  std::uint64_t shard_limit() const { return options_.limit_bytes / shards_.size(); }

  const LocalCacheOptions options_;
  std::array<Shard, 16> shards_;
};

}  // namespace

std::unique_ptr<Cache> make_local_cache(LocalCacheOptions options) {
  return std::make_unique<LocalCache>(std::move(options));
}

}  // namespace clouddocs::bus
