// What is to be done with each part of a group's sources, by what the group says and what became of its lane here.
//
//                 owned                    recovered                  revoked, not ours any more
//   none ─────────────────▶ taking over ───────────────▶ ours ───────────────────────────────────┐
//     ▲                          │ not ours any more, lost  │ fenced, refused                      ▼
//     └──────────────────────────┴──────────────────────────┴────────── gone ──────────────────  ending
//
// A lane that is fenced or refused is followed by a new one after a while, if the group still says that the part is
// ours. What is lost stays ours as long as its commits are accepted: the group is a hint.
//
// Knows no clocks and does nothing itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/state/lane_group.h"

namespace sessionlogd {

class LanePlan {
 public:
  static constexpr std::size_t kMostTakeovers = 12;  // at a time
  // One that reads nothing for so long gives its place to another, and goes on beside it.
  static constexpr std::chrono::milliseconds kTakeoverMayStandStill{2'000};
  // A release has so much of what the group gives it.
  static constexpr std::chrono::milliseconds kReleaseMayTake =
      LaneGroup::kReleaseMayTake - std::chrono::milliseconds{300};
  // What is still revoked then was given to us and taken away again meanwhile.
  static constexpr std::chrono::seconds kHandsBackAgainAfter{1};
  static constexpr std::chrono::milliseconds kFirstWaitWhenFenced{2'500}, kMostWaitWhenFenced{60'000};
  static constexpr std::chrono::minutes kFencedAgainWithin{10};
  static constexpr std::size_t kFencedTooOften = 5;
  static constexpr std::chrono::minutes kWaitWhenRefused{10};

  enum class Is { kNone, kTakingOver, kOurs, kEnding };
  enum class Do {
    kTakeOver,
    kRelease,   // its sources stop, then what they have read is committed
    kDrop,      // it ends at once, and what it holds is dropped; perhaps a release that took too long
    kHandBack,  // the group may give it away
    kRejoin     // of no part
  };
  struct Step {
    Do what;
    Partition partition = 0;

    bool operator==(const Step&) const = default;
  };

  void told(const Membership& now_is, SteadyTime now);
  void recovered(Partition partition) { parts_[partition].is = Is::kOurs; }
  // Rows that a takeover has read so far.
  void reads(Partition partition, std::uint64_t rows, SteadyTime now);
  enum class Failure {
    kRefused,
    kFenced,  // by somebody who believes that it is his
    kLost     // another member's by then, as is to be expected of one who was given up: nobody has a wrong belief
  };
  // A lane cannot go on. The next step drops it.
  void failed(Partition partition, Failure how, SteadyTime now);
  // Nothing of the lane is left: no thread and no poller.
  void gone(Partition partition) { parts_[partition].is = Is::kNone; }
  // Somebody may have mended what was refused.
  void try_again();
  // We stop: everything is released.
  void leave() { is_leaving_ = true; }

  // To be done now; asked again after each of the above, and as time goes by.
  std::vector<Step> next(SteadyTime now);

  Is is(Partition partition) const;
  bool is_refused(Partition partition) const;
  bool is_member() const { return told_.is_member; }
  const Membership& membership() const { return told_; }
  // No lane is left.
  bool is_idle() const;

 private:
  struct Part {
    Is is = Is::kNone;
    bool has_failed = false, is_dropped = false, is_refused = false;
    std::uint64_t rows = 0;
    SteadyTime moved_at{};                   // a takeover: when it read something
    std::optional<SteadyTime> not_before{};  // the next takeover
    std::optional<SteadyTime> release_until{};
    std::optional<SteadyTime> handed_back_at{};
    std::deque<SteadyTime> fenced_at{};
  };

  bool is_wanted(Partition partition) const;
  void step(Partition partition, Part& part, SteadyTime now, std::vector<Step>& steps);
  void begin_takeovers(SteadyTime now, std::vector<Step>& steps);
  void drop(Partition partition, Part& part, std::vector<Step>& steps);
  void was_fenced(Part& part, SteadyTime now);

  Membership told_;
  std::map<Partition, Part> parts_;
  bool is_leaving_ = false, must_rejoin_ = false;
};

// Whether the lane of a part that may be another's by now still is its owner, which only a commit can tell: when it is
// to be asked for one, and when and why its sources rest until it was answered. Knows no clocks.
class LaneDoubt {
 public:
  static constexpr std::chrono::milliseconds kAsksEvery{1'900};  // and somebody looks every 100 ms
  static constexpr std::chrono::milliseconds kRestsAfter{3'000};

  struct Queue {
    std::uint64_t pushed = 0, committed = 0;
    std::optional<SteadyTime> oldest{};   // that is not committed
    std::optional<SteadyTime> offered{};  // since when a commit has not been answered
  };
  enum class Why {
    kNone,
    kStoodStill,   // the process has, and no commit was accepted since
    kShutOut,      // by whom is not known yet
    kNotAnswered,  // a commit, for as long as kRestsAfter
  };
  struct Verdict {
    bool asks = false;  // for an empty commit
    Why rests = Why::kNone;

    bool operator==(const Verdict&) const = default;
  };
  struct Lane {
    bool is_member = false;  // the group says now what is ours
    bool is_quiet = false;   // the process has stood still
    bool is_shut_out = false;
  };
  Verdict look(const Lane& lane, const Queue& queue, SteadyTime now);

 private:
  bool was_quiet_ = false;
  std::optional<SteadyTime> asked_at_;        // while we are no member
  std::optional<std::uint64_t> rests_until_;  // so many are committed
};

}  // namespace sessionlogd
