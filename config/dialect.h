// How one product's API looks, as data: a new product or a new version is a TOML file, not a release.
//
// The built-in dialects are the files of config/dialects/, compiled in; the directory `dialects/` beside the
// configuration adds to them or replaces them by name. config/dialects/veeam-aws.toml documents every key.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sessionlogd {

// What an entry's field means to us; the dialect says what it is called.
enum class EntryField : std::uint8_t { kLogTime, kStatus, kMessage, kStart, kDuration, kResourceId, kId };
inline constexpr std::size_t kEntryFields = 7;

enum class Outcome : std::uint8_t { kUnknown, kSuccess, kFailure };
enum class Level : std::uint8_t { kInfo, kNotice, kWarning, kError };

struct StatusWord {
  std::string word;
  bool final = true;
  Outcome outcome = Outcome::kUnknown;
  Level level = Level::kInfo;

  bool operator==(const StatusWord&) const = default;
};

// Name and value; values may hold {username}, {password} and {refresh_token}.
using FormFields = std::vector<std::pair<std::string, std::string>>;

struct Dialect {
  std::string name;               // "veeam-aws"
  std::string module;             // event.module
  std::string dataset;            // event.dataset
  std::string vendor;             // observer.vendor
  std::string product;            // observer.product
  std::string retention = "90d";  // how long the product keeps its logs unless told otherwise

  // Paths below may hold {version} and {id}; ids are percent-encoded into them.
  struct Version {
    std::string fallback;  // used when the source names none
    std::string header;    // "" = the version stands in the paths as {version}
    bool operator==(const Version&) const = default;
  } version;

  struct Token {
    std::string path;
    std::string logout_path;  // "" = there is no logout
    std::string logout_method = "DELETE";
    FormFields password_grant;
    FormFields refresh_grant;  // empty = tokens cannot be refreshed
    // names in the response
    std::string access_token = "access_token";
    std::string refresh_token = "refresh_token";
    std::string expires_in = "expires_in";
    std::string mfa_token = "mfa_token";
    bool operator==(const Token&) const = default;
  } token;

  struct Sessions {
    std::string path;      // the list
    std::string one_path;  // one session, with {id}
    FormFields query;      // sent with every listing, e.g. the sort order
    // paging by offset and limit; a page shorter than the limit is the last
    std::string offset, limit;
    unsigned page_size = 200;
    bool ascending = false;                  // rows stand in ascending order of their start
    std::string from, to;                    // window parameters over the start time, "" = none
    std::string status_filter;               // query parameter, repeated per word; "" = there is none
    std::vector<std::string> running_words;  // values of status_filter that find sessions which are not finished
    std::vector<std::string> queued_words;   // of those the ones that wait to begin: they have nothing to read yet
    // the envelope
    std::string items, total;  // total "" = none
    // Fields of a row, dots reach into objects ("backupJobInfo.policyName"). The first that is present counts.
    std::vector<std::string> id, type, session_name, parent, status, start, stop, update_number;
    std::vector<std::string> final_words;  // states after which a session does not change by itself
    bool operator==(const Sessions&) const = default;
  } sessions;

  struct Log {
    std::string path;                              // with {id}
    std::string session_id;                        // envelope: names the session the response is for, "" = not named
    std::string entries;                           // envelope: the array; without it only the id makes an empty log
    std::array<std::string, kEntryFields> fields;  // by EntryField: what it is called, "" = the product has none
    // What makes an entry itself: each element is a list of alternatives, of which the first present counts.
    // None of them is content: what changes cannot say which entry it is.
    std::vector<std::vector<EntryField>> identity;
    std::vector<std::vector<EntryField>>
        identity_before;  // as a version before read it: what it delivered is known by it
    std::vector<EntryField> content;
    // event.duration and event.end: from the two times (end = log time, only for final states) or from the duration
    // field (end = start + duration).
    enum class DurationFrom : std::uint8_t { kTimes, kField } duration_from = DurationFrom::kField;
    enum class DurationNotation : std::uint8_t {
      kMilliseconds,
      kSeconds,
      kTimeSpan
    } duration_notation = DurationNotation::kTimeSpan;
    bool operator==(const Log&) const = default;
  } log;

  std::vector<StatusWord> statuses;  // of entries; a word that is not listed is final, unknown, info

  bool operator==(const Dialect&) const = default;

  // nullptr when the word is not listed.
  const StatusWord* status(std::string_view word) const {
    for (const StatusWord& known : statuses) {
      if (known.word == word) return &known;
    }
    return nullptr;
  }
  bool session_is_final(std::string_view word) const { return holds(sessions.final_words, word); }
  bool session_is_queued(std::string_view word) const { return holds(sessions.queued_words, word); }

 private:
  static bool holds(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

}  // namespace sessionlogd
