// A cluster's access rules, added and withdrawn in Kafka's own protocol: librdkafka 2.0.2 knows no rules for
// transactional ids.
#pragma once

#include <cstdint>
#include <string>

namespace sessionlogd::test {

struct Acl {
  enum class Kind : std::int8_t { kTopic = 2, kGroup = 3, kTransactionalId = 5 };
  enum class Name : std::int8_t { kWhole = 3, kPrefix = 4 };
  enum class Right : std::int8_t { kRead = 3, kWrite = 4, kCreate = 5, kDescribe = 8, kDescribeConfigs = 10 };

  Kind kind = Kind::kTopic;
  std::string name = {};
  Right right = Right::kWrite;
  Name matches = Name::kWhole;
};

// As the super user of one broker ("127.0.0.1:9092"), which goes by the change when they return. `user` is a principal,
// "User:somebody". Throw std::runtime_error.
void allow(const std::string& broker, const std::string& user, const Acl& acl);
void withdraw(const std::string& broker, const std::string& user, const Acl& acl);

}  // namespace sessionlogd::test
