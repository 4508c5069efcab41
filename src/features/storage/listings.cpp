// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/listings.hpp"

#include "content/sha256.hpp"
#include "core/encoding.hpp"
#include "features/storage/download.hpp"

namespace clouddocs::storage {
namespace {

// A change in the folder or below moves its tree_seq; a change of the way to it does not.
std::string etag_of(const Listing& listing) {
  content::Sha256Hasher way;
  for (const auto& ancestor : listing.path) {
    way.update(ancestor.id.view());
    way.update(core::as_bytes(ancestor.filename));
  }
  return "\"" + std::to_string(listing.folder.tree_seq) + "-" + core::to_hex(way.finish()).substr(0, 16) + "\"";
}

std::string write_json(SpaceId space, const Listing& listing, const std::string& next_cursor) {
  std::string out;
  out.reserve(600 * (listing.items.size() + 2));
  out += "{\"items\":[";
  for (const auto& node : listing.items) {
    if (out.back() == '}') out += ',';
    append_item(out, space, node);
  }
  out += "],\"next_cursor\":";
  out += next_cursor.empty() ? "null" : "\"" + next_cursor + "\"";
  out += ",\"folder\":";
  append_item(out, space, listing.folder);
  out += ",\"path\":[";
  for (const auto& ancestor : listing.path) {
    if (out.back() == '}') out += ',';
    out += "{\"id\":\"";
    core::append_text(out, FileId{space, ancestor.id});
    out += "\",\"filename\":";
    append_json_string(out, ancestor.filename);
    out += '}';
  }
  out += "]}";
  return out;
}

void append_raw(std::string& out, std::int64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Different for every question that may have another answer.
std::string key_of(SpaceId space, const std::optional<FileId>& folder, const ListQuery& query) {
  std::string key(core::as_text(space.view()));
  if (folder) key += core::as_text(folder->node.view());
  key += folder ? 'f' : 'r';
  key += static_cast<char>(query.sort.key);
  key += query.sort.descending ? '-' : '+';
  append_raw(key, query.limit);
  if (!query.after) return key;
  key += query.after->after_folders ? '1' : '0';
  append_raw(key, query.after->number);
  key += core::as_text(query.after->id.view());
  key += query.after->name_key;
  return key;
}

// What the caller gets of a page that is valid now; nullopt when its body is wanted and not there.
std::optional<ListingPage> answer_from(const CachedListing& page, std::string_view known_etags) {
  if (matches_etag(known_etags, page.etag)) return ListingPage{page.etag, nullptr};
  if (page.json) return ListingPage{page.etag, page.json};
  return std::nullopt;
}

}  // namespace

Listings::Listings(database::Database& db, StorageService& service, std::uint64_t cache_bytes)
    : service_(service),
      heads_(db, [](Transaction& tx, const SpaceId& id) { return SpaceStore::find_head(tx, id); }),
      cache_(cache_bytes) {}

Task<Result<ListingPage>> Listings::page(const Caller& caller, std::optional<FileId> folder, const ListQuery& query,
                                         std::string_view known_etags) {
  const SpaceId space = folder ? folder->space : caller.personal_space;
  std::string key = key_of(space, folder, query);
  const auto cached = cache_.find(key);
  if (cached) {
    const auto head = co_await heads_.get(space);
    const bool is_valid =
        head && head->owner == caller.user && head->epoch == cached->epoch && head->seq == cached->seq;
    if (is_valid) {
      if (auto page = answer_from(*cached, known_etags)) co_return std::move(*page);
    }
  }
  // Changes elsewhere in the space leave the ETag, and with it the page, as they are: then there is no need for the items.
  const StorageService::NeedsItems needs_items = [&](const Listing& listing) {
    const std::string etag = etag_of(listing);
    const bool is_same = cached && cached->json && cached->epoch == listing.head.epoch && cached->etag == etag;
    return !is_same && !matches_etag(known_etags, etag);
  };
  CO_TRY(const Listing listing, co_await service_.list(caller, folder, query, needs_items));
  auto page = std::make_shared<CachedListing>();
  page->epoch = listing.head.epoch;
  page->seq = listing.head.seq;
  page->etag = etag_of(listing);
  if (listing.has_items) {
    const std::string next = listing.has_more ? make_list_cursor(query.sort, listing.items.back()) : "";
    page->json = std::make_shared<const std::string>(write_json(space, listing, next));
  } else if (cached && cached->epoch == page->epoch && cached->etag == page->etag) {
    page->json = cached->json;
  }
  cache_.put(std::move(key), page);
  co_return answer_from(*page, known_etags).value();
}

}  // namespace clouddocs::storage
