// The `main` of every bench that runs a Kafka broker of its own.
#pragma once

#include <functional>
#include <string_view>

namespace sessionlogd {

// The exit status: that of `work`, or 1 when there is no broker to be had here, or `work` throws. Says why, in the name
// of `program`.
int with_broker(std::string_view program, const std::function<int()>& work);

}  // namespace sessionlogd
