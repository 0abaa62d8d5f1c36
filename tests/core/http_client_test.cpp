#include "core/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "core/curl_error.h"
#include "core/large_body_permit.h"
#include "tests/support/test_proxy.h"
#include "tests/support/test_server.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using test::answer;
using test::Certificate;
using test::TemporaryFile;
using test::TestProxy;
using test::TestServer;
using testing::HasSubstr;
using testing::Not;
using Endpoint = HttpClient::Endpoint;
using Reply = TestServer::Reply;
using Request = TestServer::Request;
using Then = Reply::Then;

const std::string kForm = "a=1&b=%26";

class HttpClientTest : public testing::Test {
 protected:
  using Got = std::optional<Result<HttpAnswer>>;

  HttpRequest get(std::string target, std::vector<std::string> headers = {}) {
    return HttpRequest(HttpRequest::Method::kGet, std::move(target), std::move(headers));
  }

  static EndpointOptions to(const TestServer& server) {
    EndpointOptions options;
    options.base_url = server.url();
    return options;
  }

  std::unique_ptr<Endpoint> open(const EndpointOptions& options) { return std::move(client_->open(options)).value(); }

  void start(Endpoint& endpoint, HttpRequest request, Got& got, asio::cancellation_signal* cancel = nullptr) {
    auto store = [&got](std::exception_ptr failed, Result<HttpAnswer> answered) {
      if (!failed) got = std::move(answered);
    };
    if (cancel == nullptr) {
      asio::co_spawn(io_, client_->send(endpoint, std::move(request)), store);
    } else {
      asio::co_spawn(io_, client_->send(endpoint, std::move(request)),
                     asio::bind_cancellation_slot(cancel->slot(), store));
    }
  }

  // Until nothing is left to do. The limit is for faults only.
  void run() {
    io_.restart();
    io_.run_for(std::chrono::seconds(60));
    ASSERT_TRUE(io_.stopped()) << "still running after a minute";
  }

  template <class Condition>
  void run_until(Condition condition) {
    io_.restart();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "still waiting after a minute";
      io_.run_one_for(std::chrono::milliseconds(5));  // the condition may become true on the server's thread
    }
  }

  Result<HttpAnswer> send(Endpoint& endpoint, HttpRequest request) {
    Got got;
    start(endpoint, std::move(request), got);
    run();
    return got ? std::move(*got) : Result<HttpAnswer>(Error(ErrorKind::kCancelled, "no result"));
  }

  Error failure(Endpoint& endpoint, HttpRequest request) {
    auto result = send(endpoint, std::move(request));
    return result ? Error(ErrorKind::kCancelled, "it went well") : result.error();
  }

  Error failure(const EndpointOptions& options) {
    auto endpoint = open(options);
    return failure(*endpoint, get("/"));
  }

  asio::io_context io_{1};
  std::optional<HttpClient> client_{std::in_place, io_};
};

Reply hello(const Request&) { return answer("hello"); }

TEST_F(HttpClientTest, GivesTheAnswer) {
  TestServer server([](const Request& request) -> Reply {
    EXPECT_EQ(request.method_string(), "GET");
    EXPECT_EQ(request.target(), "/a/../b%20?x=y");
    EXPECT_EQ(request["X-One"], "1");
    return answer("{}",
                  {"Content-Type: application/json; charset=utf-8", "Date: Sun, 06 Nov 1994 08:49:37 GMT",
                   "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"},
                  "429 Too Many Requests");
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/a/../b%20?x=y", {"X-One: 1"}));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 429);
  EXPECT_EQ(got->body.text(), "{}");
  EXPECT_EQ(got->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(got->date, 784'111'777);
  EXPECT_EQ(got->retry_after, std::chrono::seconds(60));
  EXPECT_TRUE(
      std::all_of(got->body.text().end(), got->body.text().end() + Body::kPadding, [](char c) { return c == 0; }));
}

TEST_F(HttpClientTest, ReadsTheFinalAnswersHeadersOnly) {
  TestServer server([](const Request&) -> Reply {
    return Reply(
        "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\nContent-Type: text/x\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nRetry-After: 9\r\n\r\n");
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body.text(), "ok");
  EXPECT_EQ(got->content_type, "");
  EXPECT_FALSE(got->retry_after);
}

TEST_F(HttpClientTest, UsesOneConnectionForRequestsInSequence) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send(*endpoint, get("/" + std::to_string(i))));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 50);
}

TEST_F(HttpClientTest, SendsFormsAndDeletesAndGetsOnTheSameHandle) {
  std::vector<std::string> seen;
  TestServer server([&](const Request& request) -> Reply {
    seen.push_back(std::string(request.method_string()) + " " + request.body() + " " +
                   std::string(request["Content-Type"]));
    return answer("");
  });
  auto endpoint = open(to(server));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kPost, "/", {}, kForm)));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kDelete, "/")));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kPost, "/")));
  EXPECT_THAT(seen, testing::ElementsAre("POST " + kForm + " application/x-www-form-urlencoded", "GET  ", "DELETE  ",
                                         "GET  ", "POST  application/x-www-form-urlencoded"));
}

TEST_F(HttpClientTest, SendsTheEndpointsHeadersUnlessTheRequestHasItsOwn) {
  std::vector<std::string> seen;
  TestServer server([&](const Request& request) -> Reply {
    EXPECT_LE(request.count("Authorization"), 1u);
    seen.push_back(std::string(request["Authorization"]) + "," + std::string(request["X-Api"]) + "," +
                   std::string(request["X-Own"]));
    return answer("");
  });
  auto endpoint = open(to(server));
  ASSERT_TRUE(endpoint->set_headers({"Authorization: one", "X-Api: 1"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, get("/", {"X-Own: x"})));
  ASSERT_TRUE(send(*endpoint, get("/", {"authorization: mine"})));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(endpoint->set_headers({"Authorization: two"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  EXPECT_FALSE(endpoint->set_headers({"Authorization: three\r\nX-Api: forged"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  EXPECT_THAT(seen, testing::ElementsAre("one,1,", "one,1,x", "mine,1,", "one,1,", "two,,", "two,,"));
}

TEST_F(HttpClientTest, RefusesWhatWouldForgeAHeaderOrAnAddress) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  for (const std::string& line :
       {std::string("X: a\r\nY: b"), std::string("X: a\nY: b"), std::string("X: a\0b", 6), std::string("X")}) {
    EXPECT_EQ(failure(*endpoint, get("/", {line})).kind, ErrorKind::kRefused);
  }
  for (const char* target : {"/a b", "/a\r\nX: y", "a", "@127.0.0.1/"}) {
    EXPECT_EQ(failure(*endpoint, get(target)).kind, ErrorKind::kRefused) << target;
  }
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpClientTest, RefusesOptionsThatCannotBeUsed) {
  const auto refused = [&](auto change) {
    EndpointOptions options;
    options.base_url = "https://127.0.0.1:1";
    change(options);
    const auto opened = client_->open(options);
    return !opened && opened.error().kind == ErrorKind::kRefused;
  };
  EXPECT_FALSE(refused([](EndpointOptions&) {}));
  for (const char* url : {"", "ftp://host", "https://user:pw@host", "https://host/?q", "https://", "host:99999"}) {
    EXPECT_TRUE(refused([&](EndpointOptions& options) { options.base_url = url; })) << url;
  }
  EXPECT_TRUE(refused([](EndpointOptions& options) { options.ca_file = "/nonexistent/ca.pem"; }));
  EXPECT_TRUE(refused([](EndpointOptions& options) { options.cert_file = "/nonexistent/cert.pem"; }));
  EXPECT_TRUE(refused([](EndpointOptions& options) { options.key_file = "/nonexistent/key.pem"; }));
  EXPECT_TRUE(refused([](EndpointOptions& options) { options.pin_sha256 = {"abc"}; }));
}

TEST_F(HttpClientTest, HasHundredsInFlight) {
  TestServer server(
      [](const Request& request) -> Reply { return answer(std::string(request.target()) + std::string(20'000, 'x')); });
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (int i = 0; i < 4; ++i) endpoints.push_back(open(to(server)));
  std::deque<Got> got(400);
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < got.size(); ++i) start(*endpoints[i % 4], get("/" + std::to_string(i) + "/"), got[i]);
    run();
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(got[i] && *got[i]);
      ASSERT_TRUE((*got[i])->body.text().starts_with("/" + std::to_string(i) + "/x"));
    }
  }
  EXPECT_LE(server.connections(), 400);
  EXPECT_EQ(client_->in_flight(), 0u);
}

TEST_F(HttpClientTest, DecodesGzip) {
  const std::string text(100'000, 'z');
  TestServer server([&](const Request& request) -> Reply {
    EXPECT_THAT(std::string(request["Accept-Encoding"]), HasSubstr("gzip"));
    if (request.target() == "/broken") return answer("\x1f\x8b not gzip at all", {"Content-Encoding: gzip"});
    return answer(test::gzip(text), {"Content-Encoding: gzip"});
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->body.text(), text);
  EXPECT_EQ(failure(*endpoint, get("/broken")).kind, ErrorKind::kBadAnswer);
}

TEST_F(HttpClientTest, DecodesWholeGzipOnly) {
  const std::string text(100'000, 'z'), packed = test::gzip(text);
  TestServer server([&](const Request& request) -> Reply {
    const std::vector<std::string> gzip{"Content-Encoding: gzip"};
    if (request.target() == "/two") return answer(packed + test::gzip("and more"), gzip);
    if (request.target() == "/nothing") return answer("", gzip);
    if (request.target() == "/cut") return answer(packed.substr(0, packed.size() - 1), gzip);
    if (request.target() == "/more") return answer(packed + "<html>", gzip);
    return answer(
        std::string(packed).replace(packed.size() - 8, 1, 1, static_cast<char>(packed[packed.size() - 8] ^ 1)), gzip);
  });
  auto endpoint = open(to(server));
  const auto two = send(*endpoint, get("/two"));
  ASSERT_TRUE(two) << two.error().detail;
  EXPECT_EQ(two->body.text(), text + "and more");
  EXPECT_TRUE(send(*endpoint, get("/nothing")));
  for (const char* target : {"/cut", "/more", "/wrong-sum"}) {
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, ErrorKind::kBadAnswer) << target;
    EXPECT_THAT(error.detail, HasSubstr("no whole gzip")) << target;
  }
}

TEST_F(HttpClientTest, RefusesCodingsItDidNotAskFor) {
  TestServer server([](const Request& request) -> Reply {
    EXPECT_EQ(request["Accept-Encoding"], "gzip");
    if (request.target() == "/twice") return answer("{}", {"Content-Encoding: gzip", "Content-Encoding: gzip"});
    if (request.target() == "/identity") return answer("{}", {"Content-Encoding: identity"});
    return answer("{}", {"Content-Encoding: " + std::string(request.target().substr(1))});
  });
  auto endpoint = open(to(server));
  for (const char* coding : {"/br", "/zstd", "/deflate", "/gzip,gzip", "/twice"}) {
    const Error error = failure(*endpoint, get(coding));
    EXPECT_EQ(error.kind, ErrorKind::kBadAnswer) << coding;
    EXPECT_THAT(error.detail, HasSubstr("was not asked for")) << coding;
  }
  EXPECT_TRUE(send(*endpoint, get("/identity")));
}

// What is left over is never taken for the answer to the next request.
TEST_F(HttpClientTest, EndsAnAnswerWhereItsLengthSays) {
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/short")
      return Reply("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}   HTTP/1.1 200 OK\r\n\r\n");
    return answer("right");
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

TEST_F(HttpClientTest, ReadsAnAnswerBehindThousandsOfHeaders) {
  std::vector<std::string> headers;
  for (int i = 0; i < 5'000; ++i) headers.push_back("X-Header-" + std::to_string(i) + ": " + std::to_string(i));
  TestServer server([&](const Request&) -> Reply { return answer("hello", headers); });
  auto endpoint = open(to(server));
  for (int i = 0; i < 3; ++i) {
    const auto got = send(*endpoint, get("/"));
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->body.text(), "hello");
  }
}

TEST_F(HttpClientTest, RefusesAnswersAboveTheCapHoweverTheyCome) {
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
    if (request.target() == "/gzip") return answer(test::gzip(large), {"Content-Encoding: gzip"});
    if (request.target() == "/wire") {
      return Reply("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + many_empty_blocks, Then::kSilence);
    }
    return answer(std::string(64'000, 'y'));
  });
  EndpointOptions options = to(server);
  options.max_body = 64'000;
  auto endpoint = open(options);
  for (const char* target : {"/length", "/chunked", "/until-close", "/gzip", "/wire"}) {
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, ErrorKind::kBadAnswer) << target;
    EXPECT_THAT(error.detail, HasSubstr("max_body (64000 bytes)")) << target;
  }
  EXPECT_TRUE(send(*endpoint, get("/just-fits")));
}

TEST_F(HttpClientTest, RefusesEndlessHeaders) {
  TestServer server([](const Request&) -> Reply {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 20'000; ++i) bytes += "X-Header: 0123456789\r\n";
    return Reply(bytes, Then::kSilence);
  });
  auto endpoint = open(to(server));
  const Error error = failure(*endpoint, get("/"));
  EXPECT_EQ(error.kind, ErrorKind::kBadAnswer);
  EXPECT_THAT(error.detail, HasSubstr("headers are larger than 262144 bytes"));
}

TEST_F(HttpClientTest, TellsFaultsOfTheNetworkApart) {
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/truncated")
      return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kClose);
    if (request.target() == "/reset") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kReset);
    if (request.target() == "/loris") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kSilence);
    if (request.target() == "/nothing") return Reply("", Then::kClose);
    if (request.target() == "/not-http") return Reply("hello, I speak something else\r\n", Then::kClose);
    return Reply("", Then::kSilence);
  });
  EndpointOptions options = to(server);
  options.timeout = std::chrono::milliseconds(200);
  const std::string who = "127.0.0.1:" + std::to_string(server.port()) + ": ";
  const auto expect = [&](const char* target, ErrorKind kind, const char* words) {
    auto endpoint = open(options);
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, kind) << target;
    EXPECT_THAT(error.detail, testing::StartsWith(who)) << target;
    EXPECT_THAT(error.detail, HasSubstr(words)) << target;
  };
  expect("/truncated", ErrorKind::kTryLater, "truncated");
  expect("/reset", ErrorKind::kTryLater, "reset");
  expect("/nothing", ErrorKind::kTryLater, "closed before any answer");
  expect("/not-http", ErrorKind::kBadAnswer, "not HTTP/1");
  expect("/silence", ErrorKind::kTryLater, "timed out (timeout is 200 ms)");
  expect("/loris", ErrorKind::kTryLater, "timed out (timeout is 200 ms)");
}

TEST_F(HttpClientTest, SaysThatAConnectionWasRefused) {
  asio::ip::tcp::acceptor taken(io_, {asio::ip::address_v4::loopback(), 0});
  EndpointOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(taken.local_endpoint().port());
  taken.close();
  const Error error = failure(options);
  EXPECT_EQ(error.kind, ErrorKind::kTryLater);
  EXPECT_THAT(error.detail, HasSubstr("Connection refused"));
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  TestServer server([](const Request&) -> Reply { return answer("", {"Location: /elsewhere"}, "302 Found"); });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 302);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(HttpClientTest, IgnoresTheEnvironmentsProxyButUsesItsOwn) {
  TestServer server(hello);
  TestServer proxy([](const Request&) -> Reply { return answer("from the proxy"); });
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("all_proxy", "http://127.0.0.1:1", 1);
  ::setenv("no_proxy", "*", 1);
  auto direct = open(to(server));
  EXPECT_TRUE(send(*direct, get("/")));
  EndpointOptions options = to(server);
  options.proxy = proxy.url();
  auto proxied = open(options);
  const auto got = send(*proxied, get("/"));
  for (const char* name : {"http_proxy", "all_proxy", "no_proxy"}) ::unsetenv(name);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->body.text(), "from the proxy");
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(HttpClientTest, CanBeCancelledInMidFlight) {
  TestServer server([](const Request&) -> Reply { return Reply("", Then::kSilence); });
  auto endpoint = open(to(server));
  asio::cancellation_signal cancel;
  Got got;
  start(*endpoint, get("/"), got, &cancel);
  run_until([&] { return server.requests() == 1; });
  EXPECT_EQ(client_->in_flight(), 1u);
  cancel.emit(asio::cancellation_type::terminal);
  run();
  ASSERT_TRUE(got && !*got);
  EXPECT_EQ(got->error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(client_->in_flight(), 0u);
}

// Requests of every kind start, end and are cancelled in random order; each ends once, and the client still works.
TEST_F(HttpClientTest, SurvivesRandomCancellation) {
  const char* given = std::getenv("SESSIONLOGD_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atol(given)) : std::random_device()();
  SCOPED_TRACE("SESSIONLOGD_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/silence") return Reply("", Then::kSilence);
    if (request.target() == "/large") return answer(std::string(3 << 20, 'l'));
    if (request.target() == "/close") return Reply(answer("bye"), Then::kClose);
    if (request.target() == "/half") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Then::kSilence);
    return answer(std::string(20'000, 'x'));
  });
  struct Running {
    asio::cancellation_signal cancel;
    Got got;
  };
  const std::array<const char*, 5> targets{"/", "/silence", "/large", "/close", "/half"};
  auto endpoint = open(to(server));
  std::deque<Running> all;
  for (int i = 0; i < 300; ++i) {
    Running& one = all.emplace_back();
    start(*endpoint, get(targets[random() % targets.size()]), one.got, &one.cancel);
    io_.restart();
    for (unsigned turns = random() % 20; turns > 0; --turns) io_.poll_one();
    if (random() % 2 == 0) all[random() % all.size()].cancel.emit(asio::cancellation_type::terminal);
  }
  for (Running& one : all) one.cancel.emit(asio::cancellation_type::terminal);
  run();
  for (const Running& one : all) EXPECT_TRUE(one.got);
  EXPECT_EQ(client_->in_flight(), 0u);
  EXPECT_EQ(client_->waiting_for_large_body(), 0u);
  EXPECT_TRUE(send(*endpoint, get("/")));
}

TEST_F(HttpClientTest, EndsWhatIsInFlightWhenDestroyed) {
  TestServer server([](const Request&) -> Reply { return Reply("HTTP/1.1 200 OK\r\n\r\nsome", Then::kSilence); });
  auto endpoint = open(to(server));
  std::deque<Got> got(20);
  for (Got& one : got) start(*endpoint, get("/"), one);
  run_until([&] { return server.requests() == 20; });
  client_.reset();
  run();
  for (Got& one : got) {
    ASSERT_TRUE(one && !*one);
    EXPECT_EQ(one->error().kind, ErrorKind::kCancelled);
  }
}

TEST(HttpClient, MayBePendingWhenTheIoContextIsDestroyed) {
  TestServer server([](const Request&) -> Reply { return Reply("HTTP/1.1 200 OK\r\n\r\nsome", Then::kSilence); });
  std::optional<asio::io_context> io(1);
  EndpointOptions options;
  options.base_url = server.url();
  // In the frame of a coroutine, so that the client, its endpoint and a request end with the io_context, in this order
  // of misery.
  auto whole = [](asio::io_context& context, EndpointOptions to) -> asio::awaitable<void> {
    HttpClient client(context);
    auto endpoint = std::move(client.open(to)).value();
    for (int i = 0; i < 3; ++i) {
      HttpRequest other(HttpRequest::Method::kGet, "/");
      asio::co_spawn(context, client.send(*endpoint, std::move(other)), [](std::exception_ptr, Result<HttpAnswer>) {});
    }
    HttpRequest request(HttpRequest::Method::kGet, "/");
    co_await client.send(*endpoint, std::move(request));
  };
  asio::co_spawn(*io, whole(*io, options), [](std::exception_ptr) {});
  while (server.requests() < 4) io->poll_one();
  io.reset();
}

TEST_F(HttpClientTest, BodiesMayOutliveTheClient) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got);
  endpoint.reset();
  client_.reset();
  EXPECT_EQ(got->body.text(), "hello");
}

// More than the sockets between client and server can hold: once it is written, the client has read well past
// kSmallBody.
const std::size_t kMoreThanSocketsHold = 48u << 20;

TEST_F(HttpClientTest, ReadsLargeBodiesOneAtATime) {
  const std::string large(4 << 20, 'L'), huge(kMoreThanSocketsHold + 1000, 'H');
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() != "/first") return answer(large);
    const std::string whole = answer(huge);
    return Reply(whole.substr(0, whole.size() - 1000), Then::kKeepAlive, whole.substr(whole.size() - 1000));
  });
  auto endpoint = open(to(server));
  Got first;
  std::deque<Got> others(3);
  start(*endpoint, get("/first"), first);
  run_until([&] { return server.written() == 1; });
  for (Got& other : others) start(*endpoint, get("/other"), other);
  run_until([&] { return client_->waiting_for_large_body() == 3; });
  EXPECT_FALSE(first);
  server.let_go();
  run_until([&] { return first.has_value(); });
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->body.text(), huge);
  for (std::size_t left = others.size(); left > 0; --left) {
    EXPECT_EQ(client_->waiting_for_large_body(), left) << "who reads a body holds the permit until it is freed";
    first.reset();
    run_until([&] { return std::ranges::any_of(others, &Got::has_value); });
    const auto next = std::ranges::find_if(others, &Got::has_value);
    ASSERT_TRUE(**next);
    EXPECT_EQ((**next)->body.text(), large);
    std::swap(first, *next);
    next->reset();
  }
  first.reset();
  run();
}

TEST_F(HttpClientTest, SharesThePermitsOfTheProcessWithOtherClients) {
  const std::string large(4 << 20, 'L');
  TestServer server([&](const Request&) -> Reply { return answer(large); });
  const auto in_all = std::make_shared<LargeAnswers>(1);
  client_.emplace(io_, MemoryShares(), in_all);
  HttpClient other(io_, MemoryShares(), in_all);
  auto endpoint = open(to(server));
  auto endpoint_of_other = std::move(other.open(to(server))).value();
  auto first = send(*endpoint, get("/"));
  ASSERT_TRUE(first);
  Got second;
  asio::co_spawn(io_, other.send(*endpoint_of_other, get("/")),
                 [&](std::exception_ptr, Result<HttpAnswer> answered) { second = std::move(answered); });
  run_until([&] { return other.waiting_for_large_body() == 1; });
  first = Error();
  run();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->body.text(), large);
}

TEST_F(HttpClientTest, SmallBodyThatFindsTheShareSpentWaitsLikeALargeOne) {
  const std::string text(80'000, 's');
  TestServer server([&](const Request&) -> Reply { return answer(text); });
  client_.emplace(io_, MemoryShares{.small_bodies = 100'000});
  auto endpoint = open(to(server));
  auto within_share = send(*endpoint, get("/"));
  auto with_permit = send(*endpoint, get("/"));
  ASSERT_TRUE(within_share && with_permit);
  Got third;
  start(*endpoint, get("/"), third);
  run_until([&] { return client_->waiting_for_large_body() == 1; });
  with_permit = Error();
  run();
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->body.text(), text);
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Their 30 KB that were received would be 30 MB each if they were decoded.
TEST_F(HttpClientTest, BombsThatWaitAreNotDecoded) {
  const std::string bomb = test::gzip(std::string(60u << 20, '\0')), large(4 << 20, 'L');
  TestServer server([&](const Request& request) -> Reply {
    return request.target() == "/bomb" ? answer(bomb, {"Content-Encoding: gzip"}) : answer(large);
  });
  auto endpoint = open(to(server));
  auto holder = send(*endpoint, get("/large"));
  ASSERT_TRUE(holder);
  const std::size_t before = resident_bytes();
  std::deque<Got> bombs(12);
  for (Got& one : bombs) start(*endpoint, get("/bomb"), one);
  run_until([&] { return client_->waiting_for_large_body() == bombs.size(); });
  EXPECT_LT(resident_bytes() - before, bombs.size() * 3 * kSmallBody);
  endpoint->cancel();
  run();
  for (const Got& one : bombs) EXPECT_TRUE(one && !*one);
}

// Who waits is not timed out for another's slowness, and goes on when that one is given up.
TEST_F(HttpClientTest, WaitingForTheLargeBodyPermitDoesNotCountAsSlowness) {
  std::string text;
  for (int i = 0; text.size() < 4u << 20; ++i) text += std::to_string(i) + '\n';
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() == "/packed") return answer(test::gzip(text), {"Content-Encoding: gzip"});
    return Reply(answer(std::string(2 * kMoreThanSocketsHold, 'L')).substr(0, kMoreThanSocketsHold), Then::kSilence);
  });
  EndpointOptions stuck_options = to(server), quick_options = to(server);
  stuck_options.max_body = 4 * kMoreThanSocketsHold;
  stuck_options.timeout = std::chrono::seconds(60);
  quick_options.timeout = std::chrono::seconds(2);
  auto stuck_endpoint = open(stuck_options);
  auto quick_endpoint = open(quick_options);
  Got stuck, quick;
  asio::cancellation_signal give_up;
  start(*stuck_endpoint, get("/stuck"), stuck, &give_up);
  run_until([&] { return server.written() == 1; });
  start(*quick_endpoint, get("/packed"), quick);
  run_until([&] { return client_->waiting_for_large_body() == 1; });
  const auto later = std::chrono::steady_clock::now() + quick_options.timeout + std::chrono::milliseconds(300);
  run_until([&] { return std::chrono::steady_clock::now() > later; });
  EXPECT_FALSE(quick) << "timed out while it waited";
  give_up.emit(asio::cancellation_type::terminal);
  run();
  ASSERT_TRUE(stuck && !*stuck);
  ASSERT_TRUE(quick && *quick) << (quick ? quick->error().detail : "");
  EXPECT_EQ((*quick)->body.text(), text);
}

class HttpClientTlsTest : public HttpClientTest {
 protected:
  Certificate certificate_{"IP:127.0.0.1"};
  Certificate other_{"DNS:appliance.example"};
  TestServer server_{hello, {certificate_, ""}};
  EndpointOptions options_ = to(server_);
};

TEST_F(HttpClientTlsTest, VerifiesByCaFile) {
  TemporaryFile ca(certificate_.certificate_pem);
  options_.ca_file = ca.path();
  auto endpoint = open(options_);
  for (int i = 0; i < 5; ++i) {
    const auto got = send(*endpoint, get("/"));
    ASSERT_TRUE(got) << got.error().detail;
  }
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_TRUE(endpoint->certificate_expires());
}

TEST_F(HttpClientTlsTest, RefusesTheUnknownAndNamesItsPin) {
  const Error error = failure(options_);
  EXPECT_EQ(error.kind, ErrorKind::kTryLater);
  EXPECT_THAT(error.detail, HasSubstr("not trusted"));
  EXPECT_THAT(error.detail, HasSubstr("pin_sha256 = [\"" + certificate_.pin + "\"]"));
  EXPECT_EQ(server_.requests(), 0);
}

TEST_F(HttpClientTlsTest, AcceptsAPinInPlaceOfChainAndName) {
  options_.pin_sha256 = {other_.pin, certificate_.pin};
  auto endpoint = open(options_);
  const auto got = send(*endpoint, get("/"));
  EXPECT_TRUE(got) << got.error().detail;
}

TEST_F(HttpClientTlsTest, RefusesAWrongPin) {
  for (const bool verify : {true, false}) {
    options_.verify = verify;
    options_.pin_sha256 = {other_.pin};
    const Error error = failure(options_);
    EXPECT_THAT(error.detail, HasSubstr("none of those in pin_sha256"));
    EXPECT_THAT(error.detail, HasSubstr("\"" + certificate_.pin + "\""));
  }
  EXPECT_EQ(server_.requests(), 0);
}

TEST_F(HttpClientTlsTest, ChecksTheChainBesideAPinWhenACaFileIsGiven) {
  TemporaryFile ca(certificate_.certificate_pem), wrong_ca(other_.certificate_pem);
  options_.pin_sha256 = {certificate_.pin};
  options_.ca_file = wrong_ca.path();
  EXPECT_THAT(failure(options_).detail, HasSubstr("not trusted"));
  options_.ca_file = ca.path();
  auto endpoint = open(options_);
  EXPECT_TRUE(send(*endpoint, get("/")));
}

TEST_F(HttpClientTlsTest, AcceptsAnythingUnverifiedWhenToldSo) {
  options_.verify = false;
  auto endpoint = open(options_);
  EXPECT_TRUE(send(*endpoint, get("/")));
  // A connection made without checks is not used for an endpoint that asks for them.
  options_.verify = true;
  EXPECT_THAT(failure(options_).detail, HasSubstr("not trusted"));
}

TEST_F(HttpClientTlsTest, ExpectsServerNameAndSendsItAsSniButKeepsTheHost) {
  std::string host;
  TestServer server(
      [&](const Request& request) -> Reply {
        host = request["Host"];
        return answer("");
      },
      {other_, ""});
  TemporaryFile ca(other_.certificate_pem);
  EndpointOptions options = to(server);
  options.ca_file = ca.path();
  const Error error = failure(options);
  EXPECT_THAT(error.detail, HasSubstr("not trusted"));
  EXPECT_THAT(error.detail, HasSubstr(other_.pin));
  options.server_name = "appliance.example";
  auto endpoint = open(options);
  for (const std::vector<std::string>& headers : {std::vector<std::string>{}, {"X-A: b"}}) {
    const auto got = send(*endpoint, get("/", headers));
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(server.last_sni(), "appliance.example");
    EXPECT_EQ(host, "127.0.0.1:" + std::to_string(server.port()));
  }
}

TEST_F(HttpClientTlsTest, ShowsItsClientCertificate) {
  Certificate ours("DNS:collector");
  TestServer server(hello, {certificate_, ours.certificate_pem});
  TemporaryFile cert(ours.certificate_pem), key(ours.key_pem), both(ours.certificate_pem + ours.key_pem);
  EndpointOptions options = to(server);
  options.verify = false;
  EXPECT_EQ(failure(options).kind, ErrorKind::kTryLater);
  options.cert_file = cert.path();
  options.key_file = key.path();
  auto two_files = open(options);
  const auto got = send(*two_files, get("/"));
  EXPECT_TRUE(got) << got.error().detail;
  options.cert_file = both.path();
  options.key_file = "";
  auto one_file = open(options);
  EXPECT_TRUE(send(*one_file, get("/")));
}

// Once it is refused, what stands in a file now counts, not what stood there at start.
TEST_F(HttpClientTlsTest, TakesUpAChangedCaFile) {
  TemporaryFile ca(other_.certificate_pem);
  options_.ca_file = ca.path();
  auto endpoint = open(options_);
  EXPECT_THAT(send(*endpoint, get("/")).error().detail, HasSubstr("not trusted"));
  std::ofstream(ca.path(), std::ios::trunc) << certificate_.certificate_pem;
  bool accepted = false;
  for (int i = 0; i < 600 && !accepted; ++i) {
    accepted = send(*endpoint, get("/")).has_value();
    if (!accepted) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(accepted);
}

TEST_F(HttpClientTlsTest, TakesUpAChangedClientCertificate) {
  Certificate ours("DNS:collector"), former("DNS:former");
  TestServer server(hello, {certificate_, ours.certificate_pem});
  TemporaryFile both(former.certificate_pem + former.key_pem);
  EndpointOptions options = to(server);
  options.verify = false;
  options.cert_file = both.path();
  auto endpoint = open(options);
  EXPECT_TRUE(send(*endpoint, get("/")).has_error());
  std::ofstream(both.path(), std::ios::trunc) << ours.certificate_pem + ours.key_pem;
  EXPECT_TRUE(send(*endpoint, get("/")).has_value());
}

TEST_F(HttpClientTlsTest, GoesThroughItsProxyInATunnelThatShowsNothing) {
  TestProxy proxy;
  TemporaryFile ca(certificate_.certificate_pem);
  options_.proxy = proxy.url();
  options_.ca_file = ca.path();
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  auto endpoint = open(options_);
  ASSERT_TRUE(endpoint->set_headers({"Authorization: Bearer secret"}));
  const auto got = send(*endpoint, get("/path"));
  ::unsetenv("https_proxy");
  EXPECT_TRUE(got) << got.error().detail;
  ASSERT_EQ(proxy.heads().size(), 1u);
  EXPECT_THAT(proxy.heads().front(), testing::StartsWith("CONNECT 127.0.0.1:" + std::to_string(server_.port())));
  EXPECT_THAT(proxy.heads().front(), testing::AllOf(Not(HasSubstr("secret")), Not(HasSubstr("path"))));

  options_.ca_file = "";
  EXPECT_THAT(failure(options_).detail, HasSubstr(certificate_.pin)) << "it is the server that is verified";
}

TEST_F(HttpClientTlsTest, SaysWhenTheOtherSideDoesNotSpeakTls) {
  TestServer plain(hello);
  EndpointOptions options;
  options.base_url = "https://127.0.0.1:" + std::to_string(plain.port());
  const Error error = failure(options);
  EXPECT_EQ(error.kind, ErrorKind::kTryLater);
  EXPECT_THAT(error.detail, HasSubstr("TLS handshake failed"));
}

TEST(CurlError, SaysWhatToDoAndWhatFailed) {
  struct Row {
    CURLcode code;
    ErrorKind kind;
    const char* words;
  };
  for (const Row& row :
       {Row{CURLE_COULDNT_RESOLVE_HOST, ErrorKind::kTryLater, "resolved"},
        Row{CURLE_COULDNT_CONNECT, ErrorKind::kTryLater, "connect"},
        Row{CURLE_OPERATION_TIMEDOUT, ErrorKind::kTryLater, "timed out"},
        Row{CURLE_PARTIAL_FILE, ErrorKind::kTryLater, "truncated"},
        Row{CURLE_SSL_CONNECT_ERROR, ErrorKind::kTryLater, "TLS"},
        Row{CURLE_PEER_FAILED_VERIFICATION, ErrorKind::kTryLater, "trusted"},
        Row{CURLE_BAD_CONTENT_ENCODING, ErrorKind::kBadAnswer, "decoded"},
        Row{CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kBadAnswer, "HTTP/1"},
        Row{CURLE_URL_MALFORMAT, ErrorKind::kRefused, "URL"}, Row{CURLE_AGAIN, ErrorKind::kTryLater, "failed"}}) {
    EXPECT_EQ(classify(row.code).kind, row.kind) << row.code;
    EXPECT_THAT(std::string(classify(row.code).words), HasSubstr(row.words)) << row.code;
  }
}

}  // namespace
}  // namespace sessionlogd
