#include "core/http/curl_client.h"

#include <string>

#include "tests/core/http/http_client_fixture.h"

namespace sessionlogd {
namespace {

TEST_F(HttpClientTest, DecodesGzip) {
  const std::string text(100'000, 'z');
  TestServer server([&](const Request& request) -> Reply {
    EXPECT_THAT(std::string(request["Accept-Encoding"]), HasSubstr("gzip"));
    if (request.target() == "/broken") return response("\x1f\x8b not gzip at all", {"Content-Encoding: gzip"});
    return response(test::gzip(text), {"Content-Encoding: gzip"});
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->body.text(), text);
  EXPECT_EQ(failure(*endpoint, get("/broken")).kind, ErrorKind::kBadResponse);
}

TEST_F(HttpClientTest, DecodesWholeGzipOnly) {
  const std::string text(100'000, 'z'), packed = test::gzip(text);
  TestServer server([&](const Request& request) -> Reply {
    const std::vector<std::string> gzip{"Content-Encoding: gzip"};
    if (request.target() == "/two") return response(packed + test::gzip("and more"), gzip);
    if (request.target() == "/nothing") return response("", gzip);
    if (request.target() == "/cut") return response(packed.substr(0, packed.size() - 1), gzip);
    if (request.target() == "/more") return response(packed + "<html>", gzip);
    return response(
        std::string(packed).replace(packed.size() - 8, 1, 1, static_cast<char>(packed[packed.size() - 8] ^ 1)), gzip);
  });
  auto endpoint = open(to(server));
  const auto two = send(*endpoint, get("/two"));
  ASSERT_TRUE(two) << two.error().detail;
  EXPECT_EQ(two->body.text(), text + "and more");
  EXPECT_TRUE(send(*endpoint, get("/nothing")));
  for (const char* target : {"/cut", "/more", "/wrong-sum"}) {
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, ErrorKind::kBadResponse) << target;
    EXPECT_THAT(error.detail, HasSubstr("no whole gzip")) << target;
  }
}

// Neither ends, nor does anything come of it that the cap of a body would hold.
TEST_F(HttpClientTest, RefusesWhatTakesTheWireAndBringsNothing) {
  constexpr std::size_t kEndless = 128u << 20;
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string tiny, small;
  while (tiny.size() < kEndless / 2) tiny += "1\r\n \r\n";
  for (int i = 0; i < 500'000; ++i) small += "10\r\n0123456789abcdef\r\n";
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() == "/extension") return Reply(head + "5;" + std::string(kEndless, 'a'), Then::kSilence);
    if (request.target() == "/tiny") return Reply(head + tiny, Then::kSilence);
    return Reply(head + small + "0\r\n\r\n");
  });
  EndpointOptions options = to(server);
  options.timeout = std::chrono::seconds(50);
  auto endpoint = open(options);
  for (const char* target : {"/extension", "/tiny"}) {
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, ErrorKind::kBadResponse) << target << ": " << error.detail;
    EXPECT_THAT(error.detail, HasSubstr("many times its own length")) << target;
  }
  const auto in_small_chunks = send(*endpoint, get("/small"));
  ASSERT_TRUE(in_small_chunks) << in_small_chunks.error().detail;
  EXPECT_EQ(in_small_chunks->body.size(), 8'000'000u);
}

TEST_F(HttpClientTest, RefusesCodingsItDidNotAskFor) {
  TestServer server([](const Request& request) -> Reply {
    EXPECT_EQ(request["Accept-Encoding"], "gzip");
    if (request.target() == "/twice") return response("{}", {"Content-Encoding: gzip", "Content-Encoding: gzip"});
    if (request.target() == "/identity") return response("{}", {"Content-Encoding: identity"});
    return response("{}", {"Content-Encoding: " + std::string(request.target().substr(1))});
  });
  auto endpoint = open(to(server));
  for (const char* coding : {"/br", "/zstd", "/deflate", "/gzip,gzip", "/twice"}) {
    const Error error = failure(*endpoint, get(coding));
    EXPECT_EQ(error.kind, ErrorKind::kBadResponse) << coding;
    EXPECT_THAT(error.detail, HasSubstr("was not asked for")) << coding;
  }
  EXPECT_TRUE(send(*endpoint, get("/identity")));
}

// What is left over is never taken for the response to the next request.
TEST_F(HttpClientTest, EndsAResponseWhereItsLengthSays) {
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/short")
      return Reply("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}   HTTP/1.1 200 OK\r\n\r\n");
    return response("right");
  });
  auto endpoint = open(to(server));
  for (int i = 0; i < 3; ++i) {
    const auto cut = send(*endpoint, get("/short"));
    if (cut) {
      EXPECT_EQ(cut->body.text(), "{} ");
    }
    const auto next = send(*endpoint, get("/"));
    ASSERT_TRUE(next) << next.error().detail;
    EXPECT_EQ(next->body.text(), "right");
  }
}

TEST_F(HttpClientTest, ReadsAResponseBehindThousandsOfHeaders) {
  std::vector<std::string> headers;
  for (int i = 0; i < 4'500; ++i) headers.push_back("X-Header-" + std::to_string(i) + ": " + std::to_string(i));
  TestServer server([&](const Request&) -> Reply { return response("hello", headers); });
  auto endpoint = open(to(server));
  for (int i = 0; i < 3; ++i) {
    const auto got = send(*endpoint, get("/"));
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->body.text(), "hello");
  }
}

TEST_F(HttpClientTest, RefusesResponsesAboveTheCapHoweverTheyCome) {
  const std::string large(70'000, 'y');
  const std::string many_empty_blocks = [] {  // gzip that says nothing, at length
    std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    for (int i = 0; i < 20'000; ++i) packed.append("\0\0\0\xff\xff", 5);
    return packed;
  }();
  TestServer server([&](const Request& request) -> Reply {
    const std::string chunk = "11170\r\n" + large + "\r\n0\r\n\r\n";
    if (request.target() == "/length")
      return Reply("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", Then::kSilence);
    if (request.target() == "/chunked") return Reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk);
    if (request.target() == "/until-close") return Reply("HTTP/1.1 200 OK\r\n\r\n" + large, Then::kSilence);
    if (request.target() == "/gzip") return response(test::gzip(large), {"Content-Encoding: gzip"});
    if (request.target() == "/wire") {
      return Reply("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + many_empty_blocks, Then::kSilence);
    }
    return response(std::string(64'000, 'y'));
  });
  EndpointOptions options = to(server);
  options.max_body = 64'000;
  auto endpoint = open(options);
  for (const char* target : {"/length", "/chunked", "/until-close", "/gzip", "/wire"}) {
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, ErrorKind::kBadResponse) << target;
    EXPECT_THAT(error.detail, HasSubstr("max_body (64000 bytes)")) << target;
  }
  EXPECT_TRUE(send(*endpoint, get("/just-fits")));
}

TEST_F(HttpClientTest, RefusesEndlessHeaders) {
  TestServer server([](const Request&) -> Reply {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 2'000; ++i) bytes += "X-Header: " + std::string(200, '0') + "\r\n";
    return Reply(bytes, Then::kSilence);
  });
  auto endpoint = open(to(server));
  const Error error = failure(*endpoint, get("/"));
  EXPECT_EQ(error.kind, ErrorKind::kBadResponse);
  EXPECT_THAT(error.detail, HasSubstr("headers are larger than 262144 bytes"));
}

// From 8.6 on libcurl itself takes 5,000 at most.
TEST_F(HttpClientTest, RefusesHeadersWithoutNumber) {
  TestServer server([](const Request&) -> Reply {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 20'000; ++i) bytes += "X-Header: 0123456789\r\n";
    return Reply(bytes, Then::kSilence);
  });
  auto endpoint = open(to(server));
  const Error error = failure(*endpoint, get("/"));
  EXPECT_EQ(error.kind, ErrorKind::kBadResponse);
  EXPECT_THAT(error.detail, HasSubstr("headers"));
}

}  // namespace
}  // namespace sessionlogd
