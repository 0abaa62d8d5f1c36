// What became of one source's requests and entries, counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sessionlogd {

enum class PollMode {
  kForever,
  kOnePass,  // list once, read every session that is due once, then end
};

// What is counted of a source as long as it is there. Each is a metric, or one label's value of a metric.
enum class Counted : std::uint8_t {
  kPollsNew,  // polls, by what came of them
  kPollsChanged,
  kPollsUnchanged,
  kPollsFailed,
  kEventsNew,  // events, by why they were made
  kEventsChanged,
  kEventsError,
  kEventsGap,
  kEntries,     // in responses that were read
  kLate,        // sessions that only a sweep brought up
  kVerifyLate,  // entries that only verify brought up
  kNotJson,     // responses that were no JSON, broken JSON, or JSON that is no log
  kNotUtf8,     // events in which bytes that are no UTF-8 were replaced
  kCount
};

// At one moment.
class SourceCounts {
 public:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Counted::kCount);

  std::uint64_t& operator[](Counted what) { return counts_[static_cast<std::size_t>(what)]; }
  std::uint64_t operator[](Counted what) const { return counts_[static_cast<std::size_t>(what)]; }

  // New, changed, unchanged, failed; and new, changed, error, gap.
  std::array<std::uint64_t, 4> polls() const { return four_from(Counted::kPollsNew); }
  std::array<std::uint64_t, 4> events() const { return four_from(Counted::kEventsNew); }

  // Adds what was counted from `before` to `now`; what is less now began again at zero.
  void add_growth(const SourceCounts& before, const SourceCounts& now) {
    for (std::size_t i = 0; i < kKinds; ++i)
      counts_[i] += now.counts_[i] < before.counts_[i] ? now.counts_[i] : now.counts_[i] - before.counts_[i];
  }

 private:
  std::array<std::uint64_t, 4> four_from(Counted first) const {
    const auto i = static_cast<std::size_t>(first);
    return {counts_[i], counts_[i + 1], counts_[i + 2], counts_[i + 3]};
  }

  std::array<std::uint64_t, kKinds> counts_{};
};

// Written by the shard, read by anyone. A source that is changed by a reload goes on with those it has; in
// each life of its lane it has others.
class SourceCounters {
 public:
  std::atomic<std::uint64_t> sessions = 0;  // found and not done before
  std::atomic<std::uint64_t> read = 0;      // of those, read at least once
  std::atomic<bool> listed = false;         // at least one listing was complete
  std::atomic<bool> failing = false;  // its last listing failed, or its logs cannot be read; (one pass) some cannot

  void add(Counted what, std::uint64_t more = 1) {
    counted_[static_cast<std::size_t>(what)].fetch_add(more, std::memory_order_relaxed);
  }

  std::uint64_t of(Counted what) const {
    return counted_[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
  }
  SourceCounts counts() const {
    SourceCounts counts;
    for (std::size_t i = 0; i < counted_.size(); ++i) counts[static_cast<Counted>(i)] = of(static_cast<Counted>(i));
    return counts;
  }

 private:
  std::array<std::atomic<std::uint64_t>, SourceCounts::kKinds> counted_{};
};

}  // namespace sessionlogd
