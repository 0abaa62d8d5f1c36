// Asks a source which sessions there are: the window of start times, and beside it the running ones, page by page to the end.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/api_client.h"
#include "core/session_list.h"

namespace sessionlogd {

struct Listing {
  std::vector<ListedSession> sessions;  // each id once
  Instant sent;                         // when its first request was sent, the appliance's clock
  Instant answered;                     // when its last answer had come
  std::size_t unreadable = 0;           // rows without a usable id
};

class Discovery {
 public:
  // Both must outlive this.
  Discovery(ApiClient& api, const SourceSettings& settings) : api_(api), settings_(settings) {}

  // All sessions that began at `from` or later (nullopt: all there are), and those that run. Fails when any page could not be had: a
  // listing counts only whole.
  boost::asio::awaitable<Result<Listing>> list(std::optional<Instant> from);

  // One session, asked for by its id. A 404 is kRefused with http_status 404.
  boost::asio::awaitable<Result<ListedSession>> ask(std::string id);

 private:
  boost::asio::awaitable<Result<void>> read_pages(std::string query, Listing& into);
  std::string window_query(std::optional<Instant> from) const;
  std::string running_query() const;

  ApiClient& api_;
  const SourceSettings& settings_;
};

// A dialect's path with {id} filled in.
std::string path_of_session(std::string path, std::string_view id);

}  // namespace sessionlogd
