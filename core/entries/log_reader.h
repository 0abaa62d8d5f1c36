// From the response to a log request to batches: parse, compare, put in order of time, encode, advance, push. One step,
// without a suspension point, so that nothing can cancel it half way.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/base/memory_shares.h"
#include "core/base/time_zone.h"
#include "core/entries/emission_order.h"
#include "core/entries/event.h"
#include "core/entries/log_parser.h"
#include "core/state/batch_queue.h"
#include "core/state/identity.h"
#include "core/state/session_history.h"
#include "core/state/session_state.h"

namespace sessionlogd {

// 1, 2, ...: no two formats have the same, so that what was read by one is not believed by another.
std::uint64_t next_format_number();

// What of a source the reader needs; made once per source.
struct SourceFormat {
  std::string source_id;
  const Dialect* dialect = nullptr;
  ZoneRules zone;
  bool keep_original = false;
  bool only_final = false;
  Encoder* encoder = nullptr;
  BatchQueue* queue = nullptr;  // what is read goes there
  std::uint64_t number = next_format_number();
};

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
  // A batch's events are at most so many bytes, but for a single larger one.
  static constexpr std::size_t kBatchBytes = 1u << 20;

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
  void append_gap(const SourceFormat& source, SessionState& session, GapKind kind, std::string_view why);
  Result<Comparison> compare(const SourceFormat& source, const SessionState& session, const Body& body,
                             TimeShift shift);
  Result<Comparison> compare_all(const SourceFormat& source, const SessionState& session, const Body& body,
                                 TimeShift shift);
  std::optional<std::size_t> count_delivered(const SessionState& session, std::span<const std::uint32_t> by_time);
  bool holds_what_was_delivered(const SourceFormat& source, const SessionState& session, const SessionLog& log);
  bool may_be_anothers(const SourceFormat& source, const SessionState& session, const SessionLog& log, Strange strange);
  void encode(const SourceFormat& source, const SessionState& session, const Entry& entry, const Emission& emission);
  void append(const SourceFormat& source, const Event& event);
  void make_room_for(const SourceFormat& source, std::size_t events);
  void make_room(const SourceFormat& source, std::size_t bytes);
  void set_times(const SourceFormat& source, const Entry& entry, Event& event);
  std::size_t push(const SourceFormat& source, const SessionState& session);
  ResponseLimits limits_of(const Body& body) const;
  void shrink();

  void note_came(const SourceFormat& source, const Entry& entry);

  // A text of the entry in hand, decoded; the view is valid as long as the response, and until the next entry.
  enum Text { kMessage, kLogTime, kStatus, kDuration, kResourceId, kExtra, kOriginal, kTexts };
  std::string_view text(Text which, const Entry& entry, EntryField field);
  std::string_view extra(const Dialect& dialect, std::string_view raw);

  const MemoryShares shares_;
  KnownEntries known_;
  LogParser parser_;
  HistoryComparer comparer_;
  std::vector<EntryDigest> digests_;
  EmissionOrder order_;
  std::vector<Instant> came_;  // when the new entries did, by the source's clock
  std::vector<std::chrono::milliseconds> ages_;
  std::vector<std::uint32_t> touched_;  // positions of the history that the batch in hand changes
  bool row_changed_ = false;            // of the session, beside its history
  std::string texts_[kTexts];
  Batch batch_;
  LineBuffer line_{batch_.events};  // the event in hand
  Instant read_at_;
  SessionInfo info_;  // of the session in hand
};

}  // namespace sessionlogd
