// Decides which token a source's requests carry and when a new one is due; builds the requests for it and reads the
// responses. Does no I/O: core/api_client sends what this says, one token request at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/dialect.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace sessionlogd {

struct RefusalText;  // core/api/refusal.h

struct Grant {
  std::string access_token;
  std::string refresh_token;           // "" = none
  std::chrono::seconds expires_in{0};  // 0 = not said: used until it is refused; at most a year
};

// Reads the response to a token request. Without an access token a 202, or a response that names a second factor, is
// kRefused with a detail that says what to do; one that says why is kRefused, too; one that says nothing, or is no JSON
// object (empty, HTML; but an empty 202 asks for a second factor), is kBadResponse, and so is a token with a CR, LF,
// NUL or other control character. What is no success is judged by core/refusal. The detail quotes the response's words
// on the reason, as far as `may_quote` lets it.
Result<Grant> read_grant(const Dialect& dialect, const RefusalText& response,
                         const std::function<bool(std::string_view whole)>& may_quote);

// The form for a grant, percent-encoded: fills {username}, {password} and {refresh_token}.
std::string encode_form(const FormFields& form, std::string_view username, std::string_view password,
                        std::string_view refresh_token);

class TokenKeeper {
 public:
  enum class Step {
    kUse,      // bearer() is good
    kRefresh,  // ask with refresh_token()
    kLogIn,    // ask with the password
  };

  // For a fixed token: always kUse, and a refusal cannot be mended here.
  static TokenKeeper fixed(std::string token);
  explicit TokenKeeper(bool can_refresh) : can_refresh_(can_refresh) {}

  // What to do before a request at `now`. A token is renewed once 80 % of its life has passed (and is still used if
  // that fails while it lives: see renewal_failed).
  Step next(SteadyTime now) const;

  const std::string& bearer() const { return grant_.access_token; }
  const std::string& refresh_token() const { return grant_.refresh_token; }
  bool is_fixed() const { return fixed_; }

  // There is a token, and as far as we were told it is still good.
  bool lives(SteadyTime now) const;

  // A new token, whose life is counted from `now`: best when it was asked for. Where it brings no refresh token the old
  // one stays (RFC 6749, section 6).
  void granted(Grant grant, SteadyTime now);

  // A request that carried `bearer` was answered 401. Only the current token is dropped: a late response to an older
  // one changes nothing.
  void refused(std::string_view bearer);

  // The refresh token was not accepted (or used up): log in instead.
  void refresh_refused();

  // The source could not be asked for a renewal now. The token, while it lives, is used until `retry_at`.
  void renewal_failed(SteadyTime retry_at);

  // Takes the token away, and its refresh token with it, for logging out; nullopt when there is none or it is fixed.
  std::optional<std::string> take_for_logout();

  std::optional<SteadyTime> expires() const { return expires_; }

 private:
  bool can_refresh_ = false;
  bool fixed_ = false;
  Grant grant_;
  std::optional<SteadyTime> renew_at_;
  std::optional<SteadyTime> expires_;
};

}  // namespace sessionlogd
