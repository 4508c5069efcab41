// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/data_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/encoding.hpp"
#include "core/random.hpp"

namespace clouddocs::app {
namespace {

namespace json = boost::json;

constexpr std::size_t key_size = 32;

std::string random_key() {
  core::Bytes key(key_size);
  core::system_random().fill(key);
  return core::to_base64url(key);
}

core::Bytes decode_key(const json::value& value) {
  const auto& text = value.as_string();
  auto key = core::from_base64url(std::string_view(text.data(), text.size()));
  if (!key || key->size() < key_size) throw std::runtime_error("a key is too short");
  return std::move(*key);
}

// Written beside and linked into place, so that two processes that start at once agree on one file.
void create_secret_file(const std::filesystem::path& path, const std::string& text) {
  const std::string temporary = path.string() + "." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!written) {
    ::unlink(temporary.c_str());
    throw std::runtime_error("Cannot write " + path.string() + ". Is the disk full, or the folder not writable?");
  }
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0 && error != EEXIST) throw std::runtime_error("Cannot make " + path.string() + ".");
}

}  // namespace

DataFolder::DataFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  if (std::filesystem::create_directories(path_, error)) ::chmod(path_.c_str(), S_IRWXU);
  if (error || !std::filesystem::is_directory(path_)) {
    throw std::runtime_error("Cannot use " + path_.string() +
                             " as data folder: " + (error ? error.message() : std::string("it is not a folder")) + ".");
  }
  std::filesystem::create_directories(blobs(), error);
  if (error) throw std::runtime_error("Cannot make " + blobs().string() + ": " + error.message() + ".");
}

DataFolder::Secrets DataFolder::secrets() const {
  const auto file = path_ / "keys.json";
  if (!std::filesystem::exists(file)) {
    const json::object fresh{
        {"current", "k1"}, {"access_token_keys", {{"k1", random_key()}}}, {"master", random_key()}};
    create_secret_file(file, json::serialize(fresh) + "\n");
  }
  struct stat status{};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw std::runtime_error(file.string() + " can be read by others. Run: chmod 600 " + file.string());
  }
  try {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    const json::value value = json::parse(text.str());
    const json::object& object = value.as_object();
    Secrets secrets;
    secrets.access_tokens.current = std::string(object.at("current").as_string());
    for (const auto& [name, key] : object.at("access_token_keys").as_object()) {
      secrets.access_tokens.keys[std::string(name)] = decode_key(key);
    }
    secrets.master = decode_key(object.at("master"));
    if (!secrets.access_tokens.keys.contains(secrets.access_tokens.current)) throw std::runtime_error("no current key");
    return secrets;
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + " cannot be read (" + error.what() +
                             "). Restore it from a backup; without it everybody has to sign in again.");
  }
}

}  // namespace clouddocs::app
