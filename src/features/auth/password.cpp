// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/password.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/encoding.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;
using core::Error;

constexpr int max_waiting = 256;
constexpr unsigned long long passes = 2;
constexpr std::size_t memory = 19U << 20;

constexpr std::array<std::string_view, 20> common_passwords{
    "password",  "12345678", "123456789", "1234567890", "qwertyui", "qwerty123", "11111111",
    "password1", "iloveyou", "sunshine",  "princess",   "football", "baseball",  "superman",
    "trustno1",  "letmein1", "welcome1",  "admin123",   "passw0rd", "qwertyuiop"};

struct Counted {
  explicit Counted(std::atomic<int>& c) : counter(c) {}
  ~Counted() { --counter; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  std::atomic<int>& counter;
};

}  // namespace

PasswordHasher::PasswordHasher(unsigned threads) : pool_(threads) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be initialised");
  dummy_ = hash_now("no password is this one");
}

PasswordHasher::~PasswordHasher() { pool_.join(); }

std::string PasswordHasher::hash_now(std::string_view password) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be initialised");
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_argon2id_str(out.data(), password.data(), password.size(), passes, memory) != 0) {
    throw std::bad_alloc();
  }
  return out.data();
}

core::Result<> PasswordHasher::admit() {
  if (++waiting_ > max_waiting) {
    --waiting_;
    return Error(Errc::unavailable, "Too many people are signing in at this moment. Try again in a few seconds.");
  }
  return {};
}

core::Task<core::Result<std::string>> PasswordHasher::hash(std::string password) {
  CO_CHECK(admit());
  const Counted counted(waiting_);
  auto work = [&] { return hash_now(password); };
  co_return co_await core::blocking(pool_, work);
}

core::Task<core::Result<bool>> PasswordHasher::verify(std::string password, std::string hash) {
  CO_CHECK(admit());
  const Counted counted(waiting_);
  const bool known = !hash.empty();
  const std::string& against = known ? hash : dummy_;
  auto work = [&] { return crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0; };
  const bool equal = co_await core::blocking(pool_, work);
  co_return equal&& known;
}

core::Result<> check_new_password(std::string_view password, std::string_view email) {
  if (password.size() < 8) return Error(Errc::password_weak, "A password has at least 8 characters.");
  if (password.size() > 256) return Error(Errc::password_weak, "A password has at most 256 bytes.");
  std::string lower(password);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool same = std::all_of(lower.begin(), lower.end(), [&](char c) { return c == lower.front(); });
  const bool common = std::find(common_passwords.begin(), common_passwords.end(), lower) != common_passwords.end();
  if (same || common || lower == email) {
    return Error(Errc::password_weak, "This password is among the first that anyone would try. Choose another one.");
  }
  return {};
}

core::Result<std::string> normalise_email(std::string_view email) {
  const Error invalid(Errc::invalid_request, "This is not an e-mail address.", "\"field\":\"email\"");
  while (!email.empty() && email.front() == ' ') email.remove_prefix(1);
  while (!email.empty() && email.back() == ' ') email.remove_suffix(1);
  const auto at = email.rfind('@');
  if (email.size() > 254 || at == std::string_view::npos || at == 0 || at + 1 == email.size() ||
      !core::is_utf8(email)) {
    return invalid;
  }
  std::string out(email);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '"' || c == '<' || c == '>') return invalid;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (out.find('@') != at || out[at + 1] == '.' || out.back() == '.') return invalid;
  return out;
}

}  // namespace clouddocs::auth
