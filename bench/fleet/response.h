// The response of an appliance, before the connection sends it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/faults.h"
#include "bench/fleet/times.h"

namespace fleet {

// Which moment of which session a response shows.
struct Receipt {
  std::size_t session;
  Nanos moment;
};

struct Response {
  int status = 200;
  std::string_view content_type = "application/json; charset=utf-8";
  std::string headers;  // further lines, each ended
  std::shared_ptr<const std::string> body;
  Fault fault = Fault::none;              // what the connection has to do to it
  std::ptrdiff_t length_is_off_by = 0;    // the promised length, from the true one
  Nanos wait_until = 0;                   // what its Retry-After asks for; 0: nothing
  std::string wish;                       // that in words
  std::string date;                       // of its Date header; empty: the clock's
  bool is_of_no_use = false;              // nobody must read it, whatever it holds
  std::vector<std::size_t> at_their_end;  // sessions whose last row is in it
  std::optional<Receipt> receipt;         // none: nothing in it belongs to the session that was asked for
};

// How a response fared, by the fleet's clock.
struct Delivery {
  bool complete;   // every byte of it went out
  Nanos ended;     // the client waited for it until then, if not longer
  Nanos known_at;  // complete: all of it lay before the client; kNever: who had left by then
};

inline std::shared_ptr<const std::string> shared_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace fleet
