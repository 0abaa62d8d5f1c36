// What a member of a group knows of it, for status, metrics and readiness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/timestamp.h"

namespace sessionlogd {

inline constexpr double kTakeoverBounds[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 300};

enum class PartitionState : std::uint8_t {
  kOwned,       // its sources are polled here
  kTakingOver,  // ours, and its state is read
  kWaiting,     // ours, and it cannot be taken over now
  kInDoubt,     // ours when it was asked last: its sources rest until a commit is accepted
  kRefused,     // ours, and somebody must mend it
  kElsewhere,
  kUnowned  // no member has it
};

std::string_view name_of(PartitionState state);

// Since the start.
struct GroupCounts {
  std::uint64_t taken_over = 0, not_taken_over = 0;
  // Lanes that ended, and why: given to others while we listened, or after we were given up; or taken by somebody
  // although the group said that the partition is ours.
  std::uint64_t revoked = 0, lost = 0, fenced = 0;
  std::uint64_t frozen = 0;            // the process stood still
  HistogramCounts takeover_seconds{};  // from being assigned to the first commit
};

struct PartitionView {
  std::size_t partition = 0;
  PartitionState state = PartitionState::kWaiting;
  std::string owner{};  // the host of another member
  std::string why{};    // it waits, rests or is refused, "" = no reason is known
  std::optional<Instant> since{};
  std::size_t sources = 0;

  bool is_own() const { return state < PartitionState::kElsewhere; }
};

struct MemberView {
  std::string host, client_id;
  std::vector<std::size_t> partitions;
};

struct GroupView {
  std::string name;
  bool is_member = false;
  std::vector<PartitionView> partitions{};  // of all members, in their order
  std::vector<MemberView> members{};        // as Kafka said last
  std::vector<std::string> unknown{};       // sources that the state knows and the configuration does not
  std::vector<std::pair<std::string, std::string>> elsewhere{};  // sources of other members: name and host
  std::uint64_t rebalances = 0;
  GroupCounts counts{};

  std::size_t count(PartitionState state) const;
};

}  // namespace sessionlogd
