// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/storage_service.hpp"

#include "features/storage/name.hpp"

namespace clouddocs::storage {

using core::Errc;
using core::Error;

namespace {

constexpr database::Statement owner_plan{"user_plan", "SELECT plan FROM users WHERE id = $1"};

Error no_such_item() { return {Errc::not_found, "There is no such file or folder."}; }

}  // namespace

Task<Result<Space>> StorageService::require_space(Transaction& tx, const Caller& caller, SpaceId id) {
  auto space = co_await SpaceStore::find(tx, id);
  if (!space || space->owner != caller.user) co_return Error(Errc::not_found, "There is no such space.");
  co_return std::move(*space);
}

Task<Result<Listing>> StorageService::list(const Caller& caller, std::optional<FileId> folder, const ListQuery& query,
                                           const NeedsItems& needs_items) {
  auto body = [&](Transaction& tx) -> Task<Result<Listing>> {
    const SpaceId space_id = folder ? folder->space : caller.personal_space;
    auto space = co_await require_space(tx, caller, space_id);
    if (space.has_error()) co_return no_such_item();
    Listing listing;
    listing.head = {space.value().owner, space.value().epoch, space.value().seq};
    auto node = co_await TreeStore::find(tx, space_id, folder ? folder->node : space.value().root);
    if (!node || node->purged_at) co_return no_such_item();
    if (node->kind != NodeKind::folder) co_return Error(Errc::invalid_request, "Only a folder can be listed.");
    listing.folder = std::move(*node);
    if (listing.folder.parent) {
      listing.path = co_await TreeStore::ancestors(tx, space_id, *listing.folder.parent);
      std::reverse(listing.path.begin(), listing.path.end());
    }
    listing.has_items = needs_items(listing);
    if (!listing.has_items) co_return listing;
    listing.items = co_await TreeStore::list(tx, space_id, listing.folder.id, query.sort, query.after, query.limit + 1);
    listing.has_more = listing.items.size() > static_cast<std::size_t>(query.limit);
    if (listing.has_more) listing.items.pop_back();
    co_return listing;
  };
  co_return co_await database::read(db_, body);
}

Task<Result<Node>> StorageService::find(const Caller& caller, FileId id) {
  auto body = [&](Transaction& tx) -> Task<Result<Node>> {
    auto space = co_await require_space(tx, caller, id.space);
    if (space.has_error()) co_return no_such_item();
    auto node = co_await TreeStore::find(tx, id.space, id.node);
    if (!node || node->purged_at) co_return no_such_item();
    co_return std::move(*node);
  };
  co_return co_await database::read(db_, body);
}

Task<Result<StorageService::FileVersion>> StorageService::find_content(const Caller& caller, FileId id,
                                                                       std::int64_t number) {
  auto body = [&](Transaction& tx) -> Task<Result<FileVersion>> {
    auto space = co_await require_space(tx, caller, id.space);
    if (space.has_error()) co_return no_such_item();
    auto node = co_await TreeStore::find(tx, id.space, id.node);
    if (!node || node->purged_at) co_return no_such_item();
    if (node->kind != NodeKind::file) co_return Error(Errc::invalid_request, "Only a file has content to download.");
    auto version = co_await TreeStore::find_version(tx, id.space, id.node, number == 0 ? node->version : number);
    if (!version) co_return Error(Errc::not_found, "The file has no such version.");
    co_return FileVersion{std::move(*node), std::move(*version)};
  };
  co_return co_await database::read(db_, body);
}

Task<Result<std::vector<Version>>> StorageService::versions(const Caller& caller, FileId id, int limit,
                                                            std::int64_t before) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Version>>> {
    auto space = co_await require_space(tx, caller, id.space);
    if (space.has_error()) co_return no_such_item();
    const auto node = co_await TreeStore::find(tx, id.space, id.node);
    if (!node || node->purged_at) co_return no_such_item();
    if (node->kind != NodeKind::file) co_return Error(Errc::invalid_request, "Only a file has versions.");
    co_return co_await TreeStore::versions(tx, id.space, id.node, limit, before);
  };
  co_return co_await database::read(db_, body);
}

Task<Result<std::vector<Node>>> StorageService::trash(const Caller& caller, std::optional<Timestamp> before,
                                                      NodeId before_id, int limit) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Node>>> {
    co_return co_await TreeStore::trash(tx, caller.personal_space, before, before_id, limit);
  };
  co_return co_await database::read(db_, body);
}

Task<Result<>> StorageService::purge(const Caller& caller, FileId id) {
  // A large tree ends in several commits, the deepest nodes first: each leaves a consistent tree and exact quota.
  for (;;) {
    CO_TRY(const Node node, co_await door_.commit_one(caller, id.space, Purge{id.node}));
    if (node.purged_at) co_return Result<>();
  }
}

Task<Result<std::int64_t>> StorageService::empty_trash(const Caller& caller) {
  std::int64_t count = 0;
  for (;;) {
    CO_TRY(const std::vector<Node> page, co_await trash(caller, std::nullopt, NodeId{}, 100));
    if (page.empty()) co_return count;
    for (const Node& node : page) {
      auto purged = co_await purge(caller, FileId{caller.personal_space, node.id});
      if (purged.has_error() && purged.error().code != Errc::gone) co_return purged.error();
      ++count;
    }
  }
}

Task<Result<StorageService::UploadPlan>> StorageService::plan_upload(const Caller& caller, std::optional<FileId> parent,
                                                                     const std::string& filename) {
  CO_TRY(const std::string name, normalise_name(filename));
  auto body = [&](Transaction& tx) -> Task<Result<UploadPlan>> {
    UploadPlan plan;
    plan.space = parent ? parent->space : caller.personal_space;
    auto space = co_await require_space(tx, caller, plan.space);
    if (space.has_error()) co_return no_such_item();
    plan.parent = parent ? parent->node : space.value().root;
    const auto chain = co_await TreeStore::ancestors(tx, plan.space, plan.parent);
    if (chain.empty() || chain.front().kind != NodeKind::folder) co_return no_such_item();
    plan.holder = co_await TreeStore::find_by_name(tx, plan.space, plan.parent, name);
    const auto rows = co_await tx.execute(owner_plan, space.value().owner);
    const auto& limits = chunks_.plans().get(rows.empty() ? "free" : std::string(rows.front().text(0)));
    plan.max_size = limits.max_file_size;
    co_return plan;
  };
  co_return co_await database::read(db_, body);
}

}  // namespace clouddocs::storage
