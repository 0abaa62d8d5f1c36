// A configuration on disk for one test: a directory of its own, with a secret to log in with.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace sessionlogd {

inline constexpr FormatRules kFormats[] = {
    {.name = "ecs"}, {.name = "syslog", .has_facility = true, .for_syslog = true, .longest_label = 5}};

class ConfigFiles {
 public:
  ConfigFiles();
  ~ConfigFiles();
  ConfigFiles(const ConfigFiles&) = delete;
  ConfigFiles& operator=(const ConfigFiles&) = delete;

  // Writes a file below the directory and returns its path.
  std::filesystem::path write(const std::string& name, std::string_view text) const;

  const std::filesystem::path& directory() const { return directory_; }
  std::string secret() const { return "file:" + (directory_ / "secret").string(); }

  // A [[source]] that is right. `more` comes last, so line numbers are: [[source]] 1, name 2, dialect 3, url 4,
  // username 5, password 6, `more` from 7 on.
  std::string source(std::string_view name = "a", std::string_view more = "") const;

  // The mistakes of `text` as sessionlogd.toml, printed, without the directory's path; empty when there is none.
  std::vector<std::string> mistakes(std::string_view text) const;

  // The settings of `text` as sessionlogd.toml; throws with all mistakes when there are any.
  Settings settings(std::string_view text) const;

 private:
  std::filesystem::path directory_;
};

// Sets an environment variable, or removes it (nullptr), until the end of the test.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value);
  ~EnvironmentVariable();
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  std::string name_;
  bool was_set_;
  std::string before_;
};

}  // namespace sessionlogd
