#include "sinks/file/output_recovery.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <random>

#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using test::CountingState;
using test::event_line;

// Stands for a kill: writes `budget` bytes more, then no more instruction runs.
struct Killed {};
class KillAfterBytes : public FileOps {
 public:
  ssize_t pwritev(int fd, const iovec* pieces, int, off_t offset) override {
    const std::size_t size = std::min(budget, pieces[0].iov_len);
    const iovec part{pieces[0].iov_base, size};
    if (size != 0 && FileOps::pwritev(fd, &part, 1, offset) != static_cast<ssize_t>(size))
      throw std::runtime_error("pwritev");
    budget -= size;
    if (size < pieces[0].iov_len) throw Killed{};
    return static_cast<ssize_t>(size);
  }
  int fdatasync(int) override { return 0; }  // for speed: the page cache outlives a kill

  std::size_t budget = SIZE_MAX;
};

struct Outcome {
  std::string text;
  std::map<std::uint64_t, std::uint64_t> counts;
  std::uint64_t deliveries = 0;

  bool operator==(const Outcome&) const = default;
};

class OutputRecoveryTest : public testing::Test {
 protected:
  OutputRecoveryTest() { output.emplace(*OutputFile::open(path, ops)); }

  Outcome recover(const std::string& text, RecoveryLimits limits = {}) {
    test::write_text(path, text);
    OutputPosition position;
    return go_on(position, limits);
  }

  Outcome go_on(OutputPosition& position, RecoveryLimits limits) {
    CountingState state;
    const Recovered recovered = OutputRecovery(*output, journal, state, progress, limits).run(position);
    EXPECT_EQ(recovered.events, state.deliveries());
    Outcome outcome{test::read_text(path), state.counts(), state.deliveries()};
    EXPECT_EQ(position.offset, outcome.text.size());
    return outcome;
  }

  test::TempDir dir;
  KillAfterBytes ops;
  std::string path = [this] {
    test::write_text(dir / "events", "");
    return dir / "events";
  }();
  FileJournal journal{dir / "state.db"};
  RecoveryProgress progress{"file:test", 0, {}};
  std::optional<OutputFile> output;
};

std::string blanks(std::size_t size) { return size == 0 ? "" : std::string(size - 1, ' ') + "\n"; }

// The rule, without buffers: what recovery must make of a text.
Outcome expected_of(const std::string& text) {
  OutputLineReader reader;
  CountingState state;
  Outcome expected;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? text.size() : newline + 1;
    const std::string line = text.substr(begin, end - begin);
    const std::string padded = line + std::string(OutputLineReader::kPadding, ' ');
    const auto event = newline == std::string::npos ? std::nullopt : reader.read(padded.data(), line.size() - 1);
    if (event) state.delivered(*event);
    const bool stays =
        event || (newline != std::string::npos && is_of_another_program(line.substr(0, line.size() - 1)));
    expected.text += stays ? line : blanks(line.size());
    begin = end;
  }
  expected.counts = state.counts();
  expected.deliveries = state.deliveries();
  return expected;
}

TEST_F(OutputRecoveryTest, BlanksALineThatIsTornAtAnyByte) {
  const std::string before = event_line(1, 0) + event_line(1, 1, std::string(300, 'a'));
  const std::string whole = before + event_line(1, 2, std::string(1500, 'b'));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::string torn = whole.substr(0, size);
    const Outcome outcome = recover(torn);
    ASSERT_EQ(outcome, expected_of(torn)) << size;
    ASSERT_EQ(outcome.text.size(), size);
  }
}

TEST_F(OutputRecoveryTest, KeepsOursAndAnothersAndBlanksTheRest) {
  const std::string crlf = event_line(1, 1).insert(event_line(1, 1).size() - 1, "\r");
  const std::string huge = event_line(1, 2, std::string(9 << 20, 'h'));
  const struct {
    const char* what;
    std::string text;
    std::string after;
  } cases[] = {
      {"nothing", "", ""},
      {"a single byte", "x", "\n"},
      {"a line end", "\n", "\n"},
      {"blanks of a recovery before", "    \n" + event_line(1, 0), "    \n" + event_line(1, 0)},
      {"text", "hello\n\tthere\n" + event_line(1, 0), "hello\n\tthere\n" + event_line(1, 0)},
      {"an object of somebody else", "{\"a\":1}\n" + event_line(1, 0), "{\"a\":1}\n" + event_line(1, 0)},
      {"what only begins like one", "{\"a\":\n" + event_line(1, 0), "     \n" + event_line(1, 0)},
      {"text without an end", event_line(1, 0) + "hello", event_line(1, 0) + "    \n"},
      {"text with other bytes",
       "a\x01"
       "b\n" +
           event_line(1, 0),
       "   \n" + event_line(1, 0)},
      {"text of another system", "hello\r\n{\"a\":1}\r\n" + event_line(1, 0),
       "hello\r\n{\"a\":1}\r\n" + event_line(1, 0)},
      {"text in colours", "\x1b[31mred\x1b[0m\n" + event_line(1, 0), "\x1b[31mred\x1b[0m\n" + event_line(1, 0)},
      {"text of a mebibyte", std::string(1 << 20, 't') + "\n", std::string(1 << 20, 't') + "\n"},
      {"NUL before a line", std::string(5000, '\0') + event_line(1, 0), blanks(5000 + event_line(1, 0).size())},
      {"NUL at the end", event_line(1, 0) + std::string(9 << 20, '\0'), event_line(1, 0) + blanks(9 << 20)},
      {"NUL within a line", event_line(1, 0).replace(50, 4, 4, '\0'), blanks(event_line(1, 0).size())},
      {"two line ends of another system", event_line(1, 0) + crlf, event_line(1, 0) + crlf},
      {"a line larger than the buffer", event_line(1, 0) + event_line(1, 1) + huge,
       event_line(1, 0) + event_line(1, 1) + huge},
      {"a torn one of that size", event_line(1, 0) + huge.substr(0, 8 << 20), event_line(1, 0) + blanks(8 << 20)},
      {"text of that size", std::string(9 << 20, 'f') + "\n" + event_line(1, 0),
       blanks((9 << 20) + 1) + event_line(1, 0)},
      {"the half of a line before a line", event_line(1, 0).substr(0, 60) + event_line(1, 0),
       blanks(60 + event_line(1, 0).size())},
  };
  for (const auto& c : cases) {
    const Outcome outcome = recover(c.text);
    EXPECT_TRUE(outcome.text == c.after) << c.what;
    EXPECT_TRUE(outcome == recover(outcome.text)) << "again: " << c.what;
  }
}

TEST_F(OutputRecoveryTest, DismissesALineThatIsLongerThanALineMayBe) {
  const std::string longest = event_line(1, 0, std::string(500, 'l'));
  const std::string longer = event_line(1, 0, std::string(501, 'l'));
  const RecoveryLimits limits{.first_buffer = 16, .max_line = longest.size(), .slice_bytes = 1};
  EXPECT_EQ(recover(longest, limits).deliveries, 1u);
  EXPECT_EQ(recover(longer + longest, limits).text, blanks(longer.size()) + longest);
}

// Pieces of every kind in any order, read through buffers of any size.
std::string random_text(std::mt19937_64& random) {
  std::string text;
  std::uint64_t next = 0;
  const std::size_t pieces = random() % 12;
  for (std::size_t i = 0; i < pieces; ++i) {
    switch (random() % 7) {
      case 0:
        text += std::string(random() % 300, '\0');
        break;
      case 1:
        text += std::string(random() % 100, 'g') + "\n";
        break;
      case 2:
        text += std::string(random() % 20, ' ') + "\n";
        break;
      case 3:
        text += event_line(1, next).substr(0, random() % 150) + (random() % 2 != 0u ? "\n" : "");
        break;
      default:
        text += event_line(1, next++, std::string(random() % 300, 'm'));
    }
  }
  return text;
}

std::uint64_t seed() {
  const char* given = std::getenv("SINKS_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  std::printf("SINKS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

TEST_F(OutputRecoveryTest, FollowsTheRuleForAnyTextAndBuffer) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_text(random);
    const RecoveryLimits limits{
        .first_buffer = 1 + random() % 400, .max_line = 4096, .slice_bytes = 1 + random() % 2000};
    ASSERT_EQ(recover(text, limits), expected_of(text)) << "round " << round << " buffer " << limits.first_buffer;
  }
}

TEST_F(OutputRecoveryTest, GivesTheSameAfterBeingKilledAnywhere) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 300; ++round) {
    const std::string text = random_text(random);
    const RecoveryLimits limits{.first_buffer = 1 + random() % 400, .max_line = 4096, .slice_bytes = SIZE_MAX};
    test::write_text(path, text);
    for (int kills = 0; kills < 3; ++kills) {
      ops.budget = random() % (text.size() + 1);
      CountingState lost;
      OutputPosition position;
      try {
        OutputRecovery(*output, journal, lost, progress, limits).run(position);
      } catch (const Killed&) {
      }
      ASSERT_EQ(test::read_text(path).size(), text.size());
    }
    ops.budget = SIZE_MAX;
    OutputPosition position;
    ASSERT_EQ(go_on(position, limits), expected_of(text)) << "round " << round;
  }
}

TEST_F(OutputRecoveryTest, CommitsSliceBySlice) {
  std::string text;
  for (std::uint64_t entry = 0; entry < 100; ++entry) text += event_line(1, entry);
  test::write_text(path, text);
  ops.budget = text.size() / 2;
  CountingState first;
  OutputPosition position;
  const RecoveryLimits limits{.first_buffer = 512, .max_line = 4096, .slice_bytes = 1024};
  EXPECT_THROW(OutputRecovery(*output, journal, first, progress, limits).run(position), Killed);

  const std::optional<OutputPosition> committed = journal.read_position();
  ASSERT_TRUE(committed);
  EXPECT_EQ(*committed, position);
  EXPECT_GT(position.offset, text.size() / 2 - 2048);

  ops.budget = SIZE_MAX;
  CountingState second;
  journal.read_rows(second);
  OutputRecovery(*output, journal, second, progress, limits).run(position);
  EXPECT_EQ(second.count(1), 100u);
  EXPECT_TRUE(second.complaints().empty());
  EXPECT_GT(second.settlements(), 2u);
}

}  // namespace
}  // namespace sessionlogd
