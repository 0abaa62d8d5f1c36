// Asks a source which sessions there are: the window of start times, and beside it the running ones, page by page to
// the end.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/api_client.h"
#include "core/page_walk.h"
#include "core/session_list.h"
#include "core/task.h"

namespace sessionlogd {

struct Listing {
  std::vector<ListedSession> sessions;  // each id once, as it was shown last
  Instant sent;                         // when its first request was sent, the appliance's clock
  std::size_t unusable = 0;             // rows without a usable id
  std::string missing;                  // "": complete; else why some sessions may not have been shown
};

class Discovery {
 public:
  // Told of every answer that is no JSON: the session it was about ("" = none), what was expected, and the body.
  using NotJson = std::function<void(std::string_view, std::string_view, std::string_view)>;

  // Both must outlive this.
  Discovery(
      ApiClient& api, const SourceSettings& settings, NotJson not_json = [](auto...) {});

  // All sessions that began at `from` or later (nullopt: all there are), and those that run. Fails when any page could
  // not be had. Keeps to a quarter of the source's rate.
  Task<Result<Listing>> list(std::optional<Instant> from);

  // One session, asked for by its id. A 404 is kRefused with http_status 404.
  Task<Result<ListedSession>> ask(std::string id);

 private:
  struct Window {
    std::optional<Instant> from, to;  // of start times; open where there is none
  };
  Task<Result<void>> read_window(Window window, Listing& into);
  Task<Result<PageWalk::Step>> read_pages(std::string query, Listing& into);
  Task<Result<SessionPage>> read_page(std::string query, std::size_t offset);
  Task<Result<HttpAnswer>> get_paced(std::string target);
  Shown shown_since(SteadyTime asked) const;
  std::string window_query(const Window& window) const;
  std::string running_query() const;

  ApiClient& api_;
  const SourceSettings& settings_;
  NotJson not_json_;
  unsigned page_size_;  // 0: the source's own
  SteadyTime next_request_at_{};
};

// Whether the source's `session_types` let it be read.
bool is_wanted(const SourceSettings& settings, const ListedSession& session);

// A dialect's path with {id} filled in.
std::string path_of_session(std::string_view path, std::string_view id);

}  // namespace sessionlogd
