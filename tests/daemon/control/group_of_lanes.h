// Lanes as the main thread drives them, with their real threads: a group that says what the test says, lanes whose log
// is kept here, with a fence as Kafka's, and shards that do what they are asked when the test lets them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/state/lane_group.h"
#include "daemon/control/lanes.h"

namespace sessionlogd::test {

class GroupOfLanes {
 public:
  static constexpr std::size_t kPartitions = 4;

  GroupOfLanes();
  ~GroupOfLanes();

  // The group says so.
  void tell(std::set<Partition> owned, std::set<Partition> revoked = {}, bool is_member = true);
  // The group is back, and has given those to others meanwhile.
  void tell_lost(std::set<Partition> owned, std::set<Partition> lost);
  void reload(const std::vector<std::string>& ids);
  // Turns the main loop until it is so; a failure when that takes a minute.
  void run_until(const std::function<bool()>& condition);
  void run_for(std::chrono::milliseconds span);

  // Each call of the kind waits from now on, until it may go on: inside "recover", "commit"; and
  // "members", of no partition.
  void hold(const std::string& call, Partition partition);
  void let_go(const std::string& call, Partition partition);
  bool is_held(const std::string& call, Partition partition) const;
  // Its next call of the kind ends so.
  void fail(const std::string& call, Partition partition, ErrorKind how);
  // Somebody else takes it: no lane of before commits any more.
  void take_away(Partition partition);
  // Its lane does not know yet who that was.
  void shut_out(Partition partition, bool so);

  // While so, a shard answers to "remove" only when it is let.
  void hold_pollers(bool held);

  // A poller of the source reads something.
  void read(const std::string& id, const std::string& event);

  // "id/life" of each that is polled.
  std::vector<std::string> polled() const;
  // What was committed, in order.
  std::vector<std::string> committed(Partition partition) const;
  std::size_t recovered(Partition partition) const;
  std::size_t commits(Partition partition) const;
  std::set<Partition> released() const;
  bool has_left() const;
  bool rests(const std::string& id) const;
  std::size_t two_lives_at_once() const;
  std::size_t reloads() const;

  Lanes& lanes();
  FreezeGuard guard{FreezeGuard::now()};

 private:
  class Group;
  class OneLane;
  class Host;
  struct Log;

  boost::asio::io_context main_{1};
  std::shared_ptr<Group> group_;
  std::shared_ptr<QueueMemory> memory_;
  Host* host_ = nullptr;
  std::optional<SourceSet> sources_;
  std::optional<Lanes> lanes_;
  std::size_t reloads_ = 0;
};

}  // namespace sessionlogd::test
