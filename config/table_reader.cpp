#include "config/table_reader.h"

#include <algorithm>
#include <numeric>

#include "config/error_list.h"
#include "config/units.h"

namespace sessionlogd {
namespace {

// Levenshtein's distance.
std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view closest(std::string_view word, const std::vector<std::string_view>& words) {
  constexpr std::size_t kLongest = 64;  // nobody mistypes more, and the distance costs the product of the lengths
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t fewest = 3;
  for (const std::string_view candidate : words) {
    const std::size_t distance = edits(word, candidate);
    if (distance < fewest && distance * 2 < candidate.size()) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

TableReader::TableReader(ErrorList& errors, std::string file, std::string path, unsigned line, const TomlTable& table)
    : errors_(&errors), file_(std::move(file)), path_(std::move(path)), line_(line), table_(&table) {}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const TomlValue* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* below = std::get_if<TomlTable>(&value->value)) {
    return TableReader(*errors_, file_, full(key), value->line, *below);
  }
  refuse(key, "found " + describe(*value) + ", expected a table");
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> out;
  const TomlValue* value = take(key);
  if (value == nullptr) return out;
  const std::string expected = ", expected tables that start with [[" + full(key) + "]]";
  const auto* array = std::get_if<TomlArray>(&value->value);
  if (array == nullptr) {
    refuse(key, "found " + describe(*value) + expected);
    return out;
  }
  for (const TomlValue& element : *array) {
    const std::string name = full(key) + "[" + std::to_string(&element - array->data() + 1) + "]";
    if (const auto* below = std::get_if<TomlTable>(&element.value)) {
      out.emplace_back(*errors_, file_, name, element.line, *below);
    } else {
      errors_->add(file_, element.line, name, "found " + describe(element) + expected);
    }
  }
  return out;
}

void TableReader::refuse(std::string_view key, std::string_view message) const {
  errors_->add(file_, line_of(key), full(key), message);
}

unsigned TableReader::line_of(std::string_view key) const {
  const TomlValue* value = table_->find(key);
  return value != nullptr ? value->line : line_;
}

void TableReader::finish() const {
  for (const TomlMember& member : table_->members) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    std::string message = "found an unknown key, expected one of";
    if (const std::string_view meant = closest(member.key, known_); !meant.empty()) {
      message = "found an unknown key, did you mean " + in_quotes(meant) + "?";
    } else {
      for (const std::string_view key : known_) message += (key == known_.front() ? " " : ", ") + std::string(key);
    }
    const std::string shown = in_quotes(member.key);  // a key in quotes may hold anything, a line break too
    const bool plain = shown.size() == member.key.size() + 2;
    errors_->add(file_, member.value.line, full(plain ? member.key : shown), message);
  }
}

const TomlValue* TableReader::take(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  return table_->find(key);
}

std::string TableReader::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

}  // namespace sessionlogd
