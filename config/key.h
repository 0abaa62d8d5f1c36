// One key of a table of the configuration, described once: how it is read and written, what it is for, and whether a
// change of it waits for a restart. Everything that must know all keys walks these: the reader, the comparison of two
// readings, reload, /status, and the tests of the shipped file and of the reference (config/README.md).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/form.h"
#include "config/member_count.h"
#include "config/read_context.h"
#include "config/table_reader.h"
#include "config/toml_reader.h"

namespace sessionlogd {

// Where /status shows a key of a source: with those that sources may share, for each source, or outside its settings.
enum class ShownIn { kShared, kOwn, kElsewhere };

struct KeyTraits {
  std::string_view required{};       // it must be there, and this is what a message says is missing
  std::string_view default_words{};  // in the reference, where the default is no value: "the name"
  bool needs_restart = false;
  ShownIn shown = ShownIn::kShared;
};

// A row of the reference.
struct KeyRow {
  std::string name;  // "rotate.size"
  std::string purpose;
  KeyTraits traits;
  std::optional<TomlValue> fallback;  // the default, if it is a value
};

template <class Table>
struct Key {
  Key() = default;

  template <class Member, class Value>
  Key(std::string_view called, Member Table::*member, Form<Value> form, std::string_view what_for, KeyTraits has = {})
      : name(called),
        purpose(what_for),
        traits(has),
        read([called, member, form, required = has.required](TableReader& table, const ReadContext& context,
                                                             Table& into) {
          const auto rule = [&](const TomlValue& value) { return form.read(value, context); };
          return required.empty() ? table.read(called, into.*member, rule)
                                  : table.require(called, required, into.*member, rule);
        }),
        equal([member](const Table& a, const Table& b) { return a.*member == b.*member; }),
        copy([member](const Table& from, Table& to) { to.*member = from.*member; }),
        write([member, form](const Table& table, const Table*, WrittenFor where) {
          return form.write(table.*member, where);
        }) {}

  std::string_view name;  // a literal
  std::string purpose;    // as the reference says it
  KeyTraits traits;

  // False when the value was refused, which is reported.
  std::function<bool(TableReader& table, const ReadContext& context, Table& into)> read;
  std::function<bool(const Table&, const Table&)> equal;
  std::function<void(const Table& from, Table& to)> copy;

  // As it stands in a file; nullopt: not at all. What `usual` says, too, may be left out; nullptr: all is written.
  std::function<std::optional<TomlValue>(const Table&, const Table* usual, WrittenFor)> write;

  // Of a table whose keys stand in the reference with it, else empty.
  std::function<std::vector<KeyRow>(const Table& defaults)> rows_below;
};

template <class Table>
using Keys = std::vector<Key<Table>>;

// Does not compile while a member of the struct has no key. `kDerived` members are made of others.
template <class Table, std::size_t kDerived = 0, std::size_t kCount>
Keys<Table> a_key_for_each_member(Key<Table> (&&keys)[kCount]) {
  static_assert(kCount + kDerived == member_count<Table>(), "each member of the struct has one key");
  return {std::make_move_iterator(std::begin(keys)), std::make_move_iterator(std::end(keys))};
}

// Returns the names of those that were refused.
template <class Table>
std::vector<std::string_view> read_keys(TableReader& table, const Keys<Table>& keys, const ReadContext& context,
                                        Table& into) {
  std::vector<std::string_view> refused;
  for (const Key<Table>& key : keys) {
    if (!key.read(table, context, into)) refused.push_back(key.name);
  }
  return refused;
}

inline bool is_among(const std::vector<std::string_view>& refused, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names,
                             [&](std::string_view name) { return std::ranges::find(refused, name) != refused.end(); });
}

template <class Table>
bool equal_by(const Keys<Table>& keys, const Table& a, const Table& b) {
  return std::ranges::all_of(keys, [&](const Key<Table>& key) { return key.equal(a, b); });
}

// In the order of the keys.
template <class Table>
TomlTable written(const Keys<Table>& keys, const Table& table, WrittenFor where) {
  TomlTable out;
  for (const Key<Table>& key : keys) {
    if (std::optional<TomlValue> value = key.write(table, nullptr, where))
      out.members.push_back({std::string(key.name), std::move(*value)});
  }
  return out;
}

template <class Table>
std::vector<KeyRow> rows_of(const Keys<Table>& keys, const Table& defaults) {
  std::vector<KeyRow> rows;
  for (const Key<Table>& key : keys) {
    rows.push_back({std::string(key.name), key.purpose, key.traits, std::nullopt});
    if (!key.rows_below) {
      rows.back().fallback = key.write(defaults, nullptr, WrittenFor::kFile);
      continue;
    }
    const std::string table = rows.back().name + ".";
    for (KeyRow& row : key.rows_below(defaults)) {
      row.name.insert(0, table);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

// A table below this one. `read_below` reads its keys, and what they must be to each other.
template <class Table, class Below>
Key<Table> table_key(std::string_view name, Below Table::*member, const Keys<Below>& (*keys)(),
                     void (*read_below)(TableReader&, const ReadContext&, Below&), std::string_view purpose,
                     KeyTraits traits = {}) {
  Key<Table> key;
  key.name = name;
  key.purpose = purpose;
  key.traits = traits;
  key.read = [=](TableReader& table, const ReadContext& context, Table& into) {
    if (auto below = table.table(name)) read_below(*below, context, into.*member);
    return true;
  };
  key.equal = [member](const Table& a, const Table& b) { return a.*member == b.*member; };
  key.copy = [member](const Table& from, Table& to) { to.*member = from.*member; };
  key.write = [=](const Table& table, const Table*, WrittenFor where) -> std::optional<TomlValue> {
    TomlValue out;
    out.value = written(keys(), table.*member, where);
    return out;
  };
  key.rows_below = [=](const Table& defaults) { return rows_of(keys(), defaults.*member); };
  return key;
}

}  // namespace sessionlogd
