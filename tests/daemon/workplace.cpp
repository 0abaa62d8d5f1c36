#include "tests/daemon/workplace.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace sessionlogd::test {
namespace fs = std::filesystem;

namespace {

Outcome end_of(Child child) {
  const int status = child.wait();
  return {status, child.out(), child.err()};
}

}  // namespace

Workplace::Workplace() {
  std::string name = (fs::temp_directory_path() / "daemon_test.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
}

Workplace::~Workplace() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Workplace::write(std::string_view name, std::string_view text) const {
  std::ofstream(directory_ / name, std::ios::binary | std::ios::trunc) << text;
  fs::permissions(directory_ / name, fs::perms::owner_read | fs::perms::owner_write);  // it may be a secret
}

void Workplace::configure(std::string_view sources, std::string_view daemon_keys, std::string_view poll_keys) const {
  write("sessionlogd.toml",
        fmt::format("[daemon]\nstate_dir = \"{0}/state\"\nadmin = \"\"\n{1}\n[poll]\ninterval = \"50ms\"\n"
                    "max_interval = \"200ms\"\ndiscovery_interval = \"200ms\"\nrate = \"200/s\"\nlookback = \"all\"\n"
                    "{2}\n[sink]\ntype = \"file\"\npath = \"{0}/events.ndjson\"\ncommit_interval = \"50ms\"\n{3}",
                    directory_.string(), daemon_keys, poll_keys, sources));
}

void Workplace::edit_config(std::string_view from, std::string_view to) const {
  std::string text = read_text(config());
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the configuration: " + std::string(from));
  write("sessionlogd.toml", text.replace(at, from.size(), to));
}

Child Workplace::start(const std::string& command, std::vector<std::string> more,
                       std::vector<std::string> environment) {
  more.insert(more.begin(), {SESSIONLOGD, command, "-c", config().string()});
  return start_program(std::move(more), std::move(environment));
}

Child Workplace::start_program(std::vector<std::string> command, std::vector<std::string> environment) {
  // One that was killed had logged in a moment ago, and the next would wait for half a minute.
  fs::remove(directory_ / "state/accounts");
  const int number = ++started_;
  return Child(std::move(command),
               {directory_ / fmt::format("{}.out", number), directory_ / fmt::format("{}.err", number)},
               std::move(environment));
}

Outcome Workplace::run(const std::string& command, std::vector<std::string> more,
                       std::vector<std::string> environment) {
  return end_of(start(command, std::move(more), std::move(environment)));
}

Outcome Workplace::run_arguments(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SESSIONLOGD);
  return end_of(start_program(std::move(arguments)));
}

std::vector<std::string> Workplace::lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace sessionlogd::test
