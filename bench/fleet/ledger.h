// What the fleet served, written down for the judge: one JSON object a line.
//
//   {"record":"session","source":"aws-0001","dialect":"aws","session":"...","broken":false,
//    "entries":[{"m":message,"t":identity time,"r":resource,"s":[[owed,status,logTime,start,duration],...]},...],
//    "errors":[[owed,raw],...]}
//   {"record":"account","source":"aws-0001",...}
//
// "s" are the distinct states in the order they were served, compared as the daemon must: of a status that is not final
// only the word counts. "owed" is 1 if the state was in at least one complete and correct answer, 0 if only in broken
// ones. "broken": some moment of this session was served in broken answers only.
#pragma once

#include <string>
#include <vector>

#include "bench/fleet/account.h"
#include "bench/fleet/appliance.h"
#include "bench/fleet/plan.h"

namespace fleet {

// What one appliance had served when it was asked; small, since moments stand for their contents.
struct ApplianceRecord {
  std::size_t index;
  std::vector<std::vector<Served>> served;  // per session
  Account account;
};

// The lines of one appliance. The served moments are looked at again: the script says what each of them showed.
std::string ledger_lines(const Plan& plan, const ApplianceRecord& record, Nanos freeze);

// Written beside and renamed over, so that a reader never meets half a ledger. Throws std::system_error.
void write_ledger(const std::string& path, const Plan& plan, const std::vector<ApplianceRecord>& records, Nanos freeze);

}  // namespace fleet
