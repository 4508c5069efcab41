// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/web_app.hpp"

#include "content/sha256.hpp"
#include "core/encoding.hpp"
#include "features/storage/name.hpp"

namespace clouddocs::app {
namespace {

constexpr std::string_view no_app =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>CloudDocs</title><p>CloudDocs is running. This "
    "build holds no web "
    "app: run <code>./dev run</code>, or build web/ before the server.";

std::string type_of(std::string_view path) {
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  if (path.ends_with(".woff2")) return "font/woff2";
  if (path.ends_with(".webmanifest")) return "application/manifest+json";
  return std::string(storage::guess_mime(path));
}

bool accepts(const net::Request& request, std::string_view coding) {
  const auto header = request.headers.find("Accept-Encoding");
  return header && header->find(coding) != std::string_view::npos;
}

}  // namespace

WebApp::WebApp() {
  for (const auto& asset : web_assets()) {
    File& file = files_[asset.path];
    auto bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(asset.begin),
                                                     static_cast<std::size_t>(asset.end - asset.begin));
    const std::string_view encoding = asset.encoding;
    if (encoding == "br") {
      file.brotli = std::move(bytes);
    } else if (encoding == "gzip") {
      file.gzip = std::move(bytes);
    } else {
      file.etag = "\"" + core::to_hex(content::sha256(core::as_bytes(*bytes))).substr(0, 32) + "\"";
      file.plain = std::move(bytes);
    }
    file.type = type_of(asset.path);
    file.immutable = std::string_view(asset.path).starts_with("/assets/");
  }
  if (!files_.contains("/index.html")) {
    File& page = files_["/index.html"];
    page.plain = std::make_shared<const std::string>(no_app);
    page.type = "text/html; charset=utf-8";
    page.etag = "\"none\"";
  }
}

core::Result<net::Response> WebApp::serve(const net::Request& request) const {
  auto found = files_.find(request.path);
  if (found == files_.end()) {
    const auto last = request.path.rfind('/');
    const bool is_page = !request.path.starts_with("/api/") && request.path.find('.', last) == std::string::npos;
    if (!is_page) return core::Error(core::Errc::not_found, "There is nothing at this address.");
    found = files_.find("/index.html");
  }
  const File& file = found->second;
  net::Response response;
  response.headers.add("ETag", file.etag);
  response.headers.add("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.add("Vary", "Accept-Encoding");
  if (request.headers.find("If-None-Match") == std::string_view(file.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", file.type);
  if (file.brotli && accepts(request, "br")) {
    response.headers.add("Content-Encoding", "br");
    response.body = file.brotli;
  } else if (file.gzip && accepts(request, "gzip")) {
    response.headers.add("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = file.plain;
  }
  return response;
}

}  // namespace clouddocs::app
