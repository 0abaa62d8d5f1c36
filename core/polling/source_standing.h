// How one source stands: whether it is well, what is wrong with it, how far its events lag behind. Looks at the parts
// of a SourcePoller and changes none of them; on the shard's thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/api/api_client.h"
#include "core/polling/learned_pace.h"
#include "core/polling/poll_order.h"
#include "core/polling/read_success.h"
#include "core/polling/session_finder.h"
#include "core/polling/session_table.h"
#include "core/polling/source_counters.h"
#include "core/polling/source_health.h"
#include "core/polling/source_view.h"
#include "core/polling/uncommitted.h"
#include "core/state/batch_queue.h"

namespace sessionlogd {

class SourceStanding {
 public:
  // All of it outlives this.
  struct Parts {
    const SourceSettings& settings;
    const SourceCounters& counters;
    const ApiClient& api;
    const SourceHealth& health;
    const ReadSuccess& reads;
    const SessionTable& table;
    const SessionFinder& finder;
    const LearnedPace& pace;
    const PollOrder& schedule;
    Uncommitted& uncommitted;
    const BatchQueue& queue;
  };
  explicit SourceStanding(const Parts& parts);

  // `read_at`: when a log was read to its end last; nullopt = never.
  SourceView view(std::optional<SteadyTime> read_at) const;

 private:
  SourceCondition condition() const;
  std::string fault() const;
  std::chrono::duration<double> lag(SteadyTime now) const;

  const Parts parts_;
  const std::shared_ptr<const SourceIdentity> identity_;
  const SteadyTime began_ = SteadyClock::now();
};

}  // namespace sessionlogd
