// What was committed, entry by entry, held against what appliances showed. It knows entries by their messages, of which
// each is there once in an appliance, and takes no rule of the daemon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/entries/event.h"
#include "core/state/batch.h"
#include "tests/support/simulated_appliance.h"

namespace sessionlogd::test {

class Reckoning {
 public:
  // Writes what take() reads.
  class Encoder : public sessionlogd::Encoder {
   public:
    void append(const Event& event, LineBuffer& out) override;
  };

  void take(const Batch& batch);

  // Forms of entries that were delivered more than once, or under more than one event.id.
  std::size_t twice() const;
  std::size_t gaps() const { return gaps_; }
  // Entries of the session that were delivered.
  std::size_t entries_of(std::string_view source, const SimulatedAppliance& appliance, std::size_t session) const;
  // Of these sessions how many entries that had been shown so long ago were not.
  std::size_t missing(std::string_view source, const SimulatedAppliance& appliance, std::size_t begin, std::size_t end,
                      std::chrono::milliseconds shown_ago) const;
  // Of these sessions how many entries are final and were not delivered so.
  std::size_t not_final(std::string_view source, const SimulatedAppliance& appliance, std::size_t begin,
                        std::size_t end) const;

 private:
  struct Entry {
    std::map<std::string, unsigned> forms;  // by status
    std::map<std::pair<std::uint64_t, std::uint64_t>, unsigned> ids;
  };
  const Entry* find(std::string_view source, std::size_t session, std::size_t entry) const;

  std::map<std::string, std::map<std::string, Entry>, std::less<>> sources_;  // by message
  std::size_t gaps_ = 0;
};

}  // namespace sessionlogd::test
