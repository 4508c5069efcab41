// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "client/engine/device.hpp"
#include "client/remote/remote.hpp"
#include "net/http_client.hpp"

namespace clouddocs::client {

// For tests: thrown where the process of a device is killed. Nothing in the client catches it.
struct Crash {};

// For tests: a network that loses requests and answers, delivers requests twice, and a process that is killed in the middle; all from a seed.
class FaultyRemote final : public Remote {
 public:
  FaultyRemote(Remote& inner, SeededRandom& random) : inner_(inner), random_(random) {}
  bool is_faulty = true;

  core::Result<std::vector<Space>> spaces() override {
    return call([&] { return inner_.spaces(); });
  }
  core::Result<ChangesPage> changes(const SpaceId& space, const std::string& cursor, int limit) override {
    return call([&] { return inner_.changes(space, cursor, limit); });
  }
  core::Result<std::vector<VersionContent>> manifests(const SpaceId& space,
                                                      const std::vector<VersionOf>& files) override {
    return call([&] { return inner_.manifests(space, files); });
  }
  core::Result<> fetch(const SpaceId& space, const std::vector<content::ChunkName>& names,
                       const FrameSink& sink) override {
    return call([&] { return inner_.fetch(space, names, sink); }, false);
  }
  core::Result<std::vector<content::ChunkName>> missing(const SpaceId& space,
                                                        const std::vector<content::ChunkName>& names) override {
    return call([&] { return inner_.missing(space, names); });
  }
  core::Result<> store(const SpaceId& space, std::span<const core::ByteView> chunk_stream) override {
    return call([&] { return inner_.store(space, chunk_stream); });
  }
  core::Result<BatchResult> commit(const Batch& batch) override {
    return call([&] { return inner_.commit(batch); });
  }
  core::Result<> report(const std::vector<Unsynced>& unsynced) override { return inner_.report(unsynced); }

 private:
  bool happens(unsigned percent) { return is_faulty && random_.next() % 100 < percent; }
  template <class F>
  std::invoke_result_t<F&> call(F send, bool may_repeat = true) {
    if (happens(2)) throw Crash();
    if (happens(4)) throw net::NetworkError("request lost");
    if (may_repeat && happens(4)) static_cast<void>(send());
    auto answer = send();
    if (happens(4)) throw net::NetworkError("answer lost");
    if (happens(2)) throw Crash();
    return answer;
  }

  Remote& inner_;
  SeededRandom& random_;
};

}  // namespace clouddocs::client
