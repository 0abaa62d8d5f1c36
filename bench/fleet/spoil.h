// What the faults of responses make of them. What only the connection can do (a wrong length, a body without end) stays
// written in Response::fault for it.
#pragma once

#include <optional>

#include "bench/fleet/http.h"
#include "bench/fleet/plan.h"
#include "bench/fleet/random.h"
#include "bench/fleet/response.h"

namespace fleet {

// In the query of a request only if the client followed a redirect.
inline constexpr std::string_view kRedirectedQuery = "redirected=yes";

// The product's way to say no.
Response problem(Dialect dialect, int status, std::string_view title, std::string_view code, std::string_view detail);

// A way to say that it cannot, without a word about when it will be able to.
Response server_error(Dialect dialect, Random& random);

// The response to any request whatsoever; empty: the fault wants a good response to begin with.
std::optional<Response> response_instead(Fault fault, Dialect dialect, const Request& request, Nanos now,
                                         Random& random);

// JSON that is nothing of what `body` is: an object without names, a word that the service starts, a problem, or the
// same under names in other letters.
std::string no_log(Dialect dialect, std::string_view body, Random& random);

// Turns a good response into one with this fault.
void spoil(Response& response, Fault fault, Random& random);

// A response with this fault, once it went out completely, is one that every client must be able to read.
constexpr bool is_readable(Fault fault) {
  return fault == Fault::none || fault == Fault::slow || fault == Fault::expire;
}

}  // namespace fleet
