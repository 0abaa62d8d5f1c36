#include "core/log_envelope.h"

#include <algorithm>

#include "core/entry.h"
#include "core/json_text.h"

namespace sessionlogd {
namespace {

// No id is so long, however it is escaped: a longer one is not decoded.
constexpr std::size_t kLongestId = 16u << 10;

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void LogEnvelope::begin(const Dialect::Log& log) {
  *this = {};
  log_ = &log;
}

void LogEnvelope::member(std::string_view name, std::string_view value) {
  if (is_null_token(value)) return;
  if (name == log_->session_id && !name.empty()) {
    if (named_session_.empty()) named_session_ = value;
  } else if (name != log_->entries && same_but_for_case(name, log_->entries)) {
    misspelled_ = true;
  }
}

LogEnvelope::Refusal LogEnvelope::refusal(std::string_view session_id) const {
  if (not_an_array_) return Refusal::kNotAnArray;
  if (!named_session_.empty()) {
    std::string named;
    if (named_session_.size() <= kLongestId) append_field_text(named, named_session_);
    if (!same_but_for_case(named, session_id)) return Refusal::kOtherSession;
  }
  const bool proven = has_array_ || (!named_session_.empty() && !misspelled_);
  return proven ? Refusal::kNone : Refusal::kNoLog;
}

}  // namespace sessionlogd
