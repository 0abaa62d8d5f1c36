// Goes through everything that a source lists, page by page, in the time that windows leave: the sweep. A window proves
// nothing; what a sweep shows and nobody knows is news, and what a whole one does not show is gone.
//
// One is due once in a sweep_interval, and earlier when something is odd: a clock that jumped, a listing that lacks
// what the one before showed, listings without an end. One that a restart cut goes on where its last slice was over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/watched_time.h"
#include "core/polling/discovery.h"
#include "core/polling/found_sessions.h"
#include "core/polling/session_table.h"
#include "core/polling/source_health.h"
#include "core/polling/witnesses.h"

namespace sessionlogd {

class Sweeper {
 public:
  struct Parts {
    const SourceSettings& settings;
    SessionTable& table;
    SourceHealth& health;
    FoundSessions& found;
    Discovery& discovery;
    bool sweeps;        // it lists, and there is a state that remembers what was swept
    bool in_one_round;  // nobody comes back soon
    std::function<Watched()> now;
    std::function<Showing()> inquire;  // begins an inquiry: how what it shows is shown
    std::function<void()> commit;      // makes what is known of the source durable, behind all that was pushed before
  };
  explicit Sweeper(Parts parts);

  bool sweeps() const { return sweeps_; }
  bool is_due() const;
  // Goes on until then, and no further than to the sweep's end.
  Task<void> sweep(SteadyTime until);
  bool is_under_way() const { return walk_.has_value(); }
  // The one under way counts for nothing, and the next is due at once.
  void begin_anew();
  void stop() { stopping_ = true; }

  // A listing that has no window is a sweep, too: it begins, and is read to its end.
  void begin();
  void end(const ListingWalk& walk, bool was_resumed);

  // Of every listing with a window: what it shows, and how it ended. `window`: where that began, nullopt: nowhere.
  void listing_begins() { witnesses_.listing_begins(); }
  void listing_shows(const std::vector<ListedSession>& rows) { witnesses_.look_at(rows); }
  void listed(std::optional<Instant> window, std::chrono::seconds clock_offset, bool is_complete);

 private:
  std::size_t most_rows_of_a_walk() const;
  void give_up(const std::string& why);
  void say_swept(std::size_t rows, std::string_view missing);

  const SourceSettings& settings_;
  SessionTable& table_;
  SourceHealth& health_;
  FoundSessions& found_;
  Discovery& discovery_;
  const bool sweeps_, in_one_round_;
  const std::function<Watched()> now_;
  const std::function<Showing()> inquire_;
  const std::function<void()> commit_;

  bool stopping_ = false;
  unsigned again_ = 0;  // begin_anew()
  std::optional<ListingWalk> walk_;
  unsigned walked_again_ = 0;  // again_, when it began
  bool was_resumed_ = false;
  std::size_t rows_ = 0;
  unsigned failures_ = 0;            // of the page that is due, in a row
  unsigned given_up_ = 0;            // sweeps in a row
  std::optional<Watched> swept_at_;  // in this run, complete or not

  bool odd_ = false;  // the next should come early
  Witnesses witnesses_;
  unsigned incomplete_ = 0;               // listings in a row
  std::chrono::seconds clock_offset_{0};  // of the last listing
};

}  // namespace sessionlogd
