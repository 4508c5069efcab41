// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/sync_api.hpp"

#include "content/chunk_stream.hpp"
#include "content/sha256.hpp"
#include "core/encoding.hpp"
#include "features/access/fields.hpp"
#include "features/storage/list_query.hpp"
#include "features/sync/operation_json.hpp"
#include "features/sync/receive_chunks.hpp"

namespace clouddocs::sync {
namespace {

using access::Caller;
using access::Fields;
using core::Errc;
using core::Error;
using database::Transaction;
using storage::Cursor;
using storage::Space;
using storage::SpaceStore;
using storage::StorageService;
using storage::TreeStore;
namespace json = boost::json;

constexpr std::size_t max_batch = 1'000;
constexpr std::size_t max_names = 10'000;
constexpr std::size_t max_batch_bytes = 16U << 20;
constexpr std::uint64_t max_stream = 65U << 20;  // 64 MiB of chunks and their frames
constexpr std::size_t max_chunks_of_file = 4U << 20;

Result<Caller> require_caller(const net::Request& request) {
  TRY(const auto authentication, access::require(request));
  return authentication->caller;
}

std::string head_of(const Space& space) { return to_text(Cursor{space.id, space.epoch, space.seq}); }

Result<std::vector<content::ChunkName>> parse_names(const json::array& values) {
  std::vector<content::ChunkName> names;
  names.reserve(values.size());
  for (const auto& value : values) {
    std::optional<content::ChunkName> name;
    if (value.is_string()) {
      name = content::parse_chunk_name(std::string_view(value.get_string().data(), value.get_string().size()));
    }
    if (!name) return access::invalid_member("chunks", "an array of chunk names");
    names.push_back(*name);
  }
  return names;
}

void append_manifest(std::string& out, core::FileId id, const storage::Version& version,
                     const content::Manifest& manifest) {
  out += "{\"id\":\"" + core::to_text(id) + "\",\"version\":" + std::to_string(version.number) + ",\"content_id\":\"" +
         core::to_hex(version.content_id) + "\",\"size\":" + std::to_string(version.size) +
         ",\"level\":" + std::to_string(manifest.level) + ",\"chunks\":[";
  for (const auto& entry : manifest.entries) {
    if (out.back() == ']') out += ',';
    out += "[\"" + content::to_text(entry.name) + "\"," + std::to_string(entry.size) + "]";
  }
  out += "]}";
}

}  // namespace

void SyncApi::mount(net::Router& router) {
  using enum net::Method;
  auto add = [&](net::Method method, const char* pattern, Reply (SyncApi::*member)(net::Request&),
                 std::uint64_t limit) {
    router.add(method, pattern, [this, member](net::Request& request) { return (this->*member)(request); },
               {.body_limit = limit});
  };
  constexpr std::uint64_t small = 1U << 20;
  add(get, "/api/sync/spaces", &SyncApi::spaces, small);
  add(get, "/api/sync/changes", &SyncApi::changes, small);
  add(get, "/api/sync/status", &SyncApi::status, small);
  add(post, "/api/sync/report", &SyncApi::report, small);
  add(post, "/api/sync/manifests", &SyncApi::manifests, small);
  add(post, "/api/sync/chunks/missing", &SyncApi::missing, small);
  add(post, "/api/sync/chunks/fetch", &SyncApi::fetch_chunks, small);
  add(post, "/api/sync/chunks", &SyncApi::store_chunks, max_stream);
  add(post, "/api/sync/commit", &SyncApi::commit, max_batch_bytes);
}

SyncApi::Reply SyncApi::spaces(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Space>>> {
    co_return co_await SpaceStore::list_of(tx, caller.user);
  };
  CO_TRY(const std::vector<Space> spaces, co_await database::read(storage_.chunks().db(), body));
  json::array items;
  for (const auto& space : spaces) {
    items.push_back(json::object{{"space", core::to_text(space.id)},
                                 {"kind", space.kind},
                                 {"name", space.name},
                                 {"root_id", core::to_text(core::FileId{space.id, space.root})},
                                 {"cursor", head_of(space)}});
  }
  co_return net::Response::json(json::object{{"items", std::move(items)}});
}

SyncApi::Reply SyncApi::changes(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  SpaceId space_id = caller.personal_space;
  if (const auto text = request.query_value("space")) {
    const auto id = core::parse_id<SpaceId>(*text);
    if (!id) co_return Error(Errc::invalid_id, "space is not the id of a space.");
    space_id = *id;
  }
  std::int64_t limit = 1'000;
  if (const auto text = request.query_value("limit")) {
    CO_TRY(limit, storage::parse_query_integer("limit", *text, 1, 10'000));
  }
  std::optional<Cursor> cursor;
  if (const auto text = request.query_value("cursor")) {
    cursor = storage::parse_cursor(*text);
    if (!cursor || cursor->space != space_id)
      co_return Error(Errc::cursor_invalid, "The cursor is not one of this space.");
  }
  struct Page {
    Space space;
    std::vector<storage::Node> nodes;
  };
  auto body = [&](Transaction& tx) -> Task<Result<Page>> {
    CO_TRY(Space space, co_await StorageService::require_space(tx, caller, space_id));
    if (cursor && cursor->epoch != space.epoch) {
      co_return Error(Errc::cursor_resync,
                      "The history of this space has changed. List it anew and merge; delete nothing.");
    }
    if (cursor && cursor->seq > space.seq) {
      co_return Error(Errc::cursor_resync,
                      "The cursor is ahead of this space. List it anew and merge; delete nothing.");
    }
    const bool lists = !cursor || cursor->listing_floor == space.floor_seq;
    if (!lists && cursor->seq < space.floor_seq) {
      co_return Error(Errc::cursor_relist, "The journal does not reach back to this cursor. List the space anew.");
    }
    Page page;
    page.nodes = co_await TreeStore::changes(tx, space_id, cursor ? cursor->seq : 0, static_cast<int>(limit) + 1);
    page.space = std::move(space);
    co_return page;
  };
  CO_TRY(Page page, co_await database::read(storage_.chunks().db(), body));
  const bool at_head = page.nodes.size() <= static_cast<std::size_t>(limit);
  if (!at_head) page.nodes.pop_back();
  std::string out = "{\"items\":[";
  out.reserve(600 * page.nodes.size() + 200);
  for (const auto& node : page.nodes) {
    if (!cursor && node.purged_at) continue;
    if (out.back() == '}') out += ',';
    storage::append_item(out, space_id, node);
  }
  Cursor next{space_id, page.space.epoch, page.space.seq};
  if (!at_head) {
    next.seq = page.nodes.back().seq;
    if (!cursor) next.listing_floor = page.space.floor_seq;
    if (cursor) next.listing_floor = cursor->listing_floor;
  }
  out += "],\"cursor\":\"" + to_text(next) + "\",\"at_head\":";
  out += at_head ? "true}" : "false}";
  co_return net::Response::text(std::move(out), "application/json");
}

SyncApi::Reply SyncApi::manifests(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"space", "files"}));
  CO_TRY(const SpaceId space, fields.space_id("space"));
  CO_TRY(const json::array* files, fields.array("files", max_batch));
  struct Wanted {
    core::FileId id;
    std::int64_t version;
  };
  std::vector<Wanted> wanted;
  for (const auto& value : *files) {
    if (!value.is_object()) co_return access::invalid_member("files", "an array of objects");
    const Fields file(value.get_object());
    CO_CHECK(file.only({"id", "version"}));
    CO_TRY(const core::FileId id, file.file_id("id"));
    CO_TRY(const std::optional<std::int64_t> version, file.optional_integer("version"));
    wanted.push_back({id, version.value_or(0)});
  }
  auto read = [&](Transaction& tx) -> Task<Result<std::string>> {
    CO_CHECK(co_await StorageService::require_space(tx, caller, space));
    std::string out = "{\"items\":[";
    for (const auto& file : wanted) {
      if (out.back() == '}') out += ',';
      std::optional<storage::Version> version;
      const auto node = co_await TreeStore::find(tx, space, file.id.node);
      if (node && !node->purged_at && file.id.space == space && node->kind == storage::NodeKind::file) {
        version =
            co_await TreeStore::find_version(tx, space, file.id.node, file.version == 0 ? node->version : file.version);
      }
      if (version) {
        CO_TRY(const content::Manifest manifest, content::decode_manifest(version->manifest));
        append_manifest(out, file.id, *version, manifest);
      } else {
        out += "{\"id\":\"" + core::to_text(file.id) +
               "\",\"version\":" + (file.version == 0 ? std::string("null") : std::to_string(file.version)) +
               ",\"code\":\"not_found\"}";
      }
    }
    out += "]}";
    co_return out;
  };
  CO_TRY(std::string out, co_await database::read(storage_.chunks().db(), read));
  co_return net::Response::text(std::move(out), "application/json");
}

SyncApi::Reply SyncApi::missing(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"space", "chunks"}));
  CO_TRY(const SpaceId space, fields.space_id("space"));
  CO_TRY(const json::array* values, fields.array("chunks", max_names));
  CO_TRY(const std::vector<content::ChunkName> names, parse_names(*values));
  CO_TRY(const std::vector<content::ChunkName> missing, co_await storage_.chunks().missing(caller.user, space, names));
  std::string out = "{\"missing\":[";
  for (const auto& name : missing) {
    if (out.back() == '"') out += ',';
    out += "\"" + content::to_text(name) + "\"";
  }
  out += "]}";
  co_return net::Response::text(std::move(out), "application/json");
}

SyncApi::Reply SyncApi::fetch_chunks(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const json::object body, co_await request.read_json());
  const Fields fields(body);
  CO_CHECK(fields.only({"space", "chunks"}));
  CO_TRY(const SpaceId space, fields.space_id("space"));
  CO_TRY(const json::array* values, fields.array("chunks", max_names));
  CO_TRY(const std::vector<content::ChunkName> names, parse_names(*values));
  auto check = [&](Transaction& tx) -> Task<Result<>> {
    CO_CHECK(co_await StorageService::require_space(tx, caller, space));
    co_return Result<>();
  };
  CO_CHECK(co_await database::read(storage_.chunks().db(), check));
  net::Response response;
  CO_TRY(response.body, co_await reader_.open_stream(space, names));
  response.headers.add("Content-Type", content::chunk_stream_type);
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

SyncApi::Reply SyncApi::store_chunks(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  const auto space = core::parse_id<SpaceId>(request.query_value("space").value_or(""));
  if (!space) co_return Error(Errc::invalid_id, "space is not the id of a space.");
  if (request.headers.find("Content-Type") != content::chunk_stream_type) {
    co_return Error(Errc::unsupported_media_type, "The body must be " + std::string(content::chunk_stream_type) + ".");
  }
  auto& chunks = storage_.chunks();
  auto check = [&](Transaction& tx) -> Task<Result<>> {
    CO_CHECK(co_await StorageService::require_space(tx, authentication->caller, *space));
    co_return Result<>();
  };
  CO_CHECK(co_await database::read(chunks.db(), check));
  CO_TRY(const std::int64_t stored, co_await receive_chunks(chunks, *space, *request.body, authentication->revoked));
  co_return net::Response::json(json::object{{"stored", stored}});
}

SyncApi::Reply SyncApi::commit(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const json::object body, co_await request.read_json(max_batch_bytes));
  const Fields fields(body);
  CO_CHECK(fields.only({"space", "key", "operations"}));
  CO_TRY(const SpaceId space, fields.space_id("space"));
  CO_TRY(const std::string key, fields.text("key", 64));
  const bool key_is_valid = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  if (!key_is_valid) co_return access::invalid_member("key", "1 to 64 characters of [A-Za-z0-9_-]");
  CO_TRY(const json::array* values, fields.array("operations", max_batch));
  auto check = [&](Transaction& tx) -> Task<Result<>> {
    CO_CHECK(co_await StorageService::require_space(tx, caller, space));
    co_return Result<>();
  };
  CO_CHECK(co_await database::read(storage_.chunks().db(), check));
  std::vector<storage::Operation> operations;
  operations.reserve(values->size());
  for (const auto& value : *values) {
    CO_TRY(storage::Operation operation, parse_operation(value, space));
    if (auto* put = std::get_if<storage::Put>(&operation)) {
      storage::NewContent& content = put->content;
      auto flat = co_await storage_.chunks().flatten(space, content.manifest, max_chunks_of_file, &content.node_chunks);
      if (flat.has_error() && flat.error().code != Errc::chunk_unknown) co_return flat.error();
      // A manifest with a node that is not there is refused inside the commit, as the operation it is: no chunk has the zero name.
      const bool is_known = flat.has_value();
      if (is_known) {
        content.chunks = std::move(flat).value();
      } else {
        content.node_chunks = {content::ChunkName{}};
      }
      // Sizes as claimed: unsigned, since a sum of them may be anything. The commit compares each with the chunk.
      std::uint64_t sum = 0;
      for (const auto& chunk : content.chunks) sum += chunk.size;
      if (is_known && sum != static_cast<std::uint64_t>(content.size)) {
        co_return Error(Errc::length_mismatch, "The chunks of \"" + put->filename + "\" do not add up to its size.");
      }
      content.content_id = content::content_id(content.chunks);
    }
    operations.push_back(std::move(operation));
  }
  storage::IdempotencyKey idempotency{key, content::sha256(core::as_bytes(json::serialize(body)))};
  CO_TRY(storage::BatchOutcome outcome, co_await storage_.door().commit(caller, space, operations, idempotency));
  co_return net::Response::text(std::move(outcome.answer), "application/json");
}

SyncApi::Reply SyncApi::status(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Space>>> {
    co_return co_await SpaceStore::list_of(tx, caller.user);
  };
  CO_TRY(const std::vector<Space> spaces, co_await database::read(storage_.chunks().db(), body));
  CO_TRY(const auth::User user, co_await auth_.find_user(caller.user));
  CO_TRY(const std::vector<auth::Session> sessions, co_await auth_.sessions(caller.user));
  json::array heads;
  for (const auto& space : spaces) {
    heads.push_back(json::object{{"space", core::to_text(space.id)}, {"cursor", head_of(space)}, {"seq", space.seq}});
  }
  json::array devices;
  for (const auto& session : sessions) {
    const DeviceState state = hub_.device(session.id).value_or(DeviceState{false, session.last_used_at, {}});
    json::object lag;
    for (const auto& space : spaces) {
      const auto applied = state.applied.find(space.id);
      if (applied != state.applied.end()) {
        lag[core::to_text(space.id)] = std::max<std::int64_t>(0, space.seq - applied->second);
      }
    }
    json::array unsynced;
    for (const auto& item : reports_.get(session.id)) {
      unsynced.push_back(json::object{{"path", item.path}, {"reason", item.reason}});
    }
    devices.push_back(json::object{{"session", core::to_text(session.id)},
                                   {"device_name", session.device_name},
                                   {"connected", state.connected},
                                   {"last_seen_at", core::to_micros(state.last_seen_at)},
                                   {"lag", std::move(lag)},
                                   {"unsynced", std::move(unsynced)}});
  }
  co_return net::Response::json(json::object{{"spaces", std::move(heads)},
                                             {"devices", std::move(devices)},
                                             {"storage_used", user.storage_used},
                                             {"storage_limit", auth_.plans().get(user.plan).storage}});
}

SyncApi::Reply SyncApi::report(net::Request& request) {
  CO_TRY(const Caller caller, require_caller(request));
  CO_TRY(const json::object body, co_await request.read_json());
  CO_CHECK(Fields(body).only({"unsynced"}));
  CO_TRY(const json::array* values, Fields(body).array("unsynced", DeviceReports::max_items));
  std::vector<DeviceReports::Unsynced> items;
  for (const auto& value : *values) {
    if (!value.is_object()) co_return access::invalid_member("unsynced", "an array of objects");
    const Fields fields(value.get_object());
    CO_CHECK(fields.only({"path", "reason"}));
    CO_TRY(std::string path, fields.text("path"));
    CO_TRY(std::string reason, fields.text("reason", 500));
    items.push_back({std::move(path), std::move(reason)});
  }
  reports_.set(caller.session, std::move(items));
  co_return net::Response::empty();
}

}  // namespace clouddocs::sync
