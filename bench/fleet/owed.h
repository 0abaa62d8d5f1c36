// A ledger in memory, keyed by the numbers that the fleet wrote into its messages. Shares no code and no rule with the
// daemon: which entry an event is about, and whether it says something new, the ledger knows and nobody works out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/fleet/written.h"

namespace fleet {

// What an event says of its entry, or a response said, in one spelling: times as instants, the start as exactly as the
// format has it.
std::string spelling_of(const LineFormat& format, std::string_view status, std::string_view resource,
                        std::string_view log_time, std::string_view start, std::string_view duration);

// One piece of news: see ledger.h.
struct Form {
  bool final = false;
  std::string shown;  // for messages to people
};

struct Serving {
  std::size_t form;
  bool owed;
};

// The entries that share a number: nearly always one.
struct Number {
  std::string shown;  // for messages to people
  std::string hash;   // of the message, as the format has it
  bool gap_due = false;
  std::vector<Form> forms;
  std::unordered_map<std::string, std::size_t> by_spelling;  // number of the form
  std::vector<std::vector<Serving>> entries;                 // each entry's forms in the order they were served
  std::vector<std::string> extras;                           // each entry's unknown fields, empty: none
  struct Written {
    std::uint32_t id;  // number of the event.id, see reckon.cpp
    std::size_t form;
    std::uint32_t hash;
  };
  std::vector<Written> written;  // in the order of the output
};

// Equal raw texts in several generations of a session are several errors.
struct OwedError {
  std::uint64_t served = 0;
  std::uint64_t owed = 0;
  std::uint64_t written = 0;
  bool gap_due = false;
};

// All generations of one id: their numbers differ.
struct OwedSession {
  bool broken = false;  // some responses of it were broken: the client may have read parts
  std::uint64_t gaps_due = 0;
  std::uint64_t gaps_written = 0;
  std::unordered_map<std::string, Number> numbers;
  std::map<std::string, OwedError> errors;  // by raw text
};

class Owed {
 public:
  // As a reader of this format sees it: forms which it does not tell apart are one. Throws std::runtime_error when the
  // file is no ledger.
  static Owed read(const std::string& path, const LineFormat& format);

  OwedSession* find(std::string_view source, std::string_view session);
  std::map<std::string, OwedSession>& sessions() { return sessions_; }
  // What was not read to its end, for people.
  const std::vector<std::string>& unread() const { return unread_; }

 private:
  std::map<std::string, OwedSession> sessions_;  // "source session"
  std::vector<std::string> unread_;
};

}  // namespace fleet
