// Whatever an appliance writes into its fields: each byte that could move a cursor, end a line or turn the reading
// around goes through every field that it can fill, and every place is looked at where a person could meet it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/verb.hpp>
#include <csignal>
#include <regex>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using Reply = TestServer::Reply;

// As JSON holds them: C0, DEL, C1, separators, directions, no width; and words of ours.
constexpr std::string_view kHostile =
    "\\u001b[2J\\r\\n2026-01-01 error "
    "source=forged\\u0000\\u0007\\u007f\\u0085\\u009b31m\\u2028\\u2029\\u202e\\u2066\\u200b"
    "\\ufeff session=forged sink=forged \\\"";

// In an id, which is refused as a whole when a control character is in it.
constexpr std::string_view kHostileId =
    " session=forged sink=forged source=forged\\u0085\\u009b31m\\u2028\\u2029\\u202e\\u2066\\u200b\\ufeff";

// The same outside of JSON, where nothing can be escaped.
constexpr std::string_view kRaw = "\x1b[2J\xC2\x9B\xE2\x80\xAE source=forged\n2026-01-01 error forged";

std::string describe_first_move(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0xFFu;
    const bool moves = (byte < 0x20 && byte != '\n') || byte == 0x7F || (byte == 0xC2 && next < 0xA0);
    if (moves) return fmt::format("byte {:02x} at {} in ...{}", byte, i, text.substr(i > 60 ? i - 60 : 0, 60));
  }
  for (const std::string_view mark : {"\u2028", "\u2029", "\u202E", "\u2066", "\u200B", "\uFEFF"}) {
    if (const auto at = text.find(mark); at != text.npos) return fmt::format("U+{} at {}", mark, at);
  }
  return {};
}

// A line of its own can only be ours.
void expect_lines_of_ours(const std::string& log) {
  static const std::regex ours("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[-+][0-9:]+ (info|debug|trace|warning|error) .*");
  for (const std::string& line : Workplace::lines_of(log))
    EXPECT_TRUE(line.empty() || std::regex_match(line, ours)) << line;
}

std::string row(int number) {
  return fmt::format(
      R"({{"id":"s-{0}{4}","type":"Policy{1}","status":"{2}","executionStartTime":"{3}T10:00:00","executionStopTime":"{3}T11:00:00{1}","name":"n{1}"}})",
      number, kHostile, number % 2 == 0 ? "Success" : std::string("Odd") + std::string(kHostile), yesterday(),
      kHostileId);
}

class HostileText : public testing::Test {
 protected:
  std::optional<Reply> reply(const Appliance::Request& request) {
    const std::string target(request.target());
    if (request.method() == boost::beast::http::verb::delete_ || target == "/api/v1/token") return std::nullopt;
    const std::string refusal = fmt::format(R"({{"title":"no{0}","detail":"d{0}","errorCode":"c{0}"}})", kHostile);
    if (target.find("s-1") != target.npos) return response(refusal, {fmt::format("X-{}: x", "y")}, "403 Forbidden");
    if (target.find("s-3") != target.npos) return response(std::string(kRaw), {"Content-Type: text/plain"}, "410 Gone");
    if (target.find("s-5") != target.npos) return response(std::string(kRaw), {"Content-Type: text/html"});
    if (target.find("/log") != target.npos || target.find("s-") != target.npos) {
      return response(fmt::format(
          R"({{"sessionId":"other{0}","log":[{{"logTime":"bad{0}","status":"{0}","message":"m{0}"}}]}})", kHostile));
    }
    if (fails_) return response(refusal, {}, "400 Bad Request");
    std::string rows;
    for (int i = 0; i < 6; ++i) rows += (i == 0 ? "" : ",") + row(i);
    return response(fmt::format(R"({{"totalCount":6,"results":[{}]}})", rows));
  }

  std::atomic<bool> fails_ = false;
  Workplace place_;
  Appliance appliance_{[this](const Appliance::Request& request) { return reply(request); }};
};

TEST_F(HostileText, MovesNothingWherePeopleLook) {
  place_.write("password", "secret");
  place_.configure(appliance_.source("a", "file:" + (place_ / "password").string()), "log_level = \"trace\"\n");
  open_admin_address(place_);
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return daemon.err().find("poll failed: HTTP 403") != std::string::npos; }))
      << daemon.err();
  EXPECT_TRUE(eventually([&] { return daemon.err().find("HTTP 410") != std::string::npos; })) << daemon.err();
  fails_ = true;
  EXPECT_TRUE(eventually([&] { return daemon.err().find("cannot be listed") != std::string::npos; })) << daemon.err();

  std::vector<std::pair<std::string, std::string>> seen;
  for (const char* path : {"/status", "/metrics", "/recent", "/", "/readyz", "/healthz"})
    seen.emplace_back(path, get_body(place_, path));
  const auto command = [&](const std::string& name, std::vector<std::string> more) {
    const Outcome outcome = place_.run(name, std::move(more));
    seen.emplace_back(name, outcome.out);
    seen.emplace_back(name, outcome.err);
  };
  command("status", {});
  command("status", {"--json"});
  command("check", {"--connect"});
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  seen.emplace_back("the log", daemon.err());
  expect_lines_of_ours(daemon.err());
  EXPECT_THAT(daemon.err(), HasSubstr("source=a session=s-1\\x20session=forged\\x20sink=forged\\x20source=forged"));
  for (const auto& [exit, text] : seen) EXPECT_EQ(describe_first_move(text), "") << exit;
}

}  // namespace
}  // namespace sessionlogd::test
