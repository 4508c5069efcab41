// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.hpp"

namespace clouddocs::net {
namespace {

using core::Result;
using core::Task;
using ::testing::HasSubstr;

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.counter("things_total", "Things", {{"kind", "a"}}).add(2);
  metrics.counter("things_total", "Things", {{"kind", "a"}}).add();
  metrics.counter("things_total", "Things", {{"kind", "b"}}).add();
  Gauge& level = metrics.gauge("level", "Level");
  metrics.on_collect([&] { level.set(7); });
  metrics.histogram("seconds", "Seconds", {0.1, 1}).observe(0.5);
  const std::string text = metrics.serialise();
  EXPECT_THAT(text, HasSubstr("things_total{kind=\"a\"} 3"));
  EXPECT_THAT(text, HasSubstr("things_total{kind=\"b\"} 1"));
  EXPECT_THAT(text, HasSubstr("level 7"));
  EXPECT_THAT(text, HasSubstr("seconds_bucket{le=\"1\"} 1"));
  EXPECT_THROW(metrics.counter("not a name", ""), std::invalid_argument);
}

TEST(Metrics, RequestsAreCountedByRouteMethodAndStatus) {
  Metrics metrics;
  ServerFixture fixture;
  fixture.router.add(Method::get, "/a/{id}", [](Request&) -> Task<Result<Response>> { co_return Response::text("x"); });
  fixture.start(make_request_metrics(metrics));
  RawClient client(fixture.port());
  for (int i = 0; i < 3; ++i) client.ask("GET /a/" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  client.ask("POST /b HTTP/1.1\r\nHost: x\r\n\r\n");
  fixture.server->drain(std::chrono::seconds(1));
  const std::string text = metrics.serialise();
  EXPECT_THAT(text, HasSubstr("clouddocs_http_requests_total{method=\"GET\",route=\"/a/{id}\",status=\"200\"} 3"));
  EXPECT_THAT(text, HasSubstr("clouddocs_http_requests_total{method=\"POST\",route=\"none\",status=\"404\"} 1"));
  EXPECT_THAT(text, HasSubstr("clouddocs_http_request_seconds_count{route=\"/a/{id}\"} 3"));
}

}  // namespace
}  // namespace clouddocs::net
