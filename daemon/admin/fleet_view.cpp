#include "daemon/admin/fleet_view.h"

#include <fmt/core.h>

#include <algorithm>

namespace sessionlogd {
namespace {

// A commit that takes longer than this holds up what comes behind it, whatever it is doing.
constexpr std::chrono::seconds kLongestCommit{30};

void sort_by_name(std::vector<const SourceView*>& sources) {
  std::ranges::sort(sources, {}, [](const SourceView* source) -> const std::string& { return source->identity->name; });
}

// A member that has no partition is ready all the same.
void add_group(std::vector<std::string>& reasons, const GroupView& group) {
  if (!group.is_member) reasons.push_back(fmt::format("this is no member of the group {} now", group.name));
  for (const PartitionView& partition : group.partitions) {
    if (partition.state == PartitionState::kRefused) {
      reasons.push_back(fmt::format("partition {} is refused: {}", partition.partition, partition.why));
    } else if (partition.state == PartitionState::kInDoubt) {
      reasons.push_back(fmt::format("partition {} is in doubt: {}", partition.partition, partition.why));
    } else if (partition.state == PartitionState::kWaiting) {
      reasons.push_back(fmt::format("partition {} waits to be taken over{}{}", partition.partition,
                                    partition.why.empty() ? "" : ": ", partition.why));
    }
  }
}

}  // namespace

std::vector<const SourceView*> FleetView::sources() const {
  std::vector<const SourceView*> all;
  for (const auto& shard : shards) {
    if (shard == nullptr) continue;
    for (const SourceView& source : shard->sources) all.push_back(&source);
  }
  sort_by_name(all);
  return all;
}

std::vector<const SourceView*> FleetView::all_sources() const {
  std::vector<const SourceView*> all = sources();
  for (const SourceView& source : to_come) all.push_back(&source);
  sort_by_name(all);
  return all;
}

std::vector<std::string> not_healthy(const Heartbeat& heartbeat, SteadyTime now) {
  std::vector<std::string> reasons;
  for (const Heartbeat::Silent& loop : heartbeat.silent(now)) {
    reasons.push_back(fmt::format("{} has not answered for {} s", loop.name,
                                  std::chrono::duration_cast<std::chrono::seconds>(loop.since).count()));
  }
  return reasons;
}

std::vector<std::string> not_ready(const FleetView& view) {
  std::vector<std::string> reasons = view.not_healthy;
  if (view.process.stopping) reasons.push_back("the daemon is stopping");
  const bool all_seen =
      std::all_of(view.shards.begin(), view.shards.end(), [](const auto& it) { return it != nullptr; });
  if (!view.sink.error.empty()) {
    reasons.push_back(fmt::format("sink {} cannot take events now: {}", view.process.sink_name, view.sink.error));
  } else if (view.sink.committing_for && *view.sink.committing_for > kLongestCommit) {
    reasons.push_back(fmt::format("sink {} has been busy with one commit for {:.0f} s", view.process.sink_name,
                                  view.sink.committing_for->count()));
  } else if (!all_seen) {
    reasons.push_back("the sources have not been asked yet how they are");
  }
  if (view.process.group && !view.process.stopping) add_group(reasons, *view.process.group);
  return reasons;
}

}  // namespace sessionlogd
