// The sessions of one source: those that are read, and the done marks of those that were. Decides what a row of the
// listing means: news of a known session, a new one, one opened again, or another one under an id that was used before.
// No I/O, no timers.
//
//   id ──▶ generation 0: known or done, same start ──▶ that one
//            │ another start
//            ▼
//          generation 1: ...          each generation has its own session_key, so its own event ids
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/settings.h"
#include "core/backoff.h"
#include "core/lost_session.h"
#include "core/restored_state.h"
#include "core/schedule.h"
#include "core/session_life.h"
#include "core/session_list.h"
#include "core/session_state.h"
#include "core/time_zone.h"

namespace sessionlogd {

// What went wrong with a session since its log was read to its end.
struct ReadTrouble {
  Backoff backoff;
  LostSession lost;
  // Its log held nothing that was known of it, when this listing was the last that had begun: a later one tells whether
  // it is still the same session.
  std::optional<std::uint32_t> strange_since{};
  bool vouched_for = false;  // it is: its log is taken as it comes
};

struct Session {
  SessionState state;
  SessionLife life;
  std::uint32_t entries = 0;               // in the last answer that was read to its end
  std::uint64_t body_hash = 0;             // of that answer, 0 = none
  std::unique_ptr<ReadTrouble> trouble{};  // most have none
  Pace pace;
  bool in_flight = false;
  bool read = false;      // in this run
  bool shown = false;     // the last listing that covered it showed it
  bool replaced = false;  // its id names another session now: what is asked of it is not its own log any more
  bool said_old = false;  // that it runs for very long

  ReadTrouble& in_trouble() {
    if (!trouble) trouble = std::make_unique<ReadTrouble>();
    return *trouble;
  }
  bool is_strange() const { return trouble && trouble->strange_since; }
};

class SessionTable {
 public:
  using Slot = Schedule::Slot;

  // Settings must outlive this.
  SessionTable(const SourceSettings& settings, RestoredSource restored);

  struct TakenIn {
    enum class As {
      kIgnored,   // done, or before the floor
      kKnown,     // nothing that matters has changed
      kFinished,  // known, and its state is final now
      kNew,       // to be read; also one that was done and is opened again
    } as;
    Slot slot = 0;                   // valid unless kIgnored
    std::optional<Slot> replaced{};  // the session that had this id before and is still in the table
  };
  // What must be remembered of it is appended to `records`.
  TakenIn take_in(const ListedSession& listed, std::vector<StateRecord>& records);

  // The session was read to its end or is given up: its done mark is what remains. The slot is free afterwards.
  void finish(Slot slot, std::vector<StateRecord>& records);

  // Sessions that the listing did not show and of which it should say something, open ones most of all: they are asked
  // for by their ids.
  std::vector<std::string> open_but_not_in(const std::vector<ListedSession>& listed);

  // A listing of everything since `from` was complete: sessions that began before and are finished are not taken up any
  // more. The floor only rises by this. Done marks below it are kept until `forgotten`, before which the source itself
  // keeps nothing, and as long as listings show their session: one of them may be opened again.
  void raise_floor(Instant from, Instant forgotten, std::vector<StateRecord>& records);

  // The opposite, an explicit act: the next listing asks from `since`, and what it shows is taken up again unless it is
  // done. Marks that were dropped do not come back.
  void lower_floor(Instant since, std::vector<StateRecord>& records);

  // Everything that is known, as it was given; nothing is left here.
  RestoredSource release();

  SourceState& source() { return source_; }
  const SourceState& source() const { return source_; }
  Session& at(Slot slot) { return sessions_[slot]; }
  const Session& at(Slot slot) const { return sessions_[slot]; }
  std::vector<Slot> slots() const;
  std::size_t size() const { return slots_.size(); }

  // Moves a session on; the phases are counted.
  void enter(Slot slot, Phase phase);
  // Sessions by Phase.
  std::array<std::size_t, 4> phases() const { return {phases_[0], phases_[1], phases_[2], done_.size()}; }

  std::size_t done() const { return done_.size(); }

 private:
  TakenIn take_in_new(const ListedSession& listed, std::uint64_t key, const std::optional<DoneMark>& mark,
                      std::vector<StateRecord>& records);
  TakenIn take_in_known(Slot slot, const ListedSession& listed, std::vector<StateRecord>& records);
  SessionInfo info_of(const ListedSession& listed) const;
  Slot add(SessionState state);

  const SourceSettings& settings_;
  ZoneRules zone_;
  SourceState source_;
  DoneMarks done_;
  KeptEntries kept_;
  // Done marks from below the floor whose sessions were shown since it was raised last: one that runs without end, say.
  std::unordered_set<std::uint64_t> shown_below_floor_;
  std::deque<Session> sessions_;  // by slot; a deque, so that a session stays where it is while others come
  std::vector<Slot> free_;
  std::array<std::size_t, 3> phases_{};                   // those that are not done, by Phase
  boost::unordered_flat_map<std::uint64_t, Slot> slots_;  // by session_key
};

}  // namespace sessionlogd
