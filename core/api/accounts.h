// What is known of the accounts that sources log in with: shared by all sources of one address and user, and kept
// across restarts, since the appliance counts refused logins by account, whoever sends them, and locks it.
//
//   nobody knows yet whether a password is right ─▶ one login at a time, who would send it waits for the others
//   refused ─▶ nobody sends this password there for 15 minutes; another one is sent at once, and if that is right
//              the refused one is none the less parked
//   a run ended without handing its tokens back ─▶ the next one keeps its distance from that run's last login
//   a source leaves soon after its login, for a while ─▶ it finds its token here when it is back, and nobody logs in;
//              until it may log in again anyway: then the token is handed back
//
// Of a password that was refused the file keeps 16 bits of a keyed digest, beside the key: enough to know it again (of
// 65,000 others one would wait for 15 minutes without reason), too little to find it. One for all shards: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/login_limit.h"
#include "core/api/token.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/timestamp.h"

namespace sessionlogd {

struct Account {
  std::string url;  // as canonical_url() spells it
  std::string username;

  auto operator<=>(const Account&) const = default;
};

class Accounts {
 public:
  static constexpr std::int64_t kParkedSeconds = 15 * 60;

  // `file` is made (0600) when there is something to keep; "" = nothing is. One that cannot be read or written is said
  // once: then what is known ends with the process.
  explicit Accounts(std::string file);

  // Who may log in now holds this while it does.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : accounts_(std::exchange(other.accounts_, nullptr)), of_(std::move(other.of_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class Accounts;
    Turn(Accounts& accounts, Account of) : accounts_(&accounts), of_(std::move(of)) {}

    Accounts* accounts_;
    Account of_;
  };
  // To send this secret. nullopt: another one logs in, and nobody knows yet whether this secret is right; ask again.
  std::optional<Turn> take_turn(const Account& account, const std::string& secret);

  // Whoever logs in with an account, and holds a token of it from then on until it is refused or has logged out.
  using Holder = std::uint64_t;
  Holder new_holder();

  // What came of a login with this secret.
  void granted(const Account& account, const std::string& secret);
  void refused(const Account& account, Holder holder, const std::string& secret, Instant now, const std::string& why);

  struct Parked {
    std::int64_t seconds;  // that are left of it
    std::string why;
  };
  // nullopt: the secret may be sent.
  std::optional<Parked> parks(const Account& account, const std::string& secret, Instant now) const;

  // A login is sent now, after so many tokens in a row that died early. Kept before it is on its way: who is killed
  // and started in a loop must not log in each time.
  void logs_in(const Account& account, Holder holder, Instant now, unsigned early_deaths);
  // Its token was handed back. With the last holder's nothing of ours is left there.
  void logged_out(const Account& account, Holder holder);

  struct LastLogin {
    std::int64_t seconds_ago;
    unsigned early_deaths;
  };
  // Of the run before, if that did not log out.
  std::optional<LastLogin> last_login(const Account& account, Instant now) const;

  // What a source leaves that may come back, as those of a group's partition do, which another member has meanwhile.
  struct LeftLogin {
    Holder holder;
    TokenKeeper token;
    LoginLimit logins;
    SteadyTime granted_at, refreshed_at;
  };
  // Who logged in, and with what: for another account, dialect or secret there is nothing to go on with.
  struct Whose {
    std::string source_id;
    Account account;
    std::string dialect;
    std::size_t secret;  // its hash

    auto operator<=>(const Whose&) const = default;
  };
  using Ticket = std::uint64_t;
  Ticket leave(const Whose& whose, LeftLogin left);
  // nullopt: there is none. The token may have ended.
  std::optional<LeftLogin> take_left(const Whose& whose);
  // Of who left it. false: it was taken, and its token is another's to hand back.
  bool has_left(const Whose& whose, Ticket ticket) const;
  bool take_back(const Whose& whose, Ticket ticket);

 private:
  using Digest = std::uint16_t;  // of a secret
  struct Refused {
    std::int64_t until;  // Unix seconds
    std::string why;
  };
  struct Entry {
    std::map<Digest, Refused> parked;
    std::int64_t login = 0;         // Unix seconds, the last one's; 0 = none, or logged out
    unsigned early_deaths = 0;      // of tokens, before that login
    std::int64_t login_before = 0;  // likewise, as this run found it
    unsigned early_deaths_before = 0;
    std::vector<Holder> holders;
    std::optional<Digest> good;  // a login with it succeeded, and none was refused since
    unsigned turns = 0;          // so many log in
  };

  bool holds(const Whose& whose, Ticket ticket) const;
  void load();
  void keep(const Account& account, const Entry& entry, Digest digest);
  void keep_login(const Account& account, const Entry& entry);
  void save();
  Digest digest_of(const std::string& secret) const;
  void say_failure(const char* what);

  const std::string file_;
  mutable std::mutex mutex_;
  std::uint64_t key_ = 0;
  std::map<Account, Entry> entries_;
  std::map<Whose, std::pair<Ticket, LeftLogin>> left_;
  Ticket last_ticket_ = 0;
  Holder last_holder_ = 0;
  bool can_append_ = false;   // the file is there, and ours to its last byte
  std::size_t appended_ = 0;  // lines, since it was written whole
  bool failure_said_ = false;
};

}  // namespace sessionlogd
