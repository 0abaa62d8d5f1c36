#include "daemon/control/source_set.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/async/task.h"
#include "core/base/timestamp.h"
#include "core/state/absent_source.h"
#include "daemon/control/run_on_shard.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

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

std::shared_ptr<const SourceSettings> shared(SourceSettings settings) {
  return std::make_shared<const SourceSettings>(std::move(settings));
}

}  // namespace

void SourceSet::begin(const std::vector<SourceSettings>& wanted, RestoredState& restored,
                      std::chrono::milliseconds state_keep) {
  on_count_(wanted.size());
  for (const std::string& id : restored.source_ids()) at_rest_.emplace(id, restored.take(id));
  for (const SourceSettings& settings : wanted) {
    Source& source =
        sources_.emplace_back(shared(settings), std::make_shared<SourceCounters>(), digest_of_files(settings));
    place(source);
    shard_of(source).add(take_over(source, kStagger * static_cast<int>(sources_.size())));
  }
  keep_at_rest(state_keep);
}

Task<SourceSet::Changes> SourceSet::change_to(std::vector<SourceSettings> wanted,
                                              std::chrono::milliseconds state_keep) {
  Changes changes;
  on_count_(wanted.size());
  std::map<std::string, Source> before;
  for (Source& source : std::exchange(sources_, {})) before.emplace(source.settings->id, std::move(source));

  std::vector<Source> stopped;
  std::vector<std::size_t> starting;  // positions in sources_
  for (SourceSettings& settings : wanted) {
    const std::uint64_t files = digest_of_files(settings);
    auto known = before.extract(settings.id);
    if (known && *known.mapped().settings == settings && known.mapped().files == files) {
      ++changes.unchanged;
      sources_.push_back(std::move(known.mapped()));
      continue;
    }
    starting.push_back(sources_.size());
    Source& source = sources_.emplace_back(shared(std::move(settings)), std::make_shared<SourceCounters>(), files);
    if (known) {
      ++changes.changed;
      source.on = known.mapped().on;
      source.load = known.mapped().load;
      source.counters = known.mapped().counters;
      stopped.push_back(std::move(known.mapped()));
    } else {
      ++changes.added;
      place(source);
    }
  }
  changes.removed = before.size();
  for (auto& [id, source] : before) {
    loads_[source.on] -= source.load;
    stopped.push_back(std::move(source));
  }

  for (const Source& source : stopped) stop(source);
  for (const Source& source : stopped) {
    while (!at_rest_.contains(source.settings->id)) co_await returned_.wait();
  }
  // From here on all that is to stop has stopped, and what was read of it is in the queue.
  for (std::size_t i = 0; i < starting.size(); ++i) {
    Source& source = sources_[starting[i]];
    NewSource next = take_over(source, kStagger * static_cast<int>(i));
    std::string unusable;
    std::function<void()> add = [&] { unusable = shard_of(source).add(std::move(next)); };
    co_await run_on(main_, shard_of(source), std::move(add));
    if (!unusable.empty())
      changes.parked.push_back(fmt::format("source={} cannot be polled: {}", source.settings->name, unusable));
  }
  keep_at_rest(state_keep);
  co_return changes;
}

const SourceSet::Source* SourceSet::find(std::string_view name) const {
  const auto found =
      std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) { return s.settings->name == name; });
  return found == sources_.end() ? nullptr : &*found;
}

NewSource SourceSet::take_over(const Source& source, std::chrono::milliseconds first_contact_after) {
  NewSource next{source.settings, source.counters, {}, first_contact_after};
  if (auto known = at_rest_.extract(source.settings->id)) {
    next.restored = std::move(known.mapped());
    Batch presence;
    presence.source_id = source.settings->id;
    mark_present(next.restored, presence.records);
    if (!presence.records.empty()) queue_.push(std::move(presence));
  }
  return next;
}

// On the shard with the least to do so far.
void SourceSet::place(Source& source) {
  if (const auto known = at_rest_.find(source.settings->id); known != at_rest_.end())
    source.load += known->second.sessions.size();
  source.on = static_cast<std::size_t>(std::min_element(loads_.begin(), loads_.end()) - loads_.begin());
  loads_[source.on] += source.load;
}

// What is at rest does not stand in the configuration.
void SourceSet::keep_at_rest(std::chrono::milliseconds state_keep) {
  for (auto source = at_rest_.begin(); source != at_rest_.end();) {
    Batch batch;
    batch.source_id = source->first;
    const bool removed = mark_absent(source->second, state_keep, system_now(), batch.records);
    if (removed) {
      spdlog::info("the source with the id {} left the configuration more than state_keep ago: its state is removed",
                   source->first);
    }
    if (!batch.records.empty()) queue_.push(std::move(batch));
    source = removed ? at_rest_.erase(source) : std::next(source);
  }
}

void SourceSet::stop(const Source& source) {
  Shard& shard = shard_of(source);
  shard.post([this, &shard, id = source.settings->id] {
    shard.remove(id, [this, id](RestoredSource state) {
      auto known = std::make_shared<RestoredSource>(std::move(state));
      asio::post(main_, [this, id, known] {
        at_rest_.emplace(id, std::move(*known));
        returned_.notify();
      });
    });
  });
}

}  // namespace sessionlogd
