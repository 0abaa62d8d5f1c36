// Which window of sessions the daemon asks for, by the appliance's clock.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <mutex>

#include "tests/daemon/appliance.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

constexpr int kDay = 24 * 3600;

std::string text_of(std::time_t at, const char* format) {
  char text[64] = {};
  std::strftime(text, sizeof text, format, std::gmtime(&at));
  return text;
}

// An appliance without sessions, whose clock goes wrong by `seconds_off`; remembers where the windows began.
class Windows : public testing::Test {
 protected:
  Windows() {
    place_.write("token", "fixed");
    place_.configure(
        fmt::format("\n[[source]]\nname = \"a\"\ndialect = \"veeam-aws\"\nurl = \"http://{}\"\n"
                    "token = \"file:{}\"\n",
                    appliance_.address(), (place_ / "token").string()));
    place_.edit_config("lookback = \"all\"", "lookback = \"24h\"");
  }

  std::optional<Appliance::Reply> reply(const Appliance::Request& request) {
    const std::string target(request.target());
    const std::size_t from = target.find("FromUtc=");
    if (from != std::string::npos) {
      const std::scoped_lock lock(mutex_);
      begins_.push_back(target.substr(from + 8, 10));  // the day
    }
    const std::string date = text_of(std::time(nullptr) + seconds_off, "Date: %a, %d %b %Y %H:%M:%S GMT");
    return response(R"({"results":[],"totalCount":0})", {date});
  }

  std::string last_begin() {
    const std::scoped_lock lock(mutex_);
    return begins_.empty() ? "" : begins_.back();
  }
  static std::string day(int seconds_from_now) { return text_of(std::time(nullptr) + seconds_from_now, "%Y-%m-%d"); }

  std::mutex mutex_;
  std::vector<std::string> begins_;
  std::atomic<int> seconds_off = 0;
  Workplace place_;
  Appliance appliance_{[this](const Appliance::Request& request) { return reply(request); }};
};

TEST_F(Windows, BeginAtFirstContactByTheEarlierClock) {
  seconds_off = -10 * kDay;
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_LE(last_begin(), day(-11 * kDay)) << "lookback is a day";
}

TEST_F(Windows, BeginLaterByTheEarlierClock) {
  EXPECT_EQ(place_.run("collect").status, 0);
  seconds_off = -10 * kDay;
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_LE(last_begin(), day(-10 * kDay)) << "it may be that clock that the sessions go by";
  seconds_off = 10 * kDay;
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_LE(last_begin(), day(0)) << "never in our future";
}

TEST_F(Windows, DoNotBelieveAClockFromBeforeThisVersionWasMade) {
  seconds_off = -200 * kDay;
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_GE(last_begin(), day(-2 * kDay));
}

// An appliance whose one session "s" has a log of one step, and may be given away to another session.
class GivenAwayId : public testing::Test {
 protected:
  GivenAwayId() {
    place_.write("password", "secret");
    place_.configure(appliance_.source("a", "file:" + (place_ / "password").string()));
  }

  std::optional<Appliance::Reply> reply(const Appliance::Request& request) {
    const std::string_view target = request.target();
    if (target.find("token") != target.npos) return std::nullopt;
    if (target.find("/log") != target.npos) {
      if (given_away) start = step = 2;
      return response(fmt::format(
          R"({{"log":[{{"logTime":"{0}T01:00:0{1}","status":"Success","message":"step {1}","executionStartTime":"{0}T01:00:00"}}]}})",
          yesterday(), step.load()));
    }
    const std::string row =
        fmt::format(R"({{"id":"s","type":"Policy","status":"Succeeded","executionStartTime":"{}T0{}:00:00"}})",
                    yesterday(), start.load());
    if (target.find("/sessions/s") != target.npos) {
      ++asked_for;
      return says_one ? response(row) : response(R"({"title":"no such resource"})", {}, "404 Not Found");
    }
    // At first contact the window is open.
    if (target.find("FromUtc") != target.npos) ++listed;
    return response(fmt::format(R"({{"results":[{}],"totalCount":1}})", row));
  }
  int written(std::string_view what) const {
    int count = 0;
    for (const std::string& line : place_.lines()) count += line.find(what) != line.npos;
    return count;
  }
  bool listed_twice_more() {
    return eventually([this, before = listed.load()] { return listed >= before + 2; });
  }

  std::atomic<int> step = 1, start = 1, listed = 0, asked_for = 0;
  std::atomic<bool> says_one = false;    // where it is asked for by its id
  std::atomic<bool> given_away = false;  // from the next read of the log on, to a session that started later
  Workplace place_;
  Appliance appliance_{[this](const Appliance::Request& request) { return reply(request); }};
};

TEST_F(GivenAwayId, IsNoticedBeforeTheOtherSessionsLogIsTakenForItsOwn) {
  place_.edit_config("discovery_interval = \"200ms\"", "discovery_interval = \"2s\"");
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return place_.lines().size() == 1; })) << daemon.err();
  given_away = true;
  EXPECT_TRUE(eventually([&] { return start == 2; }));
  EXPECT_TRUE(listed_twice_more());
  EXPECT_TRUE(eventually([&] { return written("step 2") > 0; })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(written("step 1"), 1);
  EXPECT_EQ(written("step 2"), 1) << "written under both sessions";
}

TEST_F(GivenAwayId, IsAskedForWithoutWaitingForTheNextListing) {
  says_one = true;
  place_.edit_config("discovery_interval = \"200ms\"", "discovery_interval = \"1h\"");
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return place_.lines().size() == 1; })) << daemon.err();
  given_away = true;
  EXPECT_TRUE(eventually([&] { return written("step 2") > 0; })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(listed, 0);
  EXPECT_EQ(asked_for, 1);
  EXPECT_EQ(written("step 2"), 1) << "written under both sessions";
}

TEST_F(GivenAwayId, IsNotBelievedWhenTheListingSaysOtherwise) {
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return place_.lines().size() == 1; })) << daemon.err();
  step = 2;  // the log is another, the session is not
  EXPECT_TRUE(eventually([&] { return place_.lines().size() == 2; })) << daemon.err();
  EXPECT_EQ(daemon.err().find("given up"), std::string::npos) << daemon.err();
}

}  // namespace
}  // namespace sessionlogd::test
