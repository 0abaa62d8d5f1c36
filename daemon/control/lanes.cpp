#include "daemon/control/lanes.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "core/base/freeze_guard.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kLooksEvery{100};
constexpr std::size_t kMostNamed = 10;

void add_up(CommitterView& sum, const CommitterView& one) {
  sum.ok += one.ok;
  sum.failed += one.failed;
  sum.in_doubt += one.in_doubt;
  sum.events += one.events;
  sum.event_bytes += one.event_bytes;
  if (one.last_commit && (!sum.last_commit || *sum.last_commit < *one.last_commit)) sum.last_commit = one.last_commit;
  if (sum.error.empty()) sum.error = one.error;
  if (one.committing_for)
    sum.committing_for = std::max(sum.committing_for.value_or(*one.committing_for), *one.committing_for);
  sum.commit_seconds.add(one.commit_seconds);
  sum.delivery_delay_seconds.add(one.delivery_delay_seconds);
}

std::string why_it_rests(LaneDoubt::Why why, const std::string& error) {
  std::string text = why == LaneDoubt::Why::kStoodStill ? "this process stood still, and no commit was accepted since"
                     : why == LaneDoubt::Why::kShutOut  ? "it was shut out, and nobody has said yet who took it"
                                                        : "a commit has not been answered";
  return error.empty() ? text : text + ": " + error;
}

std::string some_of(const std::vector<std::string>& ids) {
  const std::size_t named = std::min(ids.size(), kMostNamed);
  std::string text = fmt::format("{}", fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < ids.size()) text += fmt::format(" and {} more", ids.size() - named);
  return text;
}

}  // namespace

Lanes::Lanes(Parts parts) : parts_(std::move(parts)), timer_(parts_.main), watch_(parts_.group) {}

Lanes::~Lanes() = default;

void Lanes::start() {
  was_quiet_ = true;  // nobody has stamped the clock so far
  look_again_later();
  const auto told = [this, told = told_, alive = std::weak_ptr(lives_), &main = parts_.main](const Membership& now_is) {
    {
      std::lock_guard lock(told->mutex);
      told->latest = now_is;
    }
    boost::asio::post(main, [this, alive] {
      if (alive.expired()) return;
      watch_.ask_again();
      look();
    });
  };
  parts_.group.join(told, parts_.may_stay);
  watch_.start();
}

void Lanes::try_again() {
  plan_.try_again();
  look();
}

void Lanes::leave() {
  if (std::exchange(is_leaving_, true)) return;
  plan_.leave();
  parts_.group.leave();
  look();
}

bool Lanes::has_left() const { return parts_.group.has_left() && plan_.is_idle(); }

void Lanes::look_again_later() {
  timer_.expires_after(kLooksEvery);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look();
    look_again_later();
  });
}

// Of what the group has told meanwhile only the last counts.
void Lanes::look() {
  const SteadyTime now = SteadyClock::now();
  {
    std::lock_guard lock(told_->mutex);
    plan_.told(told_->latest, now);
  }
  const bool is_quiet = parts_.memory->is_quiet();
  if (is_quiet && !was_quiet_) {
    ++counts_.frozen;
    log_warn({.sink = parts_.group.name()}, "this process stood still: nothing is asked of anybody for 2 s");
  }
  for (auto& [partition, lane] : lanes_) {
    plan_.reads(partition, lane.life->rows_read(), now);
    look_at(lane, is_quiet, now);
  }
  was_quiet_ = is_quiet;
  parts_.memory->look();
  follow_plan();
}

void Lanes::look_at(Running& lane, bool is_quiet, SteadyTime now) {
  if (!lane.has_begun || lane.is_released) return;
  BatchQueue& queue = *lane.life->queue();
  const LaneDoubt::Verdict verdict =
      lane.doubt.look({.is_member = plan_.is_member(), .is_quiet = is_quiet, .is_shut_out = lane.life->is_shut_out()},
                      {.pushed = queue.pushed(),
                       .committed = queue.committed(),
                       .oldest = queue.oldest(),
                       .offered = queue.taken_since()},
                      now);
  if (verdict.asks) queue.push(Batch{});
  lane.rests = verdict.rests;
  queue.rest(lane.rests != LaneDoubt::Why::kNone);
}

void Lanes::follow_plan() {
  const std::vector<LanePlan::Step> steps = plan_.next(SteadyClock::now());
  for (const LanePlan::Step& step : steps) follow(step);
  if (!steps.empty()) parts_.on_change();
}

void Lanes::follow(const LanePlan::Step& step) {
  switch (step.what) {
    case LanePlan::Do::kTakeOver:
      return take_over(step.partition);
    case LanePlan::Do::kRelease:
      return release(step.partition);
    case LanePlan::Do::kDrop:
      return drop(step.partition);
    case LanePlan::Do::kHandBack:
      return parts_.group.released(step.partition);
    case LanePlan::Do::kRejoin:
      spdlog::error(
          "group {}: lanes of this member were shut out {} times within {} min, although the group says that "
          "their parts are its own: it leaves the group and joins anew",
          parts_.group.name(), LanePlan::kFencedTooOften, LanePlan::kFencedAgainWithin.count());
      return parts_.group.rejoin();
  }
}

void Lanes::post(std::function<void()> work) const {
  boost::asio::post(parts_.main, [alive = std::weak_ptr(lives_), work = std::move(work)] {
    if (!alive.expired()) work();
  });
}

LaneLife::Tells Lanes::tells(Partition partition, std::uint64_t number) {
  return {.ready =
              [this, partition, number](std::shared_ptr<RestoredState> restored) {
                post([this, partition, number, restored] { begin(partition, number, *restored); });
              },
          .failed =
              [this, partition, number](const Error& error) {
                post([this, partition, number, error] { failed(partition, number, error); });
              },
          .ended =
              [this, partition, number](std::shared_ptr<LaneLife> over) {
                post([this, partition, number, over = std::move(over)] { ended(partition, number); });
              }};
}

// Its sources rest while a commit is not answered, and nobody else polls them.
CommitSettings Lanes::commits_of_lane() const {
  CommitSettings commits = parts_.commits;
  commits.most_retry = kMostRetry;
  return commits;
}

void Lanes::take_over(Partition partition) {
  const std::uint64_t number = ++numbers_;
  Running& lane = lanes_[partition];
  lane = {.number = number,
          .life = std::make_shared<LaneLife>(parts_.group, partition, parts_.memory, commits_of_lane(),
                                             tells(partition, number)),
          .began = SteadyClock::now()};
  refused_.erase(partition);
  {
    std::lock_guard lock(mutex_);
    counted_.push_back(lane.life);
  }
  lane.life->start();
}

Lanes::Running* Lanes::find(Partition partition, std::uint64_t number) {
  const auto lane = lanes_.find(partition);
  return lane != lanes_.end() && lane->second.number == number ? &lane->second : nullptr;
}

void Lanes::begin(Partition partition, std::uint64_t number, RestoredState& restored) {
  Running* const lane = find(partition, number);
  if (lane == nullptr || plan_.is(partition) != LanePlan::Is::kTakingOver) return;
  const SteadyTime now = SteadyClock::now();
  plan_.recovered(partition);
  lane->has_begun = true;
  lane->has_stopped = false;
  lane->since = system_now();
  ++counts_.taken_over;
  takeover_seconds_.observe(now - lane->began);
  look_at(*lane, was_quiet_, now);
  parts_.sources.begin(partition, lane->life->queue(), restored);
  say_taken_over(partition, *lane, now);
  parts_.on_change();
  follow_plan();
}

void Lanes::say_taken_over(Partition partition, const Running& lane, SteadyTime now) const {
  spdlog::info("partition {} is taken over: {} sources, {} rows, {:.1f} s", partition,
               parts_.sources.counts()[partition], lane.life->rows_read(),
               std::chrono::duration<double>(now - lane.began).count());
  const std::vector<std::string> unknown = parts_.sources.unknown_of(partition);
  if (unknown.empty()) return;
  spdlog::warn(
      "partition {} knows {} sources that this configuration does not: {}; they are not polled, and their state "
      "stays for state_keep",
      partition, unknown.size(), some_of(unknown));
}

void Lanes::failed(Partition partition, std::uint64_t number, const Error& error) {
  Running* const lane = find(partition, number);
  const LanePlan::Is was = plan_.is(partition);
  if (lane == nullptr || was == LanePlan::Is::kEnding) return;
  if (was == LanePlan::Is::kTakingOver) ++counts_.not_taken_over;
  if (error.kind == ErrorKind::kFenced) {
    was_taken(partition, *lane, error);
  } else {
    plan_.failed(partition, LanePlan::Failure::kRefused, SteadyClock::now());
    refused_[partition] = error.detail;
    log_error({.sink = parts_.group.name()},
              "partition {} is refused: {}; its sources are not polled, all others are. It is tried again every {} min "
              "and with each reload",
              partition, error.detail, LanePlan::kWaitWhenRefused.count());
  }
  follow_plan();
}

// That others have what a member had who stood still, or was given up, is what a group is for: that it was is said of
// the member. Whoever takes what the group says is ours is another matter.
void Lanes::was_taken(Partition partition, const Running& lane, const Error& error) {
  const bool is_lost = !plan_.is_member() || parts_.memory->is_quiet() || lane.rests == LaneDoubt::Why::kStoodStill;
  plan_.failed(partition, is_lost ? LanePlan::Failure::kLost : LanePlan::Failure::kFenced, SteadyClock::now());
  if (is_lost) {
    ++counts_.lost;
    log_info({.sink = parts_.group.name()}, "partition {} is another member's by now: {}", partition, error.detail);
  } else {
    ++counts_.fenced;
    log_error({.sink = parts_.group.name()}, "partition {} was taken by another one: {}; its lane here ends", partition,
              error.detail);
  }
}

void Lanes::release(Partition partition) {
  Running& lane = lanes_.at(partition);
  lane.is_released = true;
  lane.life->queue()->rest(false);  // what is polled stops, and what is read ends
  ++(plan_.membership().lost.contains(partition) ? counts_.lost : counts_.revoked);
  parts_.sources.end(partition);
  spawn(parts_.main, stop_sources(partition, lane.number));
}

void Lanes::drop(Partition partition) {
  Running& lane = lanes_.at(partition);
  lane.life->drop();
  if (!lane.has_begun || std::exchange(lane.is_released, true)) return;
  parts_.sources.end(partition);
  spawn(parts_.main, stop_sources(partition, lane.number));
}

Task<void> Lanes::stop_sources(Partition partition, std::uint64_t number) {
  co_await parts_.sources.all_stopped(partition);
  Running* const lane = find(partition, number);
  if (lane == nullptr) co_return;
  lane->has_stopped = true;
  lane->life->close();
  gone_if_over(partition);
}

void Lanes::ended(Partition partition, std::uint64_t number) {
  Running* const lane = find(partition, number);
  if (lane == nullptr) return;
  lane->has_ended = true;
  gone_if_over(partition);
}

void Lanes::gone_if_over(Partition partition) {
  const auto at = lanes_.find(partition);
  if (!at->second.has_ended || !at->second.has_stopped) return;
  spdlog::info("partition {} is released", partition);
  {
    std::lock_guard lock(mutex_);
    add_up(ended_, at->second.life->view());
    ended_.error.clear();
    ended_.committing_for.reset();
    std::erase(counted_, at->second.life);
  }
  lanes_.erase(at);
  plan_.gone(partition);
  follow_plan();
  parts_.on_change();
}

bool Lanes::have_turned() {
  const auto has_turned = [](const auto& at) {
    const Running& lane = at.second;
    return !lane.has_begun || lane.is_released || lane.life->turns() != lane.turns;
  };
  if (!std::ranges::all_of(lanes_, has_turned)) return false;
  for (auto& [partition, lane] : lanes_) lane.turns = lane.life->turns();
  return true;
}

CommitterView Lanes::committed() const {
  std::lock_guard lock(mutex_);
  CommitterView sum = ended_;
  for (const auto& life : counted_) add_up(sum, life->view());
  return sum;
}

std::optional<std::string> Lanes::elsewhere(const SourceSettings& source) const {
  const Partition partition = parts_.group.partition_of(source.id);
  if (lanes_.contains(partition) || plan_.membership().owned.contains(partition)) return std::nullopt;
  return watch_.seen()->host_of(partition);
}

GroupView Lanes::view() const {
  const std::shared_ptr<const GroupWatch::Seen> seen = watch_.seen();
  GroupView view{.name = std::string(parts_.group.name()),
                 .is_member = plan_.is_member(),
                 .partitions = {},
                 .members = {},
                 .unknown = {},
                 .elsewhere = {},
                 .rebalances = parts_.group.rebalances(),
                 .counts = counts_};
  view.counts.takeover_seconds = takeover_seconds_.read();
  for (const GroupMember& member : seen->members)
    view.members.push_back({member.host, member.client_id, member.partitions});
  for (Partition partition = 0; partition < parts_.group.partitions(); ++partition) {
    view.partitions.push_back(view_of(partition, *seen));
    for (std::string& id : parts_.sources.unknown_of(partition)) view.unknown.push_back(std::move(id));
  }
  for (const SourceSet::Source& source : parts_.sources.all()) {
    PartitionView& partition = view.partitions.at(parts_.group.partition_of(source.settings->id));
    ++partition.sources;
    if (!partition.is_own()) view.elsewhere.push_back({source.settings->name, partition.owner});
  }
  return view;
}

PartitionView Lanes::view_of(Partition partition, const GroupWatch::Seen& seen) const {
  PartitionView view{.partition = partition, .state = PartitionState::kWaiting, .owner = {}, .why = {}, .since = {}};
  const auto lane = lanes_.find(partition);
  if (lane == lanes_.end() && !plan_.membership().owned.contains(partition)) {
    view.owner = seen.host_of(partition);
    view.state = seen.has_members && view.owner.empty() ? PartitionState::kUnowned : PartitionState::kElsewhere;
    return view;
  }
  if (lane != lanes_.end()) view.since = lane->second.since;
  if (lane != lanes_.end() && lane->second.is_released) {
    view.why = "the lane before has not ended";
  } else if (lane != lanes_.end() && lane->second.has_begun) {
    const bool rests = lane->second.rests != LaneDoubt::Why::kNone;
    view.state = rests ? PartitionState::kInDoubt : PartitionState::kOwned;
    if (rests) view.why = why_it_rests(lane->second.rests, lane->second.life->view().error);
  } else if (plan_.is_refused(partition)) {
    view.state = PartitionState::kRefused;
    if (const auto why = refused_.find(partition); why != refused_.end()) view.why = why->second;
  } else if (lane != lanes_.end()) {
    view.why = lane->second.life->waits_for();
    view.state = view.why.empty() ? PartitionState::kTakingOver : PartitionState::kWaiting;
  }
  return view;
}

}  // namespace sessionlogd
