#include "daemon/admin/all_sources.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace sessionlogd {
namespace {

std::uint64_t more(std::uint64_t now, std::uint64_t before) { return now < before ? now : now - before; }

std::uint64_t count_of(const RequestCounts& counts, int status) {
  for (const auto& [known, count] : counts.by_status()) {
    if (known == status) return count;
  }
  return 0;
}

void keep_earliest(std::optional<Instant>& earliest, const std::optional<Instant>& other) {
  if (other) earliest = earliest ? std::min(*earliest, *other) : *other;
}

void keep_worst(SourceView& worst, const SourceView& source) {
  worst.condition = std::max(worst.condition, source.condition);
  for (std::size_t i = 0; i < worst.sessions.size(); ++i) worst.sessions[i] += source.sessions[i];
  worst.lag = std::max(worst.lag, source.lag);
  worst.lateness = std::max(worst.lateness, source.lateness);
  worst.entry_age = std::max(worst.entry_age, source.entry_age);
  worst.sessions_failing += source.sessions_failing;
  worst.waiting = std::max(worst.waiting, source.waiting);
  if (std::chrono::abs(source.clock_offset) > std::chrono::abs(worst.clock_offset))
    worst.clock_offset = source.clock_offset;
  keep_earliest(worst.last_poll, source.last_poll);
  keep_earliest(worst.verified_at, source.verified_at);
  keep_earliest(worst.token_expires, source.token_expires);
  keep_earliest(worst.certificate_expires, source.certificate_expires);
}

}  // namespace

SourceSums AllSources::look(const std::vector<const SourceView*>& sources) {
  std::map<std::pair<std::string, std::uint64_t>, SourceView> now;
  for (const SourceView* source : sources) {
    std::pair key(source->identity->id, source->life);
    const auto known = before_.find(key);
    count(*source, known == before_.end() ? SourceView{} : known->second);
    now.emplace(std::move(key), *source);
  }
  before_ = std::move(now);

  SourceSums sums{.as_one = counts_, .requests = {requests_.begin(), requests_.end()}};
  auto identity = std::make_shared<SourceIdentity>();
  sums.as_one.condition = sources.empty() ? SourceCondition::kStarting : SourceCondition::kOk;
  for (const SourceView* source : sources) {
    const bool first = source == sources.front();
    identity->retention =
        first ? source->identity->retention : std::min(identity->retention, source->identity->retention);
    keep_worst(sums.as_one, *source);
  }
  sums.as_one.identity = std::move(identity);
  return sums;
}

void AllSources::count(const SourceView& source, const SourceView& before) {
  counts_.counts.add_growth(before.counts, source.counts);
  for (const auto& [status, count] : source.requests.by_status())
    requests_[status] += more(count, count_of(before.requests, status));
}

}  // namespace sessionlogd
