#include "tests/support/simulated_shard.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "core/entries/event.h"
#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

constexpr std::chrono::milliseconds kStagger{1};  // as the daemon's
constexpr std::chrono::seconds kCommitInterval{1};

class LineEncoder : public Encoder {
 public:
  void append(const Event& event, LineBuffer& out) override {
    out += event.message;
    out += '\n';
  }
};

}  // namespace

struct SimulatedShard::Source {
  Task<void> run(std::chrono::milliseconds delay) {
    co_await poller->run(delay);
    co_await poller->client().log_out(ApiClient::kLogOutTimeout);
    over = true;
  }

  const std::unique_ptr<SimulatedAppliance> appliance;
  const SourceSettings settings;
  const PollMode mode;
  std::shared_ptr<SourceCounters> counters{};
  std::unique_ptr<SourcePoller> poller{};
  bool over = false;
};

SimulatedShard::SimulatedShard(const Options& options)
    : dialect_(built_in_dialect("veeam-aws")),
      queue_(options.queue_bytes),
      random_(options.seed),
      fingerprint_bytes_(options.fingerprint_bytes),
      verify_(options.verify),
      http_(io_),
      room_(io_),
      time_(io_, options.tick),
      remembers_(options.remembers) {
  if (remembers_) {
    encoder_ = std::make_unique<Reckoning::Encoder>();
  } else {
    encoder_ = std::make_unique<LineEncoder>();
  }
  step_our_clock(std::chrono::seconds{0});
  spdlog::set_level(spdlog::level::err);
  ::setenv("SIMULATED_PASSWORD", "secret", 1);
  queue_.memory().on_room([this] { room_.notify(); });
}

SimulatedShard::~SimulatedShard() = default;

SimulatedAppliance& SimulatedShard::add(std::vector<PlannedSession> plan, const PollSettings& poll, PollMode mode,
                                        std::vector<std::string> sessions) {
  const auto number = static_cast<unsigned>(sources_.size());
  auto appliance = std::make_unique<SimulatedAppliance>(number, std::move(plan), traffic_);
  boost::asio::use_service<SimulatedNetwork>(io_).attach(appliance->url(), *appliance);
  SourceSettings settings;
  settings.name = settings.id = "source-" + std::to_string(number);
  settings.dialect = dialect_;
  settings.url = appliance->url();
  settings.username = "collector";
  settings.password = Secret::parse("env:SIMULATED_PASSWORD");
  settings.api_version = dialect_->version.fallback;
  settings.poll = poll;
  settings.sessions = std::move(sessions);
  sources_.push_back(std::make_unique<Source>(std::move(appliance), std::move(settings), mode));
  begin(*sources_.back(), kStagger * static_cast<int>(number));
  return *sources_.back()->appliance;
}

void SimulatedShard::begin(Source& source, std::chrono::milliseconds delay) {
  const ShardServices services{io_,  http_,   reader_, queue_, nullptr, room_, random_, metrics_, fingerprint_bytes_,
                               true, nullptr, verify_};
  source.over = false;
  source.counters = std::make_shared<SourceCounters>();
  source.poller = std::make_unique<SourcePoller>(
      SourcePoller::Parts{services, source.settings, source.counters, *encoder_, source.mode},
      committed(source.settings.id));
  spawn(io_, source.run(delay));
}

void SimulatedShard::restart(std::size_t i, std::chrono::milliseconds down) {
  Source& source = *sources_[i];
  lose(source.settings.id);
  if (!source.over) source.poller->stop();
  while (!source.over) time_.run(time_.tick());
  lose(source.settings.id);
  source.poller.reset();
  run(down);
  begin(source, {});
}

bool SimulatedShard::is_over(std::size_t i) const { return sources_[i]->over; }

SimulatedAppliance& SimulatedShard::appliance(std::size_t i) { return *sources_[i]->appliance; }

SourceView SimulatedShard::view(std::size_t i) { return sources_[i]->poller->view(); }

SourcePoller& SimulatedShard::poller(std::size_t i) { return *sources_[i]->poller; }

const SourceCounters& SimulatedShard::counters(std::size_t i) const { return *sources_[i]->counters; }

std::size_t SimulatedShard::missing(std::size_t i, std::size_t begin, std::size_t end,
                                    std::chrono::milliseconds shown_ago) const {
  return reckoning_.missing(sources_[i]->settings.id, *sources_[i]->appliance, begin, end, shown_ago);
}

std::size_t SimulatedShard::not_final(std::size_t i, std::size_t begin, std::size_t end) const {
  return reckoning_.not_final(sources_[i]->settings.id, *sources_[i]->appliance, begin, end);
}

std::size_t SimulatedShard::entries_of(std::size_t i, std::size_t session) const {
  return reckoning_.entries_of(sources_[i]->settings.id, *sources_[i]->appliance, session);
}

RestoredSource SimulatedShard::committed(std::size_t i) const { return committed(sources_[i]->settings.id); }

RestoredSource SimulatedShard::committed(const std::string& id) const {
  RestoredState restored;
  if (const auto rows = rows_.find(id); rows != rows_.end()) {
    for (const auto& [at, value] : rows->second) restored.record(id, {at.first, at.second, value});
  }
  return restored.take(id);
}

void SimulatedShard::run(std::chrono::milliseconds span) {
  while (span.count() > 0) {
    const auto step = std::min(span, std::max<std::chrono::milliseconds>(kCommitInterval, time_.tick()));
    time_.run(step);
    span -= step;
    per_second_.push_back(static_cast<unsigned>(traffic_.in_all() - requests_before_));
    requests_before_ = traffic_.in_all();
    most_queue_bytes_ = std::max(most_queue_bytes_, queue_.bytes());
    if (sink_runs_) commit();
  }
}

// As the committer: all that waits goes into one commit, and counts until that is over.
void SimulatedShard::commit() {
  if (committing_.empty()) {
    if (queue_.bytes() == 0) return;  // take() would wait
    queue_.take(committing_, 0, std::chrono::milliseconds{0});
    committed_at_ = SteadyClock::now() + commit_takes_;
  }
  if (SteadyClock::now() < committed_at_) return;
  for (const Batch& batch : committing_) {
    events_ += batch.index.size();
    if (remembers_) remember(batch);
  }
  queue_.release(committing_);
  committing_.clear();
}

void SimulatedShard::remember(const Batch& batch) {
  reckoning_.take(batch);
  Rows& rows = rows_[batch.source_id];
  for (const StateRecord& record : batch.records) {
    if (record.value.empty()) {
      rows.erase({record.session_key, record.part});
    } else {
      rows[{record.session_key, record.part}] = record.value;
    }
  }
}

// What waits of it is committed never; of others at once.
void SimulatedShard::lose(const std::string& source_id) {
  if (committing_.empty() && queue_.bytes() > 0) queue_.take(committing_, 0, std::chrono::milliseconds{0});
  std::vector<Batch> lost;
  const auto is_lost = [&](const Batch& batch) { return batch.source_id == source_id; };
  std::ranges::stable_partition(committing_, is_lost);
  const auto kept = std::ranges::find_if_not(committing_, is_lost);
  lost.assign(std::make_move_iterator(committing_.begin()), std::make_move_iterator(kept));
  committing_.erase(committing_.begin(), kept);
  queue_.release(lost);
  committed_at_ = SteadyClock::now();
  commit();
}

}  // namespace sessionlogd::test
