#include "tests/kafka/group_bed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <utility>

#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_rows.h"
#include "tests/daemon/child.h"

namespace sessionlogd::test {
namespace {

constexpr std::chrono::milliseconds kBetweenCommits{50};

}  // namespace

GroupBed::GroupBed(Cluster& cluster, const std::string& name, std::uint64_t partitions)
    : topic(name), outside(cluster.addresses()) {
  settings.brokers = cluster.addresses();
  settings.topic = name;
  settings.state_topic = name + "-state";
  settings.group = "group";
  settings.state_partitions = partitions;
  outside.create_topic(topic, 2);
}

std::string GroupBed::source_in(Partition partition) const {
  const auto of = static_cast<std::int32_t>(settings.state_partitions);
  for (int i = 0;; ++i) {
    std::string source = fmt::format("source-{}", i);
    if (partition_of_source(source, of) == static_cast<std::int32_t>(partition)) return source;
  }
}

void GroupBed::expect_all_read_once() {
  std::map<std::string, std::uint64_t> due;
  for (const Message& message : outside.read(topic)) {
    const std::uint64_t entry = std::stoull(message.headers.at("event.id").substr(16), nullptr, 16);
    std::uint64_t& next = due[message.key];
    EXPECT_EQ(entry, next) << message.key << ", offset " << message.offset;
    next = entry + 1;
  }
}

std::uint64_t GroupBed::read() { return outside.read(topic).size(); }

std::map<Partition, std::string> GroupBed::incarnations() {
  std::map<Partition, std::string> found;
  for (const Message& message : outside.read(settings.state_topic)) {
    if (is_commit_key(message.key) && message.key != group_key(settings.state_topic))
      found[static_cast<Partition>(message.partition)] = decode_commit(message.value).instance;
  }
  return found;
}

struct GroupMemberHere::Work {
  Partition partition = 0;
  std::stop_source stop;
  std::atomic<bool> works = false;
  bool has_ended = false;
  std::jthread thread;
};

GroupMemberHere::GroupMemberHere(GroupBed& bed)
    : group(std::make_unique<KafkaGroup>(bed.settings, kEcsFormat, guard)), bed_(bed) {}

GroupMemberHere::~GroupMemberHere() {
  group.reset();
  for (auto& [partition, work] : works_) work->stop.request_stop();
  works_.clear();
}

void GroupMemberHere::join() {
  prepare();
  group->join([this](const Membership& now) { on_change(now); }, [this] { return may_stay.load(); });
}

void GroupMemberHere::leave() {
  group->leave();
  EXPECT_TRUE(eventually([&] { return group->has_left(); }));
}

std::set<Partition> GroupMemberHere::working() const {
  const std::lock_guard lock(mutex_);
  std::set<Partition> working;
  for (const auto& [partition, work] : works_) {
    if (work->works && now_.owned.contains(partition)) working.insert(partition);
  }
  return working;
}

Membership GroupMemberHere::membership() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::vector<std::string> GroupMemberHere::ends() const {
  const std::lock_guard lock(mutex_);
  return ends_;
}

// Begins what is ours and has no lane, and ends what is not.
void GroupMemberHere::on_change(const Membership& now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
  for (const Partition partition : now.revoked) {
    const auto found = works_.find(partition);
    if (found != works_.end()) found->second->stop.request_stop();
    if (found == works_.end() || found->second->has_ended) group->released(partition);
  }
  for (const Partition partition : now.owned) {
    auto& work = works_[partition];
    if (work && !work->stop.stop_requested()) continue;
    work = std::make_unique<Work>();  // the one before was released, and so has ended
    work->partition = partition;
    work->thread = std::jthread([this, of = work.get()] { this->work(*of); });
  }
}

void GroupMemberHere::work(Work& work) {
  std::string end;
  {
    const std::unique_ptr<Lane> lane = group->make_lane(work.partition, work.stop.get_token());
    const std::string source = bed_.source_in(work.partition);
    std::uint64_t next = 0;
    RowsSeen seen;
    Result<void> done;
    do {
      seen.rows.clear();
      done = lane->recover(seen);
    } while (!done && done.error().kind == ErrorKind::kTryLater && !work.stop.stop_requested());
    if (const auto row = seen.rows.find({source, kSession}); row != seen.rows.end()) next = std::stoull(row->second);
    while (done && !work.stop.stop_requested()) {
      const std::vector<Batch> batches{LaneBed::entries(source, next, next + 3)};
      do done = lane->commit(batches);
      while (!done && done.error().kind == ErrorKind::kTryLater && !work.stop.stop_requested());
      if (!done) break;
      next += 3;
      work.works = true;
      commits.fetch_add(1);
      std::this_thread::sleep_for(kBetweenCommits);
    }
    if (!done && done.error().kind != ErrorKind::kTryLater) end = done.error().detail;
  }
  const std::lock_guard lock(mutex_);
  work.works = false;
  work.has_ended = true;
  if (!end.empty()) ends_.push_back(end);
  if (work.stop.stop_requested() && group) group->released(work.partition);
}

}  // namespace sessionlogd::test
