#include "core/state/sink.h"
#include "daemon/app.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"

namespace sessionlogd {

int run(const std::string& config_file) {
  return with_settings(config_file, [](const Settings& settings) { return App(settings, PollMode::kForever).run(); });
}

int collect(const std::string& config_file) {
  return with_settings(config_file, [](const Settings& settings) {
    if (!group_of(settings.sink).empty())
      throw WrongSetting("`collect` is for a daemon without sink.group: the sources belong to the group's members");
    return App(settings, PollMode::kOnePass).run();
  });
}

}  // namespace sessionlogd
