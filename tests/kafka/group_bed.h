// What a test of a group works in: topics of its own, members in this process, each with a thread per lane as the
// daemon has, and a source of entries whose place is the state alone.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/freeze_guard.h"
#include "sinks/kafka/kafka_group.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/lane_bed.h"
#include "tests/kafka/outside.h"

namespace sessionlogd::test {

class GroupBed {
 public:
  // The state topic is made by whoever founds the group.
  GroupBed(Cluster& cluster, const std::string& name, std::uint64_t partitions = 12);

  // Each source of the group has one session, whose entries are numbers from 0 on.
  std::string source_in(Partition partition) const;
  void expect_all_read_once();  // in order, whoever wrote them
  std::uint64_t read();         // how many, over all sources

  std::map<Partition, std::string> incarnations();  // by the lane records

  const std::string topic;
  Outside outside;
  KafkaSinkSettings settings;
};

class GroupMemberHere {
 public:
  explicit GroupMemberHere(GroupBed& bed);
  ~GroupMemberHere();  // as if it were killed: leaves nothing and nobody

  void prepare() {
    group->prepare([] {});
  }
  void join();   // prepare() first
  void leave();  // and waits until it has left

  std::set<Partition> working() const;  // lanes that have committed
  Membership membership() const;
  std::vector<std::string> ends() const;  // what lanes that ended by themselves were told

  std::atomic<bool> may_stay = true;
  std::atomic<std::uint64_t> commits = 0;
  FreezeGuard guard{FreezeGuard::now()};
  std::unique_ptr<KafkaGroup> group;

 private:
  struct Work;

  void on_change(const Membership& now);
  void work(Work& work);

  GroupBed& bed_;
  mutable std::mutex mutex_;
  Membership now_;
  std::vector<std::string> ends_;
  std::map<Partition, std::unique_ptr<Work>> works_;
};

}  // namespace sessionlogd::test
