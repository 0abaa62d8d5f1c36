// One simulated appliance: its sessions, its logins, and what it answers. Knows nothing of sockets: a request goes in,
// an answer comes out, and the connection reports how the answer fared. Used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/fleet/account.h"
#include "bench/fleet/faults.h"
#include "bench/fleet/http.h"
#include "bench/fleet/plan.h"
#include "bench/fleet/random.h"
#include "bench/fleet/script.h"
#include "bench/fleet/session.h"
#include "bench/fleet/tokens.h"

namespace fleet {

// How all appliances of a fleet behave towards clients.
struct Conduct {
  std::string username = "collector";
  std::string password;
  Nanos token_lifetime = 3600 * kSecond;
  std::vector<std::string> azure_versions = {"v8", "v8.1", "v7"};
  FaultMix faults;
  bool gzip = false;
};

// What the appliances of one thread share.
struct Shared {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> log_answers = 0;
  std::atomic<std::uint64_t> sessions_read_to_end = 0;  // whose last state was served completely
  std::int64_t cache_bytes_left = 0;
};

// Which moment of which session an answer shows.
struct Receipt {
  std::size_t session;
  Nanos moment;
};

struct Answer {
  int status = 200;
  std::string_view content_type = "application/json; charset=utf-8";
  std::string headers;  // further lines, each ended
  std::shared_ptr<const std::string> body;
  Fault fault = Fault::none;  // what the connection has to do to it: reset, truncate, slow, hang
  std::optional<Receipt> receipt;
};

// A moment of a session that was served. `owed`: at least once completely and correctly; otherwise only in a broken
// answer, so the client may have taken entries from it and need not.
struct Served {
  Nanos moment;
  bool owed;
};

class Appliance {
 public:
  Appliance(const Plan& plan, const Conduct& conduct, std::size_t index, const std::atomic<Nanos>& freeze,
            Shared& shared);

  Answer answer(const Request& request, Nanos now);
  // Once per answer; `complete`: every byte of it went out.
  void finished(const Answer& answer, bool complete);

  std::size_t index() const { return index_; }
  const Account& account() const { return account_; }
  std::vector<std::vector<Served>> served() const;
  std::size_t sessions_existing(Nanos at) const;

 private:
  struct Slot {
    Session session;
    std::vector<Served> served;
    std::unique_ptr<std::vector<Entry>> script;  // only while the session changes
    std::shared_ptr<const std::string> body;     // of `body_moment`
    Nanos body_moment = 0;
    bool read_to_end = false;
  };

  std::optional<Answer> fail(Fault fault, Nanos now);
  void spoil(Answer& answer, Fault fault);
  Answer route(const Request& request, Nanos now);
  Answer token(const Request& request, Nanos now);
  Answer issued(const Tokens::Pair& pair, Nanos now) const;
  Answer collection(const Request& request, std::string_view rest, Nanos now);
  Answer list(std::string_view query, Nanos now);
  Answer log(std::size_t number, Nanos now);
  std::shared_ptr<const std::string> log_body(Slot& slot, Nanos moment);
  std::shared_ptr<const std::string> reshuffled(const Slot& slot, Nanos moment);
  Answer problem(int status, std::string_view title, std::string_view code, std::string_view detail);
  void note(Receipt receipt, bool owed);
  Nanos freeze() const { return freeze_.load(std::memory_order_relaxed); }

  const Plan& plan_;
  const Conduct& conduct_;
  const std::size_t index_;
  const Dialect dialect_;
  const std::atomic<Nanos>& freeze_;
  Shared& shared_;
  Random random_;
  Tokens tokens_;
  Account account_;
  std::vector<Slot> slots_;  // in the order of their start
  std::unordered_map<std::string_view, std::size_t> by_id_;
};

}  // namespace fleet
