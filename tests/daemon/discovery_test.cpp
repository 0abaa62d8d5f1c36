// Which window of sessions the daemon asks for, by the appliance's clock.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
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
    return answer(R"({"results":[],"totalCount":0})", {date});
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

TEST_F(Windows, BeginWhereTheLastListingEndedHoweverLongAgo) {
  seconds_off = -10 * kDay;  // ten days ago
  EXPECT_EQ(place_.run("collect").status, 0);
  seconds_off = 0;  // an outage of ten days later; lookback is one
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_LE(last_begin(), day(-9 * kDay));
  EXPECT_GE(last_begin(), day(-11 * kDay));
}

TEST_F(Windows, AreReckonedByTheAppliancesClock) {
  seconds_off = -30 * kDay;
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_LE(last_begin(), day(-30 * kDay)) << "a day before its present";
}

}  // namespace
}  // namespace sessionlogd::test
