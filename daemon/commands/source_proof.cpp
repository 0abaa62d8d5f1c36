#include "daemon/commands/source_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <tuple>
#include <utility>

#include "core/base/json_text.h"
#include "core/entries/log_reader.h"
#include "core/polling/session_table.h"
#include "core/state/batch_queue.h"
#include "core/state/identity.h"
#include "core/state/session_state.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kMostLogs = 3;
constexpr std::int64_t kQuarter = 15 * 60;      // of an hour, in seconds: zones differ by multiples of it
constexpr std::size_t kMostWords = 5;           // that are named in one note
constexpr std::size_t kMostMapped = 64;         // words that are counted apart
constexpr std::size_t kMostQuoted = 64u << 10;  // bytes of entries that may be the first event's

// What a dialect calls the fields, in its file.
constexpr std::array<std::string_view, kEntryFields> kFieldKeys{"log_time", "status",      "message", "start",
                                                                "duration", "resource_id", "id"};

std::string text_of(std::string_view token) {
  std::string text;
  if (!is_string_token(token) || !append_decoded(text, token)) text = token;
  return text;
}

void count_word(std::map<std::string, std::size_t, std::less<>>& counts, const std::string& word) {
  if (const auto known = counts.find(word); known != counts.end()) {
    ++known->second;
  } else if (counts.size() < kMostMapped) {
    counts.emplace(word, 1);
  }
}

// The first names that stand in an entry.
std::vector<std::string> keys_of(std::string_view entry) {
  std::vector<std::string> keys;
  JsonCursor cursor(entry);
  if (!cursor.enter('{')) return keys;
  while (keys.size() < 2 * kMostWords) {
    const auto key = cursor.next_key();
    if (!key || !cursor.take_value()) break;
    keys.push_back(text_of(*key));
  }
  return keys;
}

std::string zone_of(std::int64_t offset_seconds) {
  const std::int64_t minutes = std::abs(offset_seconds) / 60;
  return fmt::format("{}{:02}:{:02}", offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string in_hours(std::int64_t seconds) {
  const std::int64_t minutes = (std::abs(seconds) + 59) / 60;
  return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
         : minutes < 60    ? fmt::format("{} min", minutes)
                           : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

// Whether a word for a session's state is one that the dialect has for anything.
bool is_known_state(const Dialect& dialect, const std::string& word) {
  const auto& running = dialect.sessions.running_words;
  return dialect.session_is_final(word) || dialect.session_is_queued(word) || dialect.status(word) != nullptr ||
         std::ranges::find(running, word) != running.end();
}

}  // namespace

SourceProof::SourceProof(const SourceSettings& source, Encoder& encoder)
    : source_(source), encoder_(encoder), zone_(source.time_zone) {}

void SourceProof::listed(const SessionPage& page) {
  listed_ = true;
  for (const ListingWalk::Row& row : page.rows) rows_.insert(row.hash);
  for (const ListedSession& session : page.sessions) {
    usable_rows_.emplace(session.id, session.digest >> 32);  // what its row's hash is made of
    listed(session);
  }
}

void SourceProof::listed(const ListedSession& session) {
  listed_ = true;
  if (!ids_.insert(session.id).second) return;
  saw_times_of(session);
  has_status_ |= !session.status.empty();
  has_start_ |= session.start.has_value();
  if (!session.status.empty() && !is_known_state(*source_.dialect, session.status))
    count_word(unknown_states_, session.status);
  if (!is_wanted(source_, session)) return count_word(dropped_, session.type);
  ++wanted_;
  // A queued one has nothing to read yet, and one that has ended is sure to have all.
  const auto rank = [&](const ListedSession& of) {
    const Dialect& dialect = *source_.dialect;
    return std::tuple(!dialect.session_is_queued(of.status), dialect.session_is_final(of.status),
                      of.start ? of.start->instant : Instant{INT64_MIN});
  };
  const auto place =
      std::ranges::find_if(to_read_, [&](const ListedSession& other) { return rank(other) < rank(session); });
  to_read_.insert(place, session);
  if (to_read_.size() > kMostLogs) to_read_.pop_back();
}

// What waits to begin has times that are planned, and what is in a state that nobody knows may wait.
void SourceProof::saw_times_of(const ListedSession& session) {
  const Dialect& dialect = *source_.dialect;
  if (!is_known_state(dialect, session.status) || dialect.session_is_queued(session.status)) return;
  saw(session.start);
  if (dialect.session_is_final(session.status) && session.stop && !session.stop->zoned)
    newest_stop_ = std::max(newest_stop_.value_or(session.stop->instant), session.stop->instant);
}

void SourceProof::saw(const std::optional<ReadTime>& time) {
  if (time && !time->zoned) times_.push_back(time->instant);
}

// The newest time that must have passed, whatever the zone: a finished session has stopped. Any other time may speak of
// what is to come, or be wrong: three of them must agree to a quarter of an hour.
std::optional<Instant> SourceProof::newest_past() const {
  std::vector<Instant> times = times_;
  std::ranges::sort(times, std::greater<>());
  for (std::size_t i = 0; i + 2 < times.size(); ++i) {
    if (times[i].seconds - times[i + 2].seconds <= kQuarter) return std::max(times[i], newest_stop_.value_or(times[i]));
  }
  return newest_stop_;
}

// "Policy (8), Retention (4) and 3 more"
std::string SourceProof::quote(const Counts& words) {
  std::string text;
  std::size_t named = 0;
  for (const auto& [word, count] : words) {
    if (named == kMostWords) break;
    text += fmt::format("{}\"{}\" ({})", named == 0 ? "" : ", ", word, count);
    quoted_.push_back(word);
    ++named;
  }
  if (words.size() > named) text += fmt::format(" and {} more", words.size() - named);
  return text;
}

// What of the session and its log may stand in the first event, which is that of the earliest entry.
void SourceProof::quote_event(const ListedSession& session, const SessionLog& log) {
  for (const std::string& text : {session.id, session.type, session.name, session.parent, session.status})
    quoted_.push_back(text);
  std::vector<const Entry*> entries;
  for (const Entry& entry : log.entries) entries.push_back(&entry);
  std::ranges::stable_sort(entries, {}, [this](const Entry* entry) {
    const bool has_time = entry->fault == nullptr && entry->log_time;
    return std::pair(!has_time, has_time ? zone_.to_utc(*entry->log_time) : Instant{});
  });
  std::size_t bytes = 0;
  for (const Entry* entry : entries) {
    quote_entry(entry->raw);
    if ((bytes += entry->raw.size()) >= kMostQuoted) break;
  }
}

// Its values, and the names that are not the dialect's.
void SourceProof::quote_entry(std::string_view entry) {
  const auto& names = source_.dialect->log.fields;
  JsonCursor cursor(entry);
  if (!cursor.enter('{')) return quoted_.emplace_back(entry), void();
  while (const auto key = cursor.next_key()) {
    const auto value = cursor.take_value();
    if (!value) break;
    if (std::ranges::find(names, text_of(*key)) == names.end()) quoted_.emplace_back(*key);
    quoted_.emplace_back(*value);
  }
  if (cursor.faulty()) quoted_.emplace_back(entry);
}

void SourceProof::short_of_total(std::size_t shown, std::size_t total) {
  std::string what =
      fmt::format("the listing says that there are {} sessions and shows {}: may the account see them?", total, shown);
  // Of a window it may count those outside, too.
  if (shown == 0 && !source_.poll.lookback) return fail(std::move(what));
  notes_.push_back(std::move(what));
}

void SourceProof::listing_ended(std::string_view missing) {
  for (const ListedSession& session : to_read_) quoted_.push_back(session.id);
  const auto& names = source_.dialect->sessions;
  if (unusable() > 0 && ids_.empty()) {
    fail(
        fmt::format("none of {} sessions has an id that can be used: does \"id\" in [sessions.fields] of dialect {} "
                    "name the right field ({})?",
                    unusable(), source_.dialect->name, names.id.empty() ? "none" : names.id.front()));
  } else if (unusable() > 0) {
    notes_.push_back(
        fmt::format("{} of {} rows have an id that cannot be used (none, longer than 512 bytes, or with "
                    "control characters): these sessions are not read",
                    unusable(), rows_.size()));
  }
  if (has_enough_rows())
    notes_.push_back(fmt::format("only the first {} rows of the listing were looked at", rows_.size()));
  if (!missing.empty())
    fail(
        fmt::format("the listing is not complete: {}; sessions may be missed. Is it the appliance itself that "
                    "responds, and is api_version right?",
                    missing));
  say_filtered();
  if (!unknown_states_.empty())
    notes_.push_back(
        fmt::format("states of sessions that dialect {} does not know: {}; such a session counts as not "
                    "finished. If it is, add the word to final_words",
                    source_.dialect->name, quote(unknown_states_)));
  const auto say_without = [&](std::string_view field, std::string_view consequence) {
    notes_.push_back(
        fmt::format("no session has a {0} that can be read: does \"{0}\" in [sessions.fields] of dialect {1} name the "
                    "right field? Without it {2}",
                    field, source_.dialect->name, consequence));
  };
  if (!ids_.empty() && !has_status_) say_without("status", "no session is ever finished");
  if (!ids_.empty() && !has_start_) say_without("start", "`lookback` leaves no session alone");
}

void SourceProof::say_filtered() {
  std::size_t dropped = 0;
  for (const auto& [type, count] : dropped_) dropped += count;
  if (dropped == 0) return;
  const std::string which = fmt::format("of types {}", quote(dropped_));
  if (wanted_ == 0) {
    fail(fmt::format("session_types drops all {} sessions, {}: correct its include or exclude", ids_.size(), which));
  } else {
    notes_.push_back(
        fmt::format("session_types drops {} of {} sessions, {}", ids_.size() - wanted_, ids_.size(), which));
  }
}

bool SourceProof::read(const ListedSession& session, const Body& log) {
  const std::uint64_t key = session_key(source_.id, session.id);
  LogParser parser;
  const auto parsed = parser.parse(*source_.dialect, log, session.id, key);
  ++logs_;
  if (parsed.has_error()) {
    fail(parsed.error().detail + "; is it the appliance that responds at this url, and does the dialect fit it?");
    return true;
  }
  look_at(**parsed);
  if (entries_ == 0) return false;
  quote_event(session, **parsed);
  encode(session, log, key);
  return true;
}

void SourceProof::look_at(const SessionLog& log) {
  entries_ = log.entries.size();
  if (!log.fault.empty()) fail(log.fault);
  if (!log.more_elsewhere.empty())
    fail(fmt::format("there is more of its log than one response holds: {}", log.more_elsewhere));
  if (entries_ == 0) return;
  const auto& named = source_.dialect->log.fields;
  for (std::size_t field = 0; field < kEntryFields; ++field) {
    const auto has_it = [&](const Entry& entry) { return !entry.field(field).empty(); };
    if (!named[field].empty() && std::ranges::none_of(log.entries, has_it))
      say_not_found(log, static_cast<EntryField>(field));
  }

  const auto is_faulty = [](const Entry& entry) { return entry.fault != nullptr; };
  const auto faulty = static_cast<std::size_t>(std::ranges::count_if(log.entries, is_faulty));
  if (faulty > 0) {
    const char* why = std::ranges::find_if(log.entries, is_faulty)->fault;
    if (faulty == entries_) {
      fail(fmt::format("none of {} entries can be read: {}; look at [log.fields] of dialect {}", entries_, why,
                       source_.dialect->name));
    } else {
      notes_.push_back(
          fmt::format("{} of {} entries cannot be read ({}): each would be delivered raw, with the time "
                      "it was read",
                      faulty, entries_, why));
    }
  }

  std::map<std::string, std::size_t, std::less<>> unknown;
  for (const Entry& entry : log.entries) {
    const std::string_view status = entry.field(EntryField::kStatus);
    if (entry.status == nullptr && !status.empty()) count_word(unknown, text_of(status));
    if (entry.fault == nullptr) saw(entry.log_time);
  }
  if (!unknown.empty())
    notes_.push_back(
        fmt::format("status words of entries that dialect {} does not know: {}; they count as final, of "
                    "unknown outcome. [statuses] of the dialect says what they mean",
                    source_.dialect->name, quote(unknown)));
}

void SourceProof::say_not_found(const SessionLog& log, EntryField field) {
  const auto number = static_cast<std::size_t>(field);
  const std::string what = fmt::format("none of {} entries has \"{}\" ({} of [log.fields] in dialect {})", entries_,
                                       source_.dialect->log.fields[number], kFieldKeys[number], source_.dialect->name);
  // Without these an event says nothing; the others may well be empty in one log.
  if (field == EntryField::kLogTime || field == EntryField::kStatus || field == EntryField::kMessage) {
    const std::vector<std::string> keys = keys_of(log.entries.front().raw);
    quoted_.insert(quoted_.end(), keys.begin(), keys.end());
    fail(fmt::format("{}; they have: {}", what, fmt::join(keys, ", ")));
  } else {
    notes_.push_back(what);
  }
}

// By the same road as the daemon's.
void SourceProof::encode(const ListedSession& session, const Body& log, std::uint64_t key) {
  SessionInfo info{
      .id = session.id, .type = session.type, .name = session.name, .parent = session.parent, .status = session.status};
  if (session.start) info.start = zone_.to_utc(*session.start);
  if (session.stop) info.stop = zone_.to_utc(*session.stop);
  SessionState state;
  state.key = key;
  state.info = info;
  BatchQueue queue(1);
  const SourceFormat format{.source_id = source_.id,
                            .dialect = source_.dialect.get(),
                            .zone = zone_,
                            .keep_original = source_.keep_original,
                            .only_final = source_.poll.changes == Changes::kFinal,
                            .encoder = &encoder_,
                            .queue = &queue};
  const MemoryShares shares{.events_per_read = 1};
  const auto read = LogReader(shares).read(format, state, log, true);
  if (read.has_error()) return fail(read.error().detail);
  if (read->events() == 0) return;
  queue.close();
  std::vector<Batch> batches;
  queue.take(batches, 1, std::chrono::milliseconds{0});
  const Batch& first = batches.front();
  first_event_ = first.events.substr(0, first.index.front().size - 1);
}

void SourceProof::conclude(Instant now) {
  if (logs_ == 0 && !refused_.empty()) {
    fail(refused_.front());
  } else {
    notes_.insert(notes_.end(), refused_.begin(), refused_.end());
  }
  if (fault_.empty() && ids_.empty() && unusable() == 0) {
    notes_.push_back(source_.poll.lookback
                         ? "no session began within lookback: that events come out could not be proved"
                         : "there is no session yet: that events come out could not be proved");
  } else if (fault_.empty() && entries_ == 0) {
    notes_.push_back(fmt::format("{} read, without entries: that events come out could not be proved",
                                 logs_ == 1 ? "one log was" : fmt::format("{} logs were", logs_)));
  }
  say_shift(now);
}

// Times without a zone that are another's are ahead by its offset, or behind; what has passed is not later than now.
// Behind is a guess: nothing may have happened since.
void SourceProof::say_shift(Instant now) {
  constexpr std::int64_t kSlack = 60, kMost = 14 * 3600, kLeastBehind = 3600;
  const std::optional<Instant> written = newest_past();
  if (!written) return;
  const Instant newest = zone_.to_utc({.instant = *written});
  const std::int64_t ahead = newest.seconds - now.seconds;
  const std::int64_t set = written->seconds - newest.seconds;  // the offset in use
  std::string at;
  append_rfc3339(at, {newest.seconds, 0});
  if (ahead > kSlack && ahead <= kMost) {
    const std::int64_t off = (ahead - kSlack + kQuarter - 1) / kQuarter * kQuarter;
    notes_.push_back(
        fmt::format("its newest time, {}, is {} in the future: its times carry no zone and are not in {}. "
                    "Set time_zone to the zone that it writes in, such as \"{}\"",
                    at, in_hours(ahead), source_.time_zone.name, zone_of(set + off)));
    return;
  }
  const std::int64_t off = -ahead / kQuarter * kQuarter;
  if (ahead < 0 && off >= kLeastBehind && off <= kMost && -ahead - off <= kSlack)
    notes_.push_back(
        fmt::format("its newest time, {}, is {} behind. If that was just now, its times, which carry no "
                    "zone, are not in {}: set time_zone = \"{}\"",
                    at, in_hours(off), source_.time_zone.name, zone_of(set - off)));
}

}  // namespace sessionlogd
