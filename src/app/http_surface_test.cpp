// SPDX-License-Identifier: AGPL-3.0-or-later
// The whole surface over a real world in a temporary folder, without sockets.
#include "app/http_surface.hpp"

#include <gtest/gtest.h>

#include "app/openapi.hpp"
#include "net/router_fixture.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::app {
namespace {

using boost::json::object;

class HttpSurfaceTest : public ::testing::Test {
 protected:
  static Config config_in(const std::filesystem::path& path) {
    Config config;
    config.data = path / "data";
    config.cors_origins = {"https://app.example.org"};
    return config;
  }
  const testing::TemporaryDirectory folder;
  World world{config_in(folder.path())};
  HistoryGuard history{*world.database, *world.blobs};
  HttpSurface surface{world, history};
  net::RouterClient http{surface.router()};
};

TEST_F(HttpSurfaceTest, IsReadyUntilItDrains) {
  EXPECT_EQ(http.get("/healthz").text("status"), "ok");
  EXPECT_EQ(http.get("/readyz").status, 200);
  surface.set_draining();
  const auto draining = http.get("/readyz");
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.json().at("checks").at("server").as_string(), "draining");
  EXPECT_EQ(http.get("/healthz").status, 200) << "a draining server is alive";
}

TEST_F(HttpSurfaceTest, TellsItsConfigurationContractAndMetrics) {
  EXPECT_TRUE(http.get("/api/config").json().at("registration_open").as_bool());
  const auto contract = http.get("/api/openapi.yaml");
  EXPECT_EQ(contract.header("Content-Type"), "application/yaml");
  EXPECT_EQ(contract.body, openapi_document());
  const auto metrics = http.get("/metrics");
  EXPECT_NE(metrics.body.find("clouddocs_push_sockets"), std::string::npos);
}

TEST_F(HttpSurfaceTest, APreflightOfAnAllowedOriginIsAnswered) {
  const auto preflight = http.ask(net::Method::options, "/api/files",
                                  {{"Origin", "https://app.example.org"}, {"Access-Control-Request-Method", "GET"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_NE(preflight.header("Access-Control-Allow-Methods").find("GET"), std::string::npos);
  EXPECT_NE(preflight.header("Access-Control-Allow-Headers").find("Authorization"), std::string::npos);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Credentials"), "");
  EXPECT_EQ(preflight.header("Vary"), "Origin");
  const auto answer = http.get("/api/files", {{"Origin", "https://app.example.org"}});
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://app.example.org") << "errors can be read too";
  EXPECT_EQ(answer.header("Access-Control-Allow-Headers"), "");
}

TEST_F(HttpSurfaceTest, AForeignOriginGetsNoCorsHeaders) {
  for (const std::string origin :
       {"https://evil.example.org", "null", "https://app.example.org.evil.org", "HTTPS://APP.EXAMPLE.ORG"}) {
    EXPECT_EQ(http.ask(net::Method::options, "/api/files", {{"Origin", origin}}).header("Access-Control-Allow-Origin"),
              "")
        << origin;
  }
  EXPECT_EQ(http.get("/healthz").header("Access-Control-Allow-Origin"), "");
}

TEST_F(HttpSurfaceTest, SecurityHeadersForbidFramingSniffingAndForeignScripts) {
  const auto headers = security_headers(false);
  EXPECT_NE(headers.find("Content-Security-Policy")->find("default-src 'self'"), std::string_view::npos);
  EXPECT_NE(headers.find("Content-Security-Policy")->find("frame-ancestors 'none'"), std::string_view::npos);
  EXPECT_EQ(headers.find("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(headers.find("X-Frame-Options"), "DENY");
  EXPECT_FALSE(headers.find("Strict-Transport-Security"));
  EXPECT_TRUE(security_headers(true).find("Strict-Transport-Security"));
}

TEST_F(HttpSurfaceTest, TheWebAppAnswersEveryPageAndNotTheApi) {
  const auto page = http.get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.header("Content-Type").starts_with("text/html"));
  EXPECT_EQ(page.header("Cache-Control"), "no-cache");
  EXPECT_EQ(http.get("/files/some/page").body, page.body) << "the app routes by itself";
  EXPECT_EQ(http.get("/", {{"If-None-Match", page.header("ETag")}}).status, 304);
  EXPECT_EQ(http.get("/assets/absent.js").status, 404);
  EXPECT_EQ(http.get("/api/absent").code(), "not_found");
  EXPECT_EQ(http.post("/files").status, 404);
}

TEST_F(HttpSurfaceTest, AnAccountCanUseIt) {
  world.run(world.database->migrate());
  const auto in = http.post("/api/auth/register", object{{"email", "ann@example.org"}, {"password", "correct horse"}});
  ASSERT_EQ(in.status, 201) << in.body;
  http.token = in.text("access_token");
  EXPECT_EQ(http.post("/api/files/folders", object{{"filename", "a"}}).status, 201);
  EXPECT_NE(http.get("/metrics").body.find("clouddocs_commits_total 1"), std::string::npos);
  EXPECT_EQ(http.get("/api/sync/status").status, 200);
}

// The contract and the router name the same paths.
TEST_F(HttpSurfaceTest, EveryRouteIsInTheContract) {
  const std::string contract(openapi_document());
  for (const auto& route : surface.router().routes()) {
    EXPECT_NE(contract.find("\n  " + route.pattern + ":"), std::string::npos) << route.pattern;
  }
}

TEST(World, ASecondLookFindsTheSameSecrets) {
  const testing::TemporaryDirectory folder;
  Config config;
  config.data = folder.path();
  {
    World first(config);
  }
  World second(config);
  EXPECT_EQ(second.config().data, folder.path());
  EXPECT_THROW(second.run([]() -> core::Task<> {
    throw std::logic_error("x");
    co_return;
  }()),
               std::logic_error);
}

}  // namespace
}  // namespace clouddocs::app
