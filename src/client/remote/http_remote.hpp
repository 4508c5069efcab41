// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "client/remote/api_client.hpp"
#include "client/remote/remote.hpp"

namespace clouddocs::client {

// The sync protocol over HTTP. Thread-safe.
class HttpRemote final : public Remote {
 public:
  explicit HttpRemote(ApiClient& api) : api_(api) {}
  core::Result<std::vector<Space>> spaces() override;
  core::Result<ChangesPage> changes(const SpaceId& space, const std::string& cursor, int limit) override;
  core::Result<std::vector<VersionContent>> manifests(const SpaceId& space,
                                                      const std::vector<VersionOf>& files) override;
  core::Result<> fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                       const FrameSink& sink) override;
  core::Result<std::vector<content::ChunkName>> missing(const SpaceId& space,
                                                        const std::vector<content::ChunkName>& names) override;
  core::Result<> store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) override;
  core::Result<BatchResult> commit(const Batch& batch) override;
  core::Result<> report(const std::vector<Unsynced>& unsynced) override;

 private:
  ApiClient& api_;
};

}  // namespace clouddocs::client
