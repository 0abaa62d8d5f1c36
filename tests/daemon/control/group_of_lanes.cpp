#include "tests/daemon/control/group_of_lanes.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "core/async/spawn.h"
#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kKeep{24};

Partition partition_of(std::string_view id) { return static_cast<Partition>(id.back() - '0'); }

std::vector<SourceSettings> list_of(const std::vector<std::string>& ids) {
  static const auto dialect = built_in_dialect("veeam-aws");
  std::vector<SourceSettings> list;
  for (const std::string& id : ids) {
    SourceSettings& settings = list.emplace_back();
    settings.id = settings.name = id;
    settings.url = "https://" + id;
    settings.dialect = dialect;
  }
  return list;
}

}  // namespace

// Of a partition, as Kafka would have it.
struct GroupOfLanes::Log {
  std::uint64_t fence = 0;  // the lane that may commit
  bool shut_out = false;
  std::vector<std::string> events;
  std::size_t recovered = 0, commits = 0;
  std::set<std::string> held;       // calls that wait
  std::set<std::string> is_inside;  // calls that do
  std::map<std::string, ErrorKind> fails;
};

class GroupOfLanes::Group : public LaneGroup, public std::enable_shared_from_this<GroupOfLanes::Group> {
 public:
  void prepare(const std::function<void()>&) override {}
  std::size_t partitions() const override { return kPartitions; }
  Partition partition_of(std::string_view id) const override { return test::partition_of(id); }
  void join(std::function<void(const Membership&)> on_change, std::function<bool()>) override {
    on_change_ = std::move(on_change);
  }
  void released(Partition partition) override {
    std::lock_guard lock(mutex);
    said.revoked.erase(partition);
    handed_back.insert(partition);
  }
  void leave() override { is_leaving = true; }
  bool has_left() const override { return is_leaving; }
  void rejoin() override { ++rejoined; }
  std::unique_ptr<Lane> make_lane(Partition partition, std::stop_token stop) override;
  Result<std::vector<GroupMember>> members(std::chrono::milliseconds) override {
    (void)call("members", 0);
    return std::vector<GroupMember>{};
  }
  Result<std::vector<PartitionOwner>> owners(std::chrono::milliseconds) override {
    return std::vector<PartitionOwner>{};
  }
  std::string_view name() const override { return "group"; }
  std::uint64_t rebalances() const override { return 0; }

  void tell(Membership now_is) {
    {
      std::lock_guard lock(mutex);
      said = std::move(now_is);
    }
    on_change_(said);
  }
  // On a lane's thread, or the watch's: waits while it is held, then says how the call ends.
  Result<void> call(const std::string& what, Partition partition) {
    std::unique_lock lock(mutex);
    Log& log = logs[partition];
    log.is_inside.insert(what);
    changed.notify_all();
    changed.wait(lock, [&] { return !log.held.contains(what); });
    log.is_inside.erase(what);
    const auto failure = log.fails.extract(what);
    if (failure) return Error(failure.mapped(), "as the test says");
    return {};
  }

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::map<Partition, Log> logs;
  Membership said;
  std::set<Partition> handed_back;
  std::uint64_t lanes = 0;
  std::atomic<bool> is_leaving = false;
  std::atomic<std::size_t> rejoined = 0;

 private:
  std::function<void(const Membership&)> on_change_;
};

class GroupOfLanes::OneLane : public Lane {
 public:
  OneLane(std::shared_ptr<Group> group, Partition partition, std::uint64_t number)
      : group_(std::move(group)), partition_(partition), number_(number) {}

  Result<void> recover(StateVisitor&) override {
    if (Result<void> done = group_->call("recover", partition_); !done) return done;
    std::lock_guard lock(group_->mutex);
    Log& log = group_->logs[partition_];
    ++log.recovered;
    log.fence = number_;
    return {};
  }
  std::uint64_t records_read() const override { return 0; }
  bool is_shut_out() const override {
    std::lock_guard lock(group_->mutex);
    return group_->logs[partition_].shut_out;
  }

  Result<void> commit(std::span<const Batch> batches) override {
    if (Result<void> done = group_->call("commit", partition_); !done) return done;
    std::lock_guard lock(group_->mutex);
    Log& log = group_->logs[partition_];
    if (log.fence != number_) return Error(ErrorKind::kFenced, "another one has it");
    ++log.commits;
    for (const Batch& batch : batches) {
      if (!batch.events.empty()) log.events.push_back(batch.events);
    }
    return {};
  }
  std::string_view name() const override { return "lane"; }

 private:
  const std::shared_ptr<Group> group_;
  const Partition partition_;
  const std::uint64_t number_;
};

std::unique_ptr<Lane> GroupOfLanes::Group::make_lane(Partition partition, std::stop_token) {
  std::lock_guard lock(mutex);
  return std::make_unique<OneLane>(shared_from_this(), partition, ++lanes);
}

class GroupOfLanes::Host : public SourceHost {
 public:
  explicit Host(boost::asio::io_context& main) : main_(main) {}

  void add(NewSource source, std::function<void(std::string)> added) override {
    auto given = std::make_shared<NewSource>(std::move(source));
    boost::asio::post(main_, [this, given, added] {
      for (const auto& [there, other] : here) {
        if (partition_of(there.first) == partition_of(given->settings->id) && there.second != given->queue->life())
          ++two_lives_at_once;
      }
      here[{given->settings->id, given->queue->life()}] = std::move(*given);
      added({});
    });
  }
  void remove(std::string id, std::uint64_t life, ShardSources::Leaves /*how*/,
              std::function<void(std::optional<RestoredSource>)> removed) override {
    waiting_.push_back([this, id, life, removed] {
      auto known = here.extract({id, life});
      removed(known ? std::optional(std::move(known.mapped().restored)) : std::nullopt);
    });
    if (!held) let_go();
  }
  void let_go() {
    for (auto& each : std::exchange(waiting_, {})) boost::asio::post(main_, std::move(each));
  }

  bool held = false;
  std::size_t two_lives_at_once = 0;
  std::map<std::pair<std::string, std::uint64_t>, NewSource> here;

 private:
  boost::asio::io_context& main_;
  std::deque<std::function<void()>> waiting_;
};

GroupOfLanes::GroupOfLanes()
    : group_(std::make_shared<Group>()), memory_(std::make_shared<QueueMemory>(1 << 20, &guard)) {
  spdlog::set_level(spdlog::level::off);
  std::vector<std::unique_ptr<SourceHost>> hosts;
  auto host = std::make_unique<Host>(main_);
  host_ = host.get();
  hosts.push_back(std::move(host));
  sources_.emplace(SourceSet::Parts{
      .main = main_, .hosts = std::move(hosts), .partition_of = &partition_of, .on_count = [](std::size_t) {}});
  lanes_.emplace(Lanes::Parts{.main = main_,
                              .group = *group_,
                              .sources = *sources_,
                              .memory = memory_,
                              .commits = {.interval = 0ms, .first_retry = 10ms},
                              .may_stay = [] { return true; },
                              .on_change = [] {}});
  sources_->want(list_of({"a0", "b1", "c1", "d2"}), kKeep);
  lanes_->start();
}

// Nothing may be held any more.
GroupOfLanes::~GroupOfLanes() {
  {
    std::lock_guard lock(group_->mutex);
    for (auto& [partition, log] : group_->logs) log.held.clear();
    group_->changed.notify_all();
  }
  hold_pollers(false);
  lanes_->leave();
  run_until([&] { return lanes_->has_ended(); });
}

void GroupOfLanes::tell(std::set<Partition> owned, std::set<Partition> revoked, bool is_member) {
  group_->tell({.is_member = is_member, .owned = std::move(owned), .revoked = std::move(revoked)});
}

void GroupOfLanes::tell_lost(std::set<Partition> owned, std::set<Partition> lost) {
  group_->tell({.is_member = true, .owned = std::move(owned), .revoked = lost, .lost = lost});
}

void GroupOfLanes::reload(const std::vector<std::string>& ids) {
  spawn(main_, [](GroupOfLanes& self, std::vector<SourceSettings> list) -> Task<void> {
    co_await self.sources_->change_to(std::move(list), kKeep);
    self.lanes_->try_again();
    ++self.reloads_;
  }(*this, list_of(ids)));
}

void GroupOfLanes::run_until(const std::function<bool()>& condition) {
  const SteadyTime latest = SteadyClock::now() + 60s;
  while (!condition()) {
    ASSERT_LT(SteadyClock::now(), latest) << "still waiting after a minute";
    run_for(5ms);
  }
}

void GroupOfLanes::run_for(std::chrono::milliseconds span) {
  guard.stamp(FreezeGuard::now());
  main_.restart();
  main_.run_for(span);
}

void GroupOfLanes::hold(const std::string& call, Partition partition) {
  std::lock_guard lock(group_->mutex);
  group_->logs[partition].held.insert(call);
}

void GroupOfLanes::let_go(const std::string& call, Partition partition) {
  std::lock_guard lock(group_->mutex);
  group_->logs[partition].held.erase(call);
  group_->changed.notify_all();
}

bool GroupOfLanes::is_held(const std::string& call, Partition partition) const {
  std::lock_guard lock(group_->mutex);
  const Log& log = group_->logs[partition];
  return log.held.contains(call) && log.is_inside.contains(call);
}

void GroupOfLanes::fail(const std::string& call, Partition partition, ErrorKind how) {
  std::lock_guard lock(group_->mutex);
  group_->logs[partition].fails[call] = how;
}

void GroupOfLanes::take_away(Partition partition) {
  std::lock_guard lock(group_->mutex);
  group_->logs[partition].fence = 0;
}

void GroupOfLanes::shut_out(Partition partition, bool so) {
  std::lock_guard lock(group_->mutex);
  group_->logs[partition].shut_out = so;
}

void GroupOfLanes::hold_pollers(bool held) {
  host_->held = held;
  if (!held) host_->let_go();
}

void GroupOfLanes::read(const std::string& id, const std::string& event) {
  for (const auto& [key, source] : host_->here) {
    if (key.first != id) continue;
    Batch batch;
    batch.source_id = id;
    batch.events = event;
    source.queue->push(std::move(batch));
  }
}

std::vector<std::string> GroupOfLanes::polled() const {
  std::vector<std::string> all;
  for (const auto& [key, source] : host_->here) all.push_back(key.first + "/" + std::to_string(key.second));
  return all;
}

std::vector<std::string> GroupOfLanes::committed(Partition partition) const {
  std::lock_guard lock(group_->mutex);
  return group_->logs[partition].events;
}

std::size_t GroupOfLanes::recovered(Partition partition) const {
  std::lock_guard lock(group_->mutex);
  return group_->logs[partition].recovered;
}

std::size_t GroupOfLanes::commits(Partition partition) const {
  std::lock_guard lock(group_->mutex);
  return group_->logs[partition].commits;
}

std::set<Partition> GroupOfLanes::released() const {
  std::lock_guard lock(group_->mutex);
  return group_->handed_back;
}

bool GroupOfLanes::has_left() const { return lanes_->has_left(); }

bool GroupOfLanes::rests(const std::string& id) const {
  return std::ranges::any_of(host_->here,
                             [&](const auto& at) { return at.first.first == id && at.second.queue->rests(); });
}

std::size_t GroupOfLanes::two_lives_at_once() const { return host_->two_lives_at_once; }

std::size_t GroupOfLanes::reloads() const { return reloads_; }

Lanes& GroupOfLanes::lanes() { return *lanes_; }

}  // namespace sessionlogd::test
