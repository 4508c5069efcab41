// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/error.hpp"

namespace clouddocs::core {

std::string_view to_code(Errc code) {
  switch (code) {
    case Errc::invalid_request: return "invalid_request";
    case Errc::invalid_json: return "invalid_json";
    case Errc::invalid_name: return "invalid_name";
    case Errc::invalid_id: return "invalid_id";
    case Errc::cursor_invalid: return "cursor_invalid";
    case Errc::cursor_relist: return "cursor_relist";
    case Errc::cursor_resync: return "cursor_resync";
    case Errc::range_invalid: return "range_invalid";
    case Errc::unauthorized: return "unauthorized";
    case Errc::token_expired: return "token_expired";
    case Errc::token_invalid: return "token_invalid";
    case Errc::credentials_invalid: return "credentials_invalid";
    case Errc::email_taken: return "email_taken";
    case Errc::password_weak: return "password_weak";
    case Errc::forbidden: return "forbidden";
    case Errc::not_found: return "not_found";
    case Errc::gone: return "gone";
    case Errc::name_taken: return "name_taken";
    case Errc::stale_base: return "stale_base";
    case Errc::cycle: return "cycle";
    case Errc::too_deep: return "too_deep";
    case Errc::id_taken: return "id_taken";
    case Errc::key_reused: return "key_reused";
    case Errc::dependency_failed: return "dependency_failed";
    case Errc::quota_exceeded: return "quota_exceeded";
    case Errc::device_limit: return "device_limit";
    case Errc::file_too_large: return "file_too_large";
    case Errc::body_too_large: return "body_too_large";
    case Errc::headers_too_large: return "headers_too_large";
    case Errc::length_mismatch: return "length_mismatch";
    case Errc::upload_incomplete: return "upload_incomplete";
    case Errc::chunk_unknown: return "chunk_unknown";
    case Errc::chunk_hash_mismatch: return "chunk_hash_mismatch";
    case Errc::chunk_frame_invalid: return "chunk_frame_invalid";
    case Errc::too_many_requests: return "too_many_requests";
    case Errc::method_not_allowed: return "method_not_allowed";
    case Errc::unsupported_media_type: return "unsupported_media_type";
    case Errc::registration_closed: return "registration_closed";
    case Errc::storage_full: return "storage_full";
    case Errc::unavailable: return "unavailable";
    case Errc::internal: return "internal";
  }
  return "internal";
}

void throw_exception_from_error(const Error& error, const boost::source_location&) { throw ErrorException(error); }

}  // namespace clouddocs::core
