#include "core/entries/log_envelope.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/base/json_text.h"
#include "core/entries/entry.h"

namespace sessionlogd {
namespace {

// No id is so long, however it is escaped: a longer one is not decoded.
constexpr std::size_t kLongestId = 16u << 10;

// A session's log comes whole. What beside it says otherwise, in any case of letters; "a.b" is the member b of the
// object a.
enum class Says { kMoreIfLarger, kMoreIfEqual, kMoreIfThere };
struct Word {
  std::string_view name;
  Says says;
};
constexpr Word kTable[] = {
    {"total", Says::kMoreIfLarger},     {"totalCount", Says::kMoreIfLarger}, {"totalRecords", Says::kMoreIfLarger},
    {"count", Says::kMoreIfLarger},     {"limit", Says::kMoreIfEqual},       {"pageSize", Says::kMoreIfEqual},
    {"page_size", Says::kMoreIfEqual},  {"perPage", Says::kMoreIfEqual},     {"per_page", Says::kMoreIfEqual},
    {"pageLimit", Says::kMoreIfEqual},  {"next", Says::kMoreIfThere},        {"_links.next", Says::kMoreIfThere},
    {"links.next", Says::kMoreIfThere},
};
static_assert(std::size(kTable) == LogEnvelope::kWords);

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// The value of a member of an object, "" = it has none of that name, or it is no object.
std::string_view member_of(std::string_view object, std::string_view name) {
  JsonCursor cursor(object);
  if (!cursor.enter('{')) return {};
  while (const auto key = cursor.next_key()) {
    const auto value = cursor.take_value();
    if (!value) break;
    if (same_but_for_case(inside_quotes(*key), name)) return *value;
  }
  return {};
}

// The value that a word of the table has in the member of the response that is in hand.
std::string_view value_of(const Word& word, std::string_view name, std::string_view value) {
  const std::size_t dot = word.name.find('.');
  if (!same_but_for_case(name, word.name.substr(0, dot))) return {};
  return dot == word.name.npos ? value : member_of(value, word.name.substr(dot + 1));
}

bool says_more(Says says, std::string_view value, std::size_t entries) {
  if (says == Says::kMoreIfThere) return value != "false" && value != "\"\"" && value != "{}" && value != "[]";
  double number = 0;
  if (!is_number_token(value)) return false;
  std::from_chars(value.data(), value.data() + value.size(), number);
  const auto came = static_cast<double>(entries);
  return says == Says::kMoreIfLarger ? number > came : entries > 0 && number == came;
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
  } else {
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::string_view said = value_of(kTable[i], name, value);
      if (said_[i].empty() && !is_null_token(said)) said_[i] = said;
    }
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

std::string LogEnvelope::more_elsewhere(std::size_t entries) const {
  for (std::size_t i = 0; i < kWords; ++i) {
    const Word& word = kTable[i];
    if (said_[i].empty() || !says_more(word.says, said_[i], entries)) continue;
    if (word.says == Says::kMoreIfThere) return fmt::format("it came with {} entries and a \"{}\"", entries, word.name);
    return fmt::format("it came with {} entries, and \"{}\" is {:.20}", entries, word.name, said_[i]);
  }
  return {};
}

}  // namespace sessionlogd
