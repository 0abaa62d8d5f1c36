// What is wrong with a source as a whole. Each thing is said in the log once, when it begins and when it ends; what is
// wrong now can be asked at any time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/base/result.h"
#include "core/base/said_pair.h"
#include "core/polling/listing_walk.h"
#include "core/polling/read_success.h"
#include "core/polling/said_fault.h"

namespace sessionlogd {

class SourceHealth {
 public:
  // So many sweeps in a row that were not complete are a fault.
  static constexpr unsigned kFaultySweeps = 3;

  // Both outlive this.
  SourceHealth(const SourceSettings& settings, const ApiClient& api) : settings_(settings), api_(api) {}

  // Whether what failed is tried again; one pass ends.
  enum class Tries { kGoOn, kEnd };

  // A listing ended.
  void listed(const Result<void>& how, Tries tries);
  // Rows of a listing that have no usable id.
  void unusable(std::size_t rows);
  // Why a listing may be incomplete, "" = it is not.
  void incomplete(const std::string& why);

  // Of earlier runs: sweeps in a row as swept() has them. What they showed counts until the next one has ended.
  void swept_before(unsigned faulty);
  // A sweep has ended or was given up: rows that it showed, done marks that the source has, why it was not complete (""
  // = it was), and how many showed nothing or were not complete, in a row.
  void swept(std::size_t rows, std::size_t marks, std::string_view missing, unsigned faulty);
  // Of the sessions that `sessions` names so many were never had, this one for one; or none.
  void lacks_named(std::size_t sessions, std::string_view session, const Error& why);
  void has_all_named();
  // A sweep has ended: the source says that it has more sessions than it showed, nullopt = it does not.
  void short_of_total(const std::optional<ListingWalk::Short>& lacking);
  // Its times are ahead by so much of those of its zone.
  void other_zone(std::chrono::minutes ahead);
  // The start of this session has changed so often that the next one is put off. It is a fault for as long as that may
  // happen again: every few seconds it is looked whether it does.
  void starts_change(std::string_view session, SteadyTime now);
  void look_at_starts(SteadyTime now);
  // More sessions than usual are shown that no window showed: they wait.
  void many_are_late(std::size_t sessions);
  // Why a session's log may hold more than was given, "" = it does not.
  void more_elsewhere(std::string_view session, const std::string& why);

  // A done session's log could not be compared with what was delivered of it, or holds less than that.
  void not_verified(std::string_view session, std::string_view why);
  void holds_less(std::string_view session);

  // Whether it gives its logs, of `due` sessions; `why` one could not be read the last time.
  void judged(const ReadSuccess::Judgement& logs, std::size_t due, const std::optional<Error>& why);
  // What is waited for before it is asked again, nullopt: nothing. `left`: how long from now on.
  void waits(std::optional<WaitingFor> what, std::chrono::seconds left);

  // A session whose log holds bytes that are no UTF-8.
  void not_utf8(std::string_view session);

  // Everything that the first listing showed was read.
  void first_contact(std::uint64_t sessions, std::uint64_t entries);
  // By an earlier run: it is not said again.
  void had_contact() { had_contact_ = true; }

  // What is wrong with what it shows, "" = nothing.
  const std::string& showing_fault() const {
    return !named_fault_.empty() ? named_fault_ : !sweep_fault_.empty() ? sweep_fault_ : starts_fault_;
  }
  bool has_named() const { return named_fault_.empty(); }
  // Of these, what makes logs seem to be other sessions', too.
  const std::string& starts_fault() const { return starts_fault_; }

  bool lists() const { return failed_listings_ == 0; }
  bool gives_logs() const { return logs_fault_.empty(); }
  const std::string& listing_fault() const { return listing_fault_; }  // of the last listing that failed
  // Why its logs cannot be read, and what to do, "" = they can.
  const std::string& logs_fault() const { return logs_fault_; }

 private:
  const SourceSettings& settings_;
  const ApiClient& api_;
  unsigned failed_listings_ = 0;  // in a row
  std::string listing_fault_;
  SaidFault said_;
  SaidPair no_listing_, no_whole_listing_, no_logs_, waiting_;
  bool unusable_ = false;
  std::string sweep_fault_, named_fault_, starts_fault_;
  SteadyTime starts_changed_at_{};
  bool many_marks_ = false;
  std::uint64_t short_rows_ = 0;
  unsigned short_sweeps_ = 0;  // that showed the same rows, in a row
  bool more_elsewhere_ = false;
  std::string logs_fault_;
  std::optional<SteadyTime> no_logs_since_;  // and nothing else is wrong
  bool not_verified_ = false, holds_less_ = false;
  bool not_utf8_ = false;
  bool had_contact_ = false;
};

}  // namespace sessionlogd
