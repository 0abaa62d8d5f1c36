// One simulated appliance: its sessions, its logins, and how it responds. Knows nothing of sockets: a request goes in,
// a response comes out, and the connection reports how the response fared. Used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/account.h"
#include "bench/fleet/catalogue.h"
#include "bench/fleet/http.h"
#include "bench/fleet/nature.h"
#include "bench/fleet/plan.h"
#include "bench/fleet/random.h"
#include "bench/fleet/record.h"
#include "bench/fleet/render.h"
#include "bench/fleet/response.h"
#include "bench/fleet/script.h"
#include "bench/fleet/telling.h"
#include "bench/fleet/tokens.h"
#include "bench/fleet/visits.h"

namespace fleet {

// How all appliances of a fleet behave towards clients.
struct Conduct {
  std::string username = "collector";
  std::string password;
  Nanos token_lifetime = 3600 * kSecond;
  std::vector<std::string> azure_versions = {"v8", "v8.1", "v7"};
  std::size_t page_cap = Nature::kNoLimit;  // rows of a page, whatever was asked for
  bool gzip = false;
  bool keeps_visits = false;
  Allowance allowed;
};

// What the appliances of one thread share.
struct Shared {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> log_answers = 0;
  std::int64_t cache_bytes_left = 0;
};

class Appliance {
 public:
  Appliance(const Plan& plan, const Conduct& conduct, std::size_t index, const std::atomic<Nanos>& freeze,
            Shared& shared);

  // All times of this interface are the fleet's; inside, the appliance knows its own clock only, but for the account.
  Nanos clock(Nanos now) const { return shifted(now, nature_.clock_offset); }
  bool is_down(Nanos now) const;
  Response response(const Request& request, Nanos now);
  // Once per response.
  void finished(const Response& response, const Delivery& delivery);

  std::size_t index() const { return index_; }
  const Account& account() const { return account_; }
  ApplianceRecord record(Nanos now) const;
  // These may be asked by any thread. Last asked: when its latest request came, 0 = never. Unread: there, and its last
  // state was never served completely, although a client could know of it: one that began before any window and ended,
  // or was opened again and ended, between two listings shows nowhere.
  Nanos last_asked() const { return last_asked_; }
  std::size_t sessions_existing(Nanos now) const;
  std::size_t sessions_unread(Nanos now) const;

 private:
  // What was said of a session.
  struct Slot {
    std::vector<Served> served;
    std::unique_ptr<std::vector<Entry>> script;  // only while the session changes
    std::shared_ptr<const std::string> body;     // of `body_moment`
    Nanos body_moment = 0;
    std::atomic<Nanos> read_to = INT64_MIN;  // the latest moment that was read whole
    std::atomic<bool> shown_at_its_end = false;
  };

  Response response_to(const Request& request, Nanos now);
  std::string row(std::size_t number, std::string_view base, Nanos at, Response& into);
  Catalogue::Rows page_of(Listing listing, Nanos now);
  std::optional<std::size_t> told_total(const Page& page, std::size_t rows, Nanos now);
  bool is_unread(std::size_t number, Nanos at) const;
  bool is_calm(Nanos at) const { return plan_.all_past || at >= freeze(); }
  // Null: its clock is right, or as far off as ever.
  const ClockStep* clock_step(Nanos at) const { return is_calm(at) || !telling_ ? nullptr : telling_->step_at(at); }
  Fault draw(const Request& request, Nanos at);
  Response route(const Request& request, Nanos now);
  Response token(const Request& request, Nanos now);
  void is_a(Visit::Kind kind);
  Response issued(const Tokens::Pair& pair, Nanos now) const;
  Response collection(const Request& request, std::string_view rest, Nanos now);
  Response list(std::string_view query, Nanos now);
  Response log(std::size_t number, Nanos now);
  void show_another_session(Response& response, Nanos at);
  std::shared_ptr<const std::string> log_body(std::size_t number, Nanos moment);
  std::shared_ptr<const std::string> reshuffled(std::size_t number, Nanos moment);
  Response refused(int status, std::string_view title, std::string_view code, std::string_view detail);
  void note(Receipt receipt, bool owed);
  Nanos freeze() const { return shifted(freeze_.load(std::memory_order_relaxed), nature_.clock_offset); }

  const Plan plan_;  // by our clock
  const Nature nature_;
  const std::shared_ptr<const Telling> telling_;
  const Conduct& conduct_;
  const std::size_t index_;
  const Dialect dialect_;
  const std::atomic<Nanos>& freeze_;
  Shared& shared_;
  Random random_;
  Tokens tokens_;
  Nanos tokens_void_at_, tokens_expire_at_;
  Account account_;
  std::vector<Visit> visits_;
  std::atomic<Nanos> last_asked_ = 0;
  Catalogue sessions_;
  std::vector<Slot> slots_;  // as the sessions are numbered
};

}  // namespace fleet
