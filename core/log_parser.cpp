#include "core/log_parser.h"

#include <fmt/core.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/json_index.h"
#include "core/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kNotAField = kEntryFields;
// Shorter than any object that says something: {"id":1}.
constexpr std::size_t kShortestEntry = 8;
// As many as are fetched from memory at the same time.
constexpr std::size_t kGuessedTogether = 16;
// Where more entries are not known by their bytes, and an eighth of those that are, an index is worth its making.
constexpr std::size_t kMostUnknown = 8, kUnknownShare = 8;
// No name of a dialect is so long, however it is escaped: longer keys and ids are not decoded.
constexpr std::size_t kLongestToken = 16u << 10;

bool is_readable(std::string_view raw) { return raw.size() >= kShortestEntry && raw.front() == '{'; }

std::string_view trim_right(const char* begin, const char* end) {
  while (end != begin && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t' || end[-1] == '\r')) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool same_bytes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < sizeof(std::uint64_t)) return a == b;
  const auto differ = [&](std::size_t at) {
    std::uint64_t x, y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    return x != y;
  };
  for (std::size_t at = 0; at + sizeof(std::uint64_t) < a.size(); at += sizeof(std::uint64_t)) {
    if (differ(at)) return false;
  }
  return !differ(a.size() - sizeof(std::uint64_t));
}

bool same_session(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

class LogParser::Walk {
 public:
  void start(const Dialect& dialect, std::uint64_t session_key, const AnswerLimits& limits,
             const Remembered& remembered) {
    dialect_ = &dialect;
    session_key_ = session_key;
    limits_ = limits;
    remembered_ = remembered;
    names_session_ = !dialect.log.session_id.empty();
  }

  // false: no log at all.
  bool through(std::string_view text);
  // Finds out what the entries are. The log ends where too many cannot be read.
  void read_entries(std::string_view text);
  void complete(Entry& entry);

  SessionLog log;
  std::string_view named_session;  // raw token of the envelope's session id, empty = none
  bool not_an_array = false;       // where the entries should be stands something else
  bool too_many = false;           // entries

 private:
  void clear() {
    log.entries.clear();
    log.fault.clear();
    log.is_utf8 = false;
    shape_ = {};
    unreadable_ = 0;
    too_many = false;
    named_session = {};
    not_an_array = false;
  }

  bool with_index(std::string_view text);
  bool with_cursor(std::string_view text);
  bool indexed_elements();
  bool indexed_element();
  bool indexed_field(Entry& entry, std::size_t member);
  std::string_view take_nested();
  char next() const { return text_.data()[*at_]; }  // not text_[]: at the end that is the byte behind it

  // The next token, and moves behind it.
  std::string_view take_token() {
    const char* begin = text_.data() + *at_++;
    return trim_right(begin, text_.data() + *at_);
  }

  // "" = there is no key, or none with its colon.
  std::string_view take_key() {
    if (next() != '"') return {};
    const std::string_view key = take_token();
    return next() == ':' ? (++at_, key) : std::string_view();
  }

  // "" = there is no valid value; what must follow one is for the caller to see.
  std::string_view take_value() {
    const char first = next();
    if (first == '"') {
      const std::string_view token = take_token();
      return !has_escape(token) || end_of_value(token, 0) == token.size() ? token : std::string_view();
    }
    if (first == '{' || first == '[') return take_nested();
    if (first == '\0') return {};  // the end
    const std::string_view token = take_token();
    return is_valid_literal(token) ? token : std::string_view();
  }

  // Tokens are asked in order of the text, so it is searched once.
  bool has_escape(std::string_view token) {
    if (escape_ < token.data()) find_escape(token.data());
    return escape_ < token.data() + token.size();
  }
  void find_escape(const char* from) {
    const char* end = text_.data() + text_.size();
    const void* found = std::memchr(from, '\\', static_cast<std::size_t>(end - from));
    escape_ = found == nullptr ? end : static_cast<const char*>(found);
  }

  void guess_elements(std::string_view text, std::size_t begin);
  bool take_known(std::string_view text, JsonCursor& cursor);
  void element(std::string_view raw);
  void read_tokens(Entry& entry);
  bool takes_more(std::size_t position);
  void say_unreadable(std::size_t position);
  std::size_t field_of(std::string_view key) const;

  void name_session(std::string_view token) {
    if (named_session.empty() && !is_null_token(token)) named_session = token;
  }

  EntryReader reader_;
  const Dialect* dialect_ = nullptr;
  std::uint64_t session_key_ = 0;
  Remembered remembered_;
  AnswerLimits limits_;
  std::size_t unreadable_ = 0;
  bool names_session_ = false;

  // By index: where the walk is.
  JsonIndex index_;
  std::string_view text_;              // a byte 0 follows it
  const std::uint32_t* at_ = nullptr;  // text_.size() behind the last
  const char* escape_ = nullptr;       // the first backslash that was not passed yet, else the end of the text
  // What the members of the entry before were called: answers repeat one shape.
  struct Member {
    std::string_view key;  // with its quotes
    std::size_t field = kNotAField;
  };
  std::array<Member, 16> shape_;

  // Along the text: known entries are looked for, until too many are not.
  bool looking_ = false;
  std::size_t unknown_ = 0;
  struct Guess {
    std::size_t begin, end;
    std::uint64_t fingerprint;
  };
  std::array<Guess, kGuessedTogether> guesses_;
  std::size_t guess_ = 0, guessed_ = 0;

  std::string key_;
};

// Which of our fields a key token without escapes names.
std::size_t LogParser::Walk::field_of(std::string_view key) const {
  const auto& names = dialect_->log.fields;
  const auto named = std::find(names.begin(), names.end(), inside_quotes(key));
  return named == names.end() || named->empty() ? kNotAField : static_cast<std::size_t>(named - names.begin());
}

std::string_view LogParser::Walk::take_nested() {
  const std::size_t begin = *at_;
  const auto end = end_of_value(text_, begin);
  if (!end) return {};
  while (*at_ < *end) ++at_;
  return text_.substr(begin, *end - begin);
}

// One member of an entry; `number` says which.
inline bool LogParser::Walk::indexed_field(Entry& entry, std::size_t number) {
  const std::string_view key = take_key();
  if (key.empty()) return false;
  Member& member = shape_[std::min(number, shape_.size() - 1)];
  if (!same_bytes(member.key, key)) {
    if (has_escape(key)) return false;
    member = {key, field_of(key)};
  }
  const std::string_view value = take_value();
  if (value.empty()) return false;
  if (member.field == kNotAField) {
    entry.has_extra = true;
    return true;
  }
  if (is_null_token(value)) return true;
  entry.offer(member.field, value);
  entry.has_escape |= has_escape(value);
  return true;
}

bool LogParser::Walk::indexed_element() {
  const char* begin = text_.data() + *at_;
  Entry& entry = log.entries.emplace_back(begin);
  if (next() != '{') return !(entry.raw = take_value()).empty();
  ++at_;
  if (next() == '}') {
    ++at_;
  } else {
    for (std::size_t number = 0;; ++number) {
      if (!indexed_field(entry, number)) return false;
      const char c = next();
      ++at_;
      if (c == '}') break;
      if (c != ',') return false;
    }
  }
  entry.raw = {begin, static_cast<std::size_t>(text_.data() + at_[-1] + 1 - begin)};
  return true;
}

bool LogParser::Walk::indexed_elements() {
  if (next() != '[') return false;
  ++at_;
  if (next() == ']') return ++at_, true;
  for (;;) {
    if (!takes_more(0) || !indexed_element()) return false;
    const char c = next();
    ++at_;
    if (c == ']') return true;
    if (c != ',') return false;
  }
}

// Whether there is to be another entry behind the last; if not, why is said. `position` is where the next one begins.
bool LogParser::Walk::takes_more(std::size_t position) {
  if (!log.entries.empty() && !is_readable(log.entries.back().raw)) ++unreadable_;
  if (unreadable_ == kMostUnreadable) say_unreadable(position);
  too_many = log.entries.size() == limits_.entries;
  return log.fault.empty() && !too_many;
}

void LogParser::Walk::say_unreadable(std::size_t position) {
  log.fault =
      fmt::format("{} entries cannot be read, what follows from byte {} on is not tried", kMostUnreadable, position);
}

void LogParser::Walk::read_entries(std::string_view text) {
  const auto encoding = log.is_utf8 ? EntryReader::Encoding::kUtf8 : EntryReader::Encoding::kUnchecked;
  std::size_t unreadable = 0;
  for (std::size_t i = 0; i < log.entries.size(); ++i) {
    Entry& entry = log.entries[i];
    if (entry.known) continue;
    reader_.read(*dialect_, entry, session_key_, encoding);
    if (entry.fault != nullptr && ++unreadable > kMostUnreadable) {
      say_unreadable(static_cast<std::size_t>(entry.raw.data() - text.data()));
      log.entries.resize(i);
      return;
    }
    if (entry.fault == nullptr && remembered_.entries != nullptr) {
      remembered_.entries->remember(remembered_.entries->fingerprint(entry.raw, remembered_.reading),
                                    {entry.base, entry.hash, entry.final});
    }
  }
}

void LogParser::Walk::complete(Entry& entry) {
  if (!entry.known) return;
  entry.known = false;
  read_tokens(entry);
  reader_.read(*dialect_, entry, session_key_, EntryReader::Encoding::kUnchecked);
}

// The cheapest way that leads through.
bool LogParser::Walk::through(std::string_view text) {
  clear();
  if (remembered_.entries != nullptr) {
    unknown_ = guessed_ = guess_ = 0;
    looking_ = true;
    const bool is_log = with_cursor(text);
    // What it gave up is begun again.
    if (std::exchange(looking_, false)) return is_log;
    clear();
  }
  if (limits_.indexed) {
    log.is_utf8 = with_index(text);  // the index sees to that
    if (log.is_utf8) return true;
    clear();
  }
  return with_cursor(text);
}

// false: it is not plain JSON; the cursor decides what is wrong with it, if anything.
bool LogParser::Walk::with_index(std::string_view text) {
  at_ = index_.of(text);
  if (at_ == nullptr) return false;
  text_ = text;
  escape_ = text.data();
  if (next() != '{') return false;
  ++at_;
  bool seen_entries = false;
  for (bool first = true;; first = false) {
    if (first && next() == '}') break;
    const std::string_view key = take_key();
    if (key.empty() || has_escape(key)) return false;
    const std::string_view name = inside_quotes(key);
    if (name == dialect_->log.entries && !seen_entries && next() != 'n') {
      seen_entries = true;
      if (!indexed_elements()) return false;
    } else {
      const std::string_view value = take_value();
      if (value.empty()) return false;
      if (names_session_ && name == dialect_->log.session_id) name_session(value);
    }
    if (next() == '}') break;
    if (next() != ',') return false;
    ++at_;
  }
  return *++at_ == text_.size();
}

void LogParser::Walk::element(std::string_view raw) {
  Entry& entry = log.entries.emplace_back();
  entry.raw = raw;
  read_tokens(entry);
}

// Of an entry that is a valid value.
void LogParser::Walk::read_tokens(Entry& entry) {
  entry.has_escape = true;
  JsonCursor cursor(entry.raw);
  if (!cursor.enter('{')) return;
  while (const auto key = cursor.next_key()) {
    key_.clear();
    if (key->size() <= kLongestToken) append_decoded(key_, *key);
    const std::string_view value = *cursor.take_value();  // so are its members
    const auto name = std::find(dialect_->log.fields.begin(), dialect_->log.fields.end(), key_);
    if (name == dialect_->log.fields.end() || key_.empty()) {
      entry.has_extra = true;
      continue;
    }
    if (!is_null_token(value)) entry.offer(static_cast<std::size_t>(name - dialect_->log.fields.begin()), value);
  }
}

// Where the next elements end if they hold no other object, and no brace in a text: if these bytes were an entry once,
// they do. What is known of them is fetched meanwhile.
void LogParser::Walk::guess_elements(std::string_view text, std::size_t begin) {
  guess_ = guessed_ = 0;
  while (guessed_ < guesses_.size() && begin < text.size()) {
    const void* brace = std::memchr(text.data() + begin, '}', text.size() - begin);
    if (brace == nullptr) return;
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(brace) - text.data()) + 1;
    Guess& guess = guesses_[guessed_++];
    guess = {begin, end, remembered_.entries->fingerprint(text.substr(begin, end - begin), remembered_.reading)};
    remembered_.entries->prefetch(guess.fingerprint);
    begin = skip_white_space(text, end);
    if (begin >= text.size() || text[begin] != ',') return;
    begin = skip_white_space(text, begin + 1);
  }
}

// Moves behind the element that comes next if it is known by its bytes.
bool LogParser::Walk::take_known(std::string_view text, JsonCursor& cursor) {
  const std::size_t begin = cursor.position();
  if (guess_ == guessed_ || guesses_[guess_].begin != begin) guess_elements(text, begin);
  const auto digest = guessed_ == 0 ? std::nullopt : remembered_.entries->find(guesses_[guess_].fingerprint);
  if (!digest) {
    looking_ = ++unknown_ <= kMostUnknown + log.entries.size() / kUnknownShare;
    if (guess_ < guessed_) ++guess_;
    return false;
  }
  const std::size_t end = guesses_[guess_++].end;
  Entry& entry = log.entries.emplace_back();
  entry.raw = text.substr(begin, end - begin);
  entry.base = digest->base;
  entry.hash = digest->hash;
  entry.final = digest->final;
  entry.known = true;
  cursor.pass_element(end);
  return true;
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
        if (looking_) {
          if (take_known(text, cursor)) continue;
          if (!looking_) return false;
        }
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
                                           std::uint64_t session_key, const AnswerLimits& limits,
                                           const Remembered& remembered) {
  std::string_view text = body.text();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return Error(ErrorKind::kBadAnswer, "the answer to the log request is empty");

  walk_->start(dialect, session_key, limits, remembered);
  if (!walk_->through(text)) {
    return Error(ErrorKind::kBadAnswer, "the answer to the log request is not a JSON object");
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
  walk_->read_entries(text);
  return &walk_->log;
}

void LogParser::complete(std::size_t index) { walk_->complete(walk_->log.entries[index]); }

}  // namespace sessionlogd
