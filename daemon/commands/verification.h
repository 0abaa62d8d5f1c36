// The engine of `verify`: reads the sessions of every source again and compares their logs with what was delivered, by
// the state and by the output. Prints nothing.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/async/task.h"
#include "core/entries/audit.h"
#include "core/entries/hidden_sessions.h"
#include "core/entries/log_parser.h"
#include "core/polling/discovery.h"
#include "core/state/delivered_reader.h"
#include "core/state/restored_state.h"

namespace sessionlogd {

class Verification {
 public:
  // Settings and reader must outlive this. `since`: how far back sessions are listed, by each source's clock.
  Verification(const Settings& settings, DeliveredReader& delivered, std::chrono::milliseconds since);

  // Once. Throws what DeliveredReader throws.
  void run();

  // A daemon that runs may just be about to deliver what was new when we read it: compares with the output again and
  // again, for as long as a daemon may take, which `say` is told. What is still in question then is read again: it may
  // have changed twice between two polls.
  void look_again(const std::function<void(std::chrono::seconds)>& say);

  bool nothing_is_missing() const;
  // Else look_again() may find that it was a matter of moments.
  bool nothing_is_in_question() const;
  // No source hides what it has shown: else nothing_is_missing() says little.
  bool nothing_is_hidden() const;

  struct Reading {
    const SourceSettings* source;
    RestoredSource known{};
    std::string fault{};  // "" = every session of the span was read
    HiddenSessions hidden{};
    Instant begun{};              // when the first of it was asked for, by our clock
    bool was_read_since = false;  // what the daemon read later than that was delivered
  };
  // Of each source, in the order of the settings.
  const std::vector<Reading>& readings() const { return readings_; }
  const std::vector<Audit::Counts>& counts() const { return counts_; }

  std::vector<Audit::Finding> findings(std::size_t most) const { return audit_.findings(most); }
  const ReadBack& compared_with() const { return compared_with_; }

 private:
  void load_state();
  void read_sources();
  Task<std::string> read_sessions(ApiClient& api, std::size_t number);
  Result<const SessionLog*> parse(const SourceSettings& source, const Audit::Session& session, const Body& body);
  void read_again(const std::vector<const Audit::Session*>& sessions);
  Task<void> read_again(ApiClient& api, const SourceSettings& source, const Audit::Session& session);
  Task<Result<std::vector<ListedSession>>> list(ApiClient& api, Reading& reading);
  void expect_shown(Reading& reading, const Listing& listing, Instant from, Instant asked);
  Audit::Session what_is_known(RestoredSource& known, const SourceSettings& source, const ListedSession& session,
                               Instant now);
  void compare();
  void delivered(const Delivered& event);

  const Settings& settings_;
  DeliveredReader& delivered_;
  const std::chrono::milliseconds since_;
  std::vector<Reading> readings_;
  std::unordered_map<std::string_view, std::size_t> by_id_;  // source id -> readings_
  std::deque<SessionHistory> fingerprints_;                  // of done sessions that were read
  Audit audit_;
  LogParser parser_;
  Instant earliest_{INT64_MAX};  // of what was delivered of the sessions that were read, by our clock
  ReadBack compared_with_;
  std::vector<Audit::Counts> counts_;
};

}  // namespace sessionlogd
