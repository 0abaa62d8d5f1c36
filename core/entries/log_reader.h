// From the response to a log request to batches: parse, compare, put in order of time, encode, advance, push. One step,
// without a suspension point, so that nothing can cancel it half way.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/memory_shares.h"
#include "core/entries/emission_order.h"
#include "core/entries/event_batch.h"
#include "core/entries/log_parser.h"
#include "core/entries/source_format.h"
#include "core/state/identity.h"
#include "core/state/session_history.h"
#include "core/state/session_state.h"

namespace sessionlogd {

struct ReadOutcome {
  std::size_t entries = 0;     // in the response
  std::size_t recognised = 0;  // of them known before
  std::size_t held_back = 0;   // of them not known, and not due yet under `changes = "final"`
  std::size_t events_new = 0, events_changed = 0, events_error = 0, events_gap = 0;
  std::size_t not_utf8 = 0;  // events in which bytes were replaced
  std::string fault;         // the response is broken behind the entries that were taken
  // What says that there are more entries than the response holds, all of which were taken; "" = nothing does. The
  // session cannot end by such a read.
  std::string more_elsewhere;
  bool more = false;     // not all of it was emitted: read it again when the queue has room
  bool shrunk = false;   // the response is whole and lacks entries that are known
  bool strange = false;  // nothing was taken: these may be another session's entries

  std::size_t events() const { return events_new + events_changed + events_error + events_gap; }
};

// What a log holds of a session that was done with.
struct Comparison {
  std::size_t entries = 0;  // in the response
  std::size_t missing = 0;  // of them not delivered, or not as they are
  bool shrunk = false;      // the response lacks entries that were delivered, or has none
  std::string unknown{};    // why not all of it could be compared, "" = it was
  bool differs = false;     // that is so for good: it is not what was delivered
};

// What to do with a response in which no entry is known: it may be of another session, to which the id was given.
enum class Strange {
  kTake,
  kLeave,    // where others are known of the session, or it had stopped before all of these were written
  kOnlyOwn,  // of a session whose row names another start: whatever nothing shows to be its own
};

class LogReader {
 public:
  explicit LogReader(const MemoryShares& shares = {}) : shares_(shares), known_(shares.known_entries) {}

  // Emits one event that says that entries of the session are not or may not be among the events, and why. Each is
  // another one: it has the next number of its kind that the history does not know.
  void gap(const SourceFormat& source, SessionState& session, GapKind kind, std::string_view why);

  // Emits nothing and advances nothing: what read() would find in the log of a done session if it were opened again,
  // which `session` is as SessionTable::as_delivered() gives it. kBadResponse: nothing was compared.
  Result<Comparison> compare(const SourceFormat& source, const SessionState& session, const Body& body);

  // Whether the log is rather the session's when its times are read as so much later than they were: no more of it is
  // news then, and either all of it is known or it holds all that is known.
  bool is_shifted(const SourceFormat& source, const SessionState& session, const Body& body, TimeShift shift);

  // Emits what is new or changed and advances `session` by it. kBadResponse: nothing was taken. Of a response with much
  // news only the first part is emitted, in order of time: reading it again emits what follows.
  //
  // Of a session that was done and is opened again without its entries (SessionState::only_after, delivered_sum) the
  // first whole response tells what is known; until then nothing new of it is emitted. With the first batch of that
  // read all of it is in the history, and both are cleared.
  Result<ReadOutcome> read(const SourceFormat& source, SessionState& session, const Body& body, bool last_read,
                           Strange strange = Strange::kTake);

  // How old the new entries of the last read() are `now`, the source's clock, the oldest first; those that name no time
  // are left out. Until the next call of either.
  std::span<const std::chrono::milliseconds> ages(Instant now);

 private:
  Result<ReadOutcome> read_all(const SourceFormat& source, SessionState& session, const Body& body, bool last_read,
                               Strange strange);
  bool recall(const SourceFormat& source, const SessionState& session, const SessionLog& log, bool last_read);
  bool lacks_known_entries(const SessionState& session) const;
  Result<Comparison> compare(const SourceFormat& source, const SessionState& session, const Body& body,
                             TimeShift shift);
  Result<Comparison> compare_all(const SourceFormat& source, const SessionState& session, const Body& body,
                                 TimeShift shift);
  std::optional<std::size_t> count_delivered(const SessionState& session, std::span<const std::uint32_t> by_time);
  bool holds_what_was_delivered(const SourceFormat& source, const SessionState& session, const SessionLog& log);
  bool may_be_anothers(const SourceFormat& source, const SessionState& session, const SessionLog& log, Strange strange);
  ResponseLimits limits_of(const Body& body) const;
  void shrink();

  void note_came(const SourceFormat& source, const Entry& entry);

  const MemoryShares shares_;
  KnownEntries known_;
  LogParser parser_;
  HistoryComparer comparer_;
  std::vector<EntryDigest> digests_;
  EmissionOrder order_;
  std::vector<Instant> came_;  // when the new entries did, by the source's clock
  std::vector<std::chrono::milliseconds> ages_;
  EventBatch batch_{shares_.largest_entry};
};

}  // namespace sessionlogd
