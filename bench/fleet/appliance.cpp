#include "bench/fleet/appliance.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/fleet/compress.h"
#include "bench/fleet/listing.h"
#include "bench/fleet/render.h"
#include "bench/fleet/spoil.h"

namespace fleet {

namespace {

constexpr std::string_view kAwsRoot = "/api/v1";
constexpr std::string_view kAwsToken = "/api/v1/token";
constexpr std::string_view kAwsSessions = "/api/v1/sessions";
constexpr std::string_view kAzureRoot = "/api/";
constexpr std::string_view kAzureToken = "/api/oauth2/token";
constexpr std::string_view kAzureSessions = "/jobSessions";
constexpr double kTotalKeptSecret = 0.1;  // Azure: totalCount is nullable

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size()) : std::string_view();
}

// "GET /api/v1/sessions, no. 3 of 40123 > 8001": the third request of the connection between these ports.
std::string words_for(const Request& request) {
  return fmt::format("{} {}, no. {} of {} > {}", request.method, request.path, request.number, request.from_port,
                     request.to_port);
}

std::string words_for(const Request& request, const Response& response) {
  const std::string_view header = std::string_view(response.headers).substr(0, response.headers.find('\r'));
  return fmt::format("{} \"{}\" for {}", response.status, header, words_for(request));
}

}  // namespace

Appliance::Appliance(const Plan& plan, const Conduct& conduct, std::size_t index, const std::atomic<Nanos>& freeze,
                     Shared& shared)
    : plan_(plan_of_appliance(plan, index)),
      nature_(nature_of(plan, index)),
      telling_(telling_of(plan_, index)),
      conduct_(conduct),
      index_(index),
      dialect_(dialect_of(plan, index)),
      freeze_(freeze),
      shared_(shared),
      random_(seed_of(plan.seed ^ 0xfa17, index)),
      tokens_(seed_of(plan.seed ^ 0x70ce4, index), conduct.token_lifetime),
      tokens_void_at_(nature_.tokens_void_every > 0 ? plan_.begin + nature_.tokens_void_every : kNever),
      tokens_expire_at_(nature_.tokens_expire_every > 0 ? plan_.begin + nature_.tokens_expire_every : kNever),
      account_(conduct.allowed),
      sessions_(plan_, index),
      slots_(sessions_.size()) {
  if (plan.faults.share(Fault::bomb) > 0) bomb("", 0);
}

bool Appliance::is_down(Nanos now) const { return nature_.is_down.holds(clock(now)) && !is_calm(clock(now)); }

Response Appliance::response(const Request& request, Nanos now) {
  Response response = response_to(request, now);
  const Nanos at = clock(now);
  if (const ClockStep* step = clock_step(at)) {
    response.date = step->date.empty() ? http_date(at + step->by) : std::string(step->date);
  }
  return response;
}

Response Appliance::response_to(const Request& request, Nanos now) {
  const Nanos at = clock(now);
  account_.arrived(request.arrived, words_for(request));
  last_asked_ = request.arrived;
  if (conduct_.keeps_visits) visits_.push_back({request.arrived, request.visitor});
  shared_.requests.fetch_add(1, std::memory_order_relaxed);
  const Fault fault = draw(request, at);
  if (nature_.has_server_errors.holds(at) && !is_calm(at)) return server_error(dialect_, random_);
  if (std::optional<Response> other = response_instead(fault, dialect_, request, at, random_)) {
    if (other->wait_until > 0) other->wish = words_for(request, *other);
    return std::move(*other);
  }

  Response response = route(request, at);
  if (fault == Fault::other_session && response.receipt) show_another_session(response, at);
  if (nature_.says_no_log.holds(at) && !is_calm(at) && response.status == 200 && request.method == "GET") {
    response.body = shared_text(no_log(dialect_, *response.body, random_));
    response.is_of_no_use = true;
  }
  spoil(response, fault, random_);
  if (conduct_.gzip && response.body && request.accept_encoding.find("gzip") != std::string_view::npos) {
    response.body = shared_text(gzip(*response.body));
    response.headers += "Content-Encoding: gzip\r\n";
  }
  // From here on a client may have read some of it, whatever becomes of the connection.
  if (response.receipt && response.fault != Fault::hang) note(*response.receipt, false);
  return response;
}

Fault Appliance::draw(const Request& request, Nanos at) {
  if (request.query == kRedirectedQuery) ++account_.redirects_followed;
  if (is_calm(at)) return Fault::none;
  if (at >= tokens_void_at_) {
    tokens_.void_all();
    tokens_void_at_ = at + nature_.tokens_void_every;
  }
  if (at >= tokens_expire_at_) {
    tokens_.expire_all(at);
    tokens_expire_at_ = at + nature_.tokens_expire_every;
  }
  Fault fault = plan_.faults.draw(random_);
  // A wish to wait until a date means nothing by a clock that steps.
  const bool may_name_a_date =
      fault == Fault::unavailable || fault == Fault::retry_date || fault == Fault::retry_negative;
  if (may_name_a_date && clock_step(at) != nullptr) fault = Fault::too_many;
  ++account_.faults[static_cast<std::size_t>(fault)];
  if (fault == Fault::expire) tokens_.expire_all(at);
  return fault;
}

void Appliance::finished(const Response& response, const Delivery& delivery) {
  account_.ended(delivery.ended);
  if (delivery.complete && delivery.known_at != kNever && response.wait_until > 0) {
    account_.asked_to_wait(delivery.known_at, shifted(response.wait_until, -nature_.clock_offset), response.wish);
  }
  if (!delivery.complete || response.fault == Fault::cut || response.is_of_no_use) return;
  for (const std::size_t number : response.at_their_end) slots_[number].shown_at_its_end = true;
  if (!response.receipt) return;
  const Receipt& receipt = *response.receipt;
  // Who reads a whole response that nobody must read, has read it.
  std::atomic<Nanos>& read_to = slots_[receipt.session].read_to;
  read_to = std::max(read_to.load(), receipt.moment);
  if (!is_readable(response.fault)) return;
  note(receipt, true);
  ++account_.log_answers;
  account_.log_bytes += response.body->size();
  shared_.log_answers.fetch_add(1, std::memory_order_relaxed);
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

ApplianceRecord Appliance::record(Nanos now) const {
  ApplianceRecord record{index_, {}, account_.judged(), visits_};
  record.sessions.reserve(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    record.sessions.push_back({slots_[i].served, sessions_.is_gone(i, clock(now), freeze()), is_unread(i, clock(now))});
  }
  return record;
}

std::size_t Appliance::sessions_existing(Nanos now) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) count += sessions_.exists(i, clock(now), freeze()) ? 1 : 0;
  return count;
}

std::size_t Appliance::sessions_unread(Nanos now) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) count += is_unread(i, clock(now)) ? 1 : 0;
  return count;
}

bool Appliance::is_unread(std::size_t number, Nanos at) const {
  const Slot& slot = slots_[number];
  const Session& session = sessions_[number];
  // Where its end is, the freeze may still change.
  if (slot.read_to >= quiet_from(plan_, session, freeze()) || !sessions_.exists(number, at, freeze())) return false;
  return slot.shown_at_its_end || (session.reopened == kNever && !session.late && !session.is_told_oddly());
}

std::string Appliance::row(std::size_t number, std::string_view base, Nanos at, Response& into) {
  if (sessions_[number].is_at_its_end(at, freeze())) into.at_their_end.push_back(number);
  return render_session(sessions_[number], number, base, at, freeze());
}

Response Appliance::route(const Request& request, Nanos now) {
  std::string_view path = request.path;
  const bool refusing = nature_.refuses_versions.holds(now) && !is_calm(now);
  if (dialect_ == Dialect::aws) {
    if (!path.starts_with(kAwsRoot)) return refused(404, "Not Found", "NotFound", "no such resource");
    if (refusing)
      return problem(dialect_, 400, "Bad Request", "unsupportedApiVersion", "this version is not supported");
    if (request.api_version.empty()) {
      return refused(400, "Bad Request", "InvalidURI", "the header x-api-version is missing");
    }
    if (path == kAwsToken) return token(request, now);
    if (path.starts_with(kAwsSessions)) return collection(request, path.substr(kAwsSessions.size()), now);
    return refused(404, "Not Found", "NotFound", "no such resource");
  }
  if (path == kAzureToken) return token(request, now);
  if (refusing) return problem(dialect_, 404, "Not Found", "NotFound", "no such resource");
  if (path.starts_with(kAzureRoot)) {
    path.remove_prefix(kAzureRoot.size());
    const std::string_view version = path.substr(0, path.find('/'));
    path.remove_prefix(version.size());
    const auto& known = conduct_.azure_versions;
    if (std::find(known.begin(), known.end(), version) != known.end() && path.starts_with(kAzureSessions)) {
      return collection(request, path.substr(kAzureSessions.size()), now);
    }
  }
  return refused(404, "Not Found", "NotFound", "no such resource");
}

Response Appliance::token(const Request& request, Nanos now) {
  if (request.method == "DELETE") {
    is_a(Visit::kLogout);
    if (!tokens_.revoke(bearer(request.authorization)))
      return refused(401, "Unauthorized", "InvalidToken", "unknown token");
    Response response;
    response.status = 204;
    return response;
  }
  if (request.method != "POST") return refused(405, "Method Not Allowed", "MethodNotAllowed", "POST or DELETE");
  const Parameters form = decode_parameters(request.body);
  const std::string_view grant = find(form, "grant_type").value_or(dialect_ == Dialect::azure ? "Password" : "");
  const auto is = [&](std::string_view word) {
    return dialect_ == Dialect::aws ? grant == word : equal_ignoring_case(grant, word);
  };
  if (is("password")) {
    account_.logged_in(request.arrived, words_for(request));
    is_a(Visit::kLogin);
    if (find(form, "username") != conduct_.username || find(form, "password") != conduct_.password) {
      return refused(401, "Unauthorized", "AccessDenied", "unknown user or wrong password");
    }
    if (nature_.has_one_session) tokens_.void_all();
    return issued(tokens_.issue(now), now);
  }
  if (is("refresh_token")) {
    ++account_.refreshes;
    if (nature_.refuses_refresh) return refused(401, "Unauthorized", "InvalidToken", "refreshing is not allowed");
    const Tokens::Pair* pair = tokens_.refresh(find(form, "refresh_token").value_or(""), now);
    return pair ? issued(*pair, now) : refused(401, "Unauthorized", "InvalidToken", "the refresh token is not valid");
  }
  return refused(400, "Bad Request", "UnexpectedContent", "unknown grant_type");
}

// The present one.
void Appliance::is_a(Visit::Kind kind) {
  if (!visits_.empty()) visits_.back().kind = kind;
}

Response Appliance::issued(const Tokens::Pair& pair, Nanos now) const {
  Response response;
  response.body = shared_text(fmt::format(
      R"({{"access_token":"{}","token_type":"bearer","refresh_token":"{}","expires_in":{},".issued":"{}",".expires":"{}",)"
      R"("username":"{}","roleName":"Viewer","mfa_enabled":false}})",
      pair.access, pair.refresh, conduct_.token_lifetime / kSecond, azure_time(now), azure_time(pair.expires),
      conduct_.username));
  return response;
}

// `rest` is what follows the collection's name: nothing, "/id" or "/id/log".
Response Appliance::collection(const Request& request, std::string_view rest, Nanos now) {
  switch (tokens_.check(bearer(request.authorization), now)) {
    case Tokens::Verdict::unknown:
      return refused(401, "Unauthorized", "InvalidToken", "unknown token");
    case Tokens::Verdict::expired:
      return refused(401, "Unauthorized", "ExpiredToken", "the token has expired");
    case Tokens::Verdict::valid:
      break;
  }
  if (request.method != "GET") return refused(405, "Method Not Allowed", "MethodNotAllowed", "GET");
  if (rest.empty()) return list(request.query, now);
  rest.remove_prefix(1);
  constexpr std::string_view kLog = "/log";
  const bool wants_log = rest.ends_with(kLog);
  if (wants_log) rest.remove_suffix(kLog.size());
  const Nanos at = now - now % kMomentLength;
  const std::optional<std::size_t> number = sessions_.find(rest, at, freeze());
  if (!number) return problem(dialect_, 404, "Not Found", "NotFound", "no such session");
  if (wants_log) return log(*number, now);
  Response response;
  const std::string_view base = request.path.substr(0, request.path.size() - rest.size() - 1);
  response.body = shared_text(row(*number, base, at, response));
  return response;
}

Response Appliance::list(std::string_view query, Nanos now) {
  std::optional<Listing> listing = read_listing(dialect_, query);
  if (!listing) return refused(400, "Bad Request", "InvalidURI", "a parameter is not valid");
  if (listing->limit > nature_.greatest_limit) {
    return problem(dialect_, 400, "Bad Request", "InvalidURI", "Limit is too large");
  }
  listing->limit = std::min({listing->limit, nature_.most_rows, conduct_.page_cap});
  const bool calm = is_calm(now);
  const auto happens = [&](Fault fault) { return !calm && random_.chance(plan_.faults.share(fault)); };
  if (listing->offset > 0 && happens(Fault::shift_insert)) sessions_.insert_one(listing->newest_first);
  if (listing->offset > 0 && happens(Fault::shift_delete)) sessions_.delete_one(listing->newest_first);

  const std::string_view base = dialect_ == Dialect::aws ? kAwsSessions : std::string_view("/api/v8/jobSessions");
  const Nanos at = now - now % kMomentLength;
  const Catalogue::Rows found = page_of(*listing, now);
  Response response;
  std::string rows;
  for (const std::size_t number : found.numbers) {
    if (!rows.empty()) rows += ',';
    rows += row(number, base, at, response);
  }
  Page page{listing->offset, listing->limit, found.total};
  if (happens(Fault::total_wrong))
    page.total = found.total + 1 + random_.below(3) - std::min<std::size_t>(found.total, 2);
  if (happens(Fault::total_null)) page.total.reset();
  if (dialect_ == Dialect::azure && random_.chance(kTotalKeptSecret)) page.total.reset();
  page.total = told_total(page, found.numbers.size(), now);
  response.body = shared_text(render_page(dialect_, rows, page, base));
  return response;
}

// The rows that a listing shows, and in the order in which it does.
Catalogue::Rows Appliance::page_of(Listing listing, Nanos now) {
  const Nanos at = now - now % kMomentLength;
  const bool calm = is_calm(now);
  if (!calm && nature_.is_blind.holds(now)) return {};
  if (!calm && nature_.ignores_offset.holds(now)) listing.offset = 0;
  if (calm || !nature_.shuffles.holds(now)) return sessions_.rows(listing, at, freeze());
  Listing whole = listing;
  whole.offset = 0;
  whole.limit = sessions_.size();
  Catalogue::Rows all = sessions_.rows(whole, at, freeze());
  for (std::size_t i = all.numbers.size(); i > 1; --i) std::swap(all.numbers[i - 1], all.numbers[random_.below(i)]);
  all.numbers.erase(all.numbers.begin(),
                    all.numbers.begin() + static_cast<std::ptrdiff_t>(std::min(listing.offset, all.numbers.size())));
  all.numbers.resize(std::min(listing.limit, all.numbers.size()));
  return all;
}

std::optional<std::size_t> Appliance::told_total(const Page& page, std::size_t rows, Nanos now) {
  if (nature_.ignores_offset.holds(now) && !is_calm(now)) return std::nullopt;
  switch (nature_.total_lie) {
    case TotalLie::of_page:
      return rows;
    case TotalLie::zero:
      return 0;
    case TotalLie::too_high:
      return page.total.value_or(0) + 17;
    default:
      return page.total;
  }
}

Response Appliance::log(std::size_t number, Nanos now) {
  const Nanos moment = moment_of(plan_, sessions_[number], now, freeze());
  Response response;
  response.receipt = Receipt{number, moment};
  response.body = random_.chance(plan_.mix.reshuffle) ? reshuffled(number, moment) : log_body(number, moment);
  return response;
}

// Nothing in such a response is about the session that was asked for, so nobody may take anything from it.
void Appliance::show_another_session(Response& response, Nanos at) {
  const std::size_t other = random_.below(sessions_.size());
  if (other == response.receipt->session || !sessions_.exists(other, at, freeze())) return;
  response.body = log_body(other, moment_of(plan_, sessions_[other], at, freeze()));
  response.receipt.reset();
}

std::shared_ptr<const std::string> Appliance::log_body(std::size_t number, Nanos moment) {
  Slot& slot = slots_[number];
  const Session& session = sessions_[number];
  if (slot.body && slot.body_moment == moment) return slot.body;
  if (!slot.script) slot.script = std::make_unique<std::vector<Entry>>(make_script(plan_, session));
  auto body = shared_text(render_log(plan_, session, *slot.script, moment, freeze()));
  const auto size = static_cast<std::int64_t>(body->size());
  if (slot.body) shared_.cache_bytes_left += static_cast<std::int64_t>(slot.body->size());
  slot.body = nullptr;
  if (size <= shared_.cache_bytes_left) {
    shared_.cache_bytes_left -= size;
    slot.body = body;
    slot.body_moment = moment;
  }
  if (moment >= quiet_from(plan_, session, freeze())) slot.script.reset();
  return body;
}

std::shared_ptr<const std::string> Appliance::reshuffled(std::size_t number, Nanos moment) {
  const Session& session = sessions_[number];
  const Slot& slot = slots_[number];
  const std::vector<Entry> script = slot.script ? *slot.script : make_script(plan_, session);
  return shared_text(render_log_reshuffled(plan_, session, script, moment, freeze(), random_.next()));
}

// The client's fault, and counted as such where it is about the form of the request.
Response Appliance::refused(int status, std::string_view title, std::string_view code, std::string_view detail) {
  if (status == 400 || status == 404 || status == 405) ++account_.bad_requests;
  return problem(dialect_, status, title, code, detail);
}

}  // namespace fleet
