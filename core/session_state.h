// What is remembered of sessions and sources, and how it is written into durable rows.
//
// A session has one row of its own (part kSessionPart) and one per chunk of its keys; when it is done only the first is
// left, shrunk to the done mark. state_row.h says what rows look like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/done_marks.h"
#include "core/kept_instant.h"
#include "core/session_history.h"
#include "core/session_info.h"
#include "core/timestamp.h"

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
  KeptInstant latest;  // the latest log time delivered
  // Read to its end before and opened again: what is not later than this was delivered then and is not emitted again.
  KeptInstant only_after;
  // Likewise, and its fingerprints are gone: the sum of what was delivered. `only_after` is when the mark was made.
  // Both count at the next read of a whole log, and are cleared by it.
  std::optional<std::uint32_t> delivered_sum;
  Phase phase = Phase::kWaiting;
};

struct SourceState {
  std::optional<Instant> listed_to;       // the appliance's clock: every session that began before was seen
  Instant floor = kNever;                 // finished sessions that began before are never taken up again
  std::optional<Instant> absent_since{};  // our clock: it has not stood in the configuration since then
};

inline constexpr std::uint32_t kKeysPerChunk = 64;

std::string encode_source(const SourceState& source);
std::string encode_session(const SessionState& session);  // of a done one: its done mark
std::string encode_chunk(const SessionHistory& history, std::uint32_t chunk);

// A row taken apart. Throws StateMismatch (core/sink.h) when it is none of ours.
SourceState decode_source(std::string_view row);
SessionState decode_session(std::string_view row);  // without its history
void decode_chunk(std::string_view row, SessionHistory& append_to);

// Appends the rows of the chunks that hold the given positions of the history, each once.
void append_chunks(const SessionState& session, const std::vector<std::uint32_t>& touched,
                   std::vector<StateRecord>& to);

// What remains of a session that was read to its end.
DoneMark done_mark(const SessionState& session);

// Ends a session: appends what turns its rows into its done mark, and leaves in its history what must be kept beside
// that.
void append_done(SessionState& session, std::vector<StateRecord>& to);

// Removes all rows of a session; `history` is what was kept of it.
void append_removal(std::uint64_t session_key, const SessionHistory& history, std::vector<StateRecord>& to);

}  // namespace sessionlogd
