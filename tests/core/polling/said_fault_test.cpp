#include "core/polling/said_fault.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

Error fault(std::string detail, int status = 0) {
  Error made(ErrorKind::kTryLater, std::move(detail));
  made.http_status = status;
  return made;
}

TEST(SaidFault, IsNewsOnceAndAgainWhenItChanges) {
  SaidFault said;
  EXPECT_FALSE(said.ends());
  EXPECT_TRUE(said.is_news(fault("cannot connect")));
  EXPECT_FALSE(said.is_news(fault("cannot connect")));
  EXPECT_TRUE(said.is_news(fault("timed out")));
  EXPECT_TRUE(said.is_open());
  EXPECT_TRUE(said.ends());
  EXPECT_FALSE(said.ends());
  EXPECT_TRUE(said.is_news(fault("timed out")));
}

TEST(SaidFault, IsTheSameHoweverLongAnAttemptTook) {
  SaidFault said;
  EXPECT_TRUE(said.is_news(fault("10.0.0.5:1: timed out: Connection timed out after 10001 milliseconds")));
  EXPECT_FALSE(said.is_news(fault("10.0.0.5:1: timed out: Connection timed out after 9998 milliseconds")));
  EXPECT_TRUE(said.is_news(fault("HTTP 500 to /api", 500)));
  EXPECT_TRUE(said.is_news(fault("HTTP 503 to /api", 503)));
}

}  // namespace
}  // namespace sessionlogd
