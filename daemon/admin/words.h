// The words by which metrics, /status and its readers call things. People's dashboards know them.
#pragma once

#include <array>
#include <string_view>

namespace sessionlogd {

inline constexpr std::array<std::string_view, 5> kConditionWords{"ok", "starting", "backing_off", "open_breaker",
                                                                 "parked"};  // by SourceCondition
inline constexpr std::array<std::string_view, 5> kWaitWords{"retry_after", "login", "rate", "parked",
                                                            "breaker"};  // by WaitingFor
inline constexpr std::array<std::string_view, 4> kPollWords{"new", "changed", "unchanged", "failed"};
inline constexpr std::array<std::string_view, 4> kChangeWords{"new", "changed", "error", "gap"};
inline constexpr std::array<std::string_view, 4> kSessionWords{"waiting", "open", "settling", "done"};  // by Phase

}  // namespace sessionlogd
