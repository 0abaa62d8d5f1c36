// Which sources there are, and on which shard each of them lives. Made from the configuration at start, and changed by
// it while the daemon runs:
//
//   not in it any more ─▶ stopped; its state is kept at rest
//   says something else ─▶ stopped, and started again on its shard with the state it had
//   new ─▶ started on the shard with the least to do, with the state at rest if there is any
//   the same ─▶ untouched: its polls, its token and its schedule go on
//
// Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/polling/shard.h"
#include "core/state/batch_queue.h"
#include "core/state/restored_state.h"

namespace sessionlogd {

class SourceSet {
 public:
  struct Source {
    Source(std::shared_ptr<const SourceSettings> s, std::shared_ptr<SourceCounters> c, std::uint64_t f)
        : settings(std::move(s)), counters(std::move(c)), files(f) {}

    std::shared_ptr<const SourceSettings> settings;
    std::shared_ptr<SourceCounters> counters;
    std::uint64_t files = 0;  // a digest of the secrets and certificates that the settings name, as they were read
    std::size_t on = 0;       // which shard
    std::size_t load = 1;     // what it counts for there
  };

  // All must outlive this. `on_count` is told how many sources there are, whenever that has changed.
  SourceSet(boost::asio::io_context& main, std::span<const std::unique_ptr<Shard>> shards, BatchQueue& queue,
            std::function<void(std::size_t)> on_count)
      : main_(main),
        shards_(shards),
        queue_(queue),
        on_count_(std::move(on_count)),
        loads_(shards.size(), 0),
        returned_(main) {}

  // Before the shards start.
  void begin(const std::vector<SourceSettings>& wanted, RestoredState& restored, std::chrono::milliseconds state_keep);

  struct Changes {
    std::size_t added = 0, changed = 0, removed = 0, unchanged = 0;
    std::vector<std::string> parked;  // "source=... cannot be polled: why": it is in force, and tried again
  };
  // One at a time. Sources that stop log out first, so that it takes a moment.
  Task<Changes> change_to(std::vector<SourceSettings> wanted, std::chrono::milliseconds state_keep);

  // In the order of the configuration.
  const std::vector<Source>& all() const { return sources_; }
  const Source* find(std::string_view name) const;

  Shard& shard_of(const Source& source) const { return *shards_[source.on]; }

 private:
  NewSource take_over(const Source& source, std::chrono::milliseconds first_contact_after);
  void place(Source& source);
  void keep_at_rest(std::chrono::milliseconds state_keep);
  void stop(const Source& source);

  boost::asio::io_context& main_;
  const std::span<const std::unique_ptr<Shard>> shards_;
  BatchQueue& queue_;
  const std::function<void(std::size_t)> on_count_;
  std::vector<std::size_t> loads_;  // by shard
  std::vector<Source> sources_;
  std::map<std::string, RestoredSource, std::less<>> at_rest_;  // by id: of sources that are not polled
  Signal returned_;                                             // a source that was stopped is at rest now
};

}  // namespace sessionlogd
