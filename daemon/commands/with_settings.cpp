#include "daemon/commands/with_settings.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <string_view>
#include <variant>

#include "config/load.h"
#include "core/state/sink.h"
#include "daemon/commands/commands.h"
#include "daemon/service/log.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

namespace {

// An example in it stands on lines of its own, and is copied from there.
void print_lines(std::string_view text) {
  for (std::size_t end = 0; end != text.npos; text.remove_prefix(end == text.npos ? 0 : end + 1)) {
    end = text.find('\n');
    print_error(text.substr(0, end));
  }
}

}  // namespace

int with_settings(const std::string& config_file, const std::function<int(const Settings&)>& command,
                  SecretFiles secret_files) {
  const auto loaded = load_settings(config_file, format_rules(), secret_files);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
    for (const ConfigError& error : *errors) print_lines(error.to_string());
    print_error(fmt::format("{}: {} {} in the configuration; nothing was started", config_file, errors->size(),
                            errors->size() == 1 ? "mistake" : "mistakes"));
    return kWrongConfiguration;
  }
  const Settings& settings = std::get<Settings>(loaded);
  start_log(settings.daemon.log_level);
  try {
    return command(settings);
  } catch (const StateMismatch& mismatch) {
    spdlog::error("{}", mismatch.what());
    return kWrongConfiguration;
  } catch (const WrongSetting& wrong) {
    spdlog::error("{}: {}", config_file, wrong.what());
    return kWrongConfiguration;
  } catch (const FencedAtStart& fenced) {
    spdlog::error("{}", fenced.what());
    return kFenced;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return kNotWell;
  }
}

}  // namespace sessionlogd
