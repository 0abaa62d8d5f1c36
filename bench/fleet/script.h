// The log of one session as a script: for every entry when it appears and through which states it goes. Written once
// from the session's seed; what a log shows at a moment is then a question to the script, not a step of a simulation,
// so any moment can be looked at again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

// What a paged log shows of its entries.
inline constexpr std::size_t kLogPage = 30;

struct Step {
  Nanos at;
  std::string_view status;
  Nanos finished;  // when the operation ended; 0: not (yet) said
};

struct Entry {
  std::uint64_t seed = 0;
  // What its message ends in: " #12.7" for the seventh entry of the twelfth session. Entries that a client can only
  // count share one: twins, and those that say the same at other times, " #12.again".
  std::string label;
  Nanos appears = 0;
  Nanos started = 0;        // AWS: executionStartTime. Azure: logTime; its executionStartTime is a little later
  bool has_start = true;    // false, AWS only: there is no executionStartTime
  bool is_short = false;    // has no fields but logTime, message and a status, if there is one
  bool ticks = false;       // while it runs, its logTime (AWS) or duration (Azure) moves on
  bool may_vanish = true;   // never where several share a label: who came back could not be told
  std::string message;      // see json_text.h
  std::string resource;     // Azure, may be empty
  std::string extra;        // further fields as JSON, starting with a comma
  std::string raw;          // a hostile entry: this text, always the same; all else but `appears` is unused then
  std::vector<Step> steps;  // by time, the first at `appears` or before
};

std::vector<Entry> make_script(const Plan& plan, const Session& session);

// What a response says of an entry, times as they are told.
struct State {
  std::string_view status;
  Nanos log_time = 0;
  Nanos start = 0;       // executionStartTime, 0: absent
  std::string duration;  // as JSON spells it but without quotes, empty: absent

  bool operator==(const State&) const = default;
};

// Empty: the entry is not in the log at that moment. Hostile entries have a state without content.
std::optional<State> state_at(const Plan& plan, const Session& session, const Entry& entry, Nanos moment, Nanos freeze);

struct Shown {
  std::size_t entry;  // its place in the script
  State state;
};
struct Log {
  std::vector<Shown> shown;  // in the order of the script
  std::size_t total;         // more than that: the rest is on further pages
};
Log log_at(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment, Nanos freeze);

// Every word but these ends an entry, unknown ones as well.
bool is_final_status(std::string_view status);

// What follows the last " #" of a message; empty: nothing does.
std::string_view label_in(std::string_view message);

}  // namespace fleet
