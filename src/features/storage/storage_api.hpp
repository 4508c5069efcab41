// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/access/authentication.hpp"
#include "features/access/signer.hpp"
#include "features/storage/listings.hpp"
#include "net/router.hpp"

namespace clouddocs::storage {

// /api/files and /api/trash. Thread-safe.
class StorageApi {
 public:
  StorageApi(StorageService& service, Listings& listings, ContentReader& reader, const access::Signer& tickets,
             const core::Clock& clock)
      : service_(service), listings_(listings), reader_(reader), tickets_(tickets), clock_(clock) {}

  // Adds the routes. REQUIRES: this outlives the router.
  void mount(net::Router& router);

 private:
  using Reply = Task<Result<net::Response>>;
  Reply list(net::Request& request);
  Reply create_folder(net::Request& request);
  Reply upload(net::Request& request);
  Reply download(net::Request& request);
  Reply metadata(net::Request& request);
  Reply change(net::Request& request);
  Reply remove(net::Request& request);
  Reply copy(net::Request& request);
  Reply versions(net::Request& request);
  Reply download_version(net::Request& request);
  Reply restore_version(net::Request& request);
  Reply download_url(net::Request& request);
  Reply trash(net::Request& request);
  Reply empty_trash(net::Request& request);
  Reply restore(net::Request& request);

  // The caller of a request for one file's content: a token, or a ticket made by download_url.
  Result<Caller> content_caller(const net::Request& request, FileId id) const;
  std::string make_ticket(const Caller& caller, FileId id, Timestamp expires) const;

  StorageService& service_;
  Listings& listings_;
  ContentReader& reader_;
  const access::Signer& tickets_;
  const core::Clock& clock_;
};

}  // namespace clouddocs::storage
