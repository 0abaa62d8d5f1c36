#include "core/base/time_zone.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace sessionlogd {
namespace {

const TimeZone kBerlin{"Europe/Berlin", std::nullopt};

std::string utc(const TimeZone& zone, std::string_view local) {
  std::string text;
  append_rfc3339(text, ZoneRules(zone).to_utc(parse_rfc3339(local).value()));
  return text;
}

TEST(ZoneRules, LeaveTimesWithAZoneAlone) {
  for (const TimeZone& zone : {TimeZone{}, TimeZone{"+02:00", std::chrono::minutes{120}}, kBerlin}) {
    EXPECT_EQ(utc(zone, "2020-06-20T19:12:00.5Z"), "2020-06-20T19:12:00.500Z") << zone.name;
    EXPECT_EQ(utc(zone, "2020-06-20T19:12:00-01:00"), "2020-06-20T20:12:00Z") << zone.name;
  }
}

TEST(ZoneRules, KnowFixedOffsets) {
  EXPECT_EQ(utc({}, "2020-06-20T19:12:00.25"), "2020-06-20T19:12:00.250Z");
  EXPECT_EQ(utc({"+02:00", std::chrono::minutes{120}}, "2020-06-20T01:12:00.25"), "2020-06-19T23:12:00.250Z");
  EXPECT_EQ(utc({"-05:30", std::chrono::minutes{-330}}, "2020-06-20T19:12:00"), "2020-06-21T00:42:00Z");
}

TEST(ZoneRules, KnowSummerTime) {
  EXPECT_EQ(utc(kBerlin, "2020-01-20T12:00:00.000001"), "2020-01-20T11:00:00.000001Z");
  EXPECT_EQ(utc(kBerlin, "2020-06-20T12:00:00"), "2020-06-20T10:00:00Z");
  EXPECT_EQ(utc(kBerlin, "2020-03-29T01:59:59"), "2020-03-29T00:59:59Z");
  EXPECT_EQ(utc(kBerlin, "2020-03-29T03:00:00"), "2020-03-29T01:00:00Z");
  EXPECT_EQ(utc(kBerlin, "2020-10-25T03:00:00"), "2020-10-25T02:00:00Z");
}

TEST(ZoneRules, TakeTimesThatStandTwiceAsTheFirst) {
  EXPECT_EQ(utc(kBerlin, "2020-10-25T02:30:00"), "2020-10-25T00:30:00Z");
}

TEST(ZoneRules, TakeTimesThatNeverWereAsTheMomentOfTheChange) {
  EXPECT_EQ(utc(kBerlin, "2020-03-29T02:30:00"), "2020-03-29T01:00:00Z");
  EXPECT_EQ(utc(kBerlin, "2020-03-29T02:00:00"), "2020-03-29T01:00:00Z");
}

TEST(ZoneRules, KeepWhatWouldLeaveTheYearsThatCanBeWritten) {
  EXPECT_EQ(utc({"+02:00", std::chrono::minutes{120}}, "0000-01-01T00:00:00"), "0000-01-01T00:00:00Z");
  EXPECT_EQ(utc({"-02:00", std::chrono::minutes{-120}}, "9999-12-31T23:59:59"), "9999-12-31T23:59:59Z");
  EXPECT_EQ(utc(kBerlin, "0000-01-01T00:00:00"), "0000-01-01T00:00:00Z");
  EXPECT_EQ(utc({"America/New_York", std::nullopt}, "9999-12-31T23:59:59"), "9999-12-31T23:59:59Z");
}

TEST(ZoneRules, RefuseZonesThatAreNotInTheDatabase) {
  EXPECT_THROW(ZoneRules({"Europe/Nowhere", std::nullopt}), std::runtime_error);
}

}  // namespace
}  // namespace sessionlogd
