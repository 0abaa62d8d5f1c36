// What every format in the table promises. A new one is tested by being there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <type_traits>

#include "config/load.h"
#include "sinks/file/file_delivered.h"
#include "sinks/file/file_sink.h"
#include "sinks/file/file_state.h"
#include "sinks/file/output_line.h"
#include "sinks/file/output_recovery.h"
#include "sinks/file/rotated_keeper.h"
#include "sinks/file/rotated_name.h"
#include "sinks/kafka/kafka_event.h"
#include "tests/formats/support.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

constexpr EventKind kKinds[] = {EventKind::kNew, EventKind::kChanged, EventKind::kError, EventKind::kGap};

// What a table entry leaves out does not compile.
static_assert(!std::is_default_constructible_v<decltype(Format::encoder)>);
static_assert(!std::is_default_constructible_v<decltype(Format::reader)>);
static_assert(!std::is_default_constructible_v<decltype(Format::cut)>);

class FormatContract : public testing::TestWithParam<const Format*> {
 protected:
  FormatContract() {
    spdlog::set_level(spdlog::level::off);
    settings.rotate = {.size_bytes = std::nullopt, .every = std::nullopt, .keep = std::nullopt};
  }
  ~FormatContract() override { spdlog::set_level(spdlog::level::info); }

  std::string line_of(const Event& event) const {
    std::string line = line_in(format, event);
    line.pop_back();
    return line;
  }

  void write(const std::vector<Batch>& batches) const {
    CountingState state;
    FileSink sink(state_dir, settings, format);
    sink.recover(state);
    for (const Batch& batch : batches) {
      const Result<void> done = sink.commit({&batch, 1});
      ASSERT_TRUE(done) << done.error().detail;
    }
  }

  CountingState recover() const {
    CountingState state;
    FileSink(state_dir, settings, format).recover(state);
    EXPECT_THAT(state.complaints(), testing::IsEmpty());
    return state;
  }

  const Format& format = *GetParam();
  TempDir dir{quick_directory()};
  std::string state_dir = dir / "state";
  FileSinkSettings settings{.path = dir / "events.log"};
};

TEST_P(FormatContract, HasANameThatTheConfigurationTakes) {
  EXPECT_FALSE(format.content_type.empty()) << "Format::content_type of " << format.name;
  EXPECT_FALSE(format.opening.empty()) << "Format::opening of " << format.name;
  EXPECT_EQ(find_format(format.name), &format)
      << "two formats in sinks/formats/shipped.h have the name " << format.name;
  const std::string text = "[sink]\nformat = \"" + std::string(format.name) + "\"\n";
  const auto parsed = parse_settings(text, dir / "sessionlogd.toml", format_rules());
  for (const ConfigError& error : std::get<std::vector<ConfigError>>(parsed)) {
    EXPECT_NE(error.key, "sink.format") << error.to_string();
  }
}

TEST_P(FormatContract, WritesOneLineOfWhatItReadsBack) {
  for (const EventKind kind : kKinds) {
    for (const Event& event : {event_of(kind, 7, 11), bare_event_of(kind, 7, 11)}) {
      const std::string line = line_in(format, event);
      ASSERT_EQ(line.find('\n'), line.size() - 1) << line;
      EXPECT_TRUE(line.starts_with(format.opening)) << "Format::opening of " << format.name << ": " << line;
      const ReadLine read(format, std::string_view(line).substr(0, line.size() - 1));
      ASSERT_TRUE(read.event()) << "the reader of " << format.name
                                << " does not know what its encoder writes: " << line;
      const WrittenEvent& written = *read.event();
      EXPECT_EQ(written.entry.session_key, event.session_key);
      EXPECT_EQ(written.entry.entry_key, event.entry_key);
      EXPECT_EQ(written.entry.hash, event.hash);
      EXPECT_EQ(written.entry.source_id, "src");
      EXPECT_EQ(written.entry.session_id, event.session->id);
      EXPECT_EQ(written.entry.log_time, event.delivered_log_time()) << line;
      EXPECT_EQ(written.entry.read_at, event.created) << line;
      EXPECT_EQ(written.change, kind) << line;
      EXPECT_EQ(written.source_name, "renamed");
      EXPECT_EQ(written.message, event.message);
      EXPECT_EQ(written.log_time, event.log_time);
      EXPECT_EQ(written.status, event.status);
      EXPECT_EQ(written.duration, event.duration);
      EXPECT_EQ(written.resource_id, event.resource_id);
      EXPECT_EQ(written.extra, event.extra);
      EXPECT_EQ(written.original, event.original);
      EXPECT_EQ(written.created, "2026-11-21T22:26:40.005Z");
      EXPECT_EQ(written.start, event.start ? "2026-11-21T20:30:00Z" : "");
    }
  }
}

TEST_P(FormatContract, NoBeginningAndNothingWithAHoleIsOurs) {
  const std::string line = line_of(event_of(EventKind::kChanged, 7, 11));
  for (std::size_t size = 0; size < line.size(); ++size)
    ASSERT_FALSE(ReadLine(format, line.substr(0, size)).event()) << line.substr(0, size);
  for (const std::size_t hole : {1u, 7u, 64u}) {
    for (std::size_t at = 1; at < line.size(); ++at) {
      std::string holed = line;
      const std::size_t size = std::min(hole, line.size() - at);
      holed.replace(at, size, size, '\0');
      ASSERT_FALSE(ReadLine(format, holed).event()) << "a hole of " << hole << " bytes at " << at;
    }
  }
}

TEST_P(FormatContract, EachLineIsOursInOneFormatOnly) {
  const std::string line = line_of(event_of(EventKind::kNew, 7, 11));
  for (const Format* other : formats()) EXPECT_EQ(ReadLine(*other, line).event().has_value(), other == &format);
  OutputLineReader reader;
  std::string padded = line + std::string(OutputLineReader::kPadding, ' ');
  ASSERT_TRUE(reader.read(padded.data(), line.size()));
  EXPECT_EQ(&reader.format(), &format);
  for (std::size_t size = 1; size <= line.size(); ++size)
    EXPECT_TRUE(OutputLineReader::may_begin(line.substr(0, size))) << size;
}

TEST_P(FormatContract, WhatIsCutIsValidAndTheSameEvent) {
  const std::string line = line_of(event_of(EventKind::kNew, 7, 11, std::string(3'000, 'm') + " é€😀 \\ \n"));
  std::size_t least = line.size();
  for (std::size_t limit = 64; limit < line.size(); ++limit) {
    const std::string cut = format.cut(line, limit);
    const ReadLine read(format, cut);
    ASSERT_TRUE(read.event()) << limit << ": " << cut;
    EXPECT_EQ(read.event()->entry.entry_key, 11u);
    EXPECT_EQ(read.event()->entry.session_id, "session-7");
    EXPECT_THAT(cut, testing::HasSubstr(std::to_string(line.size()))) << "how long it was stands in it";
    least = std::min(least, cut.size());
    EXPECT_LE(cut.size(), std::max(limit, least));
  }
  EXPECT_LT(least, 2'000u) << "the message goes, too";
}

TEST_P(FormatContract, AFileHasNoLongerLineThanMaxEvent) {
  settings.max_event_bytes = 2'048;
  Batch batch = batch_in(format, 1, 0, 1);
  const std::string message(5'000, 'm');
  const Event longer = event_of(EventKind::kNew, 1, 1, message);
  const std::string line = line_in(format, longer);
  batch.events += line;
  batch.index.push_back({static_cast<std::uint32_t>(line.size()), 1, longer.hash, longer.delivered_log_time()});
  batch.records.back().value = "2";
  write({batch, batch_in(format, 1, 2, 1)});
  const std::string text = read_text(settings.path), before = batch_in(format, 1, 0, 1).events;
  EXPECT_TRUE(text.starts_with(before)) << "what is short enough stays as it is";
  EXPECT_LE(text.find('\n', before.size()), before.size() + 2'048);
  EXPECT_EQ(recover().deliveries(), 0u);
  std::uint64_t next = 0;
  (void)FileDelivered(state_dir, settings).read_events({}, [&](const Delivered& event) {
    EXPECT_EQ(event.entry_key, next++);
  });
  EXPECT_EQ(next, 3u);
}

TEST_P(FormatContract, LinesBehindThePositionAreDeliveredAndStayAsTheyAre) {
  write({batch_in(format, 1, 0, 4)});
  const Batch uncommitted = batch_in(format, 1, 4, 95);
  append_text(settings.path, uncommitted.events);
  const CountingState state = recover();
  EXPECT_EQ(state.count(1), 99u) << "recovery does not know the lines of " << format.name;
  EXPECT_EQ(state.deliveries(), 95u);
  EXPECT_EQ(read_text(settings.path), batch_in(format, 1, 0, 4).events + uncommitted.events);
  EXPECT_EQ(recover().deliveries(), 0u);
}

TEST_P(FormatContract, ATornTailIsBlankedAtEveryByte) {
  const std::string before = batch_in(format, 1, 0, 1).events, next = batch_in(format, 1, 1, 1).events;
  FileJournal journal(dir / "state.db");
  RecoveryProgress progress("file:test", 0, {});
  for (std::size_t size = 1; size < next.size(); ++size) {
    write_text(settings.path, before + next.substr(0, size));
    auto output = OutputFile::open(settings.path, FileOps::system());
    CountingState state;
    OutputPosition position;
    OutputRecovery(*output, journal, state, progress).run(position);
    EXPECT_EQ(state.count(1), 1u) << size;
    ASSERT_EQ(read_text(settings.path), before + std::string(size - 1, ' ') + "\n") << size;
  }
}

// Another program's line stays where it is; one of ours that was cut short and ended is none.
TEST_P(FormatContract, ALineThatWasCutShortIsNotTakenForAnotherPrograms) {
  const std::string line = line_of(event_of(EventKind::kNew, 1, 1));
  for (std::size_t size = 1; size < line.size(); ++size)
    ASSERT_FALSE(is_of_another_program(line.substr(0, size))) << line.substr(0, size);
  EXPECT_TRUE(is_of_another_program("somebody else"));
}

// It is told by its beginning whether a line is worth the memory.
TEST_P(FormatContract, ALineThatIsLongerThanTheBufferIsDelivered) {
  const std::string line = line_in(format, event_of(EventKind::kNew, 1, 0, std::string(5'000, 'm')));
  write_text(settings.path, line + std::string(2'000, '\x01') + "\n");
  auto output = OutputFile::open(settings.path, FileOps::system());
  FileJournal journal(dir / "state.db");
  RecoveryProgress progress("file:test", 0, {});
  CountingState state;
  OutputPosition position;
  const Recovered recovered =
      OutputRecovery(*output, journal, state, progress, {.first_buffer = 64, .max_line = 1u << 20}).run(position);
  EXPECT_EQ(recovered.events, 1u) << "Format::opening of " << format.name;
  EXPECT_EQ(recovered.blanked_bytes, 2'000u);
  EXPECT_EQ(position.format, format.name);
}

TEST_P(FormatContract, VerifyReadsEveryFilePlainAndCompressed) {
  settings.rotate.size_bytes = 4 * batch_in(format, 1, 0, 1).events.size();
  std::vector<Batch> batches;
  for (std::uint64_t entry = 0; entry < 20; ++entry) batches.push_back(batch_in(format, 1, entry, 1));
  write(batches);
  RotatedKeeper(settings, FileOps::system()).tidy(100);
  ASSERT_TRUE(list_rotated(settings.path).front().compressed);
  std::uint64_t next = 0;
  const ReadBack read = FileDelivered(state_dir, settings).read_events({}, [&](const Delivered& event) {
    EXPECT_EQ(event.entry_key, next++);
    EXPECT_EQ(event.log_time, event_of(EventKind::kNew, 1, event.entry_key).timestamp);
  });
  EXPECT_EQ(read.events, 20u) << "verify does not know the lines of " << format.name;
}

TEST_P(FormatContract, StateIsRebuiltFromEveryFilePlainAndCompressed) {
  settings.rotate.size_bytes = 4 * batch_in(format, 1, 0, 1).events.size();
  std::vector<Batch> batches;
  for (std::uint64_t entry = 0; entry < 20; ++entry) batches.push_back(batch_in(format, 1, entry, 1));
  write(batches);
  RotatedKeeper(settings, FileOps::system()).tidy(100);
  ASSERT_TRUE(list_rotated(settings.path).front().compressed);
  append_text(settings.path, "torn");
  std::filesystem::remove_all(state_dir);
  CountingState into;
  rebuild_state(state_dir, settings, format, into);
  EXPECT_EQ(into.count(1), 20u) << "state rebuild does not know the lines of " << format.name;
  EXPECT_THAT(into.complaints(), testing::IsEmpty());
  EXPECT_EQ(recover().deliveries(), 0u);
}

TEST_P(FormatContract, IsRecognisedInKafkaByKeyAndHeaders) {
  const Batch batch = batch_in(format, 7, 11, 1);
  KafkaEventWriter writer(format);
  writer.set_session(batch);
  writer.set_event(batch.index.front());
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : writer.headers()) headers.emplace(name, value);
  EXPECT_EQ(headers.at("event.format"), format.name);
  EXPECT_EQ(headers.at("content-type"), format.content_type);
  const auto header = [&](const char* name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  };
  const auto read = KafkaEventReader().read(writer.key(), "nobody looks here", header);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->source_id, "src");
  EXPECT_EQ(read->session_id, "session-7");
  EXPECT_EQ(read->session_key, 7u);
  EXPECT_EQ(read->entry_key, 11u);
  EXPECT_EQ(read->hash, 12u);
  EXPECT_EQ(read->log_time, batch.index.front().log_time);
}

TEST(Formats, TheFirstIsWhatIsWrittenUnlessAnotherIsAskedFor) {
  EXPECT_EQ(SinkSettings{}.format, formats().front()->name);
  EXPECT_NE(find_format(kFirstFormat), nullptr) << "what was written before formats had names";
}

INSTANTIATE_TEST_SUITE_P(Formats, FormatContract, testing::ValuesIn(formats().begin(), formats().end()),
                         [](const auto& format) { return std::string(format.param->name); });

}  // namespace
}  // namespace sessionlogd::test
