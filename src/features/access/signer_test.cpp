// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/access/signer.hpp"

#include <gtest/gtest.h>

namespace clouddocs::access {
namespace {

TEST(Signer, VerifiesWhatItSignedAndNothingElse) {
  const core::Bytes secret(32, std::byte{7});
  const Signer signer(secret, "download ticket");
  const auto message = core::as_bytes("message");
  const auto signature = signer.sign(message);
  EXPECT_TRUE(signer.verify(message, signature));
  EXPECT_FALSE(signer.verify(core::as_bytes("massage"), signature));
  EXPECT_FALSE(signer.verify(message, core::ByteView(signature).first(31)));
  EXPECT_FALSE(signer.verify(message, {}));
  auto changed = signature;
  changed[31] ^= std::byte{1};
  EXPECT_FALSE(signer.verify(message, changed));
}

TEST(Signer, AnotherPurposeOrSecretIsAnotherKey) {
  const core::Bytes secret(32, std::byte{7});
  const auto message = core::as_bytes("message");
  const auto signature = Signer(secret, "download ticket").sign(message);
  EXPECT_FALSE(Signer(secret, "refresh token").verify(message, signature));
  EXPECT_FALSE(Signer(core::Bytes(32, std::byte{8}), "download ticket").verify(message, signature));
  EXPECT_TRUE(Signer(secret, "download ticket").verify(message, signature))
      << "derived, so that every node has the same";
}

}  // namespace
}  // namespace clouddocs::access
