#include "bench/fleet/spoil.h"

#include <fmt/format.h>

#include "bench/fleet/compress.h"
#include "bench/fleet/render.h"

namespace fleet {

namespace {

constexpr std::size_t kManyHeaders = 5000;
constexpr Nanos kLongestWait = kHour;  // a client need not wait longer

Response wait(Dialect dialect, int status, const std::string& retry_after, Nanos until) {
  Response response = status == 429 ? problem(dialect, 429, "Too Many Requests", "TooManyRequests", "slow down")
                                    : problem(dialect, 503, "Service Unavailable", "ServiceUnavailable", "busy");
  response.headers = "Retry-After: " + retry_after + "\r\n";
  response.wait_until = until;
  return response;
}

Response wait_seconds(Dialect dialect, Nanos now, Random& random) {
  const auto span = 1 + static_cast<Nanos>(random.below(2));
  return wait(dialect, 429, std::to_string(span), now + span * kSecond);
}

// A date names whole seconds, so the span ends where that second begins.
Nanos in_two_seconds(Nanos now) { return (now / kSecond + 2) * kSecond; }

Response wait_old_date(Dialect dialect, Nanos now, Random& random) {
  const Nanos until = in_two_seconds(now);
  return wait(dialect, 429, random.chance(0.5) ? http_date_rfc850(until) : http_date_asctime(until), until);
}

Response wait_for_years(Dialect dialect, Nanos now, Random& random) {
  static constexpr std::string_view kValues[] = {"99999999", "18446744073709551616", "9223372036854775807",
                                                 "Fri, 31 Dec 9999 23:59:59 GMT"};
  return wait(dialect, 429, std::string(random.pick(kValues)), now + kLongestWait);
}

Response wait_for_nothing(Dialect dialect, Nanos now, Random& random) {
  static constexpr std::string_view kValues[] = {"-5", "0", "-9223372036854775808", "soon", "", "1e3"};
  const std::string past = http_date(now - kHour);
  return wait(dialect, 429, random.chance(0.2) ? past : std::string(random.pick(kValues)), 0);
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

Response well(std::string_view content_type, std::string body) {
  Response response;
  response.content_type = content_type;
  response.body = shared_text(std::move(body));
  return response;
}

Response garbage(Random& random) {
  std::string body(16 + random.below(4096), '\0');
  for (char& byte : body) byte = static_cast<char>(random.next());
  return well("application/json", std::move(body));
}

Response bomb_in(std::string_view codings, Random& random) {
  const Bomb& made = bomb(codings, random.next());
  Response response;
  response.body = made.body;
  response.headers = fmt::format("Content-Encoding: {}\r\n", made.coding);
  return response;
}

Response redirect(const Request& request, Random& random) {
  static constexpr int kStatuses[] = {301, 302, 307, 308};
  Response response = well("text/html", "<html><body>elsewhere</body></html>");
  response.status = random.pick(kStatuses);
  response.headers = fmt::format("Location: {}?{}\r\n", request.path, kRedirectedQuery);
  return response;
}

// For people who look for the mistake in what they sent. A refused login would stop a client for a quarter of an hour.
Response echo(const Request& request, Random& random) {
  static constexpr int kStatuses[] = {200, 401, 500};
  const std::string carried =
      fmt::format("{} {}\nAuthorization: {}\n\n{}", request.method, request.path, request.authorization, request.body);
  Response response = well("text/html", fmt::format("<html><body><pre>{}</pre><!-- {} --></body></html>", carried,
                                                    percent_encoded(carried)));
  response.status = random.pick(kStatuses);
  if (response.status == 401 && request.method != "GET") response.status = 500;
  return response;
}

// The names in it that begin with a small letter begin with a large one.
std::string in_other_letters(std::string_view json) {
  std::string other(json);
  for (const std::string_view name : {R"("sessionId":)", R"("jobSessionId":)", R"("log":)", R"("results":)",
                                      R"("totalCount":)", R"("id":)", R"("status":)", R"("executionStartTime":)"}) {
    for (std::size_t at = 0; (at = other.find(name, at)) != std::string::npos; at += name.size()) {
      other[at + 1] = static_cast<char>(other[at + 1] - 'a' + 'A');
    }
  }
  return other;
}

std::string many_headers() {
  std::string lines;
  for (std::size_t i = 0; i < kManyHeaders; ++i) fmt::format_to(std::back_inserter(lines), "X-Fleet-{}: {}\r\n", i, i);
  return lines;
}

}  // namespace

Response problem(Dialect dialect, int status, std::string_view title, std::string_view code, std::string_view detail) {
  Response response = well("application/problem+json", render_problem(dialect, status, title, code, detail));
  response.status = status;
  return response;
}

Response server_error(Dialect dialect, Random& random) {
  static constexpr int kStatuses[] = {500, 502, 503, 504};
  return problem(dialect, random.pick(kStatuses), "Internal Server Error", "UnknownError", "something failed");
}

std::optional<Response> response_instead(Fault fault, Dialect dialect, const Request& request, Nanos now,
                                         Random& random) {
  switch (fault) {
    case Fault::too_many:
      return wait_seconds(dialect, now, random);
    case Fault::unavailable:
      return wait(dialect, 503, http_date(in_two_seconds(now)), in_two_seconds(now));
    case Fault::retry_huge:
      return wait_for_years(dialect, now, random);
    case Fault::retry_negative:
      return wait_for_nothing(dialect, now, random);
    case Fault::retry_date:
      return wait_old_date(dialect, now, random);
    case Fault::error:
      return problem(dialect, 500, "Internal Server Error", "UnknownError", "something failed");
    case Fault::html:
      return well("text/html",
                  "<!DOCTYPE html><html><body><h1>Please wait while the service starts</h1></body></html>");
    case Fault::empty:
      return well("application/json", "");
    case Fault::garbage:
      return garbage(random);
    case Fault::echo:
      return echo(request, random);
    case Fault::bomb:
      return bomb_in(request.accept_encoding, random);
    case Fault::uninvited:
      return bomb_in("deflate, br, zstd", random);
    case Fault::redirect:
      return redirect(request, random);
    default:
      return std::nullopt;
  }
}

std::string no_log(Dialect dialect, std::string_view body, Random& random) {
  switch (random.below(4)) {
    case 0:
      return "{}";
    case 1:
      return R"({"message":"The service is starting"})";
    case 2:
      return render_problem(dialect, 503, "Service Unavailable", "ServiceUnavailable", "the database is starting");
    default:
      return in_other_letters(body);
  }
}

void spoil(Response& response, Fault fault, Random& random) {
  response.fault = fault;
  if (!response.body || response.body->empty()) return;
  // A refused login whose reason cannot be read would stop a client for a quarter of an hour.
  const bool loses_its_end = fault == Fault::cut || fault == Fault::wrong_length;
  if (loses_its_end && response.status >= 300) return;
  const std::size_t size = response.body->size();
  const auto some = static_cast<std::ptrdiff_t>(1 + random.below(size));
  if (fault == Fault::cut) response.body = shared_text(response.body->substr(0, static_cast<std::size_t>(some) - 1));
  if (fault == Fault::wrong_length) response.length_is_off_by = random.chance(0.5) ? some : -some;
  if (fault == Fault::headers) response.headers += many_headers();
}

}  // namespace fleet
