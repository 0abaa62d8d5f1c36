// Reads an appliance as the daemon should, in the plainest way there is: every session at every poll, everything in
// memory, nothing fast. Which entry is which it takes from the numbers in their messages, so no fault can confuse it.
// What it writes must agree with the fleet's ledger, which tests both.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/appliance.h"

namespace fleet {

// What a reader may believe that an honest one does not.
enum class Belief : std::uint8_t { nothing, entries_keep_their_times, sessions_keep_their_start };

class HonestReader {
 public:
  HonestReader(Appliance& appliance, Dialect dialect, std::string source, std::string password,
               Belief belief = Belief::nothing);

  // Lists every session and reads every log, at this time of the appliance. A response that cannot be read is left for
  // the next poll.
  void poll(Nanos at);

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  // What an entry says of itself once it is unescaped. `news` is what must change for it to be written again.
  struct Read {
    Nanos began;  // 0: it does not say
    std::string news;
    std::string event;  // the fields of the line beyond id and hash
  };
  struct Known {
    std::string id;
    Nanos began;
    std::string news;
  };
  using Responses =
      std::map<std::string, std::vector<Read>>;  // by number and resource, or raw text, in the order of the response

  bool ask(std::string_view method, std::string path, std::string_view query, std::string_view form, Nanos at,
           std::string& body);
  bool log_in(Nanos at);
  // Ids and starts.
  bool list(Nanos at, std::map<std::string, std::string>& sessions);
  void read_log(const std::string& session, const std::string& start, const std::string& body);
  void read_entry(const std::string& session, const std::string& raw, Responses& responses);
  void settle(const std::string& session, const std::string& number, const std::vector<Read>& read);
  void write(const Known& as, const Read& what);

  Appliance& appliance_;
  const Dialect dialect_;
  const std::string source_;
  const std::string password_;
  const Belief belief_;
  std::string token_;
  std::map<std::string, std::vector<Known>> known_;  // "session number resource"
  simdjson::dom::parser parser_;
  std::vector<std::string> lines_;
};

// The escapes of lone surrogates replaced by \ufffd: simdjson refuses them.
std::string without_lone_escapes(std::string_view json);
// The fields of an entry that documents name, as an object of their own, and what else it has, raw, or nothing. What is
// no object is all known. DOM parsers refuse what the latter may hold: integers of any size, thousands of levels.
std::pair<std::string, std::string> split_entry(const std::string& raw);
// The elements of the array that follows `"log":`, as they stand there.
std::vector<std::string> raw_elements(std::string_view body);

}  // namespace fleet
