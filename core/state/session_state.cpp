#include "core/state/session_state.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "core/state/sink.h"
#include "core/state/state_row.h"

namespace sessionlogd {

using namespace state_row;

namespace {

void append_shift(std::string& row, TimeShift shift) {
  if (shift) append_number(row, Tag::kShift, shift.quarters);
}

TimeShift read_shift(std::string_view bytes) { return {read_le<std::int8_t>(bytes)}; }

constexpr std::size_t kKeyBytes = 13;         // key u64le, hash u32le, marks u8
constexpr std::uint8_t kMarkOfBefore = 0x80;  // a version before knew by it what to keep of a done session
constexpr std::size_t kFingerprintBytes = 8;  // lower half of the key u32le, hash u32le
constexpr std::size_t kFingerprintsPerRow = 4'096;

std::size_t chunks_of(std::size_t entries) { return (entries + kKeysPerChunk - 1) / kKeysPerChunk; }
std::size_t fingerprint_rows_of(std::size_t entries) {
  return (entries + kFingerprintsPerRow - 1) / kFingerprintsPerRow;
}

template <class T>
void append_if_there(std::string& row, Tag tag, const std::optional<T>& value) {
  if (value) append_number(row, tag, *value);
}

std::optional<std::int64_t> if_known(std::int64_t at) {
  return at == SessionState::kNotYet ? std::nullopt : std::optional(at);
}

void append_sweeps(std::string& row, const SweepTimes& sweeps) {
  std::string times;
  for (const auto& sweep : sweeps) {
    if (sweep) append_le(times, std::int64_t{sweep->count()});
  }
  if (!times.empty()) append_field(row, Tag::kSweeps, times);
}

SweepTimes read_sweeps(std::string_view times) {
  SweepTimes sweeps;
  for (std::size_t i = sweeps.size() - std::min(sweeps.size(), times.size() / 8); i < sweeps.size(); ++i) {
    sweeps[i] = Watched{read_le<std::int64_t>(times)};
    times.remove_prefix(8);
  }
  return sweeps;
}

// begun i64le, goes on u8, key u64le, then what was counted of the round that goes on and of the last one, u64le each.
void append_verify(std::string& row, const VerifyPlace& verify) {
  if (!verify.begun) return;
  std::string bytes;
  append_le(bytes, std::int64_t{verify.begun->count()});
  append_le(bytes, static_cast<std::uint8_t>(verify.goes_on));
  append_le(bytes, verify.key);
  for (const VerifyTally& tally : {verify.tally, verify.last}) {
    for (const std::uint64_t count : {tally.of, tally.sessions, tally.late, tally.could_not}) append_le(bytes, count);
  }
  append_field(row, Tag::kVerifyPlace, bytes);
  append_time(row, Tag::kVerified, verify.ended);
}

void read_verify(std::string_view bytes, VerifyPlace& verify) {
  const auto take = [&]<class T>(T) {
    const T value = read_le<T>(bytes);
    bytes.remove_prefix(sizeof(T));
    return value;
  };
  verify.begun = Watched{take(std::int64_t{})};
  verify.goes_on = take(std::uint8_t{}) != 0;
  verify.key = take(std::uint64_t{});
  for (VerifyTally* tally : {&verify.tally, &verify.last}) {
    for (std::uint64_t* count : {&tally->of, &tally->sessions, &tally->late, &tally->could_not})
      *count = take(std::uint64_t{});
  }
}

}  // namespace

std::string encode_source(const SourceState& source) {
  std::string row;
  append_time(row, Tag::kListedTo, source.listed_to);
  append_time(row, Tag::kAbsentSince, source.absent_since);
  append_time(row, Tag::kLine, source.line);
  if (!source.line) append_time(row, Tag::kLineLimit, source.line_limit);
  append_number(row, Tag::kContactOver, static_cast<std::uint8_t>(source.contact_over));
  append_number(row, Tag::kIdleSweeps, source.idle_sweeps);
  if (source.faulty_sweeps > 0) append_number(row, Tag::kFaultySweeps, source.faulty_sweeps);
  append_number(row, Tag::kWatched, std::int64_t{source.watched.span.count()});
  append_time(row, Tag::kWatchedOurs, source.watched.ours);
  append_time(row, Tag::kWatchedTheirs, source.watched.theirs);
  append_sweeps(row, source.sweeps);
  append_time(row, Tag::kSweepPlace, source.sweep_place);
  append_number(row, Tag::kReading, source.reading);
  append_verify(row, source.verify);
  append_time(row, Tag::kBefore, source.before);
  return row;
}

SourceState decode_source(std::string_view row) {
  SourceState source;
  read_fields(row, [&](Tag tag, std::string_view bytes) {
    if (tag == Tag::kListedTo) source.listed_to = read_time(bytes);
    if (tag == Tag::kFloor) source.floor = read_time(bytes);
    if (tag == Tag::kAbsentSince) source.absent_since = read_time(bytes);
    if (tag == Tag::kLine) source.line = read_time(bytes);
    if (tag == Tag::kLineLimit) source.line_limit = read_time(bytes);
    if (tag == Tag::kContactOver) source.contact_over = read_le<std::uint8_t>(bytes) != 0;
    if (tag == Tag::kIdleSweeps) source.idle_sweeps = read_le<std::uint8_t>(bytes);
    if (tag == Tag::kFaultySweeps) source.faulty_sweeps = read_le<std::uint8_t>(bytes);
    if (tag == Tag::kWatched) source.watched.span = Watched{read_le<std::int64_t>(bytes)};
    if (tag == Tag::kWatchedOurs) source.watched.ours = read_time(bytes);
    if (tag == Tag::kWatchedTheirs) source.watched.theirs = read_time(bytes);
    if (tag == Tag::kSweeps) source.sweeps = read_sweeps(bytes);
    if (tag == Tag::kSweepPlace) source.sweep_place = read_time(bytes);
    if (tag == Tag::kReading) source.reading = read_le<std::uint64_t>(bytes);
    if (tag == Tag::kVerifyPlace) read_verify(bytes, source.verify);
    if (tag == Tag::kVerified) source.verify.ended = read_time(bytes);
    if (tag == Tag::kBefore) source.before = read_time(bytes);
  });
  return source;
}

std::string encode_session(const SessionState& session) {
  std::string row;
  append_number(row, Tag::kPhase, static_cast<std::uint8_t>(session.phase));
  append_number(row, Tag::kDigest, session.digest);
  append_time(row, Tag::kLatest, session.latest);
  if (session.only_after != kNever) append_time(row, Tag::kOnlyAfter, session.only_after);
  append_if_there(row, Tag::kFinalSince, if_known(session.final_since));
  append_if_there(row, Tag::kNewsAt, if_known(session.news_at));
  append_if_there(row, Tag::kLateSince, if_known(session.late_since));
  append_if_there(row, Tag::kLackingSince, if_known(session.lacking_since));
  if (session.lacking_reads > 0) append_number(row, Tag::kLackingReads, session.lacking_reads);
  append_if_there(row, Tag::kDeliveredSum, session.delivered_sum);
  append_shift(row, session.shift);
  row += session.info.fields();
  return row;
}

SessionState decode_session(std::string_view row) {
  SessionState session;
  SessionInfo info;
  read_fields(row, [&](Tag tag, std::string_view bytes) {
    switch (tag) {
      case Tag::kPhase:
        session.phase = static_cast<Phase>(read_le<std::uint8_t>(bytes));
        break;
      case Tag::kDigest:
        session.digest = read_le<std::uint64_t>(bytes);
        break;
      case Tag::kLatest:
        session.latest = read_time(bytes);
        break;
      case Tag::kOnlyAfter:
        session.only_after = read_time(bytes);
        break;
      case Tag::kFinalSince:
        session.final_since = read_le<std::int64_t>(bytes);
        break;
      case Tag::kNewsAt:
        session.news_at = read_le<std::int64_t>(bytes);
        break;
      case Tag::kLateSince:
        session.late_since = read_le<std::int64_t>(bytes);
        break;
      case Tag::kLackingSince:
        session.lacking_since = read_le<std::int64_t>(bytes);
        break;
      case Tag::kLackingReads:
        session.lacking_reads = read_le<std::uint8_t>(bytes);
        break;
      case Tag::kDeliveredSum:
        session.delivered_sum = read_le<std::uint32_t>(bytes);
        break;
      case Tag::kShift:
        session.shift = read_shift(bytes);
        break;
      default:
        info.take(tag, bytes);
        break;
    }
  });
  if (session.phase > Phase::kDone || (session.phase != Phase::kDone && info.id.empty())) {
    throw StateMismatch("a row of the state is damaged: it names no session");
  }
  session.info = info;
  return session;
}

std::string encode_mark(const DoneMark& mark) {
  using Kind = DoneMark::Kind;
  std::string row;
  append_number(row, Tag::kPhase, static_cast<std::uint8_t>(Phase::kDone));
  append_number(row, Tag::kDigest, mark.digest);
  if (mark.absent_since) append_number(row, Tag::kMissedSince, std::int64_t{mark.absent_since->count()});
  append_shift(row, mark.shift);
  if (mark.kind == Kind::kOld) {
    append_time(row, Tag::kLatest, mark.latest);
    return row;
  }
  append_number(row, Tag::kMarkKind, static_cast<std::uint8_t>(mark.kind));
  if (mark.kind == Kind::kDelivered) append_number(row, Tag::kSum, mark.sum);
  if (mark.kind == Kind::kLeftAlone) append_number(row, Tag::kStopHash, mark.stop_hash);
  if (mark.made != kNever) append_time(row, Tag::kMade, mark.made);
  if (mark.start != kNever) append_time(row, Tag::kStart, mark.start);
  return row;
}

// A row without a kind is of a version that had one kind only.
DoneMark decode_mark(std::string_view row) {
  DoneMark mark;
  mark.kind = DoneMark::Kind::kOld;
  read_fields(row, [&](Tag tag, std::string_view bytes) {
    if (tag == Tag::kDigest) mark.digest = read_le<std::uint64_t>(bytes);
    if (tag == Tag::kMissedSince) mark.absent_since = std::chrono::seconds{read_le<std::int64_t>(bytes)};
    if (tag == Tag::kLatest) mark.latest = read_time(bytes);
    if (tag == Tag::kMarkKind) mark.kind = static_cast<DoneMark::Kind>(read_le<std::uint8_t>(bytes));
    if (tag == Tag::kSum) mark.sum = read_le<std::uint32_t>(bytes);
    if (tag == Tag::kStopHash) mark.stop_hash = read_le<std::uint32_t>(bytes);
    if (tag == Tag::kMade) mark.made = read_time(bytes);
    if (tag == Tag::kShift) mark.shift = read_shift(bytes);
    if (tag == Tag::kStart) mark.start = read_time(bytes);
  });
  if (mark.kind < DoneMark::Kind::kDelivered || mark.kind > DoneMark::Kind::kOld)
    throw StateMismatch("a row of the state is damaged: its done mark is of a kind that this version does not know");
  return mark;
}

std::string encode_chunk(const SessionHistory& history, std::uint32_t chunk) {
  std::string keys;
  const std::size_t begin = std::size_t{chunk} * kKeysPerChunk;
  const std::size_t end = std::min<std::size_t>(history.size(), begin + kKeysPerChunk);
  keys.reserve((end - begin) * kKeyBytes);
  for (std::size_t i = begin; i < end; ++i) {
    append_le(keys, history.key(i));
    append_le(keys, history.hash(i));
    append_le(keys, history.marks(i));
  }
  std::string row;
  append_field(row, Tag::kKeys, keys);
  return row;
}

void decode_chunk(std::string_view row, SessionHistory& append_to) {
  read_fields(row, [&](Tag tag, std::string_view keys) {
    if (tag != Tag::kKeys && tag != Tag::kFingerprints) return;
    const std::size_t bytes = tag == Tag::kKeys ? kKeyBytes : kFingerprintBytes;
    append_to.reserve(keys.size() / bytes);
    for (; !keys.empty(); keys.remove_prefix(bytes)) {
      if (keys.size() < bytes) throw StateMismatch("a row of the state is damaged: a key is cut short");
      if (tag == Tag::kKeys) {
        append_to.append(read_le<std::uint64_t>(keys), read_le<std::uint32_t>(keys.substr(8)),
                         static_cast<std::uint8_t>(read_le<std::uint8_t>(keys.substr(12)) & ~kMarkOfBefore));
      } else {
        append_to.append(read_le<std::uint32_t>(keys), read_le<std::uint32_t>(keys.substr(4)), SessionHistory::kHalf);
      }
    }
  });
}

void append_chunks(const SessionState& session, const std::vector<std::uint32_t>& touched,
                   std::vector<StateRecord>& to) {
  std::vector<std::uint32_t> chunks;
  for (const std::uint32_t position : touched) {
    const std::uint32_t chunk = position / kKeysPerChunk;
    if (chunks.empty() || chunks.back() != chunk) chunks.push_back(chunk);
  }
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  for (const std::uint32_t chunk : chunks) {
    to.push_back({session.key, static_cast<std::int32_t>(chunk), encode_chunk(session.history, chunk)});
  }
}

void append_done(const SessionState& session, const DoneMark& mark, std::vector<StateRecord>& to) {
  to.push_back({session.key, StateRecord::kSessionPart, encode_mark(mark)});
  const std::vector<Fingerprint> all = session.history.fingerprints();
  const std::size_t rows = fingerprint_rows_of(all.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto of_row = std::span(all).subspan(row * kFingerprintsPerRow);
    std::string fingerprints, value;
    for (const Fingerprint& entry : of_row.first(std::min(of_row.size(), kFingerprintsPerRow))) {
      append_le(fingerprints, entry.key_half);
      append_le(fingerprints, entry.hash);
    }
    append_field(value, Tag::kFingerprints, fingerprints);
    to.push_back({session.key, static_cast<std::int32_t>(row), std::move(value)});
  }
  for (std::size_t chunk = rows; chunk < chunks_of(all.size()); ++chunk)
    to.push_back({session.key, static_cast<std::int32_t>(chunk), {}});
}

DoneMark append_end(SessionState& session, Instant now, std::vector<StateRecord>& to) {
  using Kind = DoneMark::Kind;
  DoneMark mark{.kind = Kind::kDelivered, .digest = session.digest, .sum = session.history.sum(), .made = now};
  if (session.delivered_sum) {
    mark.sum = *session.delivered_sum;
    mark.made = session.only_after;
    // What is known beside the sum is not all that was delivered: it must not stand for it.
    append_removal(session.key, session.history.size(), to);
    session.history = {};
  } else if (session.only_after != kNever && session.history.size() == 0) {
    mark = {
        .kind = Kind::kOld, .digest = session.digest, .latest = std::max<Instant>(session.latest, session.only_after)};
  }
  mark.shift = session.shift;
  append_done(session, mark, to);
  return mark;
}

void open_again(SessionState& session, const DoneMark& mark) {
  using Kind = DoneMark::Kind;
  if (mark.kind == Kind::kOld) session.latest = session.only_after = mark.latest;
  if (mark.kind == Kind::kBefore) session.only_after = mark.made;
  if (mark.kind != Kind::kDelivered) return;
  session.only_after = mark.made;
  session.delivered_sum = mark.sum;
}

void append_opened(const SessionState& session, std::vector<StateRecord>& to) {
  to.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
  for (std::size_t chunk = 0; chunk < chunks_of(session.history.size()); ++chunk) {
    to.push_back({session.key, static_cast<std::int32_t>(chunk),
                  encode_chunk(session.history, static_cast<std::uint32_t>(chunk))});
  }
}

void append_removal_of_fingerprints(std::uint64_t session_key, std::size_t entries, std::vector<StateRecord>& to) {
  for (std::size_t row = 0; row < fingerprint_rows_of(entries); ++row)
    to.push_back({session_key, static_cast<std::int32_t>(row), {}});
}

void append_removal(std::uint64_t session_key, std::size_t entries, std::vector<StateRecord>& to) {
  to.push_back({session_key, StateRecord::kSessionPart, {}});
  for (std::size_t chunk = 0; chunk < chunks_of(entries); ++chunk)
    to.push_back({session_key, static_cast<std::int32_t>(chunk), {}});
}

}  // namespace sessionlogd
