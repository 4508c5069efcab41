// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace clouddocs::content {
namespace {

void require(int outcome) {
  if (outcome != 1) throw std::runtime_error("SHA-256 is not available from OpenSSL");
}

// Fetched once: looking an algorithm up by name costs more than hashing a small file.
const EVP_MD* algorithm() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                       EVP_MD_free);
  return fetched.get();
}

}  // namespace

struct Sha256Hasher::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  State() { start(); }
  void start() { require(EVP_DigestInit_ex2(context.get(), algorithm(), nullptr)); }
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {}
Sha256Hasher::~Sha256Hasher() = default;
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;

void Sha256Hasher::update(core::ByteView bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

Sha256 Sha256Hasher::finish() {
  Sha256 out{};
  require(EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr));
  state_->start();
  return out;
}

Sha256 sha256(core::ByteView bytes) {
  thread_local Sha256Hasher hasher;  // a context costs more than a small input
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace clouddocs::content
