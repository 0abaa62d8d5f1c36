#include "core/api/token.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/api/refusal.h"
#include "core/http/http_headers.h"
#include "core/http/http_message.h"

namespace sessionlogd {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostBody = 256u << 10;  // a token is a few KiB; what is larger is no response to a token request
constexpr seconds kMostLife = std::chrono::hours(24 * 365);  // keeps sums of times far from their limits

using Value = simdjson::ondemand::value;

// Calls visit(name, value) for each field until it returns false; false unless the body is one whole JSON object.
// Values that are not read are only skipped: an odd number in a field that nobody asked for costs nothing.
template <class Visit>
bool for_each_field(std::string_view body, Visit visit) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  if (body.empty() || body.size() > kMostBody) return false;
  const simdjson::padded_string text(body);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS) return false;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto field : object) {
    std::string_view name;
    Value value;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    if (field.value().get(value) != simdjson::SUCCESS) return false;
    if (!visit(name, value)) return false;
  }
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing follows
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

// A string, or null for none; false for anything else.
bool read_text(Value value, std::string& into) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == simdjson::ondemand::json_type::null) return true;
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  if (into.empty()) into = text;  // of equal names the first counts
  return true;
}

// 3599, 3599.0 and "3599"; what is nothing of the kind, or not positive, is not said.
seconds read_life(Value value) {
  std::string_view digits = value.raw_json_token();
  if (digits.starts_with('"')) digits.remove_prefix(1);
  std::uint64_t life = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), life);
  if (error == std::errc::result_out_of_range) return kMostLife;
  if (error != std::errc()) return seconds(0);
  return seconds(std::min<std::uint64_t>(life, kMostLife.count()));
}

Error error(ErrorKind kind, int http_status, std::string_view what) {
  Error made(kind, "token request: HTTP " + std::to_string(http_status) + ": ");
  made.detail += what;
  made.http_status = http_status;
  return made;
}

// What stands in a 2xx beside a token, or in its place.
struct Success {
  Grant grant;
  std::string mfa_token;
  bool mfa_enabled = false;
};

Error no_token(const Success& success, const RefusalText& response, const MayQuote& may_quote) {
  const int http_status = response.status;
  if (http_status == 202 || success.mfa_enabled || !success.mfa_token.empty()) {
    return error(ErrorKind::kRefused, http_status,
                 "no access token, so the account needs a second factor: use a service account without multi-factor "
                 "authentication");
  }
  const std::string reason = read_reason(response);
  if (reason.empty()) return error(ErrorKind::kBadResponse, http_status, "it holds no access token: wrong url?");
  return error(ErrorKind::kRefused, http_status, "no access token, but: " + quote(reason, may_quote));
}

Result<Grant> read_success(const Dialect::Token& names, const RefusalText& response, const MayQuote& may_quote) {
  const int http_status = response.status;
  Success found;
  if (http_status == 202 && response.body.empty()) return no_token(found, response, may_quote);
  Grant& grant = found.grant;
  const bool whole = for_each_field(response.body, [&](std::string_view name, Value value) {
    if (name == names.access_token) return read_text(value, grant.access_token);
    if (name == names.refresh_token) return read_text(value, grant.refresh_token);
    if (name == names.mfa_token) return read_text(value, found.mfa_token);
    if (name == "mfa_enabled") found.mfa_enabled = value.raw_json_token().starts_with("true");
    if (name == names.expires_in && grant.expires_in == seconds(0)) grant.expires_in = read_life(value);
    return true;
  });
  if (!whole) return error(ErrorKind::kBadResponse, http_status, "not the JSON object of a token: wrong url?");
  if (grant.access_token.empty()) return no_token(found, response, may_quote);
  if (has_control(grant.access_token) || has_control(grant.refresh_token)) {
    return error(ErrorKind::kBadResponse, http_status, "the token holds control characters");
  }
  return grant;
}

}  // namespace

Result<Grant> read_grant(const Dialect& dialect, const RefusalText& response, const MayQuote& may_quote) {
  if (response.status >= 200 && response.status < 300) return read_success(dialect.token, response, may_quote);
  const std::string reason = read_reason(response);
  return make_refusal(Asked::kToken, reaction_to(Asked::kToken, response, reason), response.status, {},
                      quote(reason, may_quote));
}

std::string encode_form(const FormFields& form, std::string_view username, std::string_view password,
                        std::string_view refresh_token) {
  const std::pair<std::string_view, std::string_view> marks[] = {
      {"{username}", username}, {"{password}", password}, {"{refresh_token}", refresh_token}};
  // In one pass: what is filled in is never searched for marks.
  const auto fill = [&](std::string_view value) {
    std::string filled;
    while (!value.empty()) {
      const auto mark = std::find_if(std::begin(marks), std::end(marks),
                                     [&](const auto& known) { return value.starts_with(known.first); });
      filled += mark != std::end(marks) ? mark->second : value.substr(0, 1);
      value.remove_prefix(mark != std::end(marks) ? mark->first.size() : 1);
    }
    return filled;
  };
  std::string encoded;
  for (const auto& [name, value] : form) {
    if (!encoded.empty()) encoded += '&';
    append_percent_encoded(encoded, name);
    encoded += '=';
    append_percent_encoded(encoded, fill(value));
  }
  return encoded;
}

TokenKeeper TokenKeeper::fixed(std::string token) {
  TokenKeeper keeper(false);
  keeper.fixed_ = true;
  keeper.grant_.access_token = std::move(token);
  return keeper;
}

TokenKeeper::Step TokenKeeper::next(SteadyTime now) const {
  if (fixed_) return Step::kUse;
  const bool renew = renew_at_ && now >= *renew_at_;
  if (lives(now) && !renew) return Step::kUse;
  return can_refresh_ && !grant_.refresh_token.empty() ? Step::kRefresh : Step::kLogIn;
}

bool TokenKeeper::lives(SteadyTime now) const { return !grant_.access_token.empty() && (!expires_ || now < *expires_); }

void TokenKeeper::granted(Grant grant, SteadyTime now) {
  // RFC 6749, section 6: a response without a refresh token leaves the old one valid.
  if (grant.refresh_token.empty()) grant.refresh_token = std::move(grant_.refresh_token);
  grant_ = std::move(grant);
  renew_at_.reset();
  expires_.reset();
  if (grant_.expires_in <= seconds(0)) return;
  const std::chrono::milliseconds life = std::min(grant_.expires_in, kMostLife);
  renew_at_ = now + life * 4 / 5;
  expires_ = now + life;
}

void TokenKeeper::refused(std::string_view bearer) {
  if (fixed_ || bearer != grant_.access_token) return;
  grant_.access_token.clear();
  renew_at_.reset();
  expires_.reset();
}

void TokenKeeper::refresh_refused() { grant_.refresh_token.clear(); }

void TokenKeeper::renewal_failed(SteadyTime retry_at) {
  if (renew_at_) renew_at_ = retry_at;
}

std::optional<std::string> TokenKeeper::take_for_logout() {
  if (fixed_ || grant_.access_token.empty()) return std::nullopt;
  renew_at_.reset();
  expires_.reset();
  return std::exchange(grant_, {}).access_token;
}

}  // namespace sessionlogd
