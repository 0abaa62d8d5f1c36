#include "core/http/curl_client.h"

#include <fstream>

#include "tests/core/http/http_client_fixture.h"
#include "tests/support/test_proxy.h"

namespace sessionlogd {
namespace {

using test::Certificate;
using test::TestProxy;
using testing::Not;

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
        return response("");
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

}  // namespace
}  // namespace sessionlogd
