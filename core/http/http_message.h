// A request to an appliance, and its response.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/body.h"

namespace sessionlogd {

struct HttpRequest {
  enum class Method { kGet, kPost, kDelete };

  Method method = Method::kGet;
  std::string target;  // path and query, as it goes out
  std::vector<std::string>
      headers;       // "Name: value", beside the endpoint's own and instead of those of the same name; what is not
                     // a header line (CR, LF, NUL, no colon) makes the request fail as kRefused, unsent
  std::string form;  // POST: application/x-www-form-urlencoded

  HttpRequest(Method m, std::string t, std::vector<std::string> h = {}, std::string f = {})
      : method(m), target(std::move(t)), headers(std::move(h)), form(std::move(f)) {}
};

struct HttpResponse {
  int status = 0;
  Body body;                               // decoded
  std::string content_type;                // "" = none given
  std::optional<std::int64_t> date;        // the Date header, Unix seconds, the appliance's clock
  std::string www_authenticate, location;  // of what is no success; "" = none
  std::optional<std::chrono::seconds>
      retry_after;  // from seconds or from a date (relative to `date`, else our clock); never negative
};

}  // namespace sessionlogd
