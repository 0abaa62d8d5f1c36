// What Kafka says of a group: its members, and who committed last to each part. Asked again and again on a thread of
// its own, since an answer may take its time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/state/lane_group.h"

namespace sessionlogd {

class GroupWatch {
 public:
  struct Seen {
    bool has_members = false;  // at the last attempt
    std::vector<GroupMember> members;
    std::vector<PartitionOwner> owners;

    // "" = nobody is known.
    std::string host_of(Partition partition) const;
  };

  // The group must outlive this, and be prepared before start().
  explicit GroupWatch(LaneGroup& group) : group_(group) {}

  void start();
  // Any thread. What is known may be wrong by now.
  void ask_again();
  std::shared_ptr<const Seen> seen() const;

 private:
  void run(const std::stop_token& stop);

  LaneGroup& group_;
  mutable std::mutex mutex_;  // guards these two
  std::shared_ptr<const Seen> seen_ = std::make_shared<Seen>();
  bool has_changed_ = false;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

}  // namespace sessionlogd
