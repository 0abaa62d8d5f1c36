// No text crashes, hangs or exhausts the reader of configurations and of dialects.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/load.h"

namespace {

// Includes and dialects are looked for beside the configuration: in an empty directory of our own there are none.
std::filesystem::path empty_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "config_fuzz.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  return name;
}

// Every mistake must be printable: it names a file and says something.
void check(const std::vector<sessionlogd::ConfigError>& mistakes) {
  if (mistakes.empty()) std::abort();
  for (const sessionlogd::ConfigError& mistake : mistakes) {
    if (mistake.file.empty() || mistake.message.empty() || mistake.to_string().find('\0') != std::string::npos)
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path directory = empty_directory();
  static constexpr sessionlogd::FormatRules formats[] = {{.name = "ecs"},
                                                         {.name = "syslog", .has_facility = true, .longest_label = 5}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = sessionlogd::parse_settings(text, directory / "sessionlogd.toml", formats);
  if (const auto* mistakes = std::get_if<std::vector<sessionlogd::ConfigError>>(&settings)) check(*mistakes);
  const auto dialect = sessionlogd::parse_dialect(text, directory / "dialect.toml");
  if (const auto* mistakes = std::get_if<std::vector<sessionlogd::ConfigError>>(&dialect)) check(*mistakes);
  return 0;
}
