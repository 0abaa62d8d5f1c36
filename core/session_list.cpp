#include "core/session_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/identity.h"
#include "core/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kLongestId = 512;
// Texts stand in every event of their session, and keys are compared with ours: longer ones are left out, undecoded.
constexpr std::size_t kLongestToken = 4096;
// No source gives so many at once; what is known of them takes more memory than the page.
constexpr std::size_t kMostRows = 20'000;

// The value a dotted path leads to in an object's raw text; empty when there is none or it is null.
std::string_view value_at(std::string_view object, std::string_view path) {
  const std::size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  JsonCursor cursor(object);
  if (!cursor.enter('{')) return {};
  std::string key_text;
  while (const auto key = cursor.next_key()) {
    key_text.clear();
    if (key->size() <= kLongestToken) append_decoded(key_text, *key);
    const auto value = cursor.take_value();
    if (!value) return {};
    if (key_text != name) continue;
    if (dot != std::string_view::npos) return value_at(*value, path.substr(dot + 1));
    return is_null_token(*value) ? std::string_view{} : *value;
  }
  return {};
}

// The text of the first path that leads to a string or a number.
std::string text_at(std::string_view object, const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) {
    const std::string_view token = value_at(object, path);
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

ListedSession read_row(const Dialect& dialect, std::string_view row) {
  const auto& names = dialect.sessions;
  ListedSession session;
  session.id = text_at(row, names.id);
  session.type = text_at(row, names.type);
  session.name = text_at(row, names.session_name);
  session.parent = text_at(row, names.parent);
  session.status = text_at(row, names.status);
  const std::string start = text_at(row, names.start), stop = text_at(row, names.stop);
  session.start = parse_rfc3339(start);
  session.stop = parse_rfc3339(stop);

  HashInput input;
  for (const std::string& part : {session.status, session.type, stop, text_at(row, names.update_number)})
    input.add_text(part);
  session.digest = input.event_hash();
  if (session.start) {
    input.clear();
    input.add_time(session.start->instant);
    session.digest |= std::uint64_t{std::max(input.event_hash(), 1u)} << 32;
  }
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
  return Error(ErrorKind::kBadAnswer, fmt::format("the answer to the session listing is {}", why));
}

bool read_rows(const Dialect& dialect, JsonCursor& cursor, SessionPage& page) {
  while (cursor.next_element()) {
    const auto row = cursor.take_value();
    if (!row || page.row_ids.size() == kMostRows) return false;
    ListedSession session = read_row(dialect, *row);
    if (usable_id(session.id)) {
      page.row_ids.push_back(session.id);
      page.sessions.push_back(std::move(session));
    } else {
      page.row_ids.push_back("unusable row " + std::string(*row).substr(0, kLongestId));
    }
  }
  return !cursor.faulty();
}

}  // namespace

Result<SessionPage> parse_session_page(const Dialect& dialect, std::string_view body) {
  SessionPage page;
  JsonCursor cursor(without_byte_order_mark(body));
  if (!cursor.enter('{')) return not_a_page("not a JSON object");
  std::string key_text;
  bool has_items = false;
  while (const auto key = cursor.next_key()) {
    key_text.clear();
    if (key->size() <= kLongestToken) append_decoded(key_text, *key);
    if (key_text == dialect.sessions.items && cursor.peek() != 'n') {
      has_items = true;
      if (!cursor.enter('['))
        return not_a_page(fmt::format("not a page: \"{}\" is not an array", dialect.sessions.items));
      if (!read_rows(dialect, cursor, page)) {
        if (!cursor.faulty()) return not_a_page(fmt::format("not a page: it has more than {} rows", kMostRows));
        break;
      }
      continue;
    }
    const auto value = cursor.take_value();
    if (!value) break;
    if (!dialect.sessions.total.empty() && key_text == dialect.sessions.total) page.total = count_of(*value);
    if (key_text == dialect.sessions.items) has_items = true;  // null: no sessions
  }
  if (cursor.faulty() || !cursor.at_end()) return not_a_page(fmt::format("broken JSON at byte {}", cursor.position()));
  if (!has_items) return not_a_page(fmt::format("not a page: it has no \"{}\"", dialect.sessions.items));
  return page;
}

Result<ListedSession> parse_session(const Dialect& dialect, std::string_view body) {
  body = without_byte_order_mark(body);
  const std::size_t begin = skip_white_space(body, 0);
  const auto end = begin < body.size() ? end_of_value(body, begin) : std::nullopt;
  if (!end || body[begin] != '{' || skip_white_space(body, *end) != body.size())
    return Error(ErrorKind::kBadAnswer, "the answer to the request for one session is not a JSON object");
  ListedSession session = read_row(dialect, body.substr(begin, *end - begin));
  if (!usable_id(session.id))
    return Error(ErrorKind::kBadAnswer, "the answer to the request for one session names no session");
  return session;
}

}  // namespace sessionlogd
