#include "daemon/control/group_watch.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kAnswerMayTake{1'000};
constexpr std::chrono::seconds kAsksEvery{10};

}  // namespace

// Who has it by the group; where that is not known, who committed last.
std::string GroupWatch::Seen::host_of(Partition partition) const {
  for (const GroupMember& member : members) {
    if (std::ranges::find(member.partitions, partition) != member.partitions.end()) return member.host;
  }
  if (has_members) return {};
  const auto owner = std::ranges::find(owners, partition, &PartitionOwner::partition);
  return owner == owners.end() ? "" : owner->host;
}

void GroupWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

GroupWatch::Seen GroupWatch::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void GroupWatch::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Result<std::vector<GroupMember>> members = group_.members(kAnswerMayTake);
    if (stop.stop_requested()) return;
    Result<std::vector<PartitionOwner>> owners = group_.owners(kAnswerMayTake);
    std::unique_lock lock(mutex_);
    seen_.has_members |= members.has_value();
    if (members.has_value()) seen_.members = std::move(*members);
    seen_.has_owners |= owners.has_value();
    if (owners.has_value()) seen_.owners = std::move(*owners);
    stopped_.wait_for(lock, stop, kAsksEvery, [] { return false; });
  }
}

}  // namespace sessionlogd
