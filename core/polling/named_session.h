// Which of the sessions that an id ever named a row of the listing means. An id may be given to another session: each
// has a generation, and so a session_key and event ids of its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/polling/session_list.h"
#include "core/state/generations.h"

namespace sessionlogd {

// Digests of rows: a row may have the start of another, or they name the same one.
inline bool may_have_start_of(std::uint64_t digest, const ListedSession& row) {
  return same_start(digest, row.digest) || same_start(digest, row.old_digest);
}
inline bool has_start_of(std::uint64_t digest, const ListedSession& row) {
  return has_start(digest) && has_start(row.digest) && may_have_start_of(digest, row);
}

// Of those that are known the one with the row's start, else the last: then `other_start` tells whether its start is
// another one. `look`(generation, session_key) returns what is known of one, as an optional of something with the
// digest of its row in it, and is called for all of them.
template <class Look>
std::invoke_result_t<Look&, std::uint32_t, std::uint64_t> find_named(std::string_view source_id,
                                                                     const ListedSession& row, Look look,
                                                                     bool& other_start) {
  std::invoke_result_t<Look&, std::uint32_t, std::uint64_t> last, same;
  for_each_generation(source_id, row.id, look, [&](const auto& one) {
    last = one;
    if (has_start_of(one.digest, row)) same = one;
  });
  other_start = !same && last && !may_have_start_of(last->digest, row);
  return same ? same : last;
}

}  // namespace sessionlogd
