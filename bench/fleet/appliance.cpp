#include "bench/fleet/appliance.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/fleet/gzip.h"
#include "bench/fleet/listing.h"
#include "bench/fleet/render.h"

namespace fleet {

namespace {

constexpr std::string_view kAwsRoot = "/api/v1";
constexpr std::string_view kAwsToken = "/api/v1/token";
constexpr std::string_view kAwsSessions = "/api/v1/sessions";
constexpr std::string_view kAzureRoot = "/api/";
constexpr std::string_view kAzureToken = "/api/oauth2/token";
constexpr std::string_view kAzureSessions = "/jobSessions";
constexpr double kTotalKeptSecret = 0.1;  // Azure: totalCount is nullable

std::shared_ptr<const std::string> shared_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size()) : std::string_view();
}

}  // namespace

Appliance::Appliance(const Plan& plan, const Conduct& conduct, std::size_t index, const std::atomic<Nanos>& freeze,
                     Shared& shared)
    : plan_(plan),
      conduct_(conduct),
      index_(index),
      dialect_(dialect_of(plan, index)),
      freeze_(freeze),
      shared_(shared),
      random_(seed_of(plan.seed ^ 0xfa17, index)),
      tokens_(seed_of(plan.seed ^ 0x70ce4, index), conduct.token_lifetime),
      slots_(plan.sessions) {
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    slots_[i].session = make_session(plan, index, i);
    by_id_.emplace(slots_[i].session.id, i);
  }
}

Answer Appliance::answer(const Request& request, Nanos now) {
  account_.arrived(now);
  shared_.requests.fetch_add(1, std::memory_order_relaxed);
  const bool calm = plan_.all_past || now >= freeze();
  const Fault fault = calm ? Fault::none : conduct_.faults.draw(random_);
  ++account_.faults[static_cast<std::size_t>(fault)];
  if (std::optional<Answer> failed = fail(fault, now)) return std::move(*failed);

  Answer answer = route(request, now);
  spoil(answer, fault);
  if (conduct_.gzip && answer.body && request.accept_encoding.find("gzip") != std::string_view::npos) {
    answer.body = shared_text(gzip(*answer.body));
    answer.headers += "Content-Encoding: gzip\r\n";
  }
  // From here on a client may have read some of it, whatever becomes of the connection.
  if (answer.receipt && answer.fault != Fault::hang) note(*answer.receipt, false);
  return answer;
}

void Appliance::finished(const Answer& answer, bool complete) {
  --account_.in_flight;
  if (!complete || !answer.receipt || answer.fault == Fault::cut) return;
  note(*answer.receipt, true);
  ++account_.log_answers;
  account_.log_bytes += answer.body->size();
  shared_.log_answers.fetch_add(1, std::memory_order_relaxed);
  Slot& slot = slots_[answer.receipt->session];
  if (!slot.read_to_end && answer.receipt->moment >= quiet_from(plan_, slot.session, freeze())) {
    slot.read_to_end = true;
    shared_.sessions_read_to_end.fetch_add(1, std::memory_order_relaxed);
  }
}

// Polls of a quiet session are all of one moment, so this stays short however long the fleet lives.
void Appliance::note(Receipt receipt, bool owed) {
  std::vector<Served>& served = slots_[receipt.session].served;
  if (served.empty() || served.back().moment != receipt.moment) {
    served.push_back({receipt.moment, owed});
  } else {
    served.back().owed |= owed;
  }
}

std::vector<std::vector<Served>> Appliance::served() const {
  std::vector<std::vector<Served>> all;
  all.reserve(slots_.size());
  for (const Slot& slot : slots_) all.push_back(slot.served);
  return all;
}

std::size_t Appliance::sessions_existing(Nanos at) const {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.session.exists(at, freeze()); }));
}

// Faults that need no look at the request.
std::optional<Answer> Appliance::fail(Fault fault, Nanos now) {
  switch (fault) {
    case Fault::too_many: {
      const auto wait = 1 + static_cast<Nanos>(random_.below(2));
      Answer answer = problem(429, "Too Many Requests", "TooManyRequests", "slow down");
      answer.headers = fmt::format("Retry-After: {}\r\n", wait);
      account_.asked_to_wait(now, now + wait * kSecond);
      return answer;
    }
    case Fault::unavailable: {
      // A date names whole seconds, so the span ends where that second begins.
      const Nanos until = (now / kSecond + 2) * kSecond;
      Answer answer = problem(503, "Service Unavailable", "ServiceUnavailable", "busy");
      answer.headers = fmt::format("Retry-After: {}\r\n", http_date(until));
      account_.asked_to_wait(now, until);
      return answer;
    }
    case Fault::error:
      return problem(500, "Internal Server Error", "UnknownError", "something failed");
    case Fault::html: {
      Answer answer;
      answer.content_type = "text/html";
      answer.body =
          shared_text("<!DOCTYPE html><html><body><h1>Please wait while the service starts</h1></body></html>");
      return answer;
    }
    case Fault::empty: {
      Answer answer;
      answer.body = shared_text("");
      return answer;
    }
    case Fault::expire:
      tokens_.expire_all(now);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void Appliance::spoil(Answer& answer, Fault fault) {
  answer.fault = fault;
  if (fault != Fault::cut || !answer.body) return;
  answer.body = shared_text(answer.body->substr(0, random_.below(answer.body->size())));
}

Answer Appliance::route(const Request& request, Nanos now) {
  std::string_view path = request.path;
  if (dialect_ == Dialect::aws) {
    if (!path.starts_with(kAwsRoot)) return problem(404, "Not Found", "NotFound", "no such resource");
    if (request.api_version.empty()) {
      return problem(400, "Bad Request", "InvalidURI", "the header x-api-version is missing");
    }
    if (path == kAwsToken) return token(request, now);
    if (path.starts_with(kAwsSessions)) return collection(request, path.substr(kAwsSessions.size()), now);
    return problem(404, "Not Found", "NotFound", "no such resource");
  }
  if (path == kAzureToken) return token(request, now);
  if (path.starts_with(kAzureRoot)) {
    path.remove_prefix(kAzureRoot.size());
    const std::string_view version = path.substr(0, path.find('/'));
    path.remove_prefix(version.size());
    const auto& known = conduct_.azure_versions;
    if (std::find(known.begin(), known.end(), version) != known.end() && path.starts_with(kAzureSessions)) {
      return collection(request, path.substr(kAzureSessions.size()), now);
    }
  }
  return problem(404, "Not Found", "NotFound", "no such resource");
}

Answer Appliance::token(const Request& request, Nanos now) {
  if (request.method == "DELETE") {
    if (!tokens_.revoke(bearer(request.authorization)))
      return problem(401, "Unauthorized", "InvalidToken", "unknown token");
    Answer answer;
    answer.status = 204;
    return answer;
  }
  if (request.method != "POST") return problem(405, "Method Not Allowed", "MethodNotAllowed", "POST or DELETE");
  const Parameters form = decode_parameters(request.body);
  const std::string_view grant = find(form, "grant_type").value_or(dialect_ == Dialect::azure ? "Password" : "");
  const auto is = [&](std::string_view word) {
    return dialect_ == Dialect::aws ? grant == word : equal_ignoring_case(grant, word);
  };
  if (is("password")) {
    ++account_.logins;
    if (find(form, "username") != conduct_.username || find(form, "password") != conduct_.password) {
      return problem(401, "Unauthorized", "AccessDenied", "unknown user or wrong password");
    }
    return issued(tokens_.issue(now), now);
  }
  if (is("refresh_token")) {
    ++account_.refreshes;
    const Tokens::Pair* pair = tokens_.refresh(find(form, "refresh_token").value_or(""), now);
    return pair ? issued(*pair, now) : problem(401, "Unauthorized", "InvalidToken", "the refresh token is not valid");
  }
  return problem(400, "Bad Request", "UnexpectedContent", "unknown grant_type");
}

Answer Appliance::issued(const Tokens::Pair& pair, Nanos now) const {
  Answer answer;
  answer.body = shared_text(fmt::format(
      R"({{"access_token":"{}","token_type":"bearer","refresh_token":"{}","expires_in":{},".issued":"{}",".expires":"{}",)"
      R"("username":"{}","roleName":"Viewer","mfa_enabled":false}})",
      pair.access, pair.refresh, conduct_.token_lifetime / kSecond, azure_time(now), azure_time(pair.expires),
      conduct_.username));
  return answer;
}

// `rest` is what follows the collection's name: nothing, "/id" or "/id/log".
Answer Appliance::collection(const Request& request, std::string_view rest, Nanos now) {
  switch (tokens_.check(bearer(request.authorization), now)) {
    case Tokens::Verdict::unknown:
      return problem(401, "Unauthorized", "InvalidToken", "unknown token");
    case Tokens::Verdict::expired:
      return problem(401, "Unauthorized", "ExpiredToken", "the token has expired");
    case Tokens::Verdict::valid:
      break;
  }
  if (request.method != "GET") return problem(405, "Method Not Allowed", "MethodNotAllowed", "GET");
  if (rest.empty()) return list(request.query, now);
  rest.remove_prefix(1);
  constexpr std::string_view kLog = "/log";
  const bool wants_log = rest.ends_with(kLog);
  if (wants_log) rest.remove_suffix(kLog.size());
  const auto found = by_id_.find(rest);
  const Nanos at = now - now % kMomentLength;
  if (found == by_id_.end() || !slots_[found->second].session.exists(at, freeze())) {
    return problem(404, "Not Found", "NotFound", "no such session");
  }
  if (wants_log) return log(found->second, now);
  Answer answer;
  const std::string_view base = request.path.substr(0, request.path.size() - rest.size() - 1);
  answer.body = shared_text(render_session(slots_[found->second].session, found->second, base, at, freeze()));
  return answer;
}

Answer Appliance::list(std::string_view query, Nanos now) {
  const std::optional<Listing> listing = read_listing(dialect_, query);
  if (!listing) return problem(400, "Bad Request", "InvalidURI", "a parameter is not valid");
  const std::string_view base = dialect_ == Dialect::aws ? kAwsSessions : std::string_view("/api/v8/jobSessions");
  const Nanos at = now - now % kMomentLength;
  std::string rows;
  std::size_t total = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::size_t number = listing->newest_first ? slots_.size() - 1 - i : i;
    if (!listing->shows(slots_[number].session, at, freeze())) continue;
    if (total >= listing->offset && total < listing->offset + listing->limit) {
      if (!rows.empty()) rows += ',';
      rows += render_session(slots_[number].session, number, base, at, freeze());
    }
    ++total;
  }
  Page page{listing->offset, listing->limit, total};
  if (dialect_ == Dialect::azure && random_.chance(kTotalKeptSecret)) page.total.reset();
  Answer answer;
  answer.body = shared_text(render_page(dialect_, rows, page, base));
  return answer;
}

Answer Appliance::log(std::size_t number, Nanos now) {
  Slot& slot = slots_[number];
  const Nanos moment = moment_of(plan_, slot.session, now, freeze());
  Answer answer;
  answer.receipt = Receipt{number, moment};
  answer.body = random_.chance(plan_.mix.reshuffle) ? reshuffled(slot, moment) : log_body(slot, moment);
  return answer;
}

std::shared_ptr<const std::string> Appliance::log_body(Slot& slot, Nanos moment) {
  if (slot.body && slot.body_moment == moment) return slot.body;
  if (!slot.script) slot.script = std::make_unique<std::vector<Entry>>(make_script(plan_, slot.session));
  auto body = shared_text(render_log(plan_, slot.session, *slot.script, moment, freeze()));
  const auto size = static_cast<std::int64_t>(body->size());
  if (slot.body) shared_.cache_bytes_left += static_cast<std::int64_t>(slot.body->size());
  slot.body = nullptr;
  if (size <= shared_.cache_bytes_left) {
    shared_.cache_bytes_left -= size;
    slot.body = body;
    slot.body_moment = moment;
  }
  if (moment >= quiet_from(plan_, slot.session, freeze())) slot.script.reset();
  return body;
}

std::shared_ptr<const std::string> Appliance::reshuffled(const Slot& slot, Nanos moment) {
  const std::vector<Entry> script = slot.script ? *slot.script : make_script(plan_, slot.session);
  return shared_text(render_log_reshuffled(plan_, slot.session, script, moment, freeze(), random_.next()));
}

Answer Appliance::problem(int status, std::string_view title, std::string_view code, std::string_view detail) {
  if (status == 400 || status == 404 || status == 405) ++account_.bad_requests;
  Answer answer;
  answer.status = status;
  answer.content_type = "application/problem+json";
  answer.body = shared_text(render_problem(dialect_, status, title, code, detail));
  return answer;
}

}  // namespace fleet
