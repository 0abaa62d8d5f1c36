#include "tests/daemon/control/fake_group.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>

#include "core/async/spawn.h"
#include "core/entries/event.h"
#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 10ms;
constexpr auto kKeepsState = std::chrono::hours{1'000};

std::vector<PlannedSession> plan_of_an_hour() {
  std::vector<PlannedSession> plan;
  for (int i = -10; i < 60; ++i) plan.push_back({now_ms() + i * 60'000, 180'000, 8});
  return plan;
}

}  // namespace

// Whose logout may take long, or is never answered.
class FakeGroup::Appliance : public SimulatedServer {
 public:
  Appliance(FakeGroup& group, unsigned number) : group_(group), is(number, plan_of_an_hour(), group.traffic_) {}

  Reply response(const HttpRequest& request, const std::vector<std::string>& headers) override {
    if (request.method != HttpRequest::Method::kDelete) return is.response(request, headers);
    ++group_.held_inside_a_logout;
    return {.after = std::chrono::milliseconds{group_.random_() % 3'000}, .status = 204};
  }

 private:
  FakeGroup& group_;

 public:
  SimulatedAppliance is;
};

// While it encodes, the partition may be lost: the poller is inside a step then.
class FakeGroup::LossyEncoder : public sessionlogd::Encoder {
 public:
  LossyEncoder(FakeGroup& group, std::size_t partition, std::string source)
      : group_(group), partition_(partition), source_(std::move(source)) {}

  void append(const Event& event, LineBuffer& out) override {
    encoder_.append(event, out);
    group_.lost_in_a_step(partition_, source_);
  }

 private:
  FakeGroup& group_;
  const std::size_t partition_;
  const std::string source_;
  Reckoning::Encoder encoder_;
};

// A shard without a thread: there and back by the one event loop.
class FakeGroup::Host : public SourceHost {
 public:
  Host(FakeGroup& group, std::uint64_t seed)
      : group_(group),
        http_(group.io_),
        sources_({.io = group.io_,
                  .http = http_,
                  .memory = shares_,
                  .quarantine = nullptr,
                  .fingerprint_bytes = group.fingerprint_bytes_,
                  .make_encoder =
                      [&group](const SourceSettings& settings) {
                        return std::make_unique<LossyEncoder>(group, partition_of(settings.id), settings.id);
                      },
                  .mode = PollMode::kForever,
                  .seed = seed,
                  .accounts = nullptr,
                  .verify = {}}) {
    sources_.start([] {});
  }

  static std::size_t partition_of(std::string_view id) {
    return static_cast<std::size_t>(id.back() - '0') % kPartitions;
  }

  void add(NewSource source, std::function<void(std::string)> added) override {
    auto given = std::make_shared<NewSource>(std::move(source));
    boost::asio::post(group_.io_, [this, given, added] {
      group_.two_lives_at_once += is_beside_another_life(*given);
      boost::asio::post(group_.io_, [added, unusable = sources_.add(std::move(*given))] { added(unusable); });
    });
  }
  void remove(std::string id, std::uint64_t life, ShardSources::Leaves how,
              std::function<void(std::optional<RestoredSource>)> removed) override {
    boost::asio::post(group_.io_, [this, id = std::move(id), life, how, removed = std::move(removed)] {
      sources_.remove(id, life, how, [this, removed](std::optional<RestoredSource> known) {
        auto state = std::make_shared<std::optional<RestoredSource>>(std::move(known));
        boost::asio::post(group_.io_, [removed, state] { removed(std::move(*state)); });
      });
    });
  }
  ShardSources& sources() { return sources_; }

 private:
  // Of its partition, on any shard.
  bool is_beside_another_life(const NewSource& source) const {
    for (Host* host : group_.hosts_) {
      for (const SourceView& there : host->sources_.view().sources) {
        if (partition_of(there.identity->id) == partition_of(source.settings->id) && there.life != source.queue->life())
          return true;
      }
    }
    return false;
  }

  FakeGroup& group_;
  const MemoryShares shares_ = MemoryShares::of(64u << 20, kShards, 1u << 20, 8u << 20);
  SimulatedHttp http_;
  ShardSources sources_;
};

struct FakeGroup::Partition {
  enum class Is { kAway, kTakenOver, kOurs, kRevoked };

  std::size_t number;
  Is is = Is::kAway;
  SteadyTime next{};                    // when that changes
  std::shared_ptr<BatchQueue> queue{};  // of the lane, if there is one
  std::optional<Flight> flight{};
  std::vector<Flight> of_ended_lanes{};  // which still may land, before somebody takes over
  bool all_stopped = false, was_lost_in_a_step = false;

  // The log.
  std::uint64_t fence = 0;  // the life that may commit
  std::map<std::string, std::map<std::pair<std::uint64_t, std::int32_t>, std::string>> rows{};  // by source
};

FakeGroup::FakeGroup(std::uint64_t seed)
    : time_(io_, kTick), random_(seed), memory_(std::make_shared<QueueMemory>(kQueueBytes)) {
  step_our_clock(0s);
  spdlog::set_level(spdlog::level::err);
  ::setenv("SIMULATED_PASSWORD", "secret", 1);
  const auto dialect = built_in_dialect("veeam-aws");
  for (unsigned i = 0; i < kSources; ++i) {
    appliances_.push_back(std::make_unique<Appliance>(*this, i));
    const std::string url = appliances_.back()->is.url();
    boost::asio::use_service<SimulatedNetwork>(io_).attach(url, *appliances_.back());
    SourceSettings& settings = list_.emplace_back();
    settings.name = settings.id = "source-" + std::to_string(i);
    settings.dialect = dialect;
    settings.url = url;
    settings.username = "collector";
    settings.password = Secret::parse("env:SIMULATED_PASSWORD");
    settings.api_version = dialect->version.fallback;
    settings.poll.settle = 60s;
  }
  std::vector<std::unique_ptr<SourceHost>> hosts;
  for (std::size_t i = 0; i < kShards; ++i) {
    auto host = std::make_unique<Host>(*this, random_());
    hosts_.push_back(host.get());
    hosts.push_back(std::move(host));
  }
  memory_->on_room([this] {
    for (Host* host : hosts_) host->sources().notify_room();
  });
  set_.emplace(SourceSet::Parts{
      .main = io_, .hosts = std::move(hosts), .partition_of = &Host::partition_of, .on_count = [](std::size_t) {}});
  for (std::size_t i = 0; i < kPartitions; ++i) partitions_.push_back(std::make_unique<Partition>(i));
  set_->want(list_, kKeepsState);
}

FakeGroup::~FakeGroup() = default;

void FakeGroup::run_until_lanes_came(std::size_t more) {
  is_calm_ = false;
  const std::size_t enough = lanes_came_ + more;
  while (lanes_came_ < enough) {
    if (SteadyClock::now() >= next_reload_ && reloads_begun == reloads_ended) reload(some_of_the_list());
    tick();
  }
}

void FakeGroup::calm_down(std::chrono::minutes span) {
  is_calm_ = true;
  while (reloads_begun != reloads_ended) tick();
  reload(list_);
  for (const SteadyTime end = SteadyClock::now() + span; SteadyClock::now() < end;) tick();
}

void FakeGroup::end_all() {
  for (const auto& partition : partitions_) {
    if (partition->queue) lose(*partition);
    partition->next = SteadyTime::max();
  }
  for (const SteadyTime end = SteadyClock::now() + 10s; SteadyClock::now() < end;) tick();
}

void FakeGroup::tick() {
  time_.run(kTick);
  most_queue_bytes_ = std::max(most_queue_bytes_, memory_->bytes());
  for (const auto& partition : partitions_) tick(*partition);
}

void FakeGroup::tick(Partition& partition) {
  using Is = Partition::Is;
  const SteadyTime now = SteadyClock::now();
  std::erase_if(partition.of_ended_lanes, [&](Flight& flight) {
    if (now < flight.lands_at) return false;
    land(partition, flight);
    return true;
  });
  if (partition.queue) pump(partition);
  if (std::exchange(partition.was_lost_in_a_step, false) && partition.queue) {
    lose(partition);
    partition.next = now;  // and is assigned again at once
  }
  if (now < partition.next) return;
  switch (partition.is) {
    case Is::kAway:
      partition.is = Is::kTakenOver;
      partition.next = in_up_to(one_in(2) ? 0ms : 300ms);
      return;
    case Is::kTakenOver:
      if (!is_calm_ && one_in(10)) return void(partition.is = Is::kAway);  // revoked inside the restore
      return take_over(partition);
    case Is::kOurs:
      if (is_calm_) return;
      return one_in(2) ? revoke(partition) : lose(partition);
    case Is::kRevoked:
      return end_lane(partition);  // it took too long
  }
}

void FakeGroup::take_over(Partition& partition) {
  partition.queue = std::make_shared<BatchQueue>(memory_);
  // From here on nobody else commits.
  partition.fence = partition.queue->life();
  RestoredState restored;
  for (const auto& [source, rows] : partition.rows) {
    for (const auto& [at, value] : rows) restored.record(source, {at.first, at.second, value});
  }
  std::erase_if(lives_, [](const auto& life) { return life.expired(); });
  lives_.push_back(partition.queue);
  set_->begin(partition.number, partition.queue, restored);
  partition.is = Partition::Is::kOurs;
  partition.next = in_up_to(one_in(10) ? 10s : 2s);
  ++lanes_came_;
}

// As a committer: all that waits goes into one commit. Now and then one takes long.
void FakeGroup::pump(Partition& partition) {
  if (partition.flight && SteadyClock::now() >= partition.flight->lands_at) {
    land(partition, *partition.flight);
    partition.flight.reset();
  }
  BatchQueue& queue = *partition.queue;
  if (!partition.flight && queue.bytes() > 0) {
    partition.flight = Flight{partition.queue, {}, in_up_to(one_in(50) ? 8s : 300ms)};
    queue.take(partition.flight->batches, 0, 0ms);
  }
  if (partition.is == Partition::Is::kRevoked && partition.all_stopped && !partition.flight) end_lane(partition);
}

void FakeGroup::land(Partition& partition, Flight& flight) {
  if (flight.queue->life() == partition.fence) {
    for (const Batch& batch : flight.batches) {
      reckoning_.take(batch);
      events_ += batch.index.size();
      auto& rows = partition.rows[batch.source_id];
      for (const StateRecord& record : batch.records) {
        const std::pair at(record.session_key, record.part);
        if (record.value.empty()) {
          rows.erase(at);
        } else {
          rows[at] = record.value;
        }
      }
    }
  } else {
    ++dropped_by_the_fence;
  }
  flight.queue->release(flight.batches);
}

// What is queued is committed, for at most three seconds; then the lane is handed back.
void FakeGroup::revoke(Partition& partition) {
  partition.is = Partition::Is::kRevoked;
  partition.next = SteadyClock::now() + 3s;
  partition.all_stopped = false;
  set_->end(partition.number);
  spawn(io_, [](SourceSet& set, Partition& it, std::uint64_t life) -> Task<void> {
    co_await set.all_stopped(it.number);
    if (it.queue && it.queue->life() == life) it.all_stopped = true;
  }(*set_, partition, partition.queue->life()));
}

void FakeGroup::lose(Partition& partition) {
  partition.queue->end();
  set_->end(partition.number);
  end_lane(partition);
}

void FakeGroup::end_lane(Partition& partition) {
  partition.queue->end();
  if (partition.flight) partition.of_ended_lanes.push_back(std::move(*partition.flight));
  partition.flight.reset();
  partition.queue.reset();
  partition.is = Partition::Is::kAway;
  partition.next = in_up_to(one_in(3) ? 0ms : 500ms);
}

// As if its thread were at that very point when the group takes the partition away. Often before anything of the source
// is committed: only then does nothing that is restored hide what else its next life might take for known.
void FakeGroup::lost_in_a_step(std::size_t partition, const std::string& source) {
  Partition& it = *partitions_[partition];
  const bool is_first = !it.rows.contains(source);
  if (is_calm_ || !it.queue || it.was_lost_in_a_step || !one_in(is_first ? 4 : 200)) return;
  it.queue->end();
  it.was_lost_in_a_step = true;
  ++lost_inside_a_step;
  lost_before_a_commit += is_first;
}

std::vector<SourceSettings> FakeGroup::some_of_the_list() {
  next_reload_ = in_up_to(4s);
  std::vector<SourceSettings> some;
  for (const SourceSettings& settings : list_) {
    if (one_in(10)) continue;
    some.push_back(settings);
    if (one_in(5)) some.back().name += "-" + std::to_string(reloads_begun);
  }
  return some;
}

void FakeGroup::reload(std::vector<SourceSettings> list) {
  ++reloads_begun;
  spawn(io_, [](FakeGroup& group, std::vector<SourceSettings> wanted) -> Task<void> {
    co_await group.set_->change_to(std::move(wanted), kKeepsState);
    ++group.reloads_ended;
  }(*this, std::move(list)));
}

std::size_t FakeGroup::missing() const {
  std::size_t missing = 0;
  for (unsigned i = 0; i < kSources; ++i) {
    const SimulatedAppliance& appliance = appliances_[i]->is;
    missing += reckoning_.missing(list_[i].id, appliance, 0, appliance.plan().size(), 10min);
    missing += reckoning_.not_final(list_[i].id, appliance, 0, appliance.plan().size());
  }
  return missing;
}

std::size_t FakeGroup::pollers() {
  std::size_t all = 0;
  for (Host* host : hosts_) all += host->sources().view().sources.size();
  return all;
}

std::size_t FakeGroup::lives_held() {
  std::erase_if(lives_, [](const auto& life) { return life.expired(); });
  return lives_.size();
}

SteadyTime FakeGroup::in_up_to(std::chrono::milliseconds most) {
  return SteadyClock::now() + std::chrono::milliseconds{random_() % static_cast<std::uint64_t>(most.count() + 1)};
}

}  // namespace sessionlogd::test
