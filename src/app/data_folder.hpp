// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>

#include "features/auth/access_token.hpp"

namespace clouddocs::app {

// The one folder that holds everything the server writes: clouddocs.db, blobs/, keys.json. Made on first use, for the owner's eyes only.
class DataFolder {
 public:
  // Throws std::runtime_error with a sentence for the operator.
  explicit DataFolder(std::filesystem::path path);

  std::filesystem::path database() const { return path_ / "clouddocs.db"; }
  std::filesystem::path blobs() const { return path_ / "blobs"; }
  const std::filesystem::path& path() const { return path_; }

  // The installation's secrets from keys.json, made on first use and readable by the owner only.
  struct Secrets {
    auth::Keyring access_tokens;
    core::Bytes master;  // refresh tokens and tickets are derived from it
  };
  Secrets secrets() const;

 private:
  std::filesystem::path path_;
};

}  // namespace clouddocs::app
