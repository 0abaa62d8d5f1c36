#include "core/entries/log_walk.h"

#include <fmt/core.h>

#include <algorithm>

namespace sessionlogd {

// The cheapest way that leads through.
bool LogWalk::through(std::string_view text) {
  clear();
  known_.look(remembered_);
  if (known_.is_looking()) {
    const bool is_log = with_cursor(text);
    if (known_.is_looking()) return is_log;
    clear();
  }
  if (limits_.indexed_entries > 0) {
    most_entries_ = limits_.indexed_entries;
    log.is_utf8 = with_index(text);  // the index sees to that
    if (log.is_utf8) return true;
    if (too_many) index_ = JsonIndex();  // what it took is for entries
    clear();
  }
  return with_cursor(text);
}

void LogWalk::say_unreadable(std::size_t position) {
  log.fault = fmt::format("{} entries cannot be read, what follows from byte {} on is not tried",
                          LogParser::kMostUnreadable, position);
}

void LogWalk::read_entries(std::string_view text) {
  const auto encoding = log.is_utf8 ? EntryReader::Encoding::kUtf8 : EntryReader::Encoding::kUnchecked;
  std::size_t unreadable = 0;
  for (std::size_t i = 0; i < log.entries.size(); ++i) {
    Entry& entry = log.entries[i];
    if (entry.known) continue;
    reader_.read(*dialect_, entry, session_key_, encoding);
    if (entry.fault != nullptr && ++unreadable > LogParser::kMostUnreadable) {
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

void LogWalk::complete(Entry& entry) {
  if (!entry.known) return;
  entry.known = false;
  read_tokens(entry);
  reader_.read(*dialect_, entry, session_key_, EntryReader::Encoding::kUnchecked);
}

void LogWalk::element(std::string_view raw) {
  Entry& entry = log.entries.emplace_back();
  entry.raw = raw;
  read_tokens(entry);
}

// Of an entry that is a valid value.
void LogWalk::read_tokens(Entry& entry) {
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

// Moves behind the elements that come next and are known by their bytes; false: the next is not.
bool LogWalk::take_known(std::string_view text, JsonCursor& cursor) {
  const auto found = known_.find(text, cursor.position());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const KnownEntryFinder::Found& known = found[i];
    const auto begin = static_cast<std::size_t>(known.raw.data() - text.data());
    if (i > 0 && !takes_more(begin)) break;
    Entry& entry = log.entries.emplace_back();
    entry.raw = known.raw;
    entry.base = known.digest.base;
    entry.hash = known.digest.hash;
    entry.final = known.digest.final;
    entry.known = true;
    cursor.pass_element(begin + known.raw.size());
  }
  return !found.empty();
}

// false: no log at all. Otherwise every entry before the first fault is taken.
bool LogWalk::with_cursor(std::string_view text) {
  JsonCursor cursor(text);
  if (!cursor.enter('{')) return false;
  bool seen_entries = false;
  while (const auto key = cursor.next_key()) {
    key_.clear();
    if (key->size() <= kLongestToken) append_decoded(key_, *key);
    if (key_ == dialect_->log.entries && !seen_entries && cursor.peek() != 'n') {
      seen_entries = true;
      if (!cursor.enter('[')) {
        envelope.not_an_array();
        return true;
      }
      envelope.array();
      while (cursor.next_element()) {
        if (!takes_more(cursor.position())) return true;
        if (known_.is_looking()) {
          if (take_known(text, cursor)) {
            if (has_ended()) return true;
            continue;
          }
          if (!known_.is_looking()) return false;
        }
        const auto value = cursor.take_value();
        if (!value) break;
        element(*value);
      }
    } else if (const auto value = cursor.take_value()) {
      envelope.member(key_, *value);
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

}  // namespace sessionlogd
