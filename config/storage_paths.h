// What stands at the paths that the daemon is to write to, as far as it rules them out for good: a person must choose
// another path or remove what is there, and no restart helps.
#pragma once

#include <string>

namespace sessionlogd {

// What the daemon itself keeps in its state directory. `state.db` has files beside it whose names begin with its own,
// and so has what is written anew and renamed.
namespace state_names {
inline constexpr const char* kState = "state.db";
inline constexpr const char* kLock = "lock";
inline constexpr const char* kControl = "control.sock";
inline constexpr const char* kAccounts = "accounts";
inline constexpr const char* kQuarantine = "quarantine";
}  // namespace state_names

// Whether `path` is one of these in `state_dir`, lies below one, or is the directory itself. Both are absolute.
bool is_of_the_state(const std::string& path, const std::string& state_dir);

// Whether both absolute paths lead to one place, also where nothing is yet.
bool is_one_place(const std::string& path, const std::string& other);

// Why there can be no output file at `path` (absolute), as "found ..., expected ..."; "" when there can. Nothing there
// is fine in a directory that is there, or that the unit makes, and so is what cannot be examined now.
std::string find_fault_of_output(const std::string& path);

// The same for a directory that is made if it is missing. A link to one is fine.
std::string find_fault_of_directory(const std::string& path);

}  // namespace sessionlogd
