// Every request of a source's life (login, listing, a session, its log, an expired token, logout) is one that its
// vendor describes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <mutex>

#include "core/async/task.h"
#include "core/http/curl_client.h"
#include "core/polling/discovery.h"
#include "tests/requests/api_specification.h"
#include "tests/support/built_in.h"
#include "tests/support/data_file.h"
#include "tests/support/test_server.h"

namespace sessionlogd::test {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string kId = "90faa259-fbf6-493a-b492-e59e1cfbe3a6";

// An appliance that keeps what it was asked. The first token is refused when a log is asked for: it has been forgotten.
class Appliance {
 public:
  TestServer::Reply operator()(const TestServer::Request& request) {
    const std::lock_guard lock(mutex_);
    RecordedRequest recorded{std::string(request.method_string()), std::string(request.target()), {}, request.body()};
    for (const auto& field : request) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      recorded.headers[name] = std::string(field.value());
    }
    requests_.push_back(recorded);
    const std::string body = reply_to(recorded);
    return response(body, {}, refuse_ ? "401 Unauthorized" : "200 OK");
  }

  std::vector<RecordedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::string reply_to(const RecordedRequest& request) {
    refuse_ = false;
    if (request.method == "DELETE") return "";
    if (request.target.ends_with("/token")) {
      const std::string number = std::to_string(++tokens_);
      return R"({"access_token":"access-)" + number + R"(","refresh_token":"refresh +&=)" + number +
             R"(","expires_in":3600})";
    }
    if (request.target.ends_with("/log")) {
      refuse_ = request.headers.at("authorization") == "Bearer access-1";
      return R"({"log":[]})";
    }
    if (request.target.find('?') == std::string::npos) return R"({"id":")" + kId + R"(","status":"Running"})";
    // The first page is full, as far as this appliance goes.
    const bool first = request.target.find("Offset=0") != std::string::npos;
    return first ? R"({"totalCount":2,"results":[{"id":"a","status":"Running"}]})"
                 : R"({"totalCount":2,"results":[{"id":"b"}]})";
  }

  mutable std::mutex mutex_;
  std::vector<RecordedRequest> requests_;
  int tokens_ = 0;
  bool refuse_ = false;
};

SourceSettings settings_for(const std::string& dialect, const std::string& url, const Secret& password) {
  SourceSettings settings;
  settings.name = settings.id = "source";
  settings.dialect = built_in_dialect(dialect);
  settings.url = url;
  settings.host = "127.0.0.1";
  settings.username = "DOMAIN\\collector +&=";
  settings.password = password;
  settings.api_version = settings.dialect->version.fallback;
  settings.poll.rate_per_second = 1000;
  return settings;
}

Task<void> live(ApiClient& api, Discovery& discovery, const SourceSettings& settings, bool& done) {
  const auto listing = co_await discovery.list(Instant{1'592'680'320, 514'619'000});
  EXPECT_TRUE(listing.has_value() && listing->sessions.size() == 2);
  const auto everything = co_await discovery.list(std::nullopt);
  EXPECT_TRUE(everything.has_value());
  const auto one = co_await discovery.ask(kId);
  EXPECT_TRUE(one.has_value());
  std::string log_target = path_of_session(settings.dialect->log.path, kId);
  const auto log = co_await api.get(std::move(log_target));
  EXPECT_TRUE(log.has_value()) << log.error().detail;
  std::string odd_target = path_of_session(settings.dialect->log.path, "a/b?c#d e\r\nf%2F");
  const auto odd = co_await api.get(std::move(odd_target));
  EXPECT_TRUE(odd.has_value()) << odd.error().detail;
  api.stop();
  co_await api.log_out(std::chrono::seconds{5});
  done = true;
}

std::vector<RecordedRequest> life_of(const std::string& dialect) {
  Appliance appliance;
  TestServer server(std::ref(appliance));
  const TemporaryFile password("pass +&=%word");
  const SourceSettings settings = settings_for(dialect, server.url(), Secret::parse("file:" + password.path()));
  asio::io_context io;
  CurlClient http(io);
  std::mt19937_64 random(1);
  ApiClient api(io, http, settings, random, {.between_logins = std::chrono::milliseconds{0}});
  Discovery discovery(api, settings);
  bool done = false;
  asio::co_spawn(io, live(api, discovery, settings, done), asio::detached);
  io.run_for(std::chrono::seconds{20});
  EXPECT_TRUE(done);
  return appliance.requests();
}

struct Vendor {
  std::string dialect, specification, login_word, refresh_word;
};
void PrintTo(const Vendor& vendor, std::ostream* out) { *out << vendor.dialect; }

const Vendor kVendors[] = {{"veeam-aws", "specs/veeam-aws-1.0-rev0.sessions.json", "password", "refresh_token"},
                           {"veeam-azure", "specs/veeam-azure-v8.1.sessions.json", "Password", "Refresh_token"}};

class Requests : public testing::TestWithParam<Vendor> {};

TEST_P(Requests, AreThoseTheVendorDescribes) {
  const ApiSpecification specification(read_data_file(GetParam().specification));
  const auto requests = life_of(GetParam().dialect);
  EXPECT_GE(requests.size(), 11u);
  for (const RecordedRequest& request : requests) {
    EXPECT_THAT(specification.complaints(request), IsEmpty()) << request.method << " " << request.target;
  }
}

TEST_P(Requests, LogInRefreshAndOutWithTheVendorsWords) {
  std::vector<RecordedRequest> to_token;
  for (const RecordedRequest& request : life_of(GetParam().dialect)) {
    if (request.target.ends_with("/token")) to_token.push_back(request);
  }
  ASSERT_EQ(to_token.size(), 3u);
  EXPECT_EQ(to_token[0].method, "POST");
  EXPECT_EQ(to_token[0].body, "grant_type=" + GetParam().login_word +
                                  "&password=pass%20%2B%26%3D%25word&username=DOMAIN%5Ccollector%20%2B%26%3D");
  EXPECT_EQ(to_token[1].body, "grant_type=" + GetParam().refresh_word + "&refresh_token=refresh%20%2B%26%3D1");
  EXPECT_EQ(to_token[2].method, "DELETE");
  EXPECT_EQ(to_token[2].headers.at("authorization"), "Bearer access-2");
}

// A server may take a header Authorization on a token request for the client's own and refuse the grant (RFC 6749,
// section 5.2).
TEST_P(Requests, CarryTheTokenExceptWhereOneIsAskedFor) {
  for (const RecordedRequest& request : life_of(GetParam().dialect)) {
    const auto authorization = request.headers.find("authorization");
    if (request.method == "POST") {
      EXPECT_EQ(authorization, request.headers.end()) << request.body;
    } else {
      ASSERT_NE(authorization, request.headers.end()) << request.target;
      EXPECT_THAT(authorization->second, StartsWith("Bearer access-"));
    }
    EXPECT_THAT(request.target, Not(HasSubstr("access-")));
  }
}

INSTANTIATE_TEST_SUITE_P(Vendors, Requests, testing::ValuesIn(kVendors),
                         [](const auto& vendor) { return vendor.param.dialect == "veeam-aws" ? "Aws" : "Azure"; });

TEST(ApiSpecification, SeesWhatIsWrong) {
  const ApiSpecification aws(read_data_file(kVendors[0].specification));
  const auto complaints = [&](std::string method, std::string target, std::string body = "") {
    return aws.complaints(
        {method, target, {{"x-api-version", "1.0-rev0"}, {"content-type", "application/x-www-form-urlencoded"}}, body});
  };
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?Status=Running&Status=Failed&Offset=0"), IsEmpty());
  EXPECT_THAT(complaints("GET", "/api/v1/session/1/log"), ElementsAre("no GET /api/v1/session/1/log"));
  EXPECT_THAT(complaints("POST", "/api/v1/sessions"), ElementsAre("no POST /api/v1/sessions"));
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?Offset=-1"), ElementsAre("query Offset may not be \"-1\""));
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?Limit=10&Limit=10"), ElementsAre("query Limit stands twice"));
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?Status=Success"), ElementsAre("query Status may not be \"Success\""));
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?FromUtc=2026-01-01T00:00:00.5Z"),
              ElementsAre(HasSubstr("FromUtc may not be")));
  EXPECT_THAT(complaints("GET", "/api/v1/sessions?from=1"), ElementsAre("query from is not declared"));
  EXPECT_THAT(complaints("POST", "/api/v1/token", "grant_type=Password&user=a"),
              ElementsAre("form grant_type may not be \"Password\"", "form user is not declared",
                          "form grant_type is missing"));
  EXPECT_THAT(aws.complaints({"GET", "/api/v1/sessions", {}, ""}), ElementsAre("header x-api-version is missing"));
}

}  // namespace
}  // namespace sessionlogd::test
