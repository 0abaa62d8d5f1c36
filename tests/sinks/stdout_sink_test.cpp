#include "sinks/stdout_sink.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

TEST(StdoutSink, WritesTheLinesOnly) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  StdoutSink sink({}, ends[1]);
  test::CountingState state;
  sink.recover(state);
  const Batch batches[] = {test::batch_of(1, 0, 2), test::batch_of(2, 0, 1)};
  ASSERT_TRUE(sink.commit(batches));
  ::close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
  EXPECT_EQ(text, batches[0].events + batches[1].events);
  ::close(ends[0]);
}

TEST(StdoutSink, GivesUpOnAReaderThatTakesNothingAndGoesOnWhereItStopped) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::stop_source stop;
  stop.request_stop();
  StdoutSink sink(stop.get_token(), ends[1]);
  const Batch batches[] = {test::batch_of(1, 0, 1, std::string(50'000, 'x')),
                           test::batch_of(2, 0, 1, std::string(50'000, 'y'))};
  const Result<void> stuck = sink.commit(batches);
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().kind, ErrorKind::kTryLater);
  EXPECT_EQ(stuck.error().detail, "standard output: its reader takes nothing");

  std::string text(1 << 20, '\0');
  std::size_t size = static_cast<std::size_t>(::read(ends[0], text.data(), text.size()));
  EXPECT_LT(size, batches[0].events.size() + batches[1].events.size());
  ASSERT_TRUE(sink.commit(batches));
  size += static_cast<std::size_t>(::read(ends[0], text.data() + size, text.size() - size));
  text.resize(size);
  EXPECT_EQ(text, batches[0].events + batches[1].events);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(StdoutSink, EndsWhenItsReaderHasGone) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  StdoutSink sink({}, ends[1]);
  const Batch batch = test::batch_of(1, 0, 2);
  const Result<void> result = sink.commit({&batch, 1});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(result.error().detail, "standard output: its reader has gone");
  ::close(ends[1]);
}

}  // namespace
}  // namespace sessionlogd
