// The lanes of this member of a group: what the group says is compared with the lanes that are, and each part goes
// towards it by itself (lane_plan.h). A lane is its outlet and its thread (lane_life.h), and the sources of its part
// (source_set.h).
//
//   group ──▶ membership ─┐
//   lanes' threads ───────┼─▶ main thread: LanePlan ──▶ take over, release, drop, hand back
//   every 100 ms ─────────┘
//
// Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/async/spawn.h"
#include "core/async/task.h"
#include "core/base/metrics.h"
#include "core/base/timestamp.h"
#include "core/state/committer.h"
#include "core/state/lane_group.h"
#include "core/state/queue_memory.h"
#include "daemon/control/group_watch.h"
#include "daemon/control/lane_life.h"
#include "daemon/control/lane_plan.h"
#include "daemon/control/source_set.h"
#include "daemon/service/group_view.h"

namespace sessionlogd {

class Lanes {
 public:
  // All must outlive this, and this the shards. `on_change` is called when what view() says is another.
  struct Parts {
    boost::asio::io_context& main;
    LaneGroup& group;
    SourceSet& sources;
    std::shared_ptr<QueueMemory> memory;
    CommitSettings commits;
    std::function<bool()> may_stay;
    std::function<void()> on_change;
  };
  explicit Lanes(Parts parts);
  ~Lanes();

  // Joins the group, which must be prepared.
  void start();
  // The configuration was read again: what was refused may be mended.
  void try_again();
  // Hands everything back. True when the group has all of it, or it is over with us.
  void leave();
  bool has_left() const;
  // No thread of a lane is left.
  bool has_ended() const { return lanes_.empty(); }

  // Whether each lane that commits has turned since this was so last.
  bool have_turned();

  GroupView view() const;
  // On which host it is polled, "" = that is not known; nullopt: here.
  std::optional<std::string> elsewhere(const SourceSettings& source) const;
  // Any thread: sums over all lanes that are and were.
  CommitterView committed() const;

 private:
  static constexpr std::chrono::milliseconds kMostRetry{2'000};

  struct Running {
    std::uint64_t number = 0;  // no other lane of this process has it
    std::shared_ptr<LaneLife> life;
    Instant since = system_now();
    SteadyTime began{};
    bool has_begun = false;   // its sources may be polled
    bool has_stopped = true;  // none of them is left
    bool has_ended = false;   // nor its thread
    bool is_released = false;
    LaneDoubt doubt{};
    LaneDoubt::Why rests = LaneDoubt::Why::kNone;
    std::uint64_t turns = 0;
  };

  void look();
  void look_again_later();
  void follow_plan();
  void follow(const LanePlan::Step& step);
  CommitSettings commits_of_lane() const;
  void take_over(Partition partition);
  void begin(Partition partition, std::uint64_t number, RestoredState& restored);
  void failed(Partition partition, std::uint64_t number, const Error& error);
  void was_taken(Partition partition, const Running& lane, const Error& error);
  void ended(Partition partition, std::uint64_t number);
  void release(Partition partition);
  void drop(Partition partition);
  Task<void> stop_sources(Partition partition, std::uint64_t number);
  void gone_if_over(Partition partition);
  Running* find(Partition partition, std::uint64_t number);
  void look_at(Running& lane, bool is_quiet, SteadyTime now);
  PartitionView view_of(Partition partition, const GroupWatch::Seen& seen) const;
  void say_taken_over(Partition partition, const Running& lane, SteadyTime now) const;
  LaneLife::Tells tells(Partition partition, std::uint64_t number);
  void post(std::function<void()> work) const;

  const Parts parts_;
  LanePlan plan_;
  std::map<Partition, Running> lanes_;
  std::map<Partition, std::string> refused_;  // why
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);  // what is posted here may come too late
  bool was_quiet_ = false, is_leaving_ = false;
  std::uint64_t numbers_ = 0;
  GroupCounts counts_;
  Histogram takeover_seconds_{kTakeoverBounds};

  struct Told {
    std::mutex mutex;
    Membership latest;
  };
  const std::shared_ptr<Told> told_ = std::make_shared<Told>();

  mutable std::mutex mutex_;  // guards these two
  std::vector<std::shared_ptr<LaneLife>> counted_;
  CommitterView ended_;

  GroupWatch watch_;
};

}  // namespace sessionlogd
