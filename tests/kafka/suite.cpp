#include "tests/kafka/suite.h"

#include <memory>

namespace sessionlogd::test {
namespace {

std::unique_ptr<Cluster> cluster;

// The broker ends with the suite, not in the middle of the process' exit.
class Ending : public testing::Environment {
 public:
  void TearDown() override { cluster.reset(); }
};
[[maybe_unused]] const auto* const kEnding = testing::AddGlobalTestEnvironment(new Ending);

}  // namespace

Cluster& one_broker() {
  if (!cluster) cluster = std::make_unique<Cluster>(1);
  return *cluster;
}

}  // namespace sessionlogd::test
