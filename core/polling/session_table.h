// The sessions of one source: those that are read, and the marks of those that are done with. Decides what a row of the
// listing means: a session is known, or it is news. Known is open or marked; no time makes it so, but the line of first
// contact (SourceState::line). No I/O, no timers.
//
//   id ──▶ generation 0, 1, ...: each has its own session_key, so its own event ids
//            one is open or marked, with the same start, or one of both names none ──▶ that one
//            all have other starts ──▶ the last one is disputed: its log tells whether its start was corrected (it
//            knows
//                                      an entry of ours) or the id names another session, the next generation
//            none is known         ──▶ news
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/base/backoff.h"
#include "core/base/time_zone.h"
#include "core/polling/learned_pace.h"
#include "core/polling/lost_session.h"
#include "core/polling/schedule.h"
#include "core/polling/session_life.h"
#include "core/polling/session_list.h"
#include "core/polling/session_marks.h"
#include "core/state/restored_state.h"
#include "core/state/session_state.h"

namespace sessionlogd {

// What went wrong with a session since its log was read to its end.
struct ReadTrouble {
  Backoff backoff;
  LostSession lost;
  // Its log held nothing that was known of it, when this inquiry was the last that had begun: a later one tells whether
  // it is still the same session.
  std::optional<std::uint32_t> strange_since{};
  bool vouched_for = false;  // it is: its log is taken as it comes
  // A row under its id that names another start, and whether the log that is on its way was asked for before.
  std::unique_ptr<ListedSession> dispute{};
  bool asked_before_dispute = false;
  bool was_done = false;  // it had been read to its end before that row came
  bool is_over = false;   // its id names another one that is known: it ends with the response that is on its way

  void vouch() {
    strange_since.reset();
    vouched_for = true;
  }
};

struct Session {
  SessionState state;
  SessionLife life;
  std::uint32_t entries = 0;               // in the last response that was read to its end
  std::uint64_t body_hash = 0;             // of that response, 0 = none
  std::unique_ptr<ReadTrouble> trouble{};  // most have none
  SessionPace pace;
  std::uint32_t shown_by = 0;   // the last inquiry that showed it
  std::uint32_t stop_hash = 0;  // ListedSession's, of that row; 0 = none has shown it in this run
  bool in_flight = false;
  bool read = false;               // in this run
  LogFill fill = LogFill::kUsual;  // of the last response that was read to its end
  bool holds_back = false;         // entries of that response were not due under `changes = "final"`
  bool said_old = false;           // that it runs for very long

  ReadTrouble& in_trouble() {
    if (!trouble) trouble = std::make_unique<ReadTrouble>();
    return *trouble;
  }
  bool is_strange() const { return trouble && trouble->strange_since; }
  bool is_disputed() const { return trouble && trouble->dispute; }
  bool is_over() const { return trouble && trouble->is_over; }
  bool is_late() const { return state.late_since != SessionState::kNotYet; }
};

// How rows were shown.
struct Showing {
  std::uint32_t inquiry = 0;  // number of the listing, or of the request for one session: each has a higher one
  bool by_sweep = false;      // by a listing of everything
  bool late = false;          // by it alone: a window should have shown them before
  bool by_id = false;         // asked for by the id: it names this one now, and its log is this one's
  bool ended_long_ago_counts = false;  // at first contact, in one pass, and in backfill
  Instant ours{}, theirs{};            // what the clocks say
  // When the listing before began, the source's clock: what is new has begun since, or was hidden.
  std::optional<Instant> since{};
  Watched watched{0};
};

class SessionTable {
 public:
  using Slot = Schedule::Slot;

  // Settings must outlive this. `now` is our clock, for a state of before.
  SessionTable(const SourceSettings& settings, RestoredSource restored, Instant now);

  struct TakenIn {
    enum class As {
      kIgnored,   // marked, and nothing that matters has changed
      kKnown,     // read already, and nothing that matters has changed
      kChanged,   // read already, and its row says something else
      kFinished,  // read already, and its state is final now
      kDisputed,  // its row names another start: its log is to be read
      kNew,       // to be read; also one that was done and is opened again
    } as;
    Slot slot = 0;                 // valid unless kIgnored
    bool is_opened_again = false;  // of kNew: it had a mark
    TimeShift shift{};             // its source writes its times so much later than before
    bool is_put_off = false;       // of kIgnored: its id named kMostYoung others within kYoung
  };
  // A source whose starts change with each listing would have everything delivered again with each: so many sessions of
  // an id are read in that span, and what its row says of one more is believed later.
  static constexpr std::size_t kMostYoung = 8;
  static constexpr std::chrono::hours kYoung{1};
  // What must be remembered of it is appended to `records`.
  TakenIn take_in(const ListedSession& listed, const Showing& how, std::vector<StateRecord>& records);

  // A disputed session's log was read, and knows entries of ours: its start was corrected. Returns what has become of
  // it, as take_in() does.
  TakenIn is_same(Slot slot, const Showing& how, std::vector<StateRecord>& records);
  // It does so with its times shifted: then rows of others are believed to be, too.
  void believe(TimeShift shift);
  enum class End {
    kRead,     // all of it was delivered
    kGivenUp,  // not all of it: whatever shows it again opens it
  };
  // It knows none. The session is finished, and the row that named another start is taken in as another one.
  TakenIn is_another(Slot slot, End end, const Showing& how, std::vector<StateRecord>& records);

  // The session_key of the done session that this row speaks of, if the row says nothing new of it, all that is known
  // of it was delivered, and it was done, or began or stopped, at `since` or later. It shows nothing.
  std::optional<std::uint64_t> delivered_since(const ListedSession& row, Instant since) const;
  // How many were done at `since` or later.
  std::size_t delivered_since(Instant since) const { return marks_.delivered_since(since); }
  // What is known of one that was delivered, as if it were opened again; nullopt: it is open, or there is no such mark.
  std::optional<SessionState> as_delivered(std::uint64_t key, std::string_view id) const;
  // Its log holds what was not delivered, though its row may say nothing new: it is opened again. Else as take_in().
  TakenIn open_again(const ListedSession& listed, const Showing& how, std::vector<StateRecord>& records);

  // Open sessions that the row's id named before or after the one that the row means, where its start tells which that
  // is: none of them has the log that the id gives.
  std::vector<Slot> others_of(const ListedSession& row) const;
  bool has_others(Slot slot) const;

  // The session was read to its end or is given up: its mark is what remains. The slot is free afterwards.
  void finish(Slot slot, End end, Instant now, std::vector<StateRecord>& records);
  // It is left alone, unread; what is known of it stays known.
  void leave_alone(Slot slot, Instant now, std::vector<StateRecord>& records);

  // Whether a session of this id is open or has a mark.
  bool knows(std::string_view id) const;

  // Open sessions that the inquiry did not show and of which the source should say something: asked for by their ids.
  std::vector<std::string> open_but_not_in(std::uint32_t inquiry) const;

  // A listing of everything begins. What is shown from now on is counted.
  void begin_sweep();
  using Absence = SessionMarks::Absence;
  // It has shown everything. Marks of ids that it did not show are absent; those that were by three complete sweeps in
  // a row, over `retention`, are dropped. Returns how many.
  std::size_t end_sweep(Watched now, Absence absence, std::vector<StateRecord>& records);
  // Since begin_sweep().
  std::size_t left_alone() const { return left_alone_; }

  // What was left alone and began at `since` or later is news to the next listing; with `again` also what a version
  // before had been done with. The line moves back. Returns how many marks went.
  std::size_t forget_left_alone(Instant since, bool again, std::vector<StateRecord>& records);

  // Everything that is known, as it was given; nothing is left here.
  RestoredSource release();

  // How much fingerprints may take: of this source.
  void set_fingerprint_bytes(std::size_t most) { marks_.set_fingerprint_bytes(most); }

  SourceState& source() { return source_; }
  const SourceState& source() const { return source_; }
  Session& at(Slot slot) { return sessions_[slot]; }
  const Session& at(Slot slot) const { return sessions_[slot]; }
  std::vector<Slot> slots() const;
  // Whether the slot is still that session's.
  bool is_open(Slot slot, std::uint64_t key) const {
    const auto open = slots_.find(key);
    return open != slots_.end() && open->second == slot;
  }
  std::size_t size() const { return slots_.size(); }

  // Remembers how often it was read in vain, if that has changed.
  void note_lacking(Slot slot, std::vector<StateRecord>& records);

  // Moves a session on; the phases are counted, and remembered: whether it was read tells what it may lack.
  void enter(Slot slot, Phase phase, std::vector<StateRecord>& records);
  // Sessions by Phase.
  std::array<std::size_t, 4> phases() const { return {phases_[0], phases_[1], phases_[2], marks_.size()}; }

  // What those that were not read yet take, about: their texts are a source's to choose.
  std::size_t waiting_bytes() const { return phases_[0] * kBytesOfASession + waiting_texts_; }

  std::size_t done() const { return marks_.size(); }
  std::size_t fingerprint_bytes() const { return marks_.fingerprint_bytes(); }

 private:
  // What an id names.
  struct Named {
    std::uint32_t generation = 0;
    std::uint64_t key = 0;
    std::optional<Slot> slot{};
    std::optional<DoneMark> mark{};
    std::uint64_t digest = 0;  // of the row that is known
  };
  std::optional<Named> named(std::uint32_t generation, std::uint64_t key) const;
  Named generation_of(std::string_view id, std::uint32_t generation) const;
  std::vector<Named> all_named(std::string_view id) const;
  std::optional<Named> find(const ListedSession& listed, bool& other_start, std::vector<StateRecord>& records);

  bool is_restless(std::string_view id, Instant now) const;
  TakenIn take_in_unknown(const ListedSession& listed, const Named& as, const Showing& how,
                          std::vector<StateRecord>& records);
  TakenIn take_in_open(Slot slot, const ListedSession& listed, const Showing& how, std::vector<StateRecord>& records);
  TakenIn take_in_marked(const ListedSession& listed, const Named& as, bool other_start, const Showing& how,
                         std::vector<StateRecord>& records);
  TimeShift adopt_shifted(const ListedSession& listed, const Named& as, std::vector<StateRecord>& records);
  TakenIn open(const ListedSession& listed, const Named& as, const Showing& how, std::vector<StateRecord>& records);
  TakenIn open_disputed(const ListedSession& listed, const Named& as, const Showing& how,
                        std::vector<StateRecord>& records);
  void mark_left_alone(const ListedSession& listed, std::uint64_t key, std::vector<StateRecord>& records);
  bool is_behind_the_line(Instant start, const Showing& how) const;
  SessionInfo info_of(const ListedSession& listed) const;
  Slot add(SessionState state);
  void free(Slot slot);

  // Without its texts and entries.
  static constexpr std::size_t kBytesOfASession = 320;
  // An open session's texts come to those of sessions that wait, or no longer stand there.
  void count_texts(const Session& session);
  void forget_texts(const Session& session);

  const SourceSettings& settings_;
  ZoneRules zone_;
  SourceState source_;
  SessionMarks marks_;
  std::size_t left_alone_ = 0;
  std::vector<TimeShift> believed_;
  std::deque<Session> sessions_;  // by slot; a deque, so that a session stays where it is while others come
  std::vector<Slot> free_;
  std::array<std::size_t, 3> phases_{};                   // those that are not done, by Phase
  std::size_t waiting_texts_ = 0;                         // bytes, of those that wait
  boost::unordered_flat_map<std::uint64_t, Slot> slots_;  // by session_key
};

// Whether the source's `session_types` let it be read.
bool is_wanted(const SourceSettings& settings, const ListedSession& session);

// What reads the rows of a source. Another one may show sessions that this one did not.
std::uint64_t reading_of(const SourceSettings& settings);

}  // namespace sessionlogd
