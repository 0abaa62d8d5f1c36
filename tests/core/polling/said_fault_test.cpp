#include "core/polling/said_fault.h"
#include "tests/core/steady_now.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

Error fault(std::string detail, int status = 0) {
  Error made(ErrorKind::kTryLater, std::move(detail));
  made.http_status = status;
  return made;
}

TEST(SaidFault, IsNewsOnceAndAgainWhenItChanges) {
  SaidFault said;
  EXPECT_FALSE(said.ends());
  EXPECT_TRUE(said.is_news(kNow, fault("cannot connect")));
  EXPECT_FALSE(said.is_news(kNow, fault("cannot connect")));
  EXPECT_TRUE(said.is_news(kNow, fault("timed out")));
  EXPECT_TRUE(said.is_open());
  EXPECT_TRUE(said.ends());
  EXPECT_FALSE(said.ends());
  EXPECT_TRUE(said.is_news(kNow, fault("timed out")));
}

TEST(SaidFault, IsTheSameHoweverLongAnAttemptTook) {
  SaidFault said;
  EXPECT_TRUE(said.is_news(kNow, fault("10.0.0.5:1: timed out: Connection timed out after 10001 milliseconds")));
  EXPECT_FALSE(said.is_news(kNow, fault("10.0.0.5:1: timed out: Connection timed out after 9998 milliseconds")));
  EXPECT_TRUE(said.is_news(kNow, fault("HTTP 500 to /api", 500)));
  EXPECT_TRUE(said.is_news(kNow, fault("HTTP 503 to /api", 503)));
}

// An id of the request in letters, say.
TEST(SaidFault, OfAStatusIsNoNewsInOtherWordsForTenMinutes) {
  SaidFault said;
  EXPECT_TRUE(said.is_news(kNow, fault("request abc was refused", 403)));
  for (int i = 1; i < 600; ++i)
    EXPECT_FALSE(said.is_news(kNow + i * 1s, fault("request " + std::string(i, 'x') + " was refused", 403)));
  EXPECT_TRUE(said.is_news(kNow + 600s, fault("EULA not accepted", 403)));
  EXPECT_FALSE(said.is_news(kNow + 1201s, fault("EULA not accepted", 403))) << "it is the same";
}

TEST(SaidFault, OfAConnectionOrALoginIsNewsThreeTimesInTenMinutes) {
  SaidFault said;
  int news = 0;
  for (int i = 0; i < 600; ++i) news += said.is_news(kNow + i * 1s, fault("login " + std::string(i, 'x') + " failed"));
  EXPECT_EQ(news, 3);
  EXPECT_TRUE(said.is_news(kNow + 600s, fault("timed out")));
}

TEST(SaidFault, ThatComesAndGoesIsBoundedToo) {
  SaidFault said;
  int news = 0;
  for (int i = 0; i < 600; ++i) {
    news += said.is_news(kNow + i * 1s, fault("HTTP", 500 + i % 2));
    said.ends();
  }
  EXPECT_EQ(news, 3);
}

}  // namespace
}  // namespace sessionlogd
