// SPDX-License-Identifier: AGPL-3.0-or-later
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "net/http_client.hpp"
#include "net/server_fixture.hpp"
#include "net/websocket.hpp"

namespace clouddocs::net {
namespace {

using namespace std::chrono_literals;
using core::Result;
using core::Task;

// A self-signed certificate for 127.0.0.1 and its key, as PEM files.
void make_certificate(const std::filesystem::path& certificate_file, const std::filesystem::path& key_file) {
  EVP_PKEY* key = ::EVP_EC_gen("P-256");
  X509* certificate = ::X509_new();
  ::X509_set_version(certificate, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -60);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 3600);
  ::X509_set_pubkey(certificate, key);
  X509_NAME* name = ::X509_get_subject_name(certificate);
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  ::X509_set_issuer_name(certificate, name);
  X509_EXTENSION* names = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  ::X509_add_ext(certificate, names, -1);
  ::X509_EXTENSION_free(names);
  ::X509_sign(certificate, key, ::EVP_sha256());
  FILE* out = std::fopen(certificate_file.c_str(), "w");
  ::PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(key_file.c_str(), "w");
  ::PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  ::X509_free(certificate);
  ::EVP_PKEY_free(key);
}

class TlsTest : public ::testing::Test, protected ServerFixture {
 protected:
  TlsTest() {
    char pattern[] = "/tmp/clouddocs-tls-XXXXXX";
    folder = ::mkdtemp(pattern);
    config.tls_certificate = folder / "certificate.pem";
    config.tls_key = folder / "key.pem";
    config.idle_timeout = 10s;
    make_certificate(config.tls_certificate, config.tls_key);
    router.add(Method::get, "/hello", [](Request& request) -> Task<Result<Response>> {
      co_return Response::text(request.secure ? "secure" : "plain");
    });
    router.add(Method::post, "/echo",
               [](Request& request) -> Task<Result<Response>> {
                 CO_TRY(std::string text, co_await request.read_text(64U << 20));
                 co_return Response::text(std::move(text));
               },
               {.body_limit = 64U << 20});
    router.add(Method::get, "/file", [](Request&) -> Task<Result<Response>> {
      const int fd = ::memfd_create("content", 0);
      const std::string content(5'000'000, 'f');
      if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        co_return core::Errc::internal;
      const std::shared_ptr<const void> owner(nullptr, [fd](const void*) { ::close(fd); });
      Response response;
      response.body = BodyParts{{std::make_shared<const std::string>("head"), FileRegion{owner, fd, 0, content.size()}},
                                content.size() + 4};
      co_return response;
    });
    router.add(Method::get, "/ws", [](Request&) -> Task<Result<Response>> {
      Response response;
      response.body = WebSocketSession([](WebSocket& socket) -> Task<> {
        while (true) {
          const auto message = co_await socket.read(4U << 20, 10s);
          if (message.has_error()) co_return;
          while (!socket.try_send(make_text_frame(*message))) co_await core::sleep_for(1ms);
        }
      });
      co_return response;
    });
  }
  ~TlsTest() override { std::filesystem::remove_all(folder); }

  HttpClient::Response send(HttpClient& client, std::string method, const std::string& path, std::string body = {}) {
    HttpClient::Request request;
    request.method = std::move(method);
    request.url = "https://127.0.0.1:" + std::to_string(port()) + path;
    request.body = std::move(body);
    return client.send(request);
  }
  HttpClient::Options trusting() {
    return {.connect_timeout = 5s, .stall_timeout = 5s, .user_agent = "", .ca_file = config.tls_certificate};
  }

  std::filesystem::path folder;
};

TEST_F(TlsTest, CarriesRequestsBodiesAndFiles) {
  start();
  HttpClient client(trusting());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(client, "GET", "/hello").body, "secure");
  for (const std::size_t size : {0U, 1U, 16384U, 16385U, 300'000U, 9'000'001U}) {
    const std::string content(size, 'c');
    EXPECT_TRUE(send(client, "POST", "/echo", content).body == content) << size;
  }
  EXPECT_TRUE(send(client, "GET", "/file").body == "head" + std::string(5'000'000, 'f'));
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(TlsTest, CertificatesAreVerified) {
  start();
  HttpClient client(HttpClient::Options{});
  EXPECT_THROW(send(client, "GET", "/hello"), NetworkError);
  EXPECT_THROW(WebSocketClient("wss://127.0.0.1:" + std::to_string(port()) + "/ws", {}, 5s), NetworkError);
}

TEST_F(TlsTest, WebSocketsWork) {
  start();
  WebSocketClient socket("wss://127.0.0.1:" + std::to_string(port()) + "/ws", {}, 5s, config.tls_certificate);
  for (const std::size_t size : {1U, 20'000U, 3'000'000U}) {
    const std::string message(size, 'm');
    std::thread writer([&] { socket.send(message); });
    EXPECT_TRUE(socket.read(10s) == message) << size;
    writer.join();
  }
  EXPECT_FALSE(socket.read(10ms).has_value());
  std::thread drainer([&] { server->drain(5s); });
  EXPECT_THROW(socket.read(10s), NetworkError);
  drainer.join();
}

TEST_F(TlsTest, PlainSpeakersAndSilentOnesAreCut) {
  start();
  RawClient plain(port());
  plain.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(plain.is_closed(2s));
  RawClient silent(port());
  EXPECT_TRUE(silent.is_closed(5s));
}

TEST_F(TlsTest, ReloadUsesTheNewCertificateAndSurvivesABadOne) {
  start();
  const auto other = folder / "other.pem";
  std::filesystem::copy_file(config.tls_certificate, other);
  {
    std::ofstream(config.tls_key) << "garbage";
  }
  EXPECT_THROW(server->reload_certificate(), std::runtime_error);
  HttpClient old(trusting());
  EXPECT_EQ(send(old, "GET", "/hello").status, 200);
  make_certificate(config.tls_certificate, config.tls_key);
  server->reload_certificate();
  HttpClient fresh(trusting());
  EXPECT_EQ(send(fresh, "GET", "/hello").status, 200);
  auto options = trusting();
  options.ca_file = other;
  HttpClient outdated(options);
  EXPECT_THROW(send(outdated, "GET", "/hello"), NetworkError);
}

TEST_F(TlsTest, UnusableFilesAreNamed) {
  config.tls_certificate = folder / "absent.pem";
  try {
    start();
    ADD_FAILURE();
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("absent.pem"), std::string::npos);
  }
}

}  // namespace
}  // namespace clouddocs::net
