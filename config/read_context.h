// What the values of a configuration are read against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/format_rules.h"
#include "config/settings.h"

namespace sessionlogd {

class DialectSet;

struct PollDefaults {
  PollSettings poll;
  bool retention_given = false;  // else the dialect's counts
};

struct ReadContext {
  std::span<const FormatRules> formats;  // that sink.format may name
  SecretFiles secret_files;
  std::vector<std::string>& warnings;    // gets what is accepted but must be said at every start
  std::size_t memory_bytes = 0;          // daemon.memory, once that was read
  std::size_t longest_label = SIZE_MAX;  // that sink.format takes, once that was read
  PollDefaults poll{};                   // of [poll], once that was read
  DialectSet* dialects = nullptr;        // while sources are read

  bool opens_files() const { return secret_files == SecretFiles::kMustBeReadable; }
};

}  // namespace sessionlogd
