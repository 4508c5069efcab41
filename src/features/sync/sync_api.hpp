// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/auth/auth_service.hpp"
#include "features/storage/content_reader.hpp"
#include "features/storage/storage_service.hpp"
#include "features/sync/device_reports.hpp"
#include "features/sync/hub.hpp"
#include "net/router.hpp"

namespace clouddocs::sync {

using core::Result;
using core::Task;

// /api/sync but for the WebSocket: what docs/sync-protocol.md describes. Thread-safe.
class SyncApi {
 public:
  SyncApi(storage::StorageService& storage, storage::ContentReader& reader, auth::AuthService& auth, Hub& hub,
          DeviceReports& reports)
      : storage_(storage), reader_(reader), auth_(auth), hub_(hub), reports_(reports) {}

  // Adds the routes. REQUIRES: this outlives the router.
  void mount(net::Router& router);

 private:
  using Reply = Task<Result<net::Response>>;
  Reply spaces(net::Request& request);
  Reply changes(net::Request& request);
  Reply manifests(net::Request& request);
  Reply missing(net::Request& request);
  Reply store_chunks(net::Request& request);
  Reply fetch_chunks(net::Request& request);
  Reply commit(net::Request& request);
  Reply status(net::Request& request);
  Reply report(net::Request& request);

  storage::StorageService& storage_;
  storage::ContentReader& reader_;
  auth::AuthService& auth_;
  Hub& hub_;
  DeviceReports& reports_;
};

}  // namespace clouddocs::sync
