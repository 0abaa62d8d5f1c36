// How every format spells what an event has of few values, and times.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/timestamp.h"
#include "core/entries/event.h"
#include "core/state/session_info.h"
#include "core/state/sink.h"

namespace sessionlogd {

std::string_view word(Level level);      // info, notice, warning, error
std::string_view word(Outcome outcome);  // success, failure, unknown
std::string_view word(EventKind kind);   // new, changed, error, gap

std::optional<EventKind> change_of(std::string_view word);

// Takes event.id and event.hash as all formats write them, 32 and 8 hex digits; false: they are none.
bool read_identity(std::string_view id, std::string_view hash, Delivered& into);

// RFC 3339 with its zone; nullopt: it is none.
std::optional<Instant> read_time(std::string_view text);

// Milliseconds since 1970, rounded down, as a decimal number.
void append_milliseconds(std::string& out, Instant at);

// Of a span, rounded down, too.
std::int64_t to_milliseconds(std::int64_t nanoseconds);

// `Text` is std::string or LineBuffer.
template <class Text>
void append_number(Text& out, std::int64_t number) {
  char digits[24];
  out += std::string_view(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

template <class Key>
inline constexpr std::array<Key, 4> kAll = {};
template <>
inline constexpr std::array<EventKind, 4> kAll<EventKind> = {EventKind::kNew, EventKind::kChanged, EventKind::kError,
                                                             EventKind::kGap};
template <>
inline constexpr std::array<Level, 4> kAll<Level> = {Level::kInfo, Level::kNotice, Level::kWarning, Level::kError};

// Texts that are made once, one for each kind of event or for each level.
template <class Key>
class TextsPer {
 public:
  template <class Function>
  explicit TextsPer(Function make) {
    for (const Key key : kAll<Key>) texts_[static_cast<std::size_t>(key)] = make(key);
  }
  std::string_view of(Key key) const { return texts_[static_cast<std::size_t>(key)]; }

 private:
  std::array<std::string, kAll<Key>.size()> texts_;
};

// The text of a time, kept: the next event may well have the same.
class WrittenTime {
 public:
  explicit WrittenTime(void (*spell)(std::string&, Instant) = append_rfc3339) : spell_(spell) {}
  std::string_view text(Instant at) {
    if (at != at_ || text_.empty()) {
      at_ = at;
      text_.clear();
      spell_(text_, at);
    }
    return text_;
  }

 private:
  void (*spell_)(std::string&, Instant);
  Instant at_;
  std::string text_;
};

// The session of the event before: the next is of the same one, mostly, and what stands of it in a line is kept.
class KeptSession {
 public:
  // Whether it is another one, or says something else; it is kept then.
  bool changes_to(const SessionInfo& session);

 private:
  bool any_ = false;
  std::string id_, type_, name_, parent_;
};

}  // namespace sessionlogd
