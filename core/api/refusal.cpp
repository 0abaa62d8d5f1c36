#include "core/api/refusal.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/http/http_client.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kMostBody = 256u << 10;  // what is larger is no word on a refusal
constexpr std::size_t kMostReason = 200;
constexpr int kDeepest = 5;

// In the order in which they are quoted. Compared without case, "-" and "_": errorCode, error_code, ErrorCode.
constexpr std::array<std::string_view, 13> kNames = {
    "title",     "detail",        "details", "message", "errormessage", "errordescription", "error", "exception",
    "errorcode", "resultmessage", "reason",  "code",    "status"};
constexpr std::size_t kStatus = 12;  // "status": quoted only when it is a word

std::string in_lower_case(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_' && c != '-' && c != '.') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

bool holds(std::string_view folded_text, std::string_view word) { return folded_text.find(word) != std::string::npos; }

bool is_blank(unsigned char c) { return c <= 0x20 || c == 0x7F; }

// Whole characters, and each run of blanks and control characters (C0, DEL, C1) as one blank.
std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) ++i;
    if (!is_c1 && !is_blank(c)) {
      line += text[i];
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// Texts by the place of their name in kNames.
class Parts {
 public:
  void look_at(const simdjson::dom::element& at, int depth, std::optional<std::size_t> name) {
    if (depth > kDeepest) return;
    switch (at.type()) {
      case simdjson::dom::element_type::OBJECT:
        for (const auto& [key, value] : simdjson::dom::object(at)) {
          const auto known = std::ranges::find(kNames, in_lower_case(key));
          const bool is_known = known != kNames.end();
          look_at(value, depth + 1,
                  is_known ? std::optional<std::size_t>(known - kNames.begin()) : inherited(name, key));
        }
        break;
      case simdjson::dom::element_type::ARRAY:
        for (const simdjson::dom::element value : simdjson::dom::array(at)) look_at(value, depth + 1, name);
        break;
      case simdjson::dom::element_type::STRING:
        if (name) take(std::string_view(at), *name);
        break;
      default:
        break;  // a number says nothing that HTTP's status does not
    }
  }

  // Each whole; what begins behind all that is ever quoted is left out.
  std::string joined() const {
    std::string all;
    for (const std::string& text : texts_) {
      if (all.size() > kMostReason) break;
      if (text.empty() || all.find(text) != std::string::npos) continue;
      all += (all.empty() ? "" : ", ") + text;
    }
    return all;
  }

 private:
  // {"errors": {"Url": ["The Url field is required."]}} names fields below the word.
  static std::optional<std::size_t> inherited(std::optional<std::size_t> name, std::string_view key) {
    const std::string word = in_lower_case(key);
    if (word == "errors" || word == "innererror") return 6;  // as "error"
    return name == std::optional<std::size_t>(6) ? name : std::nullopt;
  }

  void take(std::string_view text, std::size_t name) {
    if (name == kStatus && text.find_first_not_of("0123456789") == text.npos) return;
    std::string& into = texts_[name];
    if (into.size() > kMostReason) return;
    const std::string line = one_line(text);
    if (line.empty() || into.find(line) != std::string::npos) return;
    into += (into.empty() ? "" : ", ") + line;
  }

  std::array<std::string, kNames.size()> texts_;
};

std::optional<std::string> read_json(std::string_view body) {
  if (body.size() > kMostBody) return std::nullopt;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(body)).get(root) != simdjson::SUCCESS) return std::nullopt;
  Parts parts;
  const bool is_text = root.type() == simdjson::dom::element_type::STRING;
  parts.look_at(root, 0, is_text ? std::optional<std::size_t>(3) : std::nullopt);
  return parts.joined();
}

// Bearer realm="x", error="invalid_token", error_description="The token expired"
std::string read_challenge(std::string_view header) {
  for (const std::string_view name : {"error_description=\"", "error=\""}) {
    const std::size_t at = header.find(name);
    if (at == header.npos) continue;
    const std::string_view rest = header.substr(at + name.size());
    return one_line(rest.substr(0, rest.find('"')));
  }
  return {};
}

bool is_redirect(int status) { return status >= 300 && status < 400; }

std::string_view without_query(std::string_view location) { return location.substr(0, location.find_first_of("?#")); }

bool is_plain_text(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != body.npos && std::string_view("<{[\"").find(body[first]) == std::string_view::npos;
}

// unsupportedApiVersion, "version not supported, use 1.8-rev0", "x-api-version is invalid".
bool is_about_the_version(std::string_view reason) { return holds(in_lower_case(reason), "version"); }

// Of a 401 more is asked: "the client's version is not supported" may stand beside a wrong password.
bool is_about_the_api_version(std::string_view reason) { return holds(in_lower_case(reason), "apiversion"); }

bool is_about_the_token(std::string_view reason) {
  const std::string words = in_lower_case(reason);
  for (const std::string_view part :
       {"token", "expired", "unauthorized", "unauthenticated", "notauthenticated", "not authenticated", "log in",
        "login", "sign in", "session has ended", "authentication required"}) {
    if (holds(words, part)) return true;
  }
  return false;
}

// Of a 400 to a login: OAuth's codes for it (RFC 6749, section 5.2), or words on who logs in. The other codes of OAuth
// are about how it was asked, whatever their descriptions name.
bool is_about_the_credential(std::string_view reason) {
  const std::string words = in_lower_case(reason);
  for (const std::string_view part : {"invalidrequest", "unsupportedgranttype", "invalidscope"}) {
    if (holds(words, part)) return false;
  }
  for (const std::string_view part :
       {"invalidgrant", "invalidclient", "unauthorized", "credential", "password", "user", "account", "authenticat",
        "access denied", "accessdenied", "login failed", "logon fail"}) {
    if (holds(words, part)) return true;
  }
  return false;
}

struct Row {
  int least, most;  // of the status
  bool (*about)(std::string_view reason);
  Reaction data, token;
};

bool anything(std::string_view) { return true; }

// The first row that fits counts.
constexpr Row kTable[] = {
    {401, 401, is_about_the_api_version, Reaction::kLogInAgain, Reaction::kWrongVersion},
    {401, 401, anything, Reaction::kLogInAgain, Reaction::kWrongCredential},
    {408, 408, anything, Reaction::kLater, Reaction::kLater},
    {425, 425, anything, Reaction::kLater, Reaction::kLater},
    {429, 429, anything, Reaction::kLater, Reaction::kLater},
    {501, 501, is_about_the_version, Reaction::kWrongVersion, Reaction::kWrongVersion},
    {501, 501, anything, Reaction::kForItsReason, Reaction::kWrongAddress},
    {500, 599, anything, Reaction::kLater, Reaction::kLater},
    {400, 499, is_about_the_version, Reaction::kWrongVersion, Reaction::kWrongVersion},
    {403, 403, is_about_the_token, Reaction::kLogInAgain, Reaction::kNoRight},
    {403, 403, anything, Reaction::kNoRight, Reaction::kNoRight},
    {400, 400, is_about_the_credential, Reaction::kForItsReason, Reaction::kWrongCredential},
    {400, 400, anything, Reaction::kForItsReason, Reaction::kBadRequest},
    {404, 406, anything, Reaction::kForItsReason, Reaction::kWrongAddress},
    {400, 499, anything, Reaction::kForItsReason, Reaction::kWrongAddress},
};

std::string_view words_for(Asked asked, Reaction reaction) {
  switch (reaction) {
    case Reaction::kWrongVersion:  // of data, who asks adds which version is asked for
      return asked == Asked::kToken ? "wrong api_version?" : "";
    case Reaction::kWrongCredential:
      return "the credentials were refused";
    case Reaction::kBadRequest:
      return "the login was not taken, which says nothing of the password; wrong api_version or url?";
    case Reaction::kNoRight:
      return asked == Asked::kToken ? "the account may not log in" : "the account may not read it";
    case Reaction::kWrongAddress:
      return "wrong api_version or url?";
    default:
      return {};
  }
}

ErrorKind kind_of(Asked asked, Reaction reaction) {
  switch (reaction) {
    case Reaction::kLogInAgain:
      return ErrorKind::kLogInAgain;
    case Reaction::kLater:
      return ErrorKind::kTryLater;
    case Reaction::kWrongVersion:
    case Reaction::kWrongAddress:
    case Reaction::kBadRequest:
      return asked == Asked::kToken ? ErrorKind::kBadResponse : ErrorKind::kRefused;
    default:
      return ErrorKind::kRefused;
  }
}

}  // namespace

RefusalText refusal_of(const HttpResponse& response) {
  return {.status = response.status,
          .body = response.body.text(),
          .www_authenticate = response.www_authenticate,
          .location = response.location};
}

std::string read_reason(const RefusalText& refusal) {
  if (is_redirect(refusal.status) && !refusal.location.empty())
    return "redirected to " + one_line(without_query(refusal.location));
  std::string_view body = refusal.body.substr(0, kMostBody + 1);
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  std::string reason = read_json(body).value_or("");
  if (reason.empty() && is_plain_text(body)) reason = one_line(body);
  if (reason.empty()) reason = read_challenge(refusal.www_authenticate);
  return reason;
}

std::string quote(std::string_view whole, const MayQuote& may_quote) {
  if (whole.empty() || !may_quote(whole)) return {};
  return std::string(cut(whole, kMostReason));
}

bool gives_reason(const Error& refusal) { return refusal.detail.find(": ") != std::string::npos; }

bool leads_to_a_login(std::string_view location) {
  const std::string place = in_lower_case(without_query(location));
  for (const std::string_view part : {"login", "logon", "signin", "auth", "sso"}) {
    if (holds(place, part)) return true;
  }
  return false;
}

Reaction reaction_to(Asked asked, const RefusalText& refusal, std::string_view reason) {
  if (is_redirect(refusal.status)) {
    const bool to_login = asked == Asked::kData && leads_to_a_login(refusal.location);
    return to_login                 ? Reaction::kLogInAgain
           : asked == Asked::kToken ? Reaction::kWrongAddress
                                    : Reaction::kForItsReason;
  }
  reason = cut(reason, kMostReason);
  for (const Row& row : kTable) {
    if (refusal.status < row.least || refusal.status > row.most || !row.about(reason)) continue;
    return asked == Asked::kData ? row.data : row.token;
  }
  return asked == Asked::kToken ? Reaction::kWrongAddress : Reaction::kForItsReason;
}

Error make_refusal(Asked asked, Reaction reaction, int status, std::string_view what, std::string_view reason) {
  std::string detail = asked == Asked::kToken ? "token request: HTTP " + std::to_string(status)
                                              : "HTTP " + std::to_string(status) + " to " + std::string(what);
  for (const std::string_view part : {words_for(asked, reaction), reason}) {
    if (!part.empty()) detail.append(": ").append(part);
  }
  Error error(kind_of(asked, reaction), std::move(detail));
  error.http_status = status;
  return error;
}

}  // namespace sessionlogd
