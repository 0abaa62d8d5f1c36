// What stands beside the entries in the response to a log request: whether it proves that the response is the log that
// was asked for, and what says that there is more of it elsewhere.
//
// The array of entries proves it, under the name that the dialect gives it; where that is null or missing, the id of
// the session does. All else may come from a gateway, or from a service that is still starting: it is no empty log.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "config/dialect.h"

namespace sessionlogd {

class LogEnvelope {
 public:
  // A new response of this dialect, which outlives the reading.
  void begin(const Dialect::Log& log);

  // A member of the response that is not the array of entries: its name, decoded, and its value as it stands.
  void member(std::string_view name, std::string_view value);
  // The array of entries was found.
  void array() { has_array_ = true; }
  // Something else stands in its place.
  void not_an_array() { not_an_array_ = true; }

  // Why a response that was read to its end is not the log of the session asked for.
  enum class Refusal { kNone, kNotAnArray, kNoLog, kOtherSession };
  Refusal refusal(std::string_view session_id) const;

  // What says that there is more of the log than the `entries` that came, in words; "" = nothing does.
  std::string more_elsewhere(std::size_t entries) const;

  // How many words there are that say so: log_envelope.cpp names them.
  static constexpr std::size_t kWords = 13;

 private:
  const Dialect::Log* log_ = nullptr;
  std::string_view named_session_;  // raw, "" = none
  bool has_array_ = false, not_an_array_ = false;
  bool misspelled_ = false;                      // a member has the name of the entries but for the case of its letters
  std::array<std::string_view, kWords> said_{};  // raw values, "" = the word is not there
};

}  // namespace sessionlogd
