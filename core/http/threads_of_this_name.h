// How many other threads of the process are named like the calling one. A thread has the name of the one that made it
// until it is given another: so a thread with a name of its own learns how many of those that a library made for it
// still run. Reads /proc.
#pragma once

#include <cstddef>
#include <optional>

namespace sessionlogd {

// nullopt: it cannot be known.
std::optional<std::size_t> other_threads_of_this_name();

// Gives the calling thread a name that no other thread has.
void name_this_thread();

}  // namespace sessionlogd
