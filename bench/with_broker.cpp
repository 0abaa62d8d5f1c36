#include "bench/with_broker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <string>

#include "tests/kafka/broker.h"

namespace sessionlogd {

int with_broker(std::string_view program, const std::function<int()>& work) {
  std::string why_not;
  if (!test::Cluster::is_available(why_not)) {
    fmt::print(stderr, "{}: {}\n", program, why_not);
    return 1;
  }
  spdlog::set_level(spdlog::level::warn);
  try {
    return work();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
}

}  // namespace sessionlogd
