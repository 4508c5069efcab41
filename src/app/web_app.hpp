// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/bytes.hpp"
#include "net/http.hpp"

namespace clouddocs::app {

// A file of the built web app, embedded in the binary by cmake/embed_web.cmake.
struct WebAsset {
  const char* path;      // "/assets/index-abc.js"
  const char* encoding;  // "", "br", "gzip"
  const unsigned char* begin;
  const unsigned char* end;
};
std::span<const WebAsset> web_assets();

// Serves the web app: files by their path, precompressed where the browser takes it; any other path that looks like a page gets index.html, since
// the app routes by itself. Thread-safe.
class WebApp {
 public:
  WebApp();
  core::Result<net::Response> serve(const net::Request& request) const;

 private:
  struct File {
    std::shared_ptr<const std::string> plain;
    std::shared_ptr<const std::string> brotli;
    std::shared_ptr<const std::string> gzip;
    std::string type;
    std::string etag;
    bool immutable = false;
  };
  std::unordered_map<std::string, File> files_;
};

}  // namespace clouddocs::app
