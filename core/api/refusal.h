// Reads why a request was refused, wherever a response says it, and decides what follows from it: one table for every
// request, logins included. Does no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sessionlogd {

struct HttpResponse;  // core/http/http_client.h

// A response as far as it can say why.
struct RefusalText {
  int status = 0;
  std::string_view body;
  std::string_view www_authenticate;  // the header, "" = none
  std::string_view location;          // of a redirect
};
// `response` must outlive it.
RefusalText refusal_of(const HttpResponse& response);

// What the response says of the reason, in its own words: title, detail, message, error_description, error, code and
// their like of a JSON body, at any depth; a body of plain text; else the WWW-Authenticate header; of a redirect where
// it leads, without a query. Of any length, white space and control characters as one blank each, "" when it says
// nothing. A page for people is never quoted. Only quote() makes of it what may be shown.
std::string read_reason(const RefusalText& refusal);

// Whether something may be shown of which this is the whole: no secret of ours is in it.
using MayQuote = std::function<bool(std::string_view whole)>;

// What is shown of a text of an appliance: its first 200 bytes of whole characters, "" = nothing of it may be. Asks
// before it cuts: in what is left of a secret nobody finds it.
std::string quote(std::string_view whole, const MayQuote& may_quote);

// What was asked for.
enum class Asked : std::uint8_t { kData, kToken };

enum class Reaction : std::uint8_t {
  kLogInAgain,       // the token is not accepted: one new login
  kWrongVersion,     // the api_version is not spoken there; no word on the credentials
  kWrongCredential,  // of a login: the same password brings nothing but a locked account
  kBadRequest,       // of a login: not taken, and no word on the credentials
  kNoRight,          // who we are is known, and may not
  kLater,            // it passes by itself
  kWrongAddress,     // nothing of this interface is there
  kForItsReason,     // refused for a reason of its own
};

// `reason` is what read_reason() gave; its first 200 bytes decide.
Reaction reaction_to(Asked asked, const RefusalText& refusal, std::string_view reason);

// Whether a redirect leads to a page for logging in.
bool leads_to_a_login(std::string_view location);

// The error for a response that is no success: "HTTP 403 to /api/v1/sessions: not allowed: EULA not accepted". The
// reason is what quote() gave.
Error make_refusal(Asked asked, Reaction reaction, int status, std::string_view what, std::string_view reason);

// What to do about data that is answered with a redirect.
inline constexpr std::string_view kLookAtUrl =
    "does `url` lead to the appliance itself, and has the account the right to use its interface?";

// What to do about kWrongVersion.
inline constexpr std::string_view kSetVersion = "set `api_version` to what the appliance speaks";

// Whether such an error says more than which status came for what.
bool gives_reason(const Error& refusal);

}  // namespace sessionlogd
