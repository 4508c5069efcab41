// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/storage_api.hpp"

#include "core/encoding.hpp"
#include "features/access/fields.hpp"
#include "features/storage/download.hpp"
#include "features/storage/list_query.hpp"
#include "features/storage/name.hpp"

namespace clouddocs::storage {
namespace {

using access::Fields;
using core::Errc;
using core::Error;

constexpr std::chrono::seconds ticket_lifetime{60};

Result<FileId> path_id(const net::Request& request) {
  const auto id = core::parse_file_id(request.parameter("id"));
  if (!id) return Error(Errc::invalid_id, "The path does not hold the id of a file or folder.");
  return *id;
}

net::Response item_response(SpaceId space, const Node& node, int status = 200) {
  return net::Response::text(to_item(space, node), "application/json", status);
}

Result<Caller> require_caller(const net::Request& request) {
  TRY(const auto authentication, access::require(request));
  return authentication->caller;
}

// What PATCH, copy and restore say about where a node goes: in its own space only.
Result<std::optional<NodeId>> target_folder(const Fields& fields, SpaceId space) {
  TRY(const std::optional<FileId> parent, fields.optional_file_id("parent_id"));
  if (!parent) return std::optional<NodeId>();
  if (parent->space != space) {
    return Error(Errc::invalid_request,
                 "An item cannot go to another space in this way. Copy it there and delete it here.");
  }
  return std::optional(parent->node);
}

Result<bool> renames(const Fields& fields) {
  TRY(const std::optional<std::string> choice, fields.optional_text("on_conflict"));
  if (choice && *choice != "fail" && *choice != "rename")
    return access::invalid_member("on_conflict", "\"fail\" or \"rename\"");
  return choice == "rename";
}

}  // namespace

void StorageApi::mount(net::Router& router) {
  using enum net::Method;
  auto add = [&](net::Method method, const char* pattern, Reply (StorageApi::*member)(net::Request&)) {
    router.add(method, pattern, [this, member](net::Request& request) { return (this->*member)(request); });
  };
  add(get, "/api/files", &StorageApi::list);
  add(post, "/api/files/folders", &StorageApi::create_folder);
  router.add(post, "/api/files/upload", [this](net::Request& request) { return upload(request); },
             {.body_limit = std::numeric_limits<std::uint64_t>::max()});
  add(get, "/api/files/{id}", &StorageApi::download);
  add(get, "/api/files/{id}/metadata", &StorageApi::metadata);
  add(patch, "/api/files/{id}", &StorageApi::change);
  add(del, "/api/files/{id}", &StorageApi::remove);
  add(post, "/api/files/{id}/copy", &StorageApi::copy);
  add(get, "/api/files/{id}/versions", &StorageApi::versions);
  add(get, "/api/files/{id}/versions/{version}", &StorageApi::download_version);
  add(post, "/api/files/{id}/versions/{version}/restore", &StorageApi::restore_version);
  add(post, "/api/files/{id}/download-url", &StorageApi::download_url);
  add(get, "/api/trash", &StorageApi::trash);
  add(del, "/api/trash", &StorageApi::empty_trash);
  add(post, "/api/trash/{id}/restore", &StorageApi::restore);
}

StorageApi::Reply StorageApi::list(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const ListQuery query, parse_list_query(request));
  std::optional<FileId> folder;
  if (const auto parent = request.query_value("parent_id")) {
    folder = core::parse_file_id(*parent);
    if (!folder) co_return Error(Errc::invalid_id, "parent_id is not the id of a folder.");
  }
  const std::string_view known = request.headers.find("If-None-Match").value_or("");
  CO_TRY(ListingPage page, co_await listings_.page(caller, folder, query, known));
  net::Response response;
  response.headers.add("ETag", page.etag);
  if (!page.json) {
    response.status = 304;
    co_return response;
  }
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "private, no-cache");
  response.body = std::move(page.json);
  co_return response;
}

StorageApi::Reply StorageApi::create_folder(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const boost::json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"parent_id", "filename"}));
  CO_TRY(const std::string filename, fields.text("filename"));
  CO_TRY(const std::optional<FileId> parent, fields.optional_file_id("parent_id"));
  CO_TRY(const StorageService::UploadPlan plan, co_await service_.plan_upload(caller, parent, filename));
  MakeFolder op{core::make_id<NodeId>(clock_, service_.door().random()), plan.parent, filename};
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, plan.space, std::move(op)));
  auto response = item_response(plan.space, node, 201);
  response.headers.add("Location", "/api/files/" + core::to_text(FileId{plan.space, node.id}) + "/metadata");
  co_return response;
}

StorageApi::Reply StorageApi::metadata(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const Node node, co_await service_.find(caller, id));
  co_return item_response(id.space, node);
}

StorageApi::Reply StorageApi::change(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const boost::json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"base_seq", "parent_id", "filename"}));
  CO_TRY(const std::int64_t base_seq, fields.integer("base_seq"));
  CO_TRY(std::optional<std::string> filename, fields.optional_text("filename"));
  CO_TRY(std::optional<NodeId> parent, target_folder(fields, id.space));
  CO_CHECK(co_await service_.find(caller, id));
  if (base_seq < 0) co_return access::invalid_member("base_seq", "the seq of the item, 0 or more");
  Move op{id.node, parent, std::move(filename), base_seq};
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, id.space, std::move(op)));
  co_return item_response(id.space, node);
}

StorageApi::Reply StorageApi::remove(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(Node node, co_await service_.find(caller, id));
  std::int64_t base_seq = any_base;
  if (const auto text = request.query_value("base_seq")) {
    CO_TRY(base_seq, parse_query_integer("base_seq", *text, 0, std::numeric_limits<std::int64_t>::max()));
  }
  const auto permanent = request.query_value("permanent");
  if (permanent && *permanent != "true" && *permanent != "false") {
    co_return Error(Errc::invalid_request, "permanent must be true or false.");
  }
  if (!node.deleted_at) {
    CO_TRY(node, co_await service_.door().commit_one(caller, id.space, Delete{id.node, base_seq, std::nullopt}));
  }
  if (permanent != "true") co_return item_response(id.space, node);
  CO_CHECK(co_await service_.purge(caller, id));
  co_return net::Response::empty();
}

StorageApi::Reply StorageApi::copy(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const boost::json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"parent_id", "filename", "on_conflict"}));
  CO_TRY(const Node source, co_await service_.find(caller, id));
  CO_TRY(std::optional<std::string> filename, fields.optional_text("filename"));
  CO_TRY(const std::optional<NodeId> parent, target_folder(fields, id.space));
  CO_TRY(const bool rename, renames(fields));
  if (!source.parent) co_return Error(Errc::forbidden, "The root of a space cannot be copied.");
  Copy op{id.node, core::make_id<NodeId>(clock_, service_.door().random()), parent.value_or(*source.parent),
          filename.value_or(source.filename), rename};
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, id.space, std::move(op)));
  co_return item_response(id.space, node, 201);
}

StorageApi::Reply StorageApi::versions(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const Node node, co_await service_.find(caller, id));
  CO_TRY(const VersionsQuery query, parse_versions_query(request));
  CO_TRY(std::vector<Version> versions, co_await service_.versions(caller, id, query.limit + 1, query.before));
  const bool has_more = versions.size() > static_cast<std::size_t>(query.limit);
  if (has_more) versions.pop_back();
  std::string out = "{\"items\":[";
  for (const auto& version : versions) {
    if (out.back() == '}') out += ',';
    const auto created = std::to_string(core::to_micros(version.created_at));
    out += "{\"version\":" + std::to_string(version.number) + ",\"size\":" + std::to_string(version.size) +
           ",\"content_id\":\"" + core::to_hex(version.content_id) + "\",\"sha256\":\"" + core::to_hex(version.sha256) +
           "\",\"modified_at\":" + created + ",\"created_at\":" + created + ",\"device_name\":";
    append_json_string(out, version.device_name);
    out += version.number == node.version ? ",\"current\":true}" : ",\"current\":false}";
  }
  out += "],\"next_cursor\":" +
         (has_more ? "\"" + make_versions_cursor(versions.back().number) + "\"" : std::string("null")) + "}";
  co_return net::Response::text(std::move(out), "application/json");
}

StorageApi::Reply StorageApi::restore_version(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const std::int64_t number,
         parse_query_integer("version", request.parameter("version"), 1, std::numeric_limits<std::int64_t>::max()));
  CO_TRY(const boost::json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"base_version"}));
  CO_TRY(const std::int64_t base, fields.integer("base_version"));
  if (base < 1) co_return access::invalid_member("base_version", "the current version, 1 or more");
  CO_CHECK(co_await service_.find(caller, id));
  RestoreVersion op{id.node, number, base};
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, id.space, op));
  co_return item_response(id.space, node);
}

StorageApi::Reply StorageApi::trash(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const TrashQuery query, parse_trash_query(request));
  CO_TRY(std::vector<Node> nodes, co_await service_.trash(caller, query.before, query.before_id, query.limit + 1));
  const bool has_more = nodes.size() > static_cast<std::size_t>(query.limit);
  if (has_more) nodes.pop_back();
  std::string out = "{\"items\":[";
  for (const auto& node : nodes) {
    if (out.back() == '}') out += ',';
    append_item(out, caller.personal_space, node);
  }
  out += "],\"next_cursor\":" + (has_more ? "\"" + make_trash_cursor(nodes.back()) + "\"" : std::string("null")) + "}";
  co_return net::Response::text(std::move(out), "application/json");
}

StorageApi::Reply StorageApi::empty_trash(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const std::int64_t count, co_await service_.empty_trash(caller));
  co_return net::Response::json({{"purged", count}});
}

StorageApi::Reply StorageApi::restore(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  boost::json::object body;
  if (request.body != nullptr && request.body->content_length() != 0) {
    CO_TRY(body, co_await request.read_json());
  }
  const Fields fields(body);
  CO_CHECK(fields.only({"base_seq", "parent_id", "on_conflict"}));
  CO_TRY(const std::optional<std::int64_t> base_seq, fields.optional_integer("base_seq"));
  CO_TRY(const std::optional<NodeId> parent, target_folder(fields, id.space));
  CO_TRY(const bool rename, renames(fields));
  CO_CHECK(co_await service_.find(caller, id));
  Restore op{id.node, base_seq.value_or(any_base), parent, rename};
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, id.space, op));
  co_return item_response(id.space, node);
}

std::string StorageApi::make_ticket(const Caller& caller, FileId id, Timestamp expires) const {
  core::Bytes message(id.space.bytes.begin(), id.space.bytes.end());
  message.insert(message.end(), id.node.bytes.begin(), id.node.bytes.end());
  message.insert(message.end(), caller.user.bytes.begin(), caller.user.bytes.end());
  core::append_little_endian(message, static_cast<std::uint64_t>(core::to_micros(expires)));
  const auto signature = tickets_.sign(message);
  core::Bytes ticket(message.begin() + 32, message.end());
  ticket.insert(ticket.end(), signature.begin(), signature.end());
  return core::to_base64url(ticket);
}

Result<Caller> StorageApi::content_caller(const net::Request& request, FileId id) const {
  const auto ticket = request.query_value("ticket");
  if (!ticket) return require_caller(request);
  const Error refused(Errc::token_invalid,
                      "The download link is not valid for this file, or has expired. Ask for a new one.");
  const auto bytes = core::from_base64url(*ticket);
  if (!bytes || bytes->size() != 16 + 8 + 32) return refused;
  Caller caller;
  caller.user = core::id_from_bytes<UserId>(core::ByteView(*bytes).first(16));
  const auto expires =
      core::from_micros(static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data() + 16)));
  const std::string expected = make_ticket(caller, id, expires);
  if (!core::equal_constant_time(core::as_bytes(expected), core::as_bytes(*ticket)) || clock_.now() > expires)
    return refused;
  return caller;
}

StorageApi::Reply StorageApi::download_url(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const FileId id, path_id(request));
  CO_CHECK(co_await service_.find_content(caller, id, 0));
  const Timestamp expires = clock_.now() + ticket_lifetime;
  co_return net::Response::json(
      {{"url", "/api/files/" + core::to_text(id) + "?ticket=" + make_ticket(caller, id, expires)},
       {"expires_at", core::to_micros(expires)}});
}

StorageApi::Reply StorageApi::download(net::Request& request) {
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const Caller caller, content_caller(request, id));
  CO_TRY(const StorageService::FileVersion found, co_await service_.find_content(caller, id, 0));
  co_return co_await respond_with_content(request, reader_, id.space, found.node, found.version);
}

StorageApi::Reply StorageApi::download_version(net::Request& request) {
  CO_TRY(const FileId id, path_id(request));
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const std::int64_t number,
         parse_query_integer("version", request.parameter("version"), 1, std::numeric_limits<std::int64_t>::max()));
  CO_TRY(const StorageService::FileVersion found, co_await service_.find_content(caller, id, number));
  co_return co_await respond_with_content(request, reader_, id.space, found.node, found.version);
}

}  // namespace clouddocs::storage
