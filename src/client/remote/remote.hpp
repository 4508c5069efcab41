// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/tree/node.hpp"
#include "content/chunk_stream.hpp"
#include "content/manifest.hpp"
#include "core/error.hpp"
#include "core/ids.hpp"

namespace clouddocs::client {

using core::FileId;
using core::SpaceId;

// A row as the server describes it (docs/sync-protocol.md, "Items").
struct Item {
  Node node;
  bool is_trashed = false;
  bool is_purged = false;
};

struct Space {
  SpaceId space;
  std::string kind;
  std::string name;
  NodeId root;
  std::string cursor;
};

struct ChangesPage {
  std::vector<Item> items;
  std::string cursor;
  bool at_head = false;
};

struct VersionOf {
  NodeId id;
  std::int64_t version = 0;  // 0: the current one
};
struct VersionContent {
  NodeId id;
  std::int64_t version = 0;
  content::Sha256 content_id{};
  content::Manifest manifest;
  bool is_found = false;
};

struct Operation {
  enum class Type : std::uint8_t { put, symlink, mkdir, move, meta, del, restore };
  Type type = Type::put;
  NodeId id;
  NodeId parent;
  std::string name;
  std::int64_t base_version = 0;
  std::int64_t base_seq = 0;
  std::int64_t size = 0;
  content::Manifest manifest;
  content::Sha256 sha256{};
  std::int64_t modified_at = 0;
  bool executable = false;
  std::string target;
  std::string seen;
};

// Operations that are sent, and sent again, as they are: `key` makes a retry harmless.
struct Batch {
  SpaceId space;
  std::string key;
  std::vector<Operation> operations;
};

struct OperationResult {
  int status = 0;
  core::Errc code = core::Errc::internal;  // unless status is 200
  std::string detail;
  std::optional<Item> item;
  bool is_ok() const { return status == 200; }
};

struct BatchResult {
  std::vector<OperationResult> results;
  std::string from;    // the head before the batch
  std::string cursor;  // and after it
};

struct Unsynced {
  std::string path;
  std::string reason;
  auto operator<=>(const Unsynced&) const = default;
};

// The server answered something that it must not (wrong form, missing members).
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a device needs of the server: the sync protocol as plain blocking calls. Thread-safe. Implementations: HTTP (http_remote.hpp), and a model for
// tests (model_server.hpp). All throw net::NetworkError when there was no answer: the request may or may not have been carried out.
class Remote {
 public:
  virtual ~Remote() = default;
  virtual core::Result<std::vector<Space>> spaces() = 0;
  // Errors: cursor_relist, cursor_resync, cursor_invalid. `cursor` empty: from the beginning.
  virtual core::Result<ChangesPage> changes(const SpaceId& space, const std::string& cursor, int limit) = 0;
  // At most 1,000 files.
  virtual core::Result<std::vector<VersionContent>> manifests(const SpaceId& space,
                                                              const std::vector<VersionOf>& files) = 0;
  // At most 10,000 names and 64 MiB in sum. `sink` gets the frames in the order asked; false stops.
  using FrameSink = std::function<bool(content::ChunkStreamParser::Frame)>;
  virtual core::Result<> fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                               const FrameSink& sink) = 0;
  // At most 10,000.
  virtual core::Result<std::vector<content::ChunkName>> missing(const SpaceId& space,
                                                                const std::vector<content::ChunkName>& names) = 0;
  // A chunk stream of at most 64 MiB, in pieces. Errors: chunk_hash_mismatch, quota_exceeded, chunk_frame_invalid.
  virtual core::Result<> store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) = 0;
  virtual core::Result<BatchResult> commit(const Batch& batch) = 0;
  virtual core::Result<> report(const std::vector<Unsynced>& unsynced) = 0;
};

}  // namespace clouddocs::client
