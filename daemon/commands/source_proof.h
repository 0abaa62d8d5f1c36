// What one listing and one log of a source prove: that events come out of it, and what they look like; or what keeps
// them from coming, or would make them wrong. Knows nothing of requests: it is given the pages and the log.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "core/base/body.h"
#include "core/base/time_zone.h"
#include "core/base/timestamp.h"
#include "core/entries/event.h"
#include "core/entries/log_parser.h"
#include "core/polling/session_list.h"

namespace sessionlogd {

class SourceProof {
 public:
  // So many rows tell enough, however many there are.
  static constexpr std::size_t kMostRows = 10'000;

  // Both outlive this.
  SourceProof(const SourceSettings& source, Encoder& encoder);

  // A page of the listing, or one session that the settings name.
  void listed(const SessionPage& page);
  void listed(const ListedSession& session);
  bool has_enough_rows() const { return rows_.size() >= kMostRows; }
  // The listing says that there are more rows than it showed to its end.
  void short_of_total(std::size_t shown, std::size_t total);
  // The listing has ended, and why it may not have shown all ("" = it has).
  void listing_ended(std::string_view missing);

  // The sessions whose logs are to be read in turn until one has entries: three at most, the likeliest first.
  const std::vector<ListedSession>& to_read() const { return to_read_; }
  // The log of one of them. False: it has no entries.
  bool read(const ListedSession& session, const Body& log);
  // It could not be had, and why. That stands in the way where no other could be had either.
  void refused(std::string why) { refused_.push_back(std::move(why)); }

  // All was read; `now` by the source's clock.
  void conclude(Instant now);

  // What stands in the way, and what to do about it; "" = nothing that was seen. The first that was found.
  const std::string& fault() const { return fault_; }
  // The texts of the source that stand in any of what is said here, and in requests for what is to be read: before they
  // are looked at nothing is to be shown. Our own words around them may well be somebody's password.
  const std::vector<std::string>& quoted() const { return quoted_; }
  // What else a person should know, one thing each.
  const std::vector<std::string>& notes() const { return notes_; }
  // The first event as it would be delivered, without its "\n"; "" = there is none.
  const std::string& first_event() const { return first_event_; }
  bool was_listed() const { return listed_; }
  std::size_t sessions() const { return ids_.size(); }
  bool was_read() const { return logs_ > 0; }
  std::size_t entries() const { return entries_; }  // of the last log that was read

 private:
  std::size_t unusable() const { return rows_.size() - std::min(rows_.size(), usable_rows_.size()); }
  void look_at(const SessionLog& log);
  using Counts = std::map<std::string, std::size_t, std::less<>>;  // by word
  std::string quote(const Counts& words);
  void quote_event(const ListedSession& session, const SessionLog& log);
  void quote_entry(std::string_view entry);
  void encode(const ListedSession& session, const Body& log, std::uint64_t key);
  void say_filtered();
  void say_shift(Instant now);
  void say_not_found(const SessionLog& log, EntryField field);
  void saw_times_of(const ListedSession& session);
  void saw(const std::optional<ReadTime>& time);
  std::optional<Instant> newest_past() const;
  void fail(std::string why) {
    if (fault_.empty()) fault_ = std::move(why);
  }

  const SourceSettings& source_;
  Encoder& encoder_;
  ZoneRules zone_;
  std::string fault_, first_event_;
  std::vector<std::string> notes_;
  std::vector<ListedSession> to_read_;
  std::unordered_set<std::string> ids_;
  // Pages overlap, and may repeat each other: rows by their hash, and those with an id that can be used.
  std::unordered_set<std::uint64_t> rows_;
  std::set<std::pair<std::string, std::uint64_t>> usable_rows_;
  std::size_t wanted_ = 0, entries_ = 0, logs_ = 0;
  bool listed_ = false, has_status_ = false, has_start_ = false;
  Counts dropped_, unknown_states_;  // by type, by state
  std::vector<std::string> refused_, quoted_;
  // Times without a zone, as they were written: the newest at which a finished session stopped, and others.
  std::optional<Instant> newest_stop_;
  std::vector<Instant> times_;
};

}  // namespace sessionlogd
