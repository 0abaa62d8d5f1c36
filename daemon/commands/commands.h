// What `sessionlogd COMMAND` does. Each returns the exit status.
#pragma once

#include <string>

namespace sessionlogd {

inline constexpr int kWell = 0;
inline constexpr int kNotWell = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNotReachable = 3;         // the daemon
inline constexpr int kWrongConfiguration = 78;  // EX_CONFIG; also: state and output do not belong together
inline constexpr int kFenced = 79;              // another daemon has taken over

int run(const std::string& config_file);
int collect(const std::string& config_file);
int check(const std::string& config_file, bool connect);
int verify(const std::string& config_file, const std::string& since);
int reload(const std::string& config_file);
// Times as a person writes them; "" = not given.
struct BackfillOptions {
  std::string since, none_before;
  bool again = false;
};
int backfill(const std::string& config_file, const std::string& source, const BackfillOptions& options);
enum class StatusForm {
  kTable,
  kJson,
  kWatch,  // the table, drawn again until it is interrupted
};
int status(const std::string& config_file, StatusForm form);

int dialects(const std::string& name);  // "": lists them

// What is remembered: of all sources, of one, of one of its sessions ("" = not said). Needs no daemon and stops none.
int state_show(const std::string& config_file, const std::string& source, const std::string& session);
int state_rebuild(const std::string& config_file);  // from the output
int state_init(const std::string& config_file);     // afresh

}  // namespace sessionlogd
