// Several daemons share the sources: which parts of them this one has, and who makes each part durable. Implemented by
// sinks/kafka/kafka_group, driven by daemon/lanes.
//
//   join ──▶ on_change(membership), again and again ──▶ make_lane(p): recover, commit … ──▶ released(p)
//
// The group is a hint: it says who should own a part. Safe it is by the lanes alone, of which at most one of a part can
// commit, whatever the group believes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/timestamp.h"
#include "core/state/sink.h"

namespace sessionlogd {

using Partition = std::size_t;

// One life of the owner of a part. Its calls wait for others; one thread at a time makes them. When the stop token that
// it was made with is requested, recover() ends at once and commit() soon.
class Lane : public Commits {
 public:
  // Before the first commit(), which the caller makes at once, empty if need be: that makes us known as the owner.
  // kTryLater: again, with a visitor that knows nothing yet. kRefused: this part cannot be polled by anybody until
  // somebody has mended it; the message says what. kFenced: another one has taken it.
  [[nodiscard]] virtual Result<void> recover(StateVisitor& into) = 0;

  // Rows read so far by the latest recover(). Any thread.
  virtual std::uint64_t records_read() const = 0;

  // Any thread. Another one may have taken the part: its sources rest until commit() has found out.
  virtual bool is_shut_out() const = 0;
};

// What the group says now, whole.
struct Membership {
  // false: the group cannot be asked, or has given us up, or may do so as we do not ask: `owned` is what it said last
  bool is_member = false;
  std::set<Partition> owned;    // parts that should have a lane here
  std::set<Partition> revoked;  // still ours until released(): at most LaneGroup::kReleaseMayTake later
  std::set<Partition> lost{};   // of those: others have them already, since the group had given us up

  bool operator==(const Membership&) const = default;
};

struct GroupMember {
  std::string host, client_id, member_id;
  std::vector<Partition> partitions;
};

// Who committed last to a part, as its lane record says.
struct PartitionOwner {
  Partition partition = 0;
  std::string host, incarnation;
  std::optional<Instant> committed_at;
};

class LaneGroup {
 public:
  static constexpr std::chrono::milliseconds kReleaseMayTake{3'000};

  virtual ~LaneGroup() = default;

  // Before all others: makes or finds the group's record. `tell` is called again and again meanwhile; what it throws
  // ends it. Throws StateMismatch and WrongSetting as Sink::recover() does, and TryLater.
  virtual void prepare(const std::function<void()>& tell) = 0;

  // After prepare(), and the same for all members for ever.
  virtual std::size_t partitions() const = 0;
  virtual Partition partition_of(std::string_view source_id) const = 0;

  // From now on. Each change is told on a thread of the group's, which the callee must not hold up. `may_stay` is asked
  // on that thread: while it says no, the group is not polled, so that a member whose threads hang leaves it.
  virtual void join(std::function<void(const Membership&)> on_change, std::function<bool()> may_stay) = 0;

  // Any thread. Everything of the part is over here: no poller, no batch, no producer. It goes to whom it belongs.
  virtual void released(Partition partition) = 0;

  // Any thread. What is owned is told as revoked; has_left() when all of it was released, or nothing was owned.
  virtual void leave() = 0;
  virtual bool has_left() const = 0;
  // Any thread. As leave(), and joins anew: ends whatever we believe wrongly.
  virtual void rejoin() = 0;

  // Any thread. Connects to nothing before its first call.
  virtual std::unique_ptr<Lane> make_lane(Partition partition, std::stop_token stop) = 0;

  // Any thread. Asks Kafka, waits for at most so long; for status.
  virtual Result<std::vector<GroupMember>> members(std::chrono::milliseconds most) = 0;
  virtual Result<std::vector<PartitionOwner>> owners(std::chrono::milliseconds most) = 0;

  virtual std::string_view name() const = 0;
  // How often it has said what is ours.
  virtual std::uint64_t rebalances() const = 0;
};

}  // namespace sessionlogd
