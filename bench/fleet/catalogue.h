// The sessions of one appliance: by number, by id, and in the order of their start.
//
// Beyond the plan's sessions it may hold spare ones of the past. They are what comes up and is deleted between two
// pages, so that rows shift under a client which is reading a listing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/fleet/listing.h"
#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

class Catalogue {
 public:
  // `plan` is the appliance's own, and outlives this.
  Catalogue(const Plan& plan, std::size_t appliance);

  std::size_t size() const { return sessions_.size(); }
  const Session& operator[](std::size_t number) const { return sessions_[number]; }
  // These two may be asked by any thread.
  bool exists(std::size_t number, Nanos at, Nanos freeze) const;
  bool is_gone(std::size_t number, Nanos at, Nanos freeze) const;
  // At any time there is one session of an id at most.
  std::optional<std::size_t> find(std::string_view id, Nanos at, Nanos freeze) const;

  struct Rows {
    std::vector<std::size_t> numbers;  // of the page
    std::size_t total = 0;             // of all pages
  };
  Rows rows(const Listing& listing, Nanos at, Nanos freeze) const;

  // The next spare session comes up, or is deleted: the oldest one, or the newest one where a listing begins with it.
  void insert_one(bool newest_first) { turn_spare(Presence::hidden, Presence::listed, newest_first); }
  void delete_one(bool newest_first) { turn_spare(Presence::listed, Presence::deleted, newest_first); }

 private:
  enum class Presence : std::uint8_t { hidden, listed, deleted };

  std::vector<std::uint32_t> order_told(Nanos at, Nanos freeze) const;
  void turn_spare(Presence from, Presence to, bool newest);

  const Plan& plan_;
  std::vector<Session> sessions_;
  std::vector<std::atomic<Presence>> spares_;  // of the sessions beyond the plan's
  std::vector<std::uint32_t> order_;           // numbers by start
  bool is_told_in_order_;                      // and are listed in that order, whenever they are asked for
  std::unordered_multimap<std::string_view, std::size_t> by_id_;
};

}  // namespace fleet
