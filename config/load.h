// Reads a configuration from TOML into Settings, reporting every mistake at once.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/format_rules.h"
#include "config/settings.h"

namespace sessionlogd {

// One mistake. Printed as "file:line: key: found ..., expected ...".
struct ConfigError {
  std::string file;
  unsigned line = 0;  // 0 = no line (a file that cannot be read)
  std::string key;    // dotted, "source[2].poll.interval"
  std::string message;

  std::string to_string() const;
};

// Settings, or all mistakes in the order of files and lines. Nothing is sent anywhere. `formats` are those that
// sink.format may name.
std::variant<Settings, std::vector<ConfigError>> load_settings(const std::filesystem::path& file,
                                                               std::span<const FormatRules> formats,
                                                               SecretFiles secret_files = SecretFiles::kMustBeReadable);

// The same for a text that was read already; `file` names it in errors and anchors relative paths.
std::variant<Settings, std::vector<ConfigError>> parse_settings(std::string_view text,
                                                                const std::filesystem::path& file,
                                                                std::span<const FormatRules> formats);

// The dialects built into the binary, in alphabetical order: name and TOML text.
struct BuiltInDialect {
  std::string_view name;
  std::string_view toml;
};
const std::vector<BuiltInDialect>& built_in_dialects();

// A dialect from its TOML text. `file` names it in errors.
std::variant<Dialect, std::vector<ConfigError>> parse_dialect(std::string_view text, const std::filesystem::path& file);

}  // namespace sessionlogd
