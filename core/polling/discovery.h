// Asks a source which sessions there are, a page at a time: those that began in a window, those that run, or one by its
// id.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/async/task.h"
#include "core/base/watched_time.h"
#include "core/polling/listing_walk.h"
#include "core/polling/session_list.h"

namespace sessionlogd {

// All of a listing at once.
struct Listing {
  std::vector<ListedSession> sessions;  // each id once, as it was shown last
  std::string missing;                  // "": complete; else why some sessions may not have been shown
};

class Discovery {
 public:
  // Told of every response that is not what was asked for: the session it was about ("" = none), what was expected, and
  // the body.
  using BadBody = std::function<void(std::string_view, std::string_view, std::string_view)>;
  // Watched time, for when rows were shown.
  using WatchedNow = std::function<Watched()>;

  // Settings and client must outlive this.
  Discovery(
      ApiClient& api, const SourceSettings& settings, WatchedNow watched_now = [] { return Watched{0}; },
      BadBody bad_body = [](auto...) {});

  enum class Of {
    kWindow,   // sessions that began in the walk's window
    kRunning,  // those that run, whenever they began
  };
  // A walk over the sessions that began in a window, or over those that run.
  ListingWalk walk(ListingWalk::Window window) const;
  // A walk over everything; from `place` on, if an earlier one came so far. Slices have at most so many rows.
  ListingWalk sweep(std::optional<Instant> place, std::size_t most_rows) const;
  // Whether the source can be asked for what runs without a window.
  bool can_list_running() const;

  // The next page of a walk, which must not have ended. Fails when it could not be had; the walk is then where it was.
  // Keeps to `share` of the source's rate.
  Task<Result<SessionPage>> next_page(ListingWalk& walk, Of of, double share);

  // All sessions that began at `from` or later (nullopt: all there are), and those that run. Fails when any page could
  // not be had.
  Task<Result<Listing>> list(std::optional<Instant> from);

  // How long its pages are may have changed: what is a full one is learnt anew.
  void learn_pages_anew() { longest_page_ = 1; }
  std::size_t longest_page() const { return longest_page_; }

  // One session, asked for by its id. A 404 is kRefused with http_status 404.
  Task<Result<ListedSession>> ask(std::string id);

  // Of the source's rate, for all discovery; and of that for sweeps.
  static constexpr double kShareOfRate = 0.25, kShareOfSweeps = 0.1;

 private:
  ListingWalk::Source source() const;
  Task<Result<void>> read_all(ListingWalk walk, Of of, Listing& into);
  Task<Result<SessionPage>> read_page(std::string query, std::size_t offset, std::size_t limit, double share);
  Task<Result<HttpResponse>> get_paced(std::string target, double share);
  Shown shown_since(SteadyTime asked) const;
  std::string query_of(const ListingWalk& walk, Of of) const;

  ApiClient& api_;
  const SourceSettings& settings_;
  WatchedNow watched_now_;
  BadBody bad_body_;
  unsigned page_size_;            // 0: the source's own
  std::size_t longest_page_ = 1;  // that it has given since it was learnt anew
  SteadyTime next_request_at_{};
};

// A dialect's path with {id} filled in.
std::string path_of_session(std::string_view path, std::string_view id);

}  // namespace sessionlogd
