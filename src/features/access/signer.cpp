// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/access/signer.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <memory>
#include <stdexcept>

#include "core/encoding.hpp"

namespace clouddocs::access {
namespace {

const unsigned char* raw(core::ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

Signer::Signer(core::ByteView secret, std::string_view purpose) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                            &EVP_PKEY_CTX_free);
  std::size_t length = key_.size();
  const auto info = core::as_bytes(purpose);
  const bool derived = context && EVP_PKEY_derive_init(context.get()) > 0 &&
                       EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) > 0 &&
                       EVP_PKEY_CTX_set1_hkdf_key(context.get(), raw(secret), static_cast<int>(secret.size())) > 0 &&
                       EVP_PKEY_CTX_add1_hkdf_info(context.get(), raw(info), static_cast<int>(info.size())) > 0 &&
                       EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(key_.data()), &length) > 0;
  if (!derived) throw std::runtime_error("cannot derive a key");
}

content::Sha256 Signer::sign(core::ByteView message) const {
  content::Sha256 mac{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), raw(message), message.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &length) == nullptr) {
    throw std::runtime_error("cannot sign");
  }
  return mac;
}

bool Signer::verify(core::ByteView message, core::ByteView signature) const {
  const auto expected = sign(message);
  return core::equal_constant_time(expected, signature);
}

}  // namespace clouddocs::access
