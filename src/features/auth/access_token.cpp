// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/access_token.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "core/encoding.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;
using core::Error;
namespace json = boost::json;

constexpr std::size_t max_token = 2'048;

content::Sha256 mac(core::ByteView key, std::string_view message) {
  content::Sha256 out{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(),
           reinterpret_cast<unsigned char*>(out.data()), &length) == nullptr) {
    throw std::runtime_error("cannot sign a token");
  }
  return out;
}

std::optional<json::object> parse_part(std::string_view part) {
  const auto bytes = core::from_base64url(part);
  if (!bytes) return std::nullopt;
  boost::system::error_code error;
  auto value = json::parse(core::as_text(*bytes), error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

std::string AccessTokens::make(const Claims& claims) const {
  const json::object header{{"alg", "HS256"}, {"typ", "JWT"}, {"kid", keyring_.current}};
  const auto exp = std::chrono::floor<std::chrono::seconds>(claims.expires_at).time_since_epoch().count();
  const json::object payload{{"user_id", core::to_text(claims.user)},
                             {"sid", core::to_text(claims.session)},
                             {"epoch", claims.epoch},
                             {"exp", exp}};
  std::string token = core::to_base64url(core::as_bytes(json::serialize(header))) + "." +
                      core::to_base64url(core::as_bytes(json::serialize(payload)));
  const auto signature = mac(keyring_.keys.at(keyring_.current), token);
  return token + "." + core::to_base64url(signature);
}

core::Result<Claims> AccessTokens::verify(std::string_view token, core::Timestamp now) const {
  const auto known = verified_.find(token);
  TRY(const Claims claims, known ? core::Result<Claims>(*known) : check(token));
  if (claims.expires_at <= now) return Error(Errc::token_expired, "The access token has expired. Refresh it.");
  if (!known) verified_.add(token, claims, now);
  return claims;
}

// Everything but the time. Errors: token_invalid.
core::Result<Claims> AccessTokens::check(std::string_view token) const {
  const Error invalid(Errc::token_invalid, "The access token is not valid. Sign in again.");
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (token.size() > max_token || first == std::string_view::npos || first == last) return invalid;
  const auto header = parse_part(token.substr(0, first));
  if (!header || text_of(*header, "alg") != "HS256") return invalid;
  const auto key = keyring_.keys.find(std::string(text_of(*header, "kid")));
  content::Sha256 signature{};
  if (key == keyring_.keys.end() || !core::from_base64url(token.substr(last + 1), signature)) return invalid;
  if (!core::equal_constant_time(mac(key->second, token.substr(0, last)), signature)) return invalid;

  const auto payload = parse_part(token.substr(first + 1, last - first - 1));
  if (!payload) return invalid;
  const auto user = core::parse_id<core::UserId>(text_of(*payload, "user_id"));
  const auto session = core::parse_id<core::SessionId>(text_of(*payload, "sid"));
  const auto* epoch = payload->if_contains("epoch");
  const auto* exp = payload->if_contains("exp");
  if (!user || !session || epoch == nullptr || !epoch->is_int64() || exp == nullptr || !exp->is_int64()) return invalid;
  return Claims{*user, *session, epoch->get_int64(), core::Timestamp(std::chrono::seconds(exp->get_int64()))};
}

}  // namespace clouddocs::auth
