// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/remote/http_remote.hpp"

#include <thread>

#include "client/remote/codec.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr std::size_t reported_items = 100;
constexpr int fetch_attempts = 6;

}  // namespace

core::Result<std::vector<Space>> HttpRemote::spaces() {
  TRY(const auto body, api_.send({"GET", "/api/sync/spaces"}));
  return parse_spaces(body);
}

core::Result<ChangesPage> HttpRemote::changes(const SpaceId& space, const std::string& cursor, int limit) {
  auto path = "/api/sync/changes?space=" + core::to_text(space) + "&limit=" + std::to_string(limit);
  if (!cursor.empty()) path += "&cursor=" + core::percent_encode(cursor);
  TRY(const auto body, api_.send({"GET", path}));
  return parse_changes(body);
}

core::Result<std::vector<VersionContent>> HttpRemote::manifests(const SpaceId& space,
                                                                const std::vector<VersionOf>& files) {
  TRY(const auto body, api_.send({"POST", "/api/sync/manifests", manifests_to_json(space, files)}));
  return parse_manifests(body);
}

// An answer that is cut off is continued with what is still to come.
core::Result<> HttpRemote::fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                                 const FrameSink& sink) {
  std::size_t taken = 0;
  for (int attempt = 1;; ++attempt) {
    content::ChunkStreamParser parser;
    std::optional<core::Error> broken;
    bool is_stopped = false;
    ApiClient::Call call{"POST", "/api/sync/chunks/fetch",
                         chunks_to_json(space, {names.begin() + static_cast<std::ptrdiff_t>(taken), names.end()})};
    call.sink = [&](core::ByteView bytes) {
      while (!is_stopped) {
        auto frame = parser.next(bytes);
        if (frame.has_error()) broken = frame.error();
        if (frame.has_error()) return false;
        if (!*frame) return true;
        ++taken;
        is_stopped = !sink(std::move(**frame));
      }
      return false;
    };
    try {
      const auto answer = api_.send(call);
      if (answer.has_error()) return answer.error();
      if (parser.is_finished()) return {};
    } catch (const net::NetworkError&) {
      if (is_stopped) return {};
      if (broken) return *broken;
      if (attempt == fetch_attempts) throw;
    }
    if (attempt == fetch_attempts) throw net::NetworkError("the server's answer was cut off");
    std::this_thread::sleep_for(std::chrono::milliseconds(100 << attempt));
  }
}

core::Result<std::vector<content::ChunkName>> HttpRemote::missing(const SpaceId& space,
                                                                  const std::vector<content::ChunkName>& names) {
  TRY(const auto body, api_.send({"POST", "/api/sync/chunks/missing", chunks_to_json(space, names)}));
  return parse_missing(body);
}

core::Result<> HttpRemote::store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) {
  ApiClient::Call call{"POST", "/api/sync/chunks?space=" + core::to_text(space)};
  call.upload = chunk_stream;
  call.content_type = content::chunk_stream_type;
  TRY_CHECK(api_.send(call));
  return {};
}

core::Result<BatchResult> HttpRemote::commit(const Batch& batch) {
  TRY(const auto body, api_.send({"POST", "/api/sync/commit", batch_to_json(batch)}));
  return parse_batch_result(body);
}

core::Result<> HttpRemote::report(const std::vector<Unsynced>& unsynced) {
  boost::json::array items;
  for (std::size_t i = 0; i < std::min(unsynced.size(), reported_items); ++i) {
    items.push_back(boost::json::object{{"path", unsynced[i].path}, {"reason", unsynced[i].reason}});
  }
  TRY_CHECK(api_.send(
      {"POST", "/api/sync/report", boost::json::serialize(boost::json::object{{"unsynced", std::move(items)}})}));
  return {};
}

}  // namespace clouddocs::client
