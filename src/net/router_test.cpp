// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/router.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace clouddocs::net {
namespace {

using core::Errc;
using core::Error;
using core::Result;
using core::Task;

template <class T>
T run(Task<T> task) {
  core::asio::io_context context;
  auto future = core::asio::co_spawn(context, std::move(task), core::asio::use_future);
  context.run();
  return future.get();
}

Handler named(std::string name) {
  return [name](Request&) -> Task<Result<Response>> { co_return Response::text(name); };
}

class RouterTest : public ::testing::Test {
 protected:
  Response ask(Method method, std::string path) {
    request = Request();
    request.method = method;
    request.path = std::move(path);
    return run(router.dispatch(request));
  }
  std::string text_of(std::string path, Method method = Method::get) {
    return std::get<std::string>(ask(method, std::move(path)).body);
  }

  Router router;
  Request request;
};

TEST_F(RouterTest, LiteralsWinOverParametersAndItGoesBack) {
  router.add(Method::get, "/api/files/{id}", named("file"));
  router.add(Method::get, "/api/files/upload", named("upload"));
  router.add(Method::get, "/api/files/{id}/versions/{n}", named("version"));
  router.add(Method::get, "/api/files/upload/{x}/done", named("done"));
  router.add(Method::get, "/", named("root"));
  EXPECT_EQ(text_of("/"), "root");
  EXPECT_EQ(text_of("/api/files/upload"), "upload");
  EXPECT_EQ(text_of("/api/files/a%2Fb%20c"), "file");
  EXPECT_EQ(request.parameter("id"), "a/b c");
  EXPECT_EQ(request.route, "/api/files/{id}");
  EXPECT_EQ(text_of("/api/files/upload/versions/7"), "version");
  EXPECT_EQ(request.parameter("id"), "upload");
  EXPECT_EQ(request.parameter("n"), "7");
  EXPECT_EQ(request.parameter("absent"), "");
  EXPECT_EQ(ask(Method::get, "/api/files/").status, 404);
  EXPECT_EQ(ask(Method::get, "/api/files/x/").status, 404);
  EXPECT_EQ(ask(Method::get, "/api/files").status, 404);
  EXPECT_EQ(ask(Method::get, "/api/files/%zz").status, 400);
}

TEST_F(RouterTest, LastSegmentCanTakeTheRest) {
  router.add(Method::get, "/dav/{path*}", named("dav"));
  router.add(Method::get, "/dav/special", named("special"));
  EXPECT_EQ(text_of("/dav/a/b%20c/d"), "dav");
  EXPECT_EQ(request.parameter("path"), "a/b c/d");
  EXPECT_EQ(text_of("/dav/special"), "special");
  EXPECT_EQ(text_of("/dav/special/x"), "dav");
  EXPECT_EQ(text_of("/dav/"), "dav");
  EXPECT_EQ(request.parameter("path"), "");
}

TEST_F(RouterTest, MethodsAreToldApart) {
  router.add(Method::get, "/a", named("get"));
  router.add(Method::post, "/a", named("post"));
  router.add(Method::other, "/a", named("other"));
  EXPECT_EQ(text_of("/a", Method::post), "post");
  EXPECT_EQ(text_of("/a", Method::head), "get");
  EXPECT_EQ(text_of("/a", Method::other), "other");
  const Response refused = ask(Method::del, "/a");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.find("Allow"), "GET, POST, HEAD, OPTIONS");
  EXPECT_EQ(ask(Method::options, "/a").headers.find("Allow"), "GET, POST, HEAD, OPTIONS");
  EXPECT_THROW(router.add(Method::get, "/a", named("again")), std::logic_error);
  EXPECT_THROW(router.add(Method::get, "a", named("relative")), std::logic_error);
  EXPECT_THROW(router.add(Method::get, "/{x*}/y", named("rest inside")), std::logic_error);
  EXPECT_EQ(router.routes().size(), 3U);
}

TEST_F(RouterTest, FallbackTakesReadsOnly) {
  router.add(Method::post, "/a", named("a"));
  router.set_fallback(named("app"));
  EXPECT_EQ(text_of("/anything/else"), "app");
  EXPECT_EQ(request.route, "");
  EXPECT_EQ(ask(Method::post, "/anything").status, 404);
  EXPECT_EQ(ask(Method::get, "/a").status, 405);
}

TEST_F(RouterTest, FiltersEndRequestsOfRoutesThatWantThem) {
  router.add(Method::get, "/limited", named("limited"));
  router.add(Method::get, "/free", named("free"), {.rate_limited = false});
  router.add_filter(
      [](Request&) -> Task<Result<>> { co_return Error(Errc::too_many_requests, "", "\"retry_after\":7"); });
  const Response limited = ask(Method::get, "/limited");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers.find("retry-after"), "7");
  EXPECT_EQ(text_of("/free"), "free");
}

TEST_F(RouterTest, ErrorsThrownAndReturnedBecomeProblems) {
  router.add(Method::get, "/returned", [](Request&) -> Task<Result<Response>> { co_return Errc::name_taken; });
  router.add(Method::get, "/thrown", [](Request&) -> Task<Result<Response>> {
    Result<int> failed = Error(Errc::stale_base, "d", "\"item\":{\"a\":1}");
    co_return Response::text(std::to_string(failed.value()));
  });
  EXPECT_EQ(ask(Method::get, "/returned").status, 409);
  const Response thrown = ask(Method::get, "/thrown");
  EXPECT_EQ(thrown.status, 412);
  const auto document = boost::json::parse(std::get<std::string>(thrown.body)).as_object();
  EXPECT_EQ(document.at("code"), "stale_base");
  EXPECT_EQ(document.at("detail"), "d");
  EXPECT_EQ(document.at("item").at("a"), 1);
}

TEST(Problem, EveryCodeHasStatusTitleAndDetail) {
  for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
    const Response response = problem(static_cast<Errc>(code), "id");
    const auto document = boost::json::parse(std::get<std::string>(response.body)).as_object();
    EXPECT_EQ(std::string_view(document.at("code").as_string()), core::to_code(static_cast<Errc>(code)));
    EXPECT_EQ(document.at("status"), response.status);
    EXPECT_EQ(document.at("request_id"), "id");
    EXPECT_FALSE(document.at("title").as_string().empty());
    EXPECT_FALSE(document.at("detail").as_string().empty());
    EXPECT_EQ(response.headers.find("WWW-Authenticate").has_value(), response.status == 401);
    EXPECT_EQ(response.headers.find("Retry-After").has_value(), response.status == 429 || response.status == 503);
  }
}

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("content-type", "b");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "a");
  headers.set("Content-type", "c");
  EXPECT_EQ(headers.fields().size(), 1U);
  EXPECT_EQ(headers.find("content-type"), "c");
  EXPECT_FALSE(headers.find("content").has_value());
}

class TextBody : public BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  std::optional<std::uint64_t> content_length() const override { return std::nullopt; }
  Task<Result<core::ByteView>> read() override {
    const auto piece = std::string_view(text_).substr(at_, 3);
    at_ += piece.size();
    co_return core::as_bytes(piece);
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

Errc json_error(const std::string& text, std::string_view type = "application/json") {
  TextBody body(text);
  Request request;
  request.body = &body;
  request.headers.add("Content-Type", type);
  const auto object = run(request.read_json(1000));
  return object.has_error() ? object.error().code : Errc::internal;
}

TEST(Request, ReadsJsonObjectsOnly) {
  EXPECT_EQ(json_error("{\"a\":1}"), Errc::internal);
  EXPECT_EQ(json_error("{\"a\":1}", "Application/JSON; charset=utf-8"), Errc::internal);
  EXPECT_EQ(json_error("{\"a\":1}", "application/merge-patch+json"), Errc::internal);
  EXPECT_EQ(json_error("{\"a\":1}", "text/plain"), Errc::unsupported_media_type);
  EXPECT_EQ(json_error("[1]"), Errc::invalid_json);
  EXPECT_EQ(json_error(""), Errc::invalid_json);
  EXPECT_EQ(json_error("{\"a\":1} x"), Errc::invalid_json);
  EXPECT_EQ(json_error("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"), Errc::invalid_json);
  EXPECT_EQ(json_error("{\"a\":\"" + std::string(1000, 'x') + "\"}"), Errc::body_too_large);
}

}  // namespace
}  // namespace clouddocs::net
