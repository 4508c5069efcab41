// SPDX-License-Identifier: AGPL-3.0-or-later
// POST /api/files/upload: multipart/form-data straight into chunks.
#include <charconv>

#include "features/storage/list_query.hpp"
#include "features/storage/storage_api.hpp"
#include "net/multipart.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

enum class OnConflict { fail, rename, version };

// The fields that come before the file.
struct UploadForm {
  std::optional<FileId> parent;
  OnConflict on_conflict = OnConflict::fail;
  std::int64_t base_version = 0;
  std::optional<Timestamp> modified_at;
};

Result<> set_field(UploadForm& form, std::string_view name, const std::string& value) {
  if (name == "parent_id") {
    form.parent = core::parse_file_id(value);
    if (!form.parent) return Error(Errc::invalid_id, "parent_id is not the id of a folder.");
  } else if (name == "on_conflict") {
    if (value == "fail") {
      form.on_conflict = OnConflict::fail;
    } else if (value == "rename") {
      form.on_conflict = OnConflict::rename;
    } else if (value == "version") {
      form.on_conflict = OnConflict::version;
    } else {
      return Error(Errc::invalid_request, "on_conflict must be fail, rename or version.");
    }
  } else if (name == "base_version") {
    TRY(form.base_version, parse_query_integer(name, value, 1, std::numeric_limits<std::int64_t>::max()));
  } else if (name == "modified_at") {
    TRY(const std::int64_t micros, parse_query_integer(name, value, std::numeric_limits<std::int64_t>::min(),
                                                       std::numeric_limits<std::int64_t>::max()));
    form.modified_at = core::from_micros(micros);
  } else {
    return Error(Errc::invalid_request, "The form has a field \"" + std::string(name) + "\" that means nothing here.");
  }
  return {};
}

// The base of the put, decided by what holds the name now; the door checks it again. 0: a new file.
Result<std::optional<Node>> resolve_conflict(const UploadForm& form, const StorageService::UploadPlan& plan) {
  if (!plan.holder || form.on_conflict == OnConflict::rename) return std::optional<Node>();
  const std::string item = "\"item\":" + to_item(plan.space, *plan.holder);
  if (form.on_conflict == OnConflict::fail || plan.holder->kind != NodeKind::file) {
    return Error(Errc::name_taken, "There is already an item named \"" + plan.holder->filename + "\" in this folder.",
                 item);
  }
  if (form.base_version == 0) {
    return Error(Errc::invalid_request,
                 "on_conflict=version needs base_version, the version that the upload replaces.");
  }
  if (plan.holder->version != form.base_version) {
    return Error(Errc::stale_base, "The file has a newer version than the one that this upload replaces.", item);
  }
  return plan.holder;
}

}  // namespace

StorageApi::Reply StorageApi::upload(net::Request& request) {
  CO_TRY(const auto authentication, access::require(request));
  const Caller& caller = authentication->caller;
  CO_TRY(net::MultipartReader reader, net::MultipartReader::open(request));
  UploadForm form;
  std::string filename;
  for (;;) {
    CO_TRY(const std::optional<net::MultipartReader::Part> part, co_await reader.next_part());
    if (!part) co_return Error(Errc::invalid_request, "The form holds no field \"file\".");
    if (part->name == "file") {
      if (!part->filename)
        co_return Error(Errc::invalid_request, "The field \"file\" names no file (filename=\"...\").");
      filename = *part->filename;
      break;
    }
    CO_TRY(const std::string value, co_await reader.read_text(4'096));
    CO_CHECK(set_field(form, part->name, value));
  }
  CO_TRY(const StorageService::UploadPlan plan, co_await service_.plan_upload(caller, form.parent, filename));
  CO_TRY(const std::optional<Node> replaced, resolve_conflict(form, plan));

  const PieceSource source = [&]() -> Task<Result<core::ByteView>> { co_return co_await reader.read(); };
  const auto revoked = authentication->revoked;
  const UploadLimits limits{plan.max_size, [revoked] { return revoked && revoked->load(std::memory_order_relaxed); }};
  CO_TRY(UploadedContent uploaded, co_await receive_content(service_.chunks(), plan.space, source, limits));
  CO_TRY(const std::optional<net::MultipartReader::Part> extra, co_await reader.next_part());
  if (extra) co_return Error(Errc::invalid_request, "The field \"file\" must be the last of the form.");

  Put op;
  op.id = replaced ? replaced->id : core::make_id<NodeId>(clock_, service_.door().random());
  op.parent = plan.parent;
  op.filename = filename;
  op.base_version = replaced ? form.base_version : 0;
  op.content = std::move(uploaded.content);
  op.modified_at = form.modified_at;
  op.rename_if_taken = form.on_conflict == OnConflict::rename;
  CO_TRY(const Node node, co_await service_.door().commit_one(caller, plan.space, std::move(op)));
  auto response = net::Response::text(to_item(plan.space, node), "application/json", 201);
  response.headers.add("Location", "/api/files/" + core::to_text(FileId{plan.space, node.id}));
  co_return response;
}

}  // namespace clouddocs::storage
