// What an operation gave: a value, or an error that says what to do about it.
//
// Kinds exist only where the reaction differs. The detail is complete where it is made: who, what, code; it never holds
// a secret or a body.
#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sessionlogd {

enum class ErrorKind {
  kTryLater,     // a fault that passes: network, time-out, 429, 5xx, a full disk
  kLogInAgain,   // the token was not accepted
  kRefused,      // will not be accepted however often it is tried: 400, 403, 404, wrong credentials
  kBadResponse,  // not what the interface promises: no JSON, wrong shape, too large
  kCancelled,    // we are stopping
  kFenced,       // another daemon has taken over
};

struct Error {
  ErrorKind kind = ErrorKind::kTryLater;
  std::string detail;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  // how long the other side asked us to wait
  int http_status = 0;                                             // 0: no response was read
  bool sent = true;                                                // false: what was asked never left us
  std::string_view remedy{};   // what to do, where neither kind nor status say it: a literal
  bool worth_keeping = false;  // of a bad response: a person should see what it was, even if it is JSON

  Error() = default;  // Boost 1.81's result::error() makes one when there is no error to return
  Error(ErrorKind k, std::string d) : kind(k), detail(std::move(d)) {}
};

// Called by Result::value() on an error: only start-up code and tests take that road.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.detail);
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace sessionlogd
