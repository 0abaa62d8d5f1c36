// Strings of the fleet and how JSON may spell them. Inside, a text is UTF-8 which may hold lone surrogates in their
// three-byte form (WTF-8), since appliances send such escapes; what the daemon is held to is the text with those as
// U+FFFD. It may also hold single bytes that are no UTF-8 at all, which appliances send as they are; each of them is
// owed as U+FFFD too.
#pragma once

#include <string>
#include <string_view>

#include "bench/fleet/random.h"

namespace fleet {

// Appends `text` as a JSON string, spelled plainly: raw UTF-8, short escapes where there are some.
void append_json(std::string& to, std::string_view text);
// The same text in a random spelling: \uXXXX where raw would do, \u000a for \n, \/ for /.
void append_json_respelled(std::string& to, std::string_view text, Random& random);

// What the daemon must make of it: lone surrogates and bad bytes replaced by U+FFFD, one for each.
std::string as_owed(std::string_view text);

// What formats make of it whose events are a line of plain text: the ends of lines are spelled \n and \r, other control
// characters but tabs are U+FFFD.
std::string in_one_line(std::string_view text);

// 16 hex digits that stand for a text too long to be repeated.
std::string hash_of(std::string_view text);

}  // namespace fleet
