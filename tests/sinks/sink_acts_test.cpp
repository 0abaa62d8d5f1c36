// What is done to each kind of sink beside running it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/state/restored_state.h"
#include "sinks/make_sink.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using test::TempDir;
using testing::HasSubstr;
using testing::ThrowsMessage;

Settings settings_of(SinkKind kind, const std::string& state_dir = "/nowhere") {
  Settings settings;
  settings.daemon.state_dir = state_dir;
  settings.sink.kind = std::move(kind);
  return settings;
}

KafkaSinkSettings kafka() {
  KafkaSinkSettings sink;
  sink.brokers = "127.0.0.1:1";
  sink.topic = "t";
  sink.state_topic = "s";
  sink.transactional_id = "id";
  return sink;
}

TEST(SinkActs, MakeTheSinkOfTheirKind) {
  EXPECT_EQ(make_sink(settings_of(FileSinkSettings{.path = "/nowhere/events"}))->name(), "file:/nowhere/events");
  EXPECT_EQ(make_sink(settings_of(StdoutSinkSettings{}))->name(), "file:-");
  EXPECT_EQ(make_sink(settings_of(kafka()))->name(), "kafka:t");
}

TEST(SinkActs, ReadWhatWasDeliveredWhereItIsKept) {
  EXPECT_NE(make_delivered_reader(settings_of(FileSinkSettings{})), nullptr);
  EXPECT_EQ(make_delivered_reader(settings_of(StdoutSinkSettings{})), nullptr);
  EXPECT_NE(make_delivered_reader(settings_of(kafka())), nullptr);
}

TEST(SinkActs, OfStandardOutputKnowNoState) {
  const auto acts = acts_of(settings_of(StdoutSinkSettings{}));
  RestoredState state;
  const auto no_state =
      ThrowsMessage<std::runtime_error>("sink.path is \"-\": standard output, of which no state is kept");
  EXPECT_THAT([&] { (void)acts->read_state(state); }, no_state);
  EXPECT_THAT([&] { (void)acts->init_state(); }, no_state);
  EXPECT_THAT([&] { (void)acts->rebuild_state(state); }, no_state);
  EXPECT_TRUE(acts->check_connection().empty());
}

TEST(SinkActs, OfKafkaDoNotMakeStateFromTheTopic) {
  RestoredState state;
  EXPECT_THAT([&] { (void)acts_of(settings_of(kafka()))->rebuild_state(state); },
              ThrowsMessage<std::runtime_error>(
                  "the state is in Kafka, in topic s: only `state show` and `state init` work on it"));
}

TEST(SinkActs, OfAFileMakeAndShowItsState) {
  const TempDir dir;
  const auto acts = acts_of(settings_of(FileSinkSettings{.path = dir / "events.ndjson"}, dir / "state"));
  RestoredState state;
  EXPECT_THAT([&] { (void)acts->read_state(state); },
              ThrowsMessage<std::runtime_error>("there is no state at " + (dir / "state/state.db")));
  EXPECT_THAT([&] { (void)acts->rebuild_state(state); },
              ThrowsMessage<std::runtime_error>(HasSubstr("there is no output at ")));
  std::ofstream(dir / "events.ndjson") << "\n";
  EXPECT_THAT(acts->init_state(), HasSubstr("delivered again behind it, from file 1 on.\n"));
  EXPECT_EQ(acts->read_state(state), "state   " + (dir / "state/state.db") + "\noutput  " + (dir / "events.ndjson") +
                                         " (file 1): 1 bytes committed\n");
  const RebuiltState rebuilt = acts->rebuild_state(state);
  EXPECT_EQ(rebuilt.from, "from the output's file 1 on");
  EXPECT_THAT(rebuilt.notes, HasSubstr("\nThe state before is kept as " + (dir / "state/state.db.before-")));
}

}  // namespace
}  // namespace sessionlogd
