// What the fleet served, written down for the judge: one JSON object a line.
//
//   {"record":"session","source":"aws-0001","dialect":"aws","session":"...","start":"...","broken":false,"gaps":0,
//    "numbers":[{"n":"12.7","m":message,"h":its hash,"l":its hash in one line,
//      "f":[[final,status,resource,when,[[logTime,start,duration],...]],...],
//      "e":[{"a":when it appears in ns,"x":unknown fields,"s":[[form,owed],...]},...]},...],
//    "errors":[[owed,raw],...]}
//   {"record":"account","source":"aws-0001",...,"told":["what was not right",...]}
//
// "n" is what the message ends in: it says which entries of the script this is, one nearly always, else twins and those
// that say the same at another time. "f" are the forms in which they were served: what a consumer could see of them. A
// form is one piece of news, as the script knows it, and has every spelling it was served in: all ticks of a step that
// is not over are one form, and so are seven and six digits of one time. "when" is the first moment it was served. "e"
// are the entries, each with its forms in the order they were served. "owed" is 1 if a form was in at least one
// complete and correct response, 0 if only in broken ones. A message that is long is cut, its hash (see hash_of) is
// that of all of it, and "l" is there where in_one_line() changes it. "broken": some response of this session was
// broken. "gaps": how many gap events are due to it at most: one if the appliance has deleted it. It is never required:
// a client needs its time to be sure.
//
// Sessions of one id on one source are generations of it, told apart by their start; their numbers differ. Error events
// are counted by their raw text.
//
// A session that is there at the end and whose last state was never served completely has a line that says so:
//   {"record":"unread","source":"aws-0001","session":"...","start":"...","life":"reopened"}
#pragma once

#include <string>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/record.h"

namespace fleet {

// The lines of one appliance. The served moments are looked at again: the script says what each of them showed.
std::string ledger_lines(const Plan& plan, const ApplianceRecord& record, Nanos freeze);

// Written beside and renamed over, so that a reader never meets half a ledger. Throws std::system_error.
void write_ledger(const std::string& path, const Plan& plan, const std::vector<ApplianceRecord>& records, Nanos freeze);

// Who came when, likewise.
void write_visits(const std::string& path, const Plan& plan, const std::vector<ApplianceRecord>& records);

}  // namespace fleet
