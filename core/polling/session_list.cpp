#include "core/polling/session_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/json_text.h"
#include "core/state/identity.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kLongestId = 512;
// Texts stand in every event of their session and are kept while it is read, and keys are compared with ours: longer
// ones are left out, undecoded.
constexpr std::size_t kLongestToken = 1024;
// No source gives so many at once; what is known of them takes more memory than the page.
constexpr std::size_t kMostRows = 20'000;
// A row has some twenty; behind so many nothing is looked for.
constexpr std::size_t kMostMembers = 1'000;

// Members of an object as they are written, in their order.
struct Member {
  std::string_view key, value;
};
using Members = std::vector<Member>;

// None where it is no object.
void read_members(std::string_view object, Members& members) {
  members.clear();
  JsonCursor cursor(object);
  if (!cursor.enter('{')) return;
  while (const auto key = cursor.next_key()) {
    const auto value = cursor.take_value();
    if (!value || members.size() == kMostMembers) return;
    members.push_back({.key = *key, .value = *value});
  }
}

bool is_written_as(std::string_view key, std::string_view name) {
  if (key.find('\\') == key.npos) return inside_quotes(key) == name;
  if (key.size() > kLongestToken) return false;
  std::string text;
  append_decoded(text, key);
  return text == name;
}

// The value a dotted path leads to; empty when there is none or it is null.
std::string_view value_at(const Members& members, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto found = std::ranges::find_if(
      members, [name = path.substr(0, dot)](const Member& member) { return is_written_as(member.key, name); });
  if (found == members.end()) return {};
  if (dot == path.npos) return is_null_token(found->value) ? std::string_view{} : found->value;
  Members inner;
  read_members(found->value, inner);
  return value_at(inner, path.substr(dot + 1));
}

// The text of the first path that leads to a string or a number.
std::string text_at(const Members& row, const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) {
    const std::string_view token = value_at(row, path);
    if (token.size() > kLongestToken) continue;
    if (is_string_token(token)) {
      append_decoded(text, token);
    } else if (is_number_token(token)) {
      text = token;
    }
    if (!text.empty()) break;
  }
  return text;
}

// Ids are percent-encoded into paths; "." and ".." would still be path segments of their own kind. In messages an id
// stands as it is, so control characters could forge a line.
bool usable_id(std::string_view id) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !id.empty() && id.size() <= kLongestId && id != "." && id != ".." && std::ranges::none_of(id, control);
}

std::uint64_t with_start(std::uint32_t lower, const std::optional<ReadTime>& start) {
  if (!start) return lower;
  HashInput input;
  input.add_time(start->instant);
  return std::uint64_t{std::max(input.event_hash(), 1u)} << 32 | lower;
}

// nullopt for the year 1, which .NET writes for none.
std::optional<ReadTime> to_microseconds(ReadTime time) {
  constexpr std::int64_t kYearTwo = -62'104'060'800;
  if (time.instant.seconds < kYearTwo) return std::nullopt;
  time.instant.nanos -= time.instant.nanos % 1'000;
  return time;
}

// Of a stop that is no time the text counts.
void set_digests(ListedSession& session, std::string_view stop) {
  HashInput input;
  if (session.stop) {
    input.add_time(session.stop->instant);
  } else {
    input.add_text(stop);
  }
  session.stop_hash = std::max(input.event_hash(), 1u);
  for (const std::string& part : {session.status, session.type, session.update_number}) input.add_text(part);
  session.digest = with_start(input.event_hash(), session.start);
}

ListedSession read_row(const Dialect& dialect, const Members& row) {
  const auto& names = dialect.sessions;
  ListedSession session;
  session.id = text_at(row, names.id);
  session.type = text_at(row, names.type);
  session.name = text_at(row, names.session_name);
  session.parent = text_at(row, names.parent);
  session.status = text_at(row, names.status);
  const std::string start = text_at(row, names.start), stop = text_at(row, names.stop);
  session.update_number = text_at(row, names.update_number);
  session.start = parse_rfc3339(start);
  session.stop = parse_rfc3339(stop);

  HashInput input;
  for (const std::string& part : {session.status, session.type, stop, session.update_number}) input.add_text(part);
  session.old_digest = with_start(input.event_hash(), session.start);
  if (session.start) session.start = to_microseconds(*session.start);
  if (session.stop) session.stop = to_microseconds(*session.stop);
  set_digests(session, parse_rfc3339(stop) ? std::string_view{} : stop);
  return session;
}

// nullopt when it is no whole number of 64 bits.
std::optional<std::uint64_t> count_of(std::string_view token) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), count);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return count;
}

Error not_a_page(std::string_view why) {
  return Error(ErrorKind::kBadResponse, fmt::format("the response to the session listing is {}", why));
}

std::optional<Instant> start_of(const ListedSession& session) {
  return session.start ? std::optional(session.start->instant) : std::nullopt;
}

// Two sessions may have the id one after the other.
std::uint64_t hash_of_row(const ListedSession& session) {
  HashInput input;
  input.add_text(session.id);
  return input.entry_base(session.digest >> 32);
}

std::uint64_t hash_of_row(std::string_view unusable) {
  HashInput input;
  input.add_raw(unusable);
  return input.entry_base(0);
}

bool read_rows(const Dialect& dialect, JsonCursor& cursor, SessionPage& page) {
  Members members;
  while (cursor.next_element()) {
    const auto row = cursor.take_value();
    if (!row || page.rows.size() == kMostRows) return false;
    read_members(*row, members);
    ListedSession session = read_row(dialect, members);
    const bool usable = usable_id(session.id);
    page.rows.push_back({usable ? hash_of_row(session) : hash_of_row(*row), start_of(session)});
    if (usable) page.sessions.push_back(std::move(session));
  }
  return !cursor.faulty();
}

}  // namespace

TimeShift shift_since(std::uint64_t digest, const ListedSession& row) {
  if (!row.start || !has_start(digest)) return {};
  for (int quarters = 1; quarters <= TimeShift::kMost; ++quarters) {
    for (const int signed_quarters : {quarters, -quarters}) {
      const TimeShift shift{static_cast<std::int8_t>(signed_quarters)};
      const ReadTime start{shift.before(row.start->instant), row.start->zoned};
      if (with_start(0, start) >> 32 == digest >> 32) return shift;
    }
  }
  return {};
}

ListedSession before_shift(ListedSession row, TimeShift shift) {
  if (row.start) row.start->instant = shift.before(row.start->instant);
  if (row.stop) {
    row.stop->instant = shift.before(row.stop->instant);
    set_digests(row, {});
  } else {
    row.digest = with_start(row.beside_start(), row.start);
  }
  row.old_digest = row.digest;
  return row;
}

Result<SessionPage> parse_session_page(const Dialect& dialect, std::string_view body) {
  SessionPage page;
  JsonCursor cursor(without_byte_order_mark(body));
  if (!cursor.enter('{')) return not_a_page("not a JSON object");
  const std::string &items = dialect.sessions.items, &total = dialect.sessions.total;
  bool has_items = false, is_null = false;
  while (const auto key = cursor.next_key()) {
    const bool is_items = is_written_as(*key, items);
    if (is_items && cursor.peek() != 'n') {
      has_items = true;
      if (!cursor.enter('[')) return not_a_page(fmt::format("not a page: \"{}\" is not an array", items));
      if (!read_rows(dialect, cursor, page)) {
        if (!cursor.faulty()) return not_a_page(fmt::format("not a page: it has more than {} rows", kMostRows));
        break;
      }
      continue;
    }
    const auto value = cursor.take_value();
    if (!value) break;
    if (!total.empty() && is_written_as(*key, total)) page.total = count_of(*value);
    if (is_items) is_null = true;
  }
  if (cursor.faulty() || !cursor.at_end()) return not_a_page(fmt::format("broken JSON at byte {}", cursor.position()));
  has_items |= is_null && page.total == 0u;
  if (!has_items) return not_a_page(fmt::format("not a page: it has no array \"{}\"", items));
  return page;
}

Result<ListedSession> parse_session(const Dialect& dialect, std::string_view body) {
  body = without_byte_order_mark(body);
  const std::size_t begin = skip_white_space(body, 0);
  const auto end = begin < body.size() ? end_of_value(body, begin) : std::nullopt;
  if (!end || body[begin] != '{' || skip_white_space(body, *end) != body.size())
    return Error(ErrorKind::kBadResponse, "the response to the request for one session is not a JSON object");
  Members members;
  read_members(body.substr(begin, *end - begin), members);
  ListedSession session = read_row(dialect, members);
  if (!usable_id(session.id))
    return Error(ErrorKind::kBadResponse, "the response to the request for one session names no session");
  return session;
}

}  // namespace sessionlogd
