// Which sources there are, and where each of them is polled. Two things say what is wanted, and both change while the
// daemon runs: the configuration's list, and the lanes, each the owner of a partition's sources for one life. What is
// wanted is compared with what is, whenever either has changed, and each source goes towards it by itself, one step at
// a time:
//
//   wanted: stands in the list, in a partition with a lane            none ──▶ starting ──▶ running
//   not wanted, or says something else, or of a life that is over       ▲                      │
//                                                                       └───── stopping ◀──────┘
//
// What stops gives back what is known of its sessions. That rests with its lane, and goes to who starts next there: a
// source that was changed, or was put back. When the life is over it is thrown away. Sources of a new life start only
// when the last poller of the partition's old one has stopped, and any source only when those that stop at its URL
// have.
//
// A daemon that is in no group has one lane for all, which begins when the state is restored and ends when the daemon
// stops.
//
// Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/state/batch_queue.h"
#include "core/state/restored_state.h"
#include "daemon/control/source_host.h"

namespace sessionlogd {

class SourceSet {
 public:
  using Partition = std::size_t;
  using Life = std::uint64_t;  // as the lane's queue has it

  // As it stands in the configuration.
  struct Source {
    std::shared_ptr<const SourceSettings> settings;
    std::uint64_t files = 0;  // a digest of the secrets and certificates that the settings name, as they were read
    std::shared_ptr<SourceCounters> counters;  // of its latest life
    Life life = 0;                             // 0: it was not polled yet
  };

  // All that is referred to must outlive this.
  struct Parts {
    boost::asio::io_context& main;
    std::vector<std::unique_ptr<SourceHost>> hosts;
    std::function<Partition(std::string_view id)> partition_of;
    std::function<void(std::size_t)> on_count;  // told how many sources there are, whenever the list has changed
  };
  explicit SourceSet(Parts parts) : parts_(std::move(parts)), loads_(parts_.hosts.size(), 0), changed_(parts_.main) {}

  struct Changes {
    std::size_t added = 0, changed = 0, removed = 0, unchanged = 0;
    std::vector<std::string> parked;  // "source=... cannot be polled: why": it is in force, and tried again
  };
  // The list from now on. A source that left it keeps its state for `state_keep`.
  Changes want(std::vector<SourceSettings> list, std::chrono::milliseconds state_keep);
  // The same, and returns when nothing differs any more. Sources that stop log out first, so that it takes a moment.
  Task<Changes> change_to(std::vector<SourceSettings> list, std::chrono::milliseconds state_keep);

  // The partition has a lane, whose life is that of its queue, and begins; the one before it has ended. Each of its
  // sources takes its part of what was restored.
  void begin(Partition partition, std::shared_ptr<BatchQueue> queue, RestoredState& restored);
  // Its life is over.
  void end(Partition partition);
  // The daemon stops: no lane begins any more, so that no source comes back.
  void close() { is_closing_ = true; }
  // Until no source of an ended life is left of it.
  Task<void> all_stopped(Partition partition);

  // In the order of the configuration.
  const std::vector<Source>& all() const { return sources_; }
  const Source* find(std::string_view name) const;

  // How many there are of each partition, and the ids of those that a lane's state knows and the list does not.
  std::map<Partition, std::size_t> counts() const;
  std::vector<std::string> unknown_of(Partition partition) const;

  // On which host it is polled, and for which lane; nullptr: it is not, or stops just now. While it starts it is there
  // for what that host is asked from now on.
  struct Place {
    std::size_t host = 0;
    std::shared_ptr<BatchQueue> queue;
  };
  const Place* place_of(const Source& source) const;

 private:
  enum class Step { kNone, kStarting, kRunning, kStopping };
  // What is of a source that does not stand at none.
  struct Poller {
    Step step = Step::kNone;
    Place place;
    std::size_t load = 1;  // what it counts for there
    Partition partition = 0;
    std::shared_ptr<const SourceSettings> settings;  // with which it was started
    std::uint64_t files = 0;
    std::string unusable;  // why it is parked, "" = it is not
  };
  using Pollers = std::map<std::string, Poller, std::less<>>;  // by id
  struct Lane {
    std::shared_ptr<BatchQueue> queue;
    bool is_over = false;
    std::size_t pollers = 0;                                       // of this life, whatever their step
    std::map<std::string, RestoredSource, std::less<>> at_rest{};  // by id: of sources that are not polled
  };
  struct Leaving {
    std::size_t pollers = 0;       // that stop
    std::set<std::string> behind;  // ids of those that start when they have
  };
  using Lanes = std::map<std::pair<Partition, Life>, Lane>;

  Source* wanted(std::string_view id);
  Lanes::iterator oldest_of(Partition partition);
  void compare_all();
  void compare(const std::string& id);
  void start_in_turn(const std::string& id, Source& source, Lanes::iterator lane);
  void start(const std::string& id, Source& source, Lanes::iterator lane);
  void started(const std::string& id, std::string unusable);
  void stop(const std::string& id, Poller& poller);
  void stopped(const std::string& id, std::optional<RestoredSource> known);
  std::set<std::string> left(const std::string& url);
  Poller& place(const std::string& id, std::size_t load);
  void step_was_made();
  void keep_at_rest(Lane& lane);

  Parts parts_;
  std::vector<std::size_t> loads_;  // by host
  std::vector<Source> sources_;
  std::map<std::string, std::size_t, std::less<>> wanted_;  // by id: which of them
  std::chrono::milliseconds state_keep_{};
  Lanes lanes_;  // the first of a partition is the one whose sources may be polled, if it is not over
  Pollers pollers_;
  std::map<std::string, Leaving> leaving_;  // by URL
  bool is_closing_ = false;
  std::size_t under_way_ = 0;  // steps
  int first_contacts_ = 0;     // since nothing was under way
  Signal changed_;             // a step was made
};

}  // namespace sessionlogd
