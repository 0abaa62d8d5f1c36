// What a read makes of one session: events as the sink's format wants them, and the session's records that know them.
// Both go into the queue together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/line_buffer.h"
#include "core/base/timestamp.h"
#include "core/entries/entry.h"
#include "core/entries/event.h"
#include "core/entries/source_format.h"
#include "core/state/batch.h"
#include "core/state/identity.h"
#include "core/state/session_history.h"
#include "core/state/session_info.h"
#include "core/state/session_state.h"

namespace sessionlogd {

class EventBatch {
 public:
  // It is full with so many bytes of events, which one more event goes past at most.
  static constexpr std::size_t kBytes = 1u << 20;

  // Of an entry that is larger and cannot be read, the event quotes the beginning.
  explicit EventBatch(std::size_t largest_entry) : largest_entry_(largest_entry) {}

  // What follows is of that session, and is read now. Its info does not change until push().
  void begin(const SessionState& session);

  // The session knows that entry from now on.
  void advance(SessionState& session, const Emission& emission);
  // More of it is changed than its history.
  void session_changed() { session_changed_ = true; }

  void append(const SourceFormat& source, const SessionState& session, const Entry& entry, const Emission& emission);
  // Each gap is another event: it has the next number of its kind that the history does not know.
  void append_gap(const SourceFormat& source, SessionState& session, GapKind kind, std::string_view why);

  bool has_events() const { return !batch_.events.empty(); }
  bool is_full() const { return batch_.events.size() >= kBytes; }
  // Of the events so many are to come, those that are there included, and they are like these.
  void make_room_for(const SourceFormat& source, std::size_t events);

  // Returns how much there is more in the queue: nothing if nothing was changed.
  std::size_t push(const SourceFormat& source, const SessionState& session);

  // Gives back what a large entry took.
  void shrink();

 private:
  void append(const SourceFormat& source, const Event& event);
  void make_room(const SourceFormat& source, std::size_t bytes);
  void set_times(const SourceFormat& source, const Entry& entry, Event& event);

  // A text of the entry in hand, decoded; the view is valid as long as the response, and until the next entry.
  enum Text { kMessage, kLogTime, kStatus, kDuration, kResourceId, kExtra, kOriginal, kTexts };
  std::string_view text(Text which, const Entry& entry, EntryField field);
  std::string_view extra(const Dialect& dialect, std::string_view raw);

  const std::size_t largest_entry_;
  std::string texts_[kTexts];
  Batch batch_;
  LineBuffer line_{batch_.events};      // the event in hand
  std::vector<std::uint32_t> touched_;  // positions of the history that the batch changes
  bool session_changed_ = false;        // beside its history
  Instant read_at_;
  SessionInfo info_;
};

}  // namespace sessionlogd
