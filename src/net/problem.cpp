// SPDX-License-Identifier: AGPL-3.0-or-later
#include <boost/json.hpp>

#include "net/http.hpp"

namespace clouddocs::net {

using core::Errc;
using core::Error;

namespace {

struct Kind {
  int status;
  std::string_view title;
  std::string_view detail;  // when the Error has none
};

// The single table from Errc to what HTTP clients see.
Kind kind_of(Errc code) {
  switch (code) {
    case Errc::invalid_request:
      return {400, "Invalid request", "The request is malformed; compare it with /api/openapi.yaml."};
    case Errc::invalid_json: return {400, "Invalid JSON", "The body is not the JSON object that this request takes."};
    case Errc::invalid_name:
      return {422, "Invalid name", "Choose a name of 1 to 255 bytes without '/' or control characters."};
    case Errc::invalid_id:
      return {400, "Invalid id", "An id in the request is not one that this server has given out."};
    case Errc::cursor_invalid: return {400, "Invalid cursor", "Start again without a cursor."};
    case Errc::chunk_frame_invalid:
      return {400, "Broken chunk framing", "The framed body is cut off or malformed; send it again."};
    case Errc::length_mismatch:
      return {422, "Length mismatch", "The content does not have the length that was declared."};
    case Errc::upload_incomplete: return {400, "Upload incomplete", "The body ended early; send it again or resume."};
    case Errc::unauthorized: return {401, "Not signed in", "Send an access token in the Authorization header."};
    case Errc::token_expired: return {401, "Token expired", "Get a new access token with the refresh token."};
    case Errc::token_invalid: return {401, "Token invalid", "The token is not valid here any more; sign in again."};
    case Errc::credentials_invalid:
      return {401, "Wrong email or password", "Check the email address and the password."};
    case Errc::forbidden: return {403, "Not allowed", "You may not do this; ask the owner for access."};
    case Errc::registration_closed: return {403, "Registration closed", "Ask the administrator for an account."};
    case Errc::device_limit:
      return {403, "Too many devices", "Remove a device that is not used any more and try again."};
    case Errc::not_found: return {404, "Not found", "There is nothing here, or you may not know of it."};
    case Errc::gone: return {404, "Gone", "It has been deleted; look in the trash."};
    case Errc::method_not_allowed:
      return {405, "Method not allowed", "The Allow header lists the methods of this address."};
    case Errc::email_taken: return {409, "Email taken", "An account with this email address exists; sign in instead."};
    case Errc::name_taken: return {409, "Name taken", "The folder already holds this name; choose another."};
    case Errc::cycle: return {409, "Folder inside itself", "A folder cannot be moved into itself or below itself."};
    case Errc::id_taken: return {409, "Id taken", "The chosen id is in use; choose a new one."};
    case Errc::dependency_failed:
      return {409, "Earlier operation failed", "An operation that this one builds on failed."};
    case Errc::cursor_relist: return {410, "Cursor too old", "List the whole tree again; deletions apply."};
    case Errc::cursor_resync: return {410, "History restarted", "List the whole tree again and merge; delete nothing."};
    case Errc::stale_base:
      return {412, "Changed meanwhile", "It changed since you last saw it; fetch it and decide again."};
    case Errc::file_too_large: return {413, "File too large", "The file is larger than the plan allows."};
    case Errc::body_too_large: return {413, "Body too large", "The body is larger than this request may have."};
    case Errc::unsupported_media_type:
      return {415, "Unsupported media type", "Send the body in the type that this request takes."};
    case Errc::range_invalid: return {416, "Range not satisfiable", "Ask for a range inside the content."};
    case Errc::password_weak: return {422, "Password too weak", "Choose a longer password that is not in common use."};
    case Errc::key_reused: return {422, "Key used for another request", "Use a new idempotency key for a new request."};
    case Errc::chunk_unknown: return {422, "Unknown chunk", "Send the missing chunks and commit again."};
    case Errc::chunk_hash_mismatch:
      return {422, "Chunk does not match its name", "The bytes changed on the way; send the chunk again."};
    case Errc::too_deep: return {422, "Too deep", "Folders may nest 128 deep at most."};
    case Errc::too_many_requests: return {429, "Too many requests", "Wait as long as Retry-After says."};
    case Errc::headers_too_large: return {431, "Header fields too large", "Send fewer or shorter header fields."};
    case Errc::internal: return {500, "Internal error", "Our fault; quote request_id when you report it."};
    case Errc::unavailable: return {503, "Unavailable", "Try again after the time in Retry-After."};
    case Errc::quota_exceeded: return {507, "Over quota", "Delete files for good or choose a larger plan."};
    case Errc::storage_full: return {507, "Storage full", "The server has no room left; tell its administrator."};
  }
  return {500, "Internal error", ""};
}

Response make_problem(int status, std::string_view title, std::string_view code, std::string_view detail,
                      std::string_view request_id, std::string_view extension) {
  const boost::json::object document{{"type", "about:blank"}, {"title", title},   {"status", status},
                                     {"code", code},          {"detail", detail}, {"request_id", request_id}};
  std::string text = boost::json::serialize(document);
  if (!extension.empty()) {
    text.back() = ',';
    text += extension;
    text += '}';
  }
  return Response::text(std::move(text), "application/problem+json", status);
}

// Seconds until a retry makes sense: the extension's retry_after when it names one.
std::string retry_after(const Error& error) {
  boost::system::error_code failed;
  const boost::json::value extension = boost::json::parse("{" + error.extension + "}", failed);
  if (!failed) {
    if (const auto* seconds = extension.as_object().if_contains("retry_after");
        seconds != nullptr && seconds->is_int64()) {
      return std::to_string(std::max<std::int64_t>(seconds->as_int64(), 1));
    }
  }
  return error.code == Errc::too_many_requests ? "10" : "2";
}

}  // namespace

int to_status(Errc code) { return kind_of(code).status; }

Response problem(const Error& error, std::string_view request_id) {
  const Kind kind = kind_of(error.code);
  Response response = make_problem(kind.status, kind.title, core::to_code(error.code),
                                   error.detail.empty() ? kind.detail : error.detail, request_id, error.extension);
  if (kind.status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (kind.status == 429 || kind.status == 503) response.headers.add("Retry-After", retry_after(error));
  return response;
}

Response protocol_problem(int status, std::string_view code, std::string_view detail, std::string_view request_id) {
  return make_problem(status, to_reason(status), code, detail, request_id, {});
}

std::string_view to_reason(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return status < 300 ? "OK" : status < 400 ? "Redirect" : status < 500 ? "Error" : "Server Error";
  }
}

}  // namespace clouddocs::net
