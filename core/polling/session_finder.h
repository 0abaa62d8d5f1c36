// Finds out which sessions a source has, again and again, and gives what is shown to the one who reads them.
//
//   running ones ─▶ window ─▶ open ones that neither showed, by id ─▶ until the next window: the sweep, page by page ─▶
//   ...
//
// Windows make it quick and prove nothing. The sweep, a listing of everything that goes round once in a sweep_interval,
// makes it right: what it shows and nobody knows is news, however old any clock says that it is. The one exception is
// first contact: until its first sweep is over, what had ended and had begun before a line is left alone; that line is
// durable before anything is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/backoff.h"
#include "core/base/said_pair.h"
#include "core/base/watched_time.h"
#include "core/polling/discovery.h"
#include "core/polling/found_sessions.h"
#include "core/polling/learned_pace.h"
#include "core/polling/session_table.h"
#include "core/polling/source_health.h"
#include "core/polling/sweeper.h"

namespace sessionlogd {

class SessionFinder {
 public:
  enum class Rounds { kForever, kOnce };

  struct Parts {
    boost::asio::io_context& io;
    const SourceSettings& settings;
    ApiClient& api;
    SessionTable& table;
    SourceHealth& health;
    FoundSessions& found;
    LearnedPace& pace;
    std::mt19937_64& random;
    Rounds rounds;
    bool sweeps;  // there is a state that remembers what was swept
    Discovery::BadBody bad_body;
  };
  explicit SessionFinder(Parts parts);

  // Until stop(), or after one round.
  Task<void> run();
  void stop();

  // Asks for one session by its id, for its log looks like another's.
  Task<void> ask_for(std::string id);

  // Makes what is known of the source durable, behind all that was pushed before.
  void commit_source();

  // Everything is listed again at once, from `since` on by a window.
  void list_again(Instant since);

  // Every few seconds: says that a listing does not end. `is_held_up`: it waits for the sink, which says nothing of it.
  void look(bool is_held_up);
  // Of a listing that has gone on for a minute and more: what is known of it, "" = there is none.
  std::string unended() const;
  // For longer than a source may go without success.
  bool never_ends() const;

  Watched watched_now() const { return watched_.at(SteadyClock::now()); }
  // After a response: when that was, the time included in which nobody ran.
  Watched watched_at(SteadyTime at) {
    hear_the_clocks();
    return watched_.at(at);
  }
  SteadyTime watched_when(Watched at) const { return watched_.when(at); }
  // How something that is shown now is shown.
  Showing showing() const;
  std::uint32_t inquiries() const { return inquiries_; }
  // Of the inquiries that of the last listing that was read to its end.
  std::uint32_t last_listing() const { return last_listing_; }
  std::optional<SteadyTime> listed_at() const { return listed_at_; }

 private:
  Task<Result<void>> list_once();
  Task<Result<void>> read_walk(ListingWalk& walk, Discovery::Of of, Showing how);
  Task<Result<void>> list_named();
  struct NotHad {
    std::string id;
    Error why;
  };
  Task<Result<std::vector<NotHad>>> ask_for_each(std::vector<std::string> ids);
  std::optional<Instant> window_start() const;
  Result<void> draw_the_line();
  std::optional<Instant> earlier_clock() const;

  std::chrono::milliseconds wait_after_listing();
  Task<void> until_next(SteadyTime next);
  Showing showing_of_sweep();
  void hear_the_clocks();

  boost::asio::io_context& io_;
  const SourceSettings& settings_;
  ApiClient& api_;
  SessionTable& table_;
  SourceHealth& health_;
  FoundSessions& found_;
  LearnedPace& pace_;
  std::mt19937_64& random_;
  const Rounds rounds_;
  Discovery discovery_;
  WatchedTime watched_;
  Sweeper sweeper_;

  Signal wake_;
  bool stopping_ = false;
  std::uint32_t inquiries_ = 0;  // begun, about which sessions there are
  std::uint32_t last_listing_ = 0;
  unsigned again_ = 0;  // asked for; a listing that was sent before the last one does not advance anything
  std::optional<SteadyTime> listed_at_;
  SteadyTime looked_back_at_ = SteadyTime::min();  // a day: once an hour
  std::optional<Instant> listed_again_from_;

  // The walk through a listing that goes on, from its first page on; what the sink holds up, a login or a Retry-After
  // does not count.
  struct Walking {
    SteadyTime since;
    std::size_t rows = 0;
  };
  SteadyClock::duration walked_for() const;
  std::optional<Walking> walking_;
  SteadyTime looked_at_ = SteadyTime::min();
  SaidPair no_end_;

  std::optional<Instant> began_;  // the last one that was complete, the source's clock
};

}  // namespace sessionlogd
