// The log of one session as a script: for every entry when it appears and through which states it goes. Written once
// from the session's seed; what a log shows at a moment is then a question to the script, not a step of a simulation,
// so any moment can be looked at again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

struct Step {
  Nanos at;
  std::string_view status;
  Nanos finished;  // when the operation ended; 0: not (yet) said
};

struct Entry {
  std::uint64_t seed = 0;
  Nanos appears = 0;
  Nanos started = 0;        // AWS: executionStartTime. Azure: logTime; its executionStartTime is a little later
  bool has_start = true;    // false, AWS only: there is no executionStartTime, so logTime is the identity and stays
  bool ticks = false;       // while it runs, its logTime (AWS) or duration (Azure) moves on
  bool may_vanish = true;   // never among twins: who came back could not be told
  std::string message;      // see json_text.h
  std::string resource;     // Azure, may be empty
  std::string extra;        // further fields as JSON, starting with a comma
  std::string raw;          // a hostile entry: this text, always the same; all else but `appears` is unused then
  std::vector<Step> steps;  // by time, the first at `appears` or before
};

std::vector<Entry> make_script(const Plan& plan, const Session& session);

// What an answer says of an entry besides its identity.
struct State {
  std::string_view status;
  Nanos log_time = 0;
  Nanos start = 0;       // executionStartTime, 0: absent
  std::string duration;  // as JSON spells it but without quotes, empty: absent
};

// Empty: the entry is not in the log at that moment. Hostile entries have a state without content.
std::optional<State> state_at(const Plan& plan, const Session& session, const Entry& entry, Nanos moment, Nanos freeze);

// design.md, section 4: every word but these ends an entry, unknown ones as well.
bool is_final_status(std::string_view status);

}  // namespace fleet
