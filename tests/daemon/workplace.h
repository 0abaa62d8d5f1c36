// What one test works in: a directory of its own, a configuration there, and the daemon's commands run on it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/daemon/child.h"

namespace sessionlogd::test {

// How a command ended and what it said.
struct Outcome {
  int status = 0;
  std::string out, err;
};

class Workplace {
 public:
  Workplace();
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return directory_ / name; }
  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path config() const { return directory_ / "sessionlogd.toml"; }
  std::filesystem::path output() const { return directory_ / "events.ndjson"; }

  void write(std::string_view name, std::string_view text) const;

  // Writes sessionlogd.toml: state and output here, quick polls, and `sources` ([[source]] tables).
  void configure(std::string_view sources, std::string_view daemon_keys = "", std::string_view poll_keys = "") const;

  // Replaces `from`, which must be there, in sessionlogd.toml.
  void edit_config(std::string_view from, std::string_view to) const;

  // Starts `sessionlogd COMMAND -c sessionlogd.toml`. Each has its own files for what it says.
  Child start(const std::string& command, std::vector<std::string> more = {},
              std::vector<std::string> environment = {});

  // Starts a program of any name, with arguments as they are.
  Child start_program(std::vector<std::string> command, std::vector<std::string> environment = {});

  // Starts a command and waits for its end.
  Outcome run(const std::string& command, std::vector<std::string> more = {},
              std::vector<std::string> environment = {});
  Outcome run_arguments(std::vector<std::string> arguments);

  // Whole lines of the output, or of any other text.
  std::vector<std::string> lines() const { return lines_of(read_text(output())); }
  static std::vector<std::string> lines_of(std::string_view text);

 private:
  std::filesystem::path directory_;
  int started_ = 0;
};

}  // namespace sessionlogd::test
