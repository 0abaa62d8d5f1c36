// What the fleet served, written down for the judge: one JSON object a line.
//
//   {"record":"session","source":"aws-0001","dialect":"aws","session":"...","start":"...","broken":false,"gaps":0,
//    "entries":[{"m":message,"t":identity time,"r":resource,"a":when it appears in
//    ns,"s":[[owed,status,logTime,start,duration],...],"x":unknown fields},...], "errors":[[owed,raw],...]}
//   {"record":"account","source":"aws-0001",...,"told":["what was not right",...]}
//
// "s" are the distinct states in the order they were served, compared as the daemon must: of a status that is not final
// only the word counts. "owed" is 1 if the state was in at least one complete and correct answer, 0 if only in broken
// ones. "broken": some moment of this session was served in broken answers only. "gaps": how many gap events it may
// have: one if the appliance has deleted it. It is never required: a client needs its time to be sure.
//
// Sessions of one id on one source are generations of it, told apart by their start. All times of a later generation
// are later than those of the one before, so an event belongs to the generation that has an entry of its identity, and
// no event.id may belong to two. Error events are counted: each generation may have one of the same raw text.
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

}  // namespace fleet
