#include "core/log_parser.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>

#include "core/json_text.h"

namespace sessionlogd {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kNotAField = kEntryFields;
// Shorter than any object that says something: {"id":1}.
constexpr std::size_t kShortestEntry = 8;
// No name of a dialect is so long, however it is escaped: longer keys and ids are not decoded.
constexpr std::size_t kLongestToken = 16u << 10;

bool is_readable(std::string_view raw) { return raw.size() >= kShortestEntry && raw.front() == '{'; }

std::string_view trim_right(const char* begin, const char* end) {
  while (end != begin && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t' || end[-1] == '\r')) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Whether a raw key (the text behind its opening quote) is `name`. A key spelled with escapes is not: see
// key_is_escaped().
bool key_is(const char* raw, std::string_view name) {
  return std::equal(name.begin(), name.end(), raw) && raw[name.size()] == '"';
}

bool key_is_escaped(const char* raw) {
  while (*raw != '"' && *raw != '\\') ++raw;
  return *raw == '\\';
}

bool same_session(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

class LogParser::Walk {
 public:
  void start(const Dialect& dialect, const AnswerLimits& limits) {
    dialect_ = &dialect;
    most_entries_ = limits.entries;
    unreadable_ = 0;
    log.entries.clear();
    log.fault.clear();
    too_many = false;
    named_session = {};
    not_an_array = false;
    names_session_ = !dialect.log.session_id.empty();
  }

  bool with_simdjson(std::string_view text, std::size_t padding);
  bool with_cursor(std::string_view text);
  // The log without this entry and what stands behind it: too many before it could not be read.
  const SessionLog* cut_before(const Entry& entry, std::string_view text);

  SessionLog log;
  std::string_view named_session;  // raw token of the envelope's session id, empty = none
  bool not_an_array = false;       // where the entries should be stands something else
  bool too_many = false;           // entries
  EntryReader reader;

 private:
  bool element(ondemand::value value, ondemand::document& document);
  bool field(ondemand::field field, Entry& entry, std::size_t& expected);
  bool take_scalar(ondemand::value& value, std::string_view& token);
  bool take_any(ondemand::value& value, std::string_view& token);
  void element(std::string_view raw);
  bool takes_more(std::size_t position);
  void say_unreadable(std::size_t position);
  std::size_t field_of(const char* raw_key, std::size_t expected) const;

  void name_session(std::string_view token) {
    if (named_session.empty() && !is_null_token(token)) named_session = token;
  }

  const Dialect* dialect_ = nullptr;
  std::size_t most_entries_ = 0, unreadable_ = 0;
  bool names_session_ = false;
  ondemand::parser parser_;
  std::string key_;
};

// Which of our fields a raw key names. Most answers repeat one order of fields, so the one behind the last is tried
// first.
std::size_t LogParser::Walk::field_of(const char* raw_key, std::size_t expected) const {
  const auto& names = dialect_->log.fields;
  for (std::size_t n = 0; n < kEntryFields; ++n) {
    const std::size_t i = (expected + n) % kEntryFields;
    if (!names[i].empty() && key_is(raw_key, names[i])) return i;
  }
  return kNotAField;
}

// A string, number or literal, checked: On Demand looks only at what it is asked for.
bool LogParser::Walk::take_scalar(ondemand::value& value, std::string_view& token) {
  const std::string_view raw = value.raw_json_token();
  token = trim_right(raw.data(), raw.data() + raw.size());
  // The token reaches to the next one. On Demand steps over a ":" there, taking the value for a key.
  const char next = raw.data()[raw.size()];
  if (next != ',' && next != '}' && next != ']') return false;
  if (!is_string_token(token)) return is_valid_literal(token);
  return token.find('\\') == std::string_view::npos || end_of_value(token, 0) == token.size();
}

bool LogParser::Walk::take_any(ondemand::value& value, std::string_view& token) {
  const char first = value.raw_json_token().front();
  if (first != '{' && first != '[') return take_scalar(value, token);
  std::string_view raw;
  if (first == '{') {
    ondemand::object object;
    if (value.get_object().get(object) || object.raw_json().get(raw)) return false;
  } else {
    ondemand::array array;
    if (value.get_array().get(array) || array.raw_json().get(raw)) return false;
  }
  token = trim_right(raw.data(), raw.data() + raw.size());
  return end_of_value(token, 0) == token.size();
}

bool LogParser::Walk::field(ondemand::field field, Entry& entry, std::size_t& expected) {
  const char* key = field.key().raw();
  const std::size_t which = field_of(key, expected);
  if (which == kNotAField && key_is_escaped(key)) return false;
  std::string_view token;
  if (!take_any(field.value(), token)) return false;
  if (which == kNotAField) {
    entry.has_extra = true;
    return true;
  }
  expected = which + 1;
  // Of a key that stands twice the first counts.
  if (entry.token[which].empty() && !is_null_token(token)) entry.token[which] = token;
  return true;
}

bool LogParser::Walk::element(ondemand::value value, ondemand::document& document) {
  Entry& entry = log.entries.emplace_back();
  const char* begin = value.raw_json_token().data();
  if (*begin != '{') return take_any(value, entry.raw);
  ondemand::object object;
  if (value.get_object().get(object)) return false;
  std::size_t expected = 0;
  for (auto member : object) {
    ondemand::field the_field;
    if (std::move(member).get(the_field) || !field(the_field, entry, expected)) return false;
  }
  const char* end = nullptr;
  if (document.current_location().get(end)) return false;
  entry.raw = trim_right(begin, end);
  return true;
}

// Whether there is to be another entry behind the last; if not, why is said. `position` is where the next one begins.
bool LogParser::Walk::takes_more(std::size_t position) {
  if (!log.entries.empty() && !is_readable(log.entries.back().raw)) ++unreadable_;
  if (unreadable_ == kMostUnreadable) say_unreadable(position);
  too_many = log.entries.size() == most_entries_;
  return log.fault.empty() && !too_many;
}

void LogParser::Walk::say_unreadable(std::size_t position) {
  log.fault =
      fmt::format("{} entries cannot be read, what follows from byte {} on is not tried", kMostUnreadable, position);
}

const SessionLog* LogParser::Walk::cut_before(const Entry& entry, std::string_view text) {
  say_unreadable(static_cast<std::size_t>(entry.raw.data() - text.data()));
  log.entries.resize(static_cast<std::size_t>(&entry - log.entries.data()));
  return &log;
}

// false: simdjson does not take it; the cursor decides what is wrong with it, if anything.
bool LogParser::Walk::with_simdjson(std::string_view text, std::size_t padding) {
  ondemand::document document;
  if (parser_.iterate(text.data(), text.size(), text.size() + padding).get(document)) return false;
  ondemand::object envelope;
  if (document.get_object().get(envelope)) return false;
  bool seen_entries = false;
  for (auto member : envelope) {
    ondemand::field field;
    if (std::move(member).get(field)) return false;
    const char* key = field.key().raw();
    if (key_is(key, dialect_->log.entries) && !seen_entries) {
      const char first = field.value().raw_json_token().front();
      if (first == 'n') {
        std::string_view token;
        if (!take_scalar(field.value(), token)) return false;
        continue;
      }
      seen_entries = true;
      ondemand::array array;
      if (first != '[' || field.value().get_array().get(array)) return false;
      for (auto item : array) {
        ondemand::value value;
        if (item.get(value) || !takes_more(0) || !element(value, document)) return false;
      }
      continue;
    }
    std::string_view token;
    if (key_is_escaped(key) || !take_any(field.value(), token)) return false;
    if (names_session_ && key_is(key, dialect_->log.session_id)) name_session(token);
  }
  const char* end = nullptr;
  return document.current_location().get(end) == simdjson::OUT_OF_BOUNDS;
}

void LogParser::Walk::element(std::string_view raw) {
  Entry& entry = log.entries.emplace_back();
  entry.raw = raw;
  JsonCursor cursor(raw);
  if (!cursor.enter('{')) return;
  while (const auto key = cursor.next_key()) {
    key_.clear();
    if (key->size() <= kLongestToken) append_decoded(key_, *key);
    const std::string_view value = *cursor.take_value();  // `raw` is a valid value, so its members are
    const auto name = std::find(dialect_->log.fields.begin(), dialect_->log.fields.end(), key_);
    if (name == dialect_->log.fields.end() || key_.empty()) {
      entry.has_extra = true;
      continue;
    }
    if (is_null_token(value)) continue;
    std::string_view& token = entry.token[static_cast<std::size_t>(name - dialect_->log.fields.begin())];
    if (token.empty()) token = value;
  }
}

// false: no log at all. Otherwise every entry before the first fault is taken.
bool LogParser::Walk::with_cursor(std::string_view text) {
  JsonCursor cursor(text);
  if (!cursor.enter('{')) return false;
  bool seen_entries = false;
  while (const auto key = cursor.next_key()) {
    key_.clear();
    if (key->size() <= kLongestToken) append_decoded(key_, *key);
    if (key_ == dialect_->log.entries && !seen_entries && cursor.peek() != 'n') {
      seen_entries = true;
      if (!cursor.enter('[')) {
        not_an_array = true;
        return true;
      }
      while (cursor.next_element()) {
        if (!takes_more(cursor.position())) return true;
        const auto value = cursor.take_value();
        if (!value) break;
        element(*value);
      }
    } else if (const auto value = cursor.take_value()) {
      if (names_session_ && key_ == dialect_->log.session_id) name_session(*value);
    }
    if (cursor.faulty()) break;
  }
  if (cursor.faulty()) {
    log.fault = fmt::format("broken JSON at byte {} of {}, behind {} entries", cursor.position(), text.size(),
                            log.entries.size());
  } else if (!cursor.at_end()) {
    log.fault = fmt::format("text behind the JSON at byte {} of {}", cursor.position(), text.size());
  }
  return true;
}

LogParser::LogParser() : walk_(std::make_unique<Walk>()) {}
LogParser::~LogParser() = default;
LogParser& LogParser::operator=(LogParser&&) noexcept = default;

Result<const SessionLog*> LogParser::parse(const Dialect& dialect, const Body& body, std::string_view session_id,
                                           std::uint64_t session_key, const AnswerLimits& limits) {
  std::string_view text = body.text();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return Error(ErrorKind::kBadAnswer, "the answer to the log request is empty");

  walk_->start(dialect, limits);
  walk_->log.is_utf8 = limits.indexed && walk_->with_simdjson(text, Body::kPadding);  // it sees to that
  if (!walk_->log.is_utf8) {
    walk_->start(dialect, limits);
    if (!walk_->with_cursor(text)) {
      return Error(ErrorKind::kBadAnswer, "the answer to the log request is not a JSON object");
    }
  }
  if (walk_->not_an_array) {
    return Error(ErrorKind::kBadAnswer, fmt::format("the answer's \"{}\" is not an array", dialect.log.entries));
  }
  if (walk_->too_many) {
    return Error(ErrorKind::kBadAnswer,
                 fmt::format("the answer of {} bytes has more than {} entries, for which there is "
                             "no memory: raise daemon.memory if that is right",
                             body.size(), limits.entries));
  }
  if (!walk_->named_session.empty()) {
    std::string named;
    if (walk_->named_session.size() <= kLongestToken) append_field_text(named, walk_->named_session);
    if (!same_session(named, session_id)) {
      return Error(ErrorKind::kBadAnswer, "the answer is the log of another session");
    }
  }
  const auto encoding = walk_->log.is_utf8 ? EntryReader::Encoding::kUtf8 : EntryReader::Encoding::kUnchecked;
  std::size_t unreadable = 0;
  for (Entry& entry : walk_->log.entries) {
    walk_->reader.read(dialect, entry, session_key, encoding);
    if (entry.fault != nullptr && ++unreadable > kMostUnreadable) return walk_->cut_before(entry, text);
  }
  return &walk_->log;
}

}  // namespace sessionlogd
