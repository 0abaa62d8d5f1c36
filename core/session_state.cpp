#include "core/session_state.h"

#include <algorithm>
#include <cstring>

#include "core/sink.h"

namespace sessionlogd {
namespace {

// Never reuse a number.
enum class Tag : std::uint8_t {
  kPhase = 1,
  kDigest = 2,
  kLatest = 3,
  kId = 4,
  kType = 5,
  kName = 6,
  kParent = 7,
  kStatus = 8,
  kStart = 9,
  kStop = 10,
  kKeys = 11,
  kListedTo = 12,
  kFloor = 13,
  kOnlyAfter = 14,
  kAbsentSince = 15,
};

constexpr std::size_t kKeyBytes = 13;  // key u64le, hash u32le, marks u8

template <class T>
void append_le(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <class T>
T read_le(std::string_view bytes) {
  T value;
  if (bytes.size() < sizeof(T)) throw StateMismatch("a row of the state is damaged: a number is cut short");
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

void append_field(std::string& row, Tag tag, std::string_view bytes) {
  row += static_cast<char>(tag);
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) row += static_cast<char>(0x80 | (size & 0x7F));
  row += static_cast<char>(size);
  row += bytes;
}

void append_text(std::string& row, Tag tag, std::string_view text) {
  if (!text.empty()) append_field(row, tag, text);
}

template <class T>
void append_number(std::string& row, Tag tag, T value) {
  std::string bytes;
  append_le(bytes, value);
  append_field(row, tag, bytes);
}

void append_time(std::string& row, Tag tag, const std::optional<Instant>& at) {
  if (!at) return;
  std::string bytes;
  append_le(bytes, at->seconds);
  append_le(bytes, at->nanos);
  append_field(row, tag, bytes);
}

Instant read_time(std::string_view bytes) {
  if (bytes.size() < 12) throw StateMismatch("a row of the state is damaged: a time is cut short");
  return {read_le<std::int64_t>(bytes), read_le<std::uint32_t>(bytes.substr(8))};
}

// Calls on_field(tag, bytes) for each field of a row.
template <class OnField>
void read_fields(std::string_view row, OnField on_field) {
  while (!row.empty()) {
    const auto tag = static_cast<Tag>(row.front());
    row.remove_prefix(1);
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (row.empty() || shift > 28) throw StateMismatch("a row of the state is damaged: a size is cut short");
      const auto byte = static_cast<unsigned char>(row.front());
      row.remove_prefix(1);
      size |= std::size_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    if (size > row.size()) throw StateMismatch("a row of the state is damaged: a field is cut short");
    on_field(tag, row.substr(0, size));
    row.remove_prefix(size);
  }
}

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
  if (session.only_after != Instant{INT64_MIN}) append_time(row, Tag::kOnlyAfter, session.only_after);
  append_text(row, Tag::kId, session.info.id);
  append_text(row, Tag::kType, session.info.type);
  append_text(row, Tag::kName, session.info.name);
  append_text(row, Tag::kParent, session.info.parent);
  append_text(row, Tag::kStatus, session.info.status);
  append_time(row, Tag::kStart, session.info.start);
  append_time(row, Tag::kStop, session.info.stop);
  return row;
}

SessionState decode_session(std::string_view row) {
  SessionState session;
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
      case Tag::kId:
        session.info.id = bytes;
        break;
      case Tag::kType:
        session.info.type = bytes;
        break;
      case Tag::kName:
        session.info.name = bytes;
        break;
      case Tag::kParent:
        session.info.parent = bytes;
        break;
      case Tag::kStatus:
        session.info.status = bytes;
        break;
      case Tag::kStart:
        session.info.start = read_time(bytes);
        break;
      case Tag::kStop:
        session.info.stop = read_time(bytes);
        break;
      default:
        break;
    }
  });
  if (session.phase > Phase::kDone || (session.phase != Phase::kDone && session.info.id.empty())) {
    throw StateMismatch("a row of the state is damaged: it names no session");
  }
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
  for (const std::uint32_t position : touched) chunks.push_back(position / kKeysPerChunk);
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  for (const std::uint32_t chunk : chunks) {
    to.push_back({session.key, static_cast<std::int32_t>(chunk), encode_chunk(session.history, chunk)});
  }
}

DoneMark done_mark(const SessionState& session) {
  return {session.digest, std::max(session.latest, session.info.start.value_or(session.latest))};
}

void append_done(SessionState& session, std::vector<StateRecord>& to) {
  session.phase = Phase::kDone;
  session.latest = done_mark(session).latest;
  to.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
  const std::uint32_t before = chunks_of(session.history);
  session.history.forget_all_but_kept();
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
