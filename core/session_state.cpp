#include "core/session_state.h"

#include <algorithm>
#include <cstring>

#include "core/sink.h"
#include "core/state_row.h"

namespace sessionlogd {

using namespace state_row;

namespace {

constexpr std::size_t kKeyBytes = 13;  // key u64le, hash u32le, marks u8

std::uint32_t chunks_of(const SessionHistory& history) {
  return static_cast<std::uint32_t>((history.size() + kKeysPerChunk - 1) / kKeysPerChunk);
}

}  // namespace

std::string encode_source(const SourceState& source) {
  std::string row;
  append_time(row, Tag::kListedTo, source.listed_to);
  append_time(row, Tag::kFloor, source.floor);
  append_time(row, Tag::kAbsentSince, source.absent_since);
  return row;
}

SourceState decode_source(std::string_view row) {
  SourceState source;
  read_fields(row, [&](Tag tag, std::string_view bytes) {
    if (tag == Tag::kListedTo) source.listed_to = read_time(bytes);
    if (tag == Tag::kFloor) source.floor = read_time(bytes);
    if (tag == Tag::kAbsentSince) source.absent_since = read_time(bytes);
  });
  return source;
}

std::string encode_session(const SessionState& session) {
  std::string row;
  append_number(row, Tag::kPhase, static_cast<std::uint8_t>(session.phase));
  append_number(row, Tag::kDigest, session.digest);
  append_time(row, Tag::kLatest, session.latest);
  if (session.phase == Phase::kDone) return row;
  if (session.only_after != kNever) append_time(row, Tag::kOnlyAfter, session.only_after);
  if (session.delivered_sum) append_number(row, Tag::kDeliveredSum, *session.delivered_sum);
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
      case Tag::kDeliveredSum:
        session.delivered_sum = read_le<std::uint32_t>(bytes);
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
    if (tag != Tag::kKeys) return;
    for (; !keys.empty(); keys.remove_prefix(kKeyBytes)) {
      if (keys.size() < kKeyBytes) throw StateMismatch("a row of the state is damaged: a key is cut short");
      append_to.append(read_le<std::uint64_t>(keys), read_le<std::uint32_t>(keys.substr(8)),
                       read_le<std::uint8_t>(keys.substr(12)));
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

DoneMark done_mark(const SessionState& session) {
  return {session.digest, std::max<Instant>(session.latest, session.info.view().start.value_or(session.latest))};
}

void append_done(SessionState& session, std::vector<StateRecord>& to) {
  session.phase = Phase::kDone;
  session.latest = done_mark(session).latest;
  to.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
  const std::uint32_t before = chunks_of(session.history);
  session.history.forget_all_but_kept(session.key);
  const std::uint32_t after = chunks_of(session.history);
  for (std::uint32_t chunk = 0; chunk < before; ++chunk) {
    to.push_back({session.key, static_cast<std::int32_t>(chunk),
                  chunk < after ? encode_chunk(session.history, chunk) : std::string()});
  }
}

void append_removal(std::uint64_t session_key, const SessionHistory& history, std::vector<StateRecord>& to) {
  to.push_back({session_key, StateRecord::kSessionPart, {}});
  for (std::uint32_t chunk = 0; chunk < chunks_of(history); ++chunk)
    to.push_back({session_key, static_cast<std::int32_t>(chunk), {}});
}

}  // namespace sessionlogd
