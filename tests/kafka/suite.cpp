#include "tests/kafka/suite.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace sessionlogd::test {
namespace {

std::unique_ptr<Cluster> alone, three;

// Without a broker nothing runs, which ctest reads from the line that says so. The broker ends with the suite, not in
// the middle of the process' exit.
class WithBroker : public testing::Environment {
 public:
  void SetUp() override {
    std::string why_not;
    if (Cluster::is_available(why_not)) return;
    std::cout << "[  SKIPPED ] " << why_not << std::endl;
    GTEST_SKIP() << why_not;
  }
  void TearDown() override {
    alone.reset();
    three.reset();
  }
};
[[maybe_unused]] const auto* const kWithBroker = testing::AddGlobalTestEnvironment(new WithBroker);

}  // namespace

int rounds_or(int usual) {
  const char* given = std::getenv("SESSIONLOGD_KAFKA_ROUNDS");
  return given != nullptr ? std::atoi(given) : usual;
}

Cluster& one_broker() {
  if (!alone) alone = std::make_unique<Cluster>(ClusterSettings{});
  return *alone;
}

Cluster& three_brokers() {
  if (!three) three = std::make_unique<Cluster>(ClusterSettings{.brokers = 3});
  return *three;
}

}  // namespace sessionlogd::test
