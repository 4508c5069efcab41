// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "client/engine/sync_engine.hpp"
#include "client/scan/local_name.hpp"
#include "content/chunker.hpp"
#include "content/manifest.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {

// For tests: randomness from a seed.
class SeededRandom final : public core::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override {
    for (auto& b : out) b = static_cast<std::byte>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// For tests: a clock that stands still until told.
class SetClock final : public core::Clock {
 public:
  core::Timestamp now() const override { return at; }
  core::Timestamp at = core::from_micros(1'763'856'000'000'000);  // 2025-11-23
};

// For tests: a folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "clouddocs-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path path;
};

// For tests: a device with a folder, a state file and an engine over a Remote; crash() forgets everything that a killed process forgets.
class Device {
 public:
  Device(std::string name, Remote& remote, const core::Clock& clock, core::Random& random, unsigned threads = 0)
      : name_(std::move(name)), remote_(remote), clock_(clock), random_(random), threads_(threads) {
    std::filesystem::create_directories(root());
    crash();
  }

  std::filesystem::path root() const { return home_.path / "folder"; }
  SyncReport sync(const std::optional<std::set<std::string>>& changed = std::nullopt) {
    return engine_->sync_once(changed);
  }
  void crash() {
    engine_.reset();
    state_ = std::make_unique<State>(home_.path / "state.db");
    SyncOptions options;
    options.root = root();
    options.device_name = name_;
    options.threads = threads_;
    options.page_size = 7;  // many pages
    options.allow_mass_delete = [this](std::size_t, std::size_t, bool) { return allow_mass_delete; };
    engine_ = std::make_unique<SyncEngine>(std::move(options), *state_, remote_, clock_, random_);
  }

  void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories((root() / path).parent_path());
    std::ofstream(root() / path, std::ios::binary) << text;
  }
  std::string read(const std::string& path) const { return read_whole(root() / path); }
  bool has(const std::string& path) const { return find_stat(root() / path).has_value(); }
  void move(const std::string& from, const std::string& to) { std::filesystem::rename(root() / from, root() / to); }
  void remove(const std::string& path) { std::filesystem::remove_all(root() / path); }

  // In the form of ModelServer::listing().
  std::set<std::string> listing() const {
    std::set<std::string> out;
    for (auto at = std::filesystem::recursive_directory_iterator(root());
         at != std::filesystem::recursive_directory_iterator(); ++at) {
      if (at->path().filename() == own_folder) {
        at.disable_recursion_pending();
        continue;
      }
      auto path = "/" + at->path().lexically_relative(root()).string();
      if (at->is_symlink()) {
        path += " -> " + std::filesystem::read_symlink(at->path()).string();
      } else if (at->is_directory()) {
        path += "/";
      } else {
        path += (find_stat(at->path())->executable ? " x " : " - ") +
                core::to_hex(core::ByteView(content_id_of(at->path())).first(8));
      }
      out.insert(path);
    }
    return out;
  }
  static content::Sha256 content_id_of(const std::filesystem::path& path) {
    const auto text = read_whole(path);
    std::vector<content::ChunkRef> chunks;
    content::Chunker chunker;
    for (auto rest = core::as_bytes(text); !rest.empty();) {
      bool boundary = false;
      const auto size = chunker.next(rest, boundary);
      chunks.push_back({content::name_of(rest.first(size)), size});
      rest = rest.subspan(size);
    }
    return content::content_id(chunks);
  }

  bool allow_mass_delete = false;

 private:
  std::string name_;
  Remote& remote_;
  const core::Clock& clock_;
  core::Random& random_;
  unsigned threads_;
  TemporaryFolder home_;
  std::unique_ptr<State> state_;
  std::unique_ptr<SyncEngine> engine_;
};

}  // namespace clouddocs::client
