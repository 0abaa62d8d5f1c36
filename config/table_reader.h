// Reads one table of a configuration key by key: each key is named once, with the rule its value must follow and where
// it goes. What was not named is an unknown key. Mistakes go to the ErrorList; reading continues.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"
#include "config/toml_reader.h"
#include "config/value_error.h"

namespace sessionlogd {

class ErrorList;

// `table` and `errors` outlive it. Keys are string literals: they are kept as views.
class TableReader {
 public:
  // `path` is how the table is called in messages ("source[2]"), "" for the root; `line` is where it starts.
  TableReader(ErrorList& errors, std::string file, std::string path, unsigned line, const TomlTable& table);

  // Sets `into` to what `rule` makes of the value, or leaves it when the key is absent. A rule throws ValueError or
  // SecretError to refuse. False when it refused.
  template <class T, class Rule>
  bool read(std::string_view key, T& into, const Rule& rule) {
    const TomlValue* value = take(key);
    if (value == nullptr) return true;
    try {
      into = rule(*value);
      return true;
    } catch (const ValueError& error) {
      refuse(key, error.what());
    } catch (const SecretError& error) {
      refuse(key, error.what());
    }
    return false;
  }

  // The same for a key that must be there; `expected` says what is missing.
  template <class T, class Rule>
  bool require(std::string_view key, std::string_view expected, T& into, const Rule& rule) {
    if (take(key) == nullptr) {
      refuse(key, "found nothing, expected " + std::string(expected));
      return false;
    }
    return read(key, into, rule);
  }

  // A table below this one; nothing when it is absent or no table (which is reported).
  std::optional<TableReader> table(std::string_view key);

  // The tables of an array of tables, [[key]], called key[1], key[2], ...
  std::vector<TableReader> tables(std::string_view key);

  // Reports a mistake at `key`, or at the table's own line when it is absent.
  void refuse(std::string_view key, std::string_view message) const;

  bool has(std::string_view key) const { return table_->find(key) != nullptr; }
  const std::string& file() const { return file_; }
  unsigned line_of(std::string_view key) const;
  const TomlTable& raw() const { return *table_; }

  // Reports every key that was not named by one of the calls above.
  void finish() const;

 private:
  const TomlValue* take(std::string_view key);
  std::string full(std::string_view key) const;

  ErrorList* errors_;
  std::string file_;
  std::string path_;
  unsigned line_;
  const TomlTable* table_;
  std::vector<std::string_view> known_;
};

// The word of `words` that `word` was probably meant to be, "" when none is close.
std::string_view closest(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace sessionlogd
