// Compares what the sources hold with what was delivered: every entry that a source shows must be among the events, in
// its present form. No I/O.
//
//   expect()        the entries of every session, as the sources show them now
//   delivered()     every event of the output, in any order
//   expect_still()  the entries of one session that is in question, as its source shows them a while later
//   counts()        what is missing, changed since, or delivered although no source shows it any more
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time_shift.h"
#include "core/base/time_zone.h"
#include "core/base/timestamp.h"
#include "core/entries/log_parser.h"
#include "core/state/session_history.h"
#include "core/state/sink.h"

namespace sessionlogd {

class Audit {
 public:
  // One session as its source shows it.
  struct Session {
    std::size_t source = 0;  // any number
    std::string id;
    std::uint64_t key = 0;
    // Entries with earlier log times should have been delivered; the daemon will read the others yet. INT64_MAX: all
    // should, INT64_MIN: none must.
    Instant due_before{INT64_MAX};
    std::optional<Instant> start{};  // as the listing says
    // What the state counts as delivered: these entries, and all with log times up to then.
    const SessionHistory* remembered = nullptr;
    Instant delivered_to{INT64_MIN};
    TimeShift shift{};  // SessionState's: so its log is to be read
  };

  struct Counts {
    std::size_t sessions = 0, entries = 0;
    std::size_t missing = 0;  // no event
    std::size_t changed = 0;  // events, but none of its present form
    std::size_t pending = 0;  // either, but not due yet, or not shown any more before anybody else could read it
    std::size_t extra = 0;    // events that the source does not show any more: entries vanish
    std::size_t emptied = 0;  // sessions whose log shows no entry at all, though some were delivered

    bool is_well() const { return missing == 0 && changed == 0; }
  };

  // What is wrong with one entry.
  struct Finding {
    std::size_t source;
    std::string session;
    std::optional<Instant> log_time;
    bool changed;     // else missing
    bool remembered;  // the state counts it as delivered: nobody will deliver it again
  };

  // Entries whose form is not due under `changes = "final"` are left out. `former` tells of the log's entries as what
  // else they may have been delivered. Returns before when, by the appliance's clock, nothing of it can have been
  // delivered: INT64_MIN when that is not told.
  Instant expect(Session session, const SessionLog& log, const ZoneRules& zone, bool only_final,
                 FormerReadings& former);

  // Sessions of which something is missing, changed since, or whose log has become empty. As long as nothing else is
  // expected.
  std::vector<const Session*> in_question() const;

  // `log`: of a session in question, read again. What it shows no more, or in another form, may never have been there
  // for who read the source at other times.
  void expect_still(const Session& session, const SessionLog& log, bool only_final);

  void delivered(const Delivered& event);

  // Nothing of what was delivered counts: the output is about to be read again.
  void forget_delivered();

  // By `source`.
  std::vector<Counts> counts(std::size_t sources) const;

  // At most `most` of them.
  std::vector<Finding> findings(std::size_t most) const;

 private:
  class HashesOf;
  // By identity.
  using Counted = boost::unordered_flat_map<std::uint64_t, std::uint32_t>;
  // Entries of one identity: which of them has which key and form is not told, only how many there are.
  struct Twins {
    std::uint32_t size = 0;                                // in the log
    std::uint32_t remembered = 0;                          // of these by the state
    boost::unordered_flat_set<std::uint64_t> delivered{};  // by entry_key
  };
  struct Expected {
    std::uint32_t hash, former_hash;
    std::uint64_t base;
    std::uint32_t rank = 0;            // among its twins
    bool remembered = false;           // the state counts it as delivered
    bool remembered_as_it_is = false;  // in its present form
    bool delivered = false, as_it_is = false;
    bool is_shown = true, is_shown_so = true;  // by the latest reading: at all; in this form
    std::optional<Instant> log_time;
  };
  struct SessionEntries {
    Session session;
    boost::unordered_flat_map<std::uint64_t, Expected> entries;       // by entry_key
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> aliases;  // what else an entry_key may have been
    boost::unordered_flat_map<std::uint64_t, Twins> twins;            // by identity; entries without twins have none
    std::size_t extra = 0;
    bool shows_none = false;
  };
  enum class State { kWell, kMissing, kChanged, kPending };
  const std::vector<Emission>& entries_of(const SessionLog& log, std::uint64_t session_key, bool only_final);
  static void add_aliases(SessionEntries& all, std::uint64_t key, const FormerDigest& former, Counted& ordinals);
  static void count_remembered(SessionEntries& all, const HashesOf& remembered, const Counted& due);
  static State state_of(const SessionEntries& all, const Expected& entry);
  static bool is_remembered(const SessionEntries& all, const Expected& entry);
  static bool is_in_question(const SessionEntries& all);

  std::vector<SessionEntries> sessions_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> by_key_;  // session_key -> sessions_
  HistoryComparer comparer_;
  std::vector<EntryDigest> digests_;
};

}  // namespace sessionlogd
