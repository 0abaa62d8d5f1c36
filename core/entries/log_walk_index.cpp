// Along the index that simdjson makes of a response.
#include <algorithm>
#include <cstring>

#include "core/entries/log_walk.h"

namespace sessionlogd {
namespace {

std::string_view trim_right(const char* begin, const char* end) {
  while (end != begin && is_white_space(end[-1])) --end;
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

}  // namespace

// The next token, and moves behind it.
inline std::string_view LogWalk::take_token() {
  const char* begin = text_.data() + *at_++;
  return trim_right(begin, text_.data() + *at_);
}

// "" = there is no key, or none with its colon.
inline std::string_view LogWalk::take_key() {
  if (next() != '"') return {};
  const std::string_view key = take_token();
  return next() == ':' ? (++at_, key) : std::string_view();
}

// "" = there is no valid value; what must follow one is for the caller to see.
inline std::string_view LogWalk::take_value() {
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

// Which of our fields a key token without escapes names.
std::size_t LogWalk::field_of(std::string_view key) const {
  const auto& names = dialect_->log.fields;
  const auto named = std::find(names.begin(), names.end(), inside_quotes(key));
  return named == names.end() || named->empty() ? kNotAField : static_cast<std::size_t>(named - names.begin());
}

std::string_view LogWalk::take_nested() {
  const std::size_t begin = *at_;
  const auto end = end_of_value(text_, begin);
  if (!end) return {};
  while (*at_ < *end) ++at_;
  return text_.substr(begin, *end - begin);
}

// One member of an entry; `number` says which.
inline bool LogWalk::indexed_field(Entry& entry, std::size_t number) {
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

bool LogWalk::indexed_element() {
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

bool LogWalk::indexed_elements() {
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

// false: it is not plain JSON; the cursor decides what is wrong with it, if anything.
bool LogWalk::with_index(std::string_view text) {
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
      envelope.array();
      if (!indexed_elements()) return false;
    } else {
      const std::string_view value = take_value();
      if (value.empty()) return false;
      envelope.member(name, value);
    }
    if (next() == '}') break;
    if (next() != ',') return false;
    ++at_;
  }
  return *++at_ == text_.size();
}

}  // namespace sessionlogd
