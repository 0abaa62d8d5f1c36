// What is remembered of sessions and sources, and how it is written into durable rows.
//
// A session has one row of its own (part kSessionPart) and one per chunk of its keys; when it is done the first is
// shrunk to the done mark, and the others to fingerprints. state_row.h says what rows look like.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/kept_instant.h"
#include "core/base/time_shift.h"
#include "core/base/timestamp.h"
#include "core/base/watched_time.h"
#include "core/state/batch.h"
#include "core/state/done_marks.h"
#include "core/state/session_history.h"
#include "core/state/session_info.h"
#include "core/state/verify_place.h"

namespace sessionlogd {

enum class Phase : std::uint8_t {
  kWaiting,   // listed, not read yet
  kOpen,      // its state is not final
  kSettling,  // its state is final, late entries may still come
  kDone,      // read to its end
};

struct SessionState {
  std::uint64_t key = 0;     // identity.h: session_key
  std::uint64_t digest = 0;  // of the listing's row
  KeptSessionInfo info;
  SessionHistory history;
  KeptInstant latest;  // the latest log time delivered: for people
  // Read to its end before, opened again, and what was delivered then is not known entry by entry: what is not later
  // than this was, and is not emitted again. It holds for the first whole read only.
  KeptInstant only_after;
  Packed<std::int64_t> final_since = kNotYet;    // watched time in ms: SessionLife::final_since()
  Packed<std::int64_t> news_at = kNotYet;        // likewise, when something new was known of it last
  Packed<std::int64_t> lacking_since = kNotYet;  // likewise: SessionLife::lacking()
  std::uint8_t lacking_reads = 0;
  // By how much its source writes its times later now than when the first of its keys were made. They are read so much
  // earlier: so keys stay what they are.
  TimeShift shift{};
  Packed<std::int64_t> late_since = kNotYet;  // likewise: only a sweep showed it, and it was not read yet
  // Likewise, and its fingerprints are gone: the sum of what was delivered. `only_after` is when the mark was made.
  // Both count at the next read of a whole log, and are cleared by it.
  std::optional<std::uint32_t> delivered_sum;
  Phase phase = Phase::kWaiting;

  static constexpr std::int64_t kNotYet = INT64_MIN;
};

// The last three complete sweeps, by watched time, the latest last.
using SweepTimes = std::array<std::optional<Watched>, 3>;

struct SourceState {
  // Our clock: listings of windows had shown what began before. It moves a window, and decides nothing else.
  std::optional<Instant> listed_to;
  std::optional<Instant> absent_since{};  // our clock: it has not stood in the configuration since then

  // The line of first contact: what had ended and had begun before is left alone by sweeps until contact_over. nullopt:
  // nothing was committed yet.
  std::optional<Instant> line{};
  // Before there is one: how far the output reaches, by log times. What began later was never read.
  std::optional<Instant> line_limit{};
  bool contact_over = false;
  std::uint8_t idle_sweeps = 0;  // ended in a row, at first contact, that left nothing more alone

  WatchedTime::Kept watched{};
  SweepTimes sweeps{};
  std::uint8_t faulty_sweeps =
      0;  // in a row, that were not complete; SourceHealth::kFaultySweeps at least: it is a fault
  std::optional<Instant> sweep_place{};  // a sweep in slices that goes on: starts before this were shown
  VerifyPlace verify{};
  std::uint64_t reading = 0;  // hash of what read its rows when it was swept; 0 = of a version before

  // Of a state of a version that dropped marks: what had ended, had begun before and has no mark was delivered by it.
  // Until the first complete sweep.
  std::optional<Instant> before{};
  std::optional<Instant> floor{};  // of such a state, as it was written; not kept
};

inline constexpr std::uint32_t kKeysPerChunk = 64;

std::string encode_source(const SourceState& source);
std::string encode_session(const SessionState& session);  // of one that is not done
std::string encode_mark(const DoneMark& mark);
std::string encode_chunk(const SessionHistory& history, std::uint32_t chunk);

// A row taken apart. Throws StateMismatch (core/state/sink.h) when it is none of ours.
SourceState decode_source(std::string_view row);
SessionState decode_session(std::string_view row);  // without its history; of a done one only its phase and digest
DoneMark decode_mark(std::string_view row);         // of a row whose phase is kDone
// Keys of a session, or the fingerprints of a done one.
void decode_chunk(std::string_view row, SessionHistory& append_to);

// Appends the rows of the chunks that hold the given positions of the history, each once.
void append_chunks(const SessionState& session, const std::vector<std::uint32_t>& touched,
                   std::vector<StateRecord>& to);

// Ends a session: appends what turns its rows into those of its mark and, beside it, the fingerprints of its history.
void append_done(const SessionState& session, const DoneMark& mark, std::vector<StateRecord>& to);

// The same, with the mark that remains of it, which is returned. One that was opened again and never read since is
// known as it was before.
DoneMark append_end(SessionState& session, Instant now, std::vector<StateRecord>& to);

// Of one that is given up: the start stays, and no row has the rest, so whatever shows it again opens it.
inline std::uint64_t digest_of_given_up(std::uint64_t digest) { return digest ^ 1; }

// What a mark without fingerprints says of the session that is read again.
void open_again(SessionState& session, const DoneMark& mark);

// The session is read again: appends its row, and its keys in place of `entries` fingerprints.
void append_opened(const SessionState& session, std::vector<StateRecord>& to);

// Removes the rows of so many fingerprints of a done session. Those that stand in chunks of keys are more rows.
void append_removal_of_fingerprints(std::uint64_t session_key, std::size_t entries, std::vector<StateRecord>& to);

// Removes all rows of a session that had so many entries.
void append_removal(std::uint64_t session_key, std::size_t entries, std::vector<StateRecord>& to);

}  // namespace sessionlogd
