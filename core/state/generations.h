// The sessions that an id names one after the other: each has a generation, and so a session_key of its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/state/identity.h"

namespace sessionlogd {

// Versions before dropped marks one by one, so that a later session of an id may be marked and an earlier one not.
inline constexpr std::uint32_t kMostUnknownGenerations = 3;

// Calls on_one(what is known) for each session that the id ever named and that is known, the first one first.
// `look`(generation, session_key) returns what is known of one, as an optional.
template <class Look, class OnOne>
void for_each_generation(std::string_view source_id, std::string_view id, Look look, OnOne on_one) {
  for (std::uint32_t generation = 0, unknown = 0; unknown < kMostUnknownGenerations; ++generation) {
    const auto one = look(generation, session_key(source_id, id, generation));
    unknown = one ? 0 : unknown + 1;
    if (one) on_one(*one);
  }
}

}  // namespace sessionlogd
