// Decides what a response to a request for a session's log means for the session: whose log it is, whether and when it
// is read again, when it is given up. Does nothing and knows nothing of requests, timers or tables, so that all of it
// can be tested as a table.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/result.h"
#include "core/base/watched_time.h"
#include "core/entries/log_reader.h"
#include "core/polling/read_success.h"
#include "core/polling/session_life.h"
#include "core/polling/source_counters.h"

namespace sessionlogd {

// What speaks against a log being the session's own.
struct Doubt {
  bool disputed = false;              // a row named another start under its id, and nothing has settled that
  bool asked_before_dispute = false;  // the request was on its way when that row came
  bool vouched_for = false;           // a listing that was asked for because its log looked strange says it is its own
};

// How LogReader is to take the log.
Strange strange_of(const Doubt& doubt);

enum class Owner : std::uint8_t {
  kSession,           // nothing says otherwise
  kCorrectedSession,  // the session: the other start is a correction of its own
  kAnother,           // the id names another session now
  kUnknown,           // it looks like another session's, and no row says so: the source is to be asked
};
Owner owner_of(const Doubt& doubt, const ReadOutcome& read);

// A session whose id names another one now.
struct GivenAway {
  bool was_done = false;      // all of it had been read before the row came that named another start
  bool is_unread = false;     // nothing was read of it since it was opened
  bool was_settling = false;  // it was read since its final state was seen
  bool held_back = false;     // entries of that read were not due under `changes = "final"`
};
// Whether something of it may never be delivered.
bool lacks_something(const GivenAway& session);

enum class NextRead : std::uint8_t {
  kDone,          // nothing more will come of it
  kOfAnother,     // the id names another session, and of this one nothing more will come
  kAtOnce,        // its last read was sent before the dispute about it was known
  kNotInOnePass,  // it is not done, and this pass has no more to ask
  kByPace,        // it is open: as often as it brings news
  kAfterWait,     // it settles: SessionLife says when
};

// An open session without news for so long is done.
inline constexpr std::chrono::hours kForgottenAfter{30 * 24};

// A log that was read to its end.
struct ReadToEnd {
  SessionLife::Next next;
  bool disputed = false;
  bool was_done = false;  // before it was disputed
  std::size_t entries = 0;
  Watched without_news{0};  // since when nothing new came of it
};
NextRead next_read(const ReadToEnd& read, PollMode mode);

// A read that failed.
struct FailedRead {
  const Error& error;
  bool final = false;              // the session has ended
  bool source_lists = false;       // its last listing was read
  bool is_listed = false;          // that listing showed the session
  unsigned failures_in_a_row = 1;  // of the session
};

// Whether the fault may be the session's alone: its log is not there, though the source lists.
ReadSuccess::About about(const FailedRead& read);

// Whether it may be for good. A 404 means that the session is gone only when the listing works and does not show it.
// What has ended does not get better either.
bool may_be_for_good(const FailedRead& read);

// One pass leaves a session unread after so many failures in a row, or at once where it is refused or asked to wait for
// long.
inline constexpr unsigned kTriesInOnePass = 4;
bool is_left_unread(const FailedRead& read, PollMode mode);

}  // namespace sessionlogd
