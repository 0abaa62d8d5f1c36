#include "daemon/control/group_watch.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kAnswerMayTake{1'000};
constexpr std::chrono::seconds kAsksEvery{15}, kAsksAgainAfter{2};
constexpr std::chrono::seconds kChangeTakes{1};  // until all members have heard of it

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

void GroupWatch::ask_again() {
  std::lock_guard lock(mutex_);
  has_changed_ = true;
  woken_.notify_all();
}

std::shared_ptr<const GroupWatch::Seen> GroupWatch::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void GroupWatch::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Result<std::vector<GroupMember>> members = group_.members(kAnswerMayTake);
    std::optional<Result<std::vector<PartitionOwner>>> owners;
    if (members.has_error() && !stop.stop_requested()) owners = group_.owners(kAnswerMayTake);
    const bool is_known = members.has_value();
    auto seen = std::make_shared<Seen>(*seen_);  // which nobody else changes
    seen->has_members = is_known;
    if (is_known) seen->members = std::move(*members);
    if (owners && owners->has_value()) seen->owners = std::move(**owners);
    std::unique_lock lock(mutex_);
    seen_ = std::move(seen);
    if (!woken_.wait_for(lock, stop, is_known ? kAsksEvery : kAsksAgainAfter, [this] { return has_changed_; }))
      continue;
    woken_.wait_for(lock, stop, kChangeTakes, [] { return false; });
    has_changed_ = false;
  }
}

}  // namespace sessionlogd
