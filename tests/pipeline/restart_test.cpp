// A large response is several batches. Whatever of them was committed when the daemon died, reading the same response
// again emits exactly the rest: the state in a batch agrees with the events up to its end, and with no others.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/state/restored_state.h"
#include "sinks/file/output_line.h"
#include "tests/pipeline/reading.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using testing::SizeIs;

constexpr std::string_view kSource = "aws-eu";

SessionInfo one_session() {
  SessionInfo info;
  info.id = "s-1";
  info.name = "nightly";
  return info;
}

// What the sink holds: the rows of the batches committed so far, the last of each address.
class CommittedRows {
 public:
  void add(const Batch& batch) {
    for (const StateRecord& record : batch.records) rows_[{record.session_key, record.part}] = record;
  }
  void restore(RestoredState& into) const {
    for (const auto& [where, record] : rows_) into.record(kSource, record);
  }

 private:
  std::map<std::pair<std::uint64_t, std::int32_t>, StateRecord> rows_;
};

// Tells recovery of the first `count` lines of a batch that was written but not committed.
void deliver(RestoredState& state, const Batch& batch, std::size_t count) {
  OutputLineReader reader;
  const std::string padded = batch.events + std::string(OutputLineReader::kPadding, '\0');
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto read = reader.read(padded.data() + at, batch.index[i].size - 1);
    ASSERT_TRUE(read);
    state.delivered(*read);
    at += batch.index[i].size;
  }
  state.settle();
}

SessionState restored_session(RestoredState& state) {
  RestoredSource restored = state.take(kSource);
  EXPECT_THAT(restored.sessions, SizeIs(1));
  return restored.sessions.empty() ? SessionState() : restored.sessions.begin()->second;
}

// How the rest is compared with what had not been emitted. Unfinished twins of one status are one and the same to the
// dedup: which of them came first is not remembered, so of those only how many there are of each content counts.
enum class Compare { kExactly, kContents };

// What makes an event that event, in few enough bytes to be printed.
std::vector<std::string> marks_of(const std::vector<std::string>& lines) {
  std::vector<std::string> marks;
  for (const std::string& line : lines) {
    marks.push_back(fmt::format("{} {} {} {}", text_at(line, "/@timestamp"), text_at(line, "/event/id"),
                                text_at(line, "/event/hash"), text_at(line, "/sessionlog/change")));
  }
  return marks;
}

std::vector<std::string> contents_of(const std::vector<std::string>& lines) {
  std::vector<std::string> contents;
  for (const std::string& line : lines) {
    contents.push_back(fmt::format("{} {} {}", text_at(line, "/event/start"), text_at(line, "/message").substr(0, 8),
                                   text_at(line, "/event/hash")));
  }
  return contents;
}

// Reads `before`, then `response`, and dies behind every batch and in the middle of the next.
void check_every_end(const std::string& before, const std::string& response, std::size_t least_batches,
                     Compare compare) {
  const auto marks = [compare](const std::vector<std::string>& lines) {
    return compare == Compare::kExactly ? marks_of(lines) : contents_of(lines);
  };
  Reading reading(source_of("veeam-aws", std::string(kSource)), one_session());
  CommittedRows rows;
  ASSERT_TRUE(reading.try_read(before).has_value());
  const auto first = reading.take_batches();
  for (const Batch& batch : first) rows.add(batch);

  ASSERT_TRUE(reading.try_read(response).has_value());
  const auto batches = reading.take_batches();
  ASSERT_GE(batches.size(), least_batches);
  const auto all = marks(lines_of(batches));

  std::size_t committed = 0;
  for (std::size_t i = 0; i <= batches.size(); ++i) {
    const std::size_t in_next = i < batches.size() ? batches[i].index.size() : 0;
    for (const std::size_t written : {std::size_t{0}, in_next / 2}) {
      if (i == 0 && written == 0 && first.empty()) continue;  // nothing is known at all
      RestoredState state;
      rows.restore(state);
      if (written > 0) deliver(state, batches[i], written);
      Reading again(reading.settings(), restored_session(state));
      auto rest = marks(again.read(response));
      std::vector<std::string> expected(all.begin() + static_cast<std::ptrdiff_t>(committed + written), all.end());
      if (compare == Compare::kContents) std::ranges::sort(rest), std::ranges::sort(expected);
      ASSERT_EQ(rest, expected) << "behind batch " << i << " and " << written << " lines";
    }
    if (i == batches.size()) break;
    EXPECT_LT(batches[i].events.size(), EventBatch::kBytes + 8192) << "one event past the mark at most";
    rows.add(batches[i]);
    committed += in_next;
  }
}

std::string entry(std::size_t second, std::size_t start, std::string_view message, std::string_view status,
                  std::size_t size) {
  return fmt::format(
      R"({{"logTime":"2026-01-01T{:02}:{:02}:{:02}","executionStartTime":"2026-01-01T00:00:{:02}","message":"{} {}","status":"{}"}})",
      second / 3600, second / 60 % 60, second % 60, start, message, std::string(size, 'x'), status);
}

TEST(Restart, NewEntriesOfSeveralBatches) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < 1500; ++i)
    entries.push_back(entry(i * 7919 % 80000, i % 60, fmt::format("step {}", i), "Success", 2000));
  check_every_end(aws_response("s-1", {}), aws_response("s-1", entries), 3, Compare::kExactly);
}

TEST(Restart, ChangedAndNewEntriesMixed) {
  std::vector<std::string> before, after;
  for (std::size_t i = 0; i < 1500; ++i) {
    const std::string message = fmt::format("step {}", i);
    if (i % 3 != 0) before.push_back(entry(i, i % 60, message, "Running", 2000));
    after.push_back(entry(i * 7919 % 80000, i % 60, message, "Success", 2000));
  }
  check_every_end(aws_response("s-1", before), aws_response("s-1", after), 3, Compare::kExactly);
}

// Twins whose log times stand in another order than the response: the history must hold the lower ordinals at every
// end.
TEST(Restart, TwinsInReverseOrderOfTime) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < 1200; ++i) entries.push_back(entry(5000 - i, 0, "the same", "Success", 2000));
  check_every_end(aws_response("s-1", {}), aws_response("s-1", entries), 2, Compare::kExactly);
}

// Entries with many twins, most of them out of order.
std::pair<std::string, std::string> random_responses(std::mt19937_64& random, bool some_unfinished) {
  const auto any = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
  const auto status = [&] { return some_unfinished && any(3) == 0 ? "Running" : "Success"; };
  std::vector<std::string> before, after;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string message = fmt::format("step {}", any(80));
    const std::size_t start = any(2), size = 6000;
    if (any(3) == 0) before.push_back(entry(any(1000), start, message, status(), size));
    after.push_back(entry(any(1000), start, message, status(), size));
  }
  return {aws_response("s-1", before), aws_response("s-1", after)};
}

TEST(Restart, RandomFinishedTwins) {
  std::mt19937_64 random(random_seed());
  for (int round = 0; round < 6; ++round) {
    const auto [before, after] = random_responses(random, false);
    check_every_end(before, after, 1, Compare::kExactly);
  }
}

TEST(Restart, RandomUnfinishedTwins) {
  std::mt19937_64 random(random_seed());
  for (int round = 0; round < 6; ++round) {
    const auto [before, after] = random_responses(random, true);
    check_every_end(before, after, 1, Compare::kContents);
  }
}

}  // namespace
}  // namespace sessionlogd::test
