#include "tests/support/simulated_shard.h"

#include <spdlog/spdlog.h>

#include "core/event.h"
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
  Source(ShardServices services, SourceSettings s, Encoder& encoder, std::unique_ptr<SimulatedAppliance> a)
      : appliance(std::move(a)),
        settings(std::move(s)),
        poller({services, settings, std::make_shared<SourceCounters>(), encoder, PollMode::kForever}, {}) {}

  std::unique_ptr<SimulatedAppliance> appliance;
  SourceSettings settings;
  SourcePoller poller;
};

SimulatedShard::SimulatedShard(const Options& options)
    : dialect_(built_in_dialect("veeam-aws")),
      encoder_(std::make_unique<LineEncoder>()),
      queue_(options.queue_bytes),
      random_(options.seed),
      http_(io_),
      reader_(queue_),
      room_(io_),
      time_(io_, options.tick) {
  spdlog::set_level(spdlog::level::err);
  ::setenv("SIMULATED_PASSWORD", "secret", 1);
  queue_.on_room([this] { room_.notify(); });
}

SimulatedShard::~SimulatedShard() = default;

SimulatedAppliance& SimulatedShard::add(std::vector<PlannedSession> plan, const PollSettings& poll) {
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
  const ShardServices services{io_, http_, reader_, queue_, nullptr, room_, random_, metrics_, fingerprint_bytes_};
  sources_.push_back(std::make_unique<Source>(services, std::move(settings), *encoder_, std::move(appliance)));
  spawn(io_, sources_.back()->poller.run(kStagger * static_cast<int>(number)));
  return *sources_.back()->appliance;
}

SimulatedAppliance& SimulatedShard::appliance(std::size_t i) { return *sources_[i]->appliance; }

SourceView SimulatedShard::view(std::size_t i) { return sources_[i]->poller.view(); }

void SimulatedShard::run(std::chrono::milliseconds span) {
  while (span.count() > 0) {
    const std::chrono::milliseconds step = std::min<std::chrono::milliseconds>(span, kCommitInterval);
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
  for (const Batch& batch : committing_) events_ += batch.index.size();
  queue_.release(committing_);
  committing_.clear();
}

}  // namespace sessionlogd::test
