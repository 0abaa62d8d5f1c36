#include "daemon/control/source_set.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/base/timestamp.h"
#include "core/state/absent_source.h"

namespace sessionlogd {
namespace {

// Between the first contacts of two sources: name look-ups and TLS handshakes come one after the other, not all at
// once.
constexpr std::chrono::milliseconds kStagger{1};

// Of all that a source's settings only point at: when that has changed, the source has.
std::uint64_t digest_of_files(const SourceSettings& settings) {
  std::string all;
  for (const std::string& file : {settings.tls.ca_file, settings.tls.cert_file, settings.tls.key_file}) {
    std::ifstream in(file, std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {}).push_back('\0');
  }
  for (const std::optional<Secret>& secret : {settings.password, settings.token}) {
    try {
      if (secret) all.append(secret->read());
    } catch (const SecretError&) {
      // The source itself says so, with what to do about it.
    }
    all.push_back('\0');
  }
  return std::hash<std::string>()(all);
}

bool is_same(const std::shared_ptr<const SourceSettings>& a, const std::shared_ptr<const SourceSettings>& b) {
  return a == b || *a == *b;
}

}  // namespace

SourceSet::Changes SourceSet::want(std::vector<SourceSettings> list, std::chrono::milliseconds state_keep) {
  Changes changes;
  state_keep_ = state_keep;
  parts_.on_count(list.size());
  std::map<std::string, Source> before;
  for (Source& source : std::exchange(sources_, {})) before.emplace(source.settings->id, std::move(source));
  wanted_.clear();
  for (SourceSettings& settings : list) {
    wanted_.emplace(settings.id, sources_.size());
    const auto known = before.extract(settings.id);
    Source source{std::make_shared<const SourceSettings>(std::move(settings)), 0, std::make_shared<SourceCounters>()};
    source.files = digest_of_files(*source.settings);
    if (!known) {
      ++changes.added;
    } else if (is_same(known.mapped().settings, source.settings) && known.mapped().files == source.files) {
      ++changes.unchanged;
      source = known.mapped();
    } else {
      ++changes.changed;
      source.counters = known.mapped().counters;
      source.life = known.mapped().life;
    }
    sources_.push_back(std::move(source));
  }
  changes.removed = before.size();
  compare_all();
  return changes;
}

Task<SourceSet::Changes> SourceSet::change_to(std::vector<SourceSettings> list, std::chrono::milliseconds state_keep) {
  std::map<std::string, std::shared_ptr<const SourceSettings>> before;
  for (const Source& source : sources_) before.emplace(source.settings->id, source.settings);
  Changes changes = want(std::move(list), state_keep);
  while (under_way_ > 0) co_await changed_.wait();
  // From here on all that was to stop has stopped, and what was read of it is in the queue.
  for (auto& [at, lane] : lanes_) keep_at_rest(lane);
  for (const Source& source : sources_) {
    const auto was = before.find(source.settings->id);
    if (was != before.end() && was->second == source.settings) continue;
    const auto poller = pollers_.find(source.settings->id);
    if (poller == pollers_.end() || poller->second.unusable.empty()) continue;
    changes.parked.push_back(
        fmt::format("source={} cannot be polled: {}", source.settings->name, poller->second.unusable));
  }
  co_return changes;
}

void SourceSet::begin(Partition partition, std::shared_ptr<BatchQueue> queue, RestoredState& restored) {
  Lane& lane = lanes_[{partition, queue->life()}];
  lane.queue = std::move(queue);
  for (const std::string& id : restored.source_ids()) lane.at_rest.emplace(id, restored.take(id));
  compare_all();
  keep_at_rest(lane);
}

void SourceSet::end(Partition partition) {
  for (auto lane = oldest_of(partition); lane != lanes_.end() && lane->first.first == partition;) {
    lane->second.is_over = true;
    lane->second.at_rest.clear();
    lane = lane->second.pollers == 0 ? lanes_.erase(lane) : std::next(lane);
  }
  compare_all();
}

Task<void> SourceSet::all_stopped(Partition partition) {
  const auto some_are_left = [&] {
    const auto oldest = oldest_of(partition);
    return oldest != lanes_.end() && oldest->second.is_over;
  };
  while (some_are_left()) co_await changed_.wait();
}

const SourceSet::Source* SourceSet::find(std::string_view name) const {
  const auto found =
      std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) { return s.settings->name == name; });
  return found == sources_.end() ? nullptr : &*found;
}

std::map<SourceSet::Partition, std::size_t> SourceSet::counts() const {
  std::map<Partition, std::size_t> counts;
  for (const Source& source : sources_) ++counts[parts_.partition_of(source.settings->id)];
  return counts;
}

std::vector<std::string> SourceSet::unknown_of(Partition partition) const {
  std::vector<std::string> unknown;
  const auto lane = lanes_.lower_bound({partition, 0});
  if (lane == lanes_.end() || lane->first.first != partition) return unknown;
  for (const auto& [id, state] : lane->second.at_rest) {
    if (!wanted_.contains(id)) unknown.push_back(id);
  }
  return unknown;
}

const SourceSet::Place* SourceSet::place_of(const Source& source) const {
  const auto poller = pollers_.find(source.settings->id);
  if (poller == pollers_.end()) return nullptr;
  const bool is_there = poller->second.step == Step::kStarting || poller->second.step == Step::kRunning;
  return is_there ? &poller->second.place : nullptr;
}

SourceSet::Source* SourceSet::wanted(std::string_view id) {
  const auto found = wanted_.find(id);
  return found == wanted_.end() ? nullptr : &sources_[found->second];
}

SourceSet::Lanes::iterator SourceSet::oldest_of(Partition partition) {
  const auto lane = lanes_.lower_bound({partition, 0});
  return lane != lanes_.end() && lane->first.first == partition ? lane : lanes_.end();
}

// What is polled first: of it some stop, and others start behind them.
void SourceSet::compare_all() {
  for (const auto& [id, poller] : pollers_) compare(id);
  for (const Source& source : sources_) compare(source.settings->id);
}

// Makes the source's next step, if there is one to make and none is under way.
void SourceSet::compare(const std::string& id) {
  const auto known = pollers_.find(id);
  const Step step = known == pollers_.end() ? Step::kNone : known->second.step;
  if (step == Step::kStarting || step == Step::kStopping) return;
  Source* const source = wanted(id);
  const auto lane = source == nullptr ? lanes_.end() : oldest_of(parts_.partition_of(id));
  const bool may_run = lane != lanes_.end() && !lane->second.is_over;
  if (step == Step::kNone) {
    if (may_run) start_in_turn(id, *source, lane);
  } else if (!may_run || known->second.place.queue != lane->second.queue || known->second.files != source->files ||
             !is_same(known->second.settings, source->settings)) {
    stop(id, known->second);
  }
}

// An appliance may have one session for an account: who comes logs in when who goes has logged out, unless that may be
// back.
void SourceSet::start_in_turn(const std::string& id, Source& source, Lanes::iterator lane) {
  const auto leaving = leaving_.find(source.settings->url);
  if (leaving == leaving_.end()) return start(id, source, lane);
  leaving->second.behind.insert(id);
}

void SourceSet::start(const std::string& id, Source& source, Lanes::iterator lane) {
  const auto [partition, life] = lane->first;
  const Life before = std::exchange(source.life, life);
  if (before != 0 && before != life) source.counters = std::make_shared<SourceCounters>();
  NewSource next{.queue = lane->second.queue,
                 .settings = source.settings,
                 .counters = source.counters,
                 .restored = {},
                 .first_contact_after = kStagger * ++first_contacts_};
  if (auto known = lane->second.at_rest.extract(id)) {
    next.restored = std::move(known.mapped());
    Batch presence;
    presence.source_id = id;
    mark_present(next.restored, presence.records);
    if (!presence.records.empty()) lane->second.queue->push(std::move(presence));
  }
  Poller& poller = place(id, 1 + next.restored.sessions.size());
  poller.step = Step::kStarting;
  poller.place.queue = lane->second.queue;
  poller.partition = partition;
  poller.settings = source.settings;
  poller.files = source.files;
  ++lane->second.pollers;
  ++under_way_;
  parts_.hosts[poller.place.host]->add(std::move(next),
                                       [this, id](std::string unusable) { started(id, std::move(unusable)); });
}

// A source that starts again at once stays where it was; else it goes to where there is the least to do.
SourceSet::Poller& SourceSet::place(const std::string& id, std::size_t load) {
  const auto [poller, is_new] = pollers_.try_emplace(id);
  if (!is_new) return poller->second;
  const std::size_t host = static_cast<std::size_t>(std::ranges::min_element(loads_) - loads_.begin());
  poller->second.place.host = host;
  poller->second.load = load;
  loads_[host] += load;
  return poller->second;
}

void SourceSet::started(const std::string& id, std::string unusable) {
  Poller& poller = pollers_.at(id);
  poller.step = Step::kRunning;
  poller.unusable = std::move(unusable);
  --under_way_;
  compare(id);
  step_was_made();
}

void SourceSet::stop(const std::string& id, Poller& poller) {
  poller.step = Step::kStopping;
  ++under_way_;
  ++leaving_[poller.settings->url].pollers;
  const bool may_be_back = !is_closing_ && lanes_.at({poller.partition, poller.place.queue->life()}).is_over;
  parts_.hosts[poller.place.host]->remove(
      id, poller.place.queue->life(),
      may_be_back ? ShardSources::Leaves::kAndMayBeBack : ShardSources::Leaves::kForGood,
      [this, id](std::optional<RestoredSource> known) { stopped(id, std::move(known)); });
}

// Without what is known of it where its shard ends: nothing starts there any more.
void SourceSet::stopped(const std::string& id, std::optional<RestoredSource> known) {
  Poller& poller = pollers_.at(id);
  poller.step = Step::kNone;
  --under_way_;
  const std::set<std::string> behind = left(poller.settings->url);
  const auto lane = lanes_.find({poller.partition, poller.place.queue->life()});
  --lane->second.pollers;
  const bool was_last_of_its_life = lane->second.is_over && lane->second.pollers == 0;
  if (!lane->second.is_over && known) lane->second.at_rest.emplace(id, std::move(*known));
  if (was_last_of_its_life) lanes_.erase(lane);
  compare(id);
  if (poller.step == Step::kNone) {
    loads_[poller.place.host] -= poller.load;
    pollers_.erase(id);
  }
  if (was_last_of_its_life) compare_all();
  for (const std::string& other : behind) compare(other);
  step_was_made();
}

// Who may start there now.
std::set<std::string> SourceSet::left(const std::string& url) {
  const auto leaving = leaving_.find(url);
  if (--leaving->second.pollers > 0) return {};
  return std::move(leaving_.extract(leaving).mapped().behind);
}

void SourceSet::step_was_made() {
  if (under_way_ == 0) first_contacts_ = 0;
  changed_.notify();
}

// What is at rest and does not stand in the configuration.
void SourceSet::keep_at_rest(Lane& lane) {
  for (auto source = lane.at_rest.begin(); source != lane.at_rest.end();) {
    if (wanted(source->first) != nullptr) {
      ++source;
      continue;
    }
    Batch batch;
    batch.source_id = source->first;
    const bool removed = mark_absent(source->second, state_keep_, system_now(), batch.records);
    if (removed) {
      spdlog::info("the source with the id {} left the configuration more than state_keep ago: its state is removed",
                   source->first);
    }
    if (!batch.records.empty()) lane.queue->push(std::move(batch));
    source = removed ? lane.at_rest.erase(source) : std::next(source);
  }
}

}  // namespace sessionlogd
