// The last 64 KiB of the output, torn at every byte: whatever a crash leaves of the end, recovery goes on from there.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <random>

#include "sinks/file/output_recovery.h"
#include "tests/sinks/support.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

constexpr std::size_t kTail = 64u << 10;

// No sync: every byte would cost one, and what is torn is decided here, not by the disk.
class NoSync : public FileOps {
 public:
  int fdatasync(int) override { return 0; }
};

TEST(TornTail, IsBlankedAtEveryByte) {
  spdlog::set_level(spdlog::level::off);
  std::mt19937_64 random(random_seed());
  TempDir dir(quick_directory());  // 65,537 commits of the state
  std::string whole;
  std::vector<std::size_t> ends{0};
  for (std::uint64_t entry = 0; whole.size() < kTail; ++entry) {
    whole += event_line(1, entry, std::string(random() % 900, 't'));
    ends.push_back(whole.size());
  }
  NoSync ops;
  test::write_text(dir / "events", "");
  FileJournal journal(dir / "state.db");
  RecoveryProgress progress("file:test", 0, {});
  std::size_t complete = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    while (complete + 1 < ends.size() && ends[complete + 1] <= size) ++complete;
    // The bytes from the 1 before the last complete line on; those before it are the same every time.
    const std::size_t from = complete == 0 ? 0 : ends[complete - 1];
    test::write_text(dir / "events", std::string_view(whole).substr(from, size - from));
    auto output = OutputFile::open(dir / "events", ops);
    struct Last : StateVisitor {
      void record(std::string_view, const StateRecord&) override {}
      void delivered(const Delivered& event) override { keys.push_back(event.entry_key); }
      std::vector<Batch> settle() override { return {}; }
      std::vector<std::uint64_t> keys;
    } state;
    OutputPosition position;
    OutputRecovery(*output, journal, state, progress).run(position);
    ASSERT_EQ(state.keys, complete == 0 ? std::vector<std::uint64_t>{} : std::vector<std::uint64_t>{complete - 1})
        << size;
    const std::string after = read_text(dir / "events");
    ASSERT_EQ(after.size(), size - from) << "it must keep its size";
    const std::size_t torn = size - ends[complete];
    ASSERT_EQ(after.substr(ends[complete] - from), torn == 0 ? "" : std::string(torn - 1, ' ') + "\n") << size;
  }
  spdlog::set_level(spdlog::level::info);
}

}  // namespace
}  // namespace sessionlogd::test
