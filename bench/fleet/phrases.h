// The message texts of the fleet: what products write, and what breaks parsers.
#pragma once

#include <string>
#include <string_view>

#include "bench/fleet/random.h"

namespace fleet {

// `number` makes most texts of one session different from each other.
std::string make_message(Random& random, std::size_t number);
// Fields no document names, as JSON, starting with a comma.
std::string make_extra(Random& random);
// Bytes that are no UTF-8, each of them bad by itself.
std::string make_bad_bytes(Random& random);
// `depth` arrays within each other, as the value of an unknown field.
std::string make_nested(std::size_t depth);
// An unknown field with a number that no 64 bits hold.
std::string make_big_integer(Random& random);
// The raw JSON of an entry that is not as documented; `label` makes it unique on its source.
std::string make_hostile(Random& random, std::string_view label, const std::string& log_time);

}  // namespace fleet
