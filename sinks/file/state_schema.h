// The tables of a state's database, and how one that an earlier version has left becomes one of this version.
//
//   state     one row per StateRecord, with a checksum, for SQLite has none for what it stores
//   position  one row: up to where in which output file every line belongs to committed state
#pragma once

#include "sinks/file/state_database.h"

namespace sessionlogd {

// Makes the tables in an empty database, or checks those that are there and brings them up to date. Throws
// StateMismatch when they are damaged, not ours or of a newer version, TryLater when there is no room, and as
// StateDatabase does, also what `tell` throws. Ended or killed at any moment and called again, it goes on.
void bring_up_to_date(StateDatabase& database, const StateDatabase::Tell& tell);

// Throws StateMismatch when the database is not ours or of a newer version, std::runtime_error when it is of an older
// one.
void check_is_up_to_date(StateDatabase& database);

}  // namespace sessionlogd
