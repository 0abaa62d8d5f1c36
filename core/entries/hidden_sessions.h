// Finds the sessions of which events were delivered and which their source does not show any more, although its listing
// reaches back to before they began: a listing that hides sessions makes all that it shows look delivered. No I/O.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/timestamp.h"
#include "core/state/sink.h"

namespace sessionlogd {

// Of one source.
class HiddenSessions {
 public:
  struct Listing {
    Instant from;                              // what began then or later should be shown; the appliance's clock
    Instant asked;                             // our clock: what was read later may have begun later
    std::set<std::string, std::less<>> ids{};  // that it shows
    // The first stop that it shows: what began before that may have been forgotten for its age.
    std::optional<Instant> oldest_stop{};
  };
  // A source without a listing hides nothing.
  void expect(Listing listing) { listing_ = std::move(listing); }

  void delivered(const Delivered& event);
  // The output is about to be read again.
  void forget_delivered() { begun_.clear(); }

  // Their ids.
  std::vector<std::string> sessions() const;

 private:
  // By its first entry.
  struct Begun {
    Instant at, read_at;
    std::string id;
  };
  bool may_be_hidden(const Begun& one) const;

  std::optional<Listing> listing_;
  boost::unordered_flat_map<std::uint64_t, Begun> begun_;  // by session_key; not shown
};

}  // namespace sessionlogd
