// librdkafka's properties for one run: our defaults, what the configuration says, and the secrets it names, read now.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"

struct rd_kafka_conf_s;

namespace sessionlogd {

class KafkaConf {
 public:
  // Throws WrongSetting, which names every property that librdkafka refuses; SecretError when a secret cannot be read.
  static KafkaConf producer(const KafkaSinkSettings& settings);
  static KafkaConf reader(const KafkaSinkSettings& settings);
  static KafkaConf member(const KafkaSinkSettings& settings);  // of the group's

  // Replaces a property.
  KafkaConf with(std::string_view name, std::string value) const;

  std::string_view value_of(std::string_view name) const;  // "": not set

  // For rd_kafka_new(), which takes it over.
  rd_kafka_conf_s* make() const;

  // Something this librdkafka cannot do with today's brokers, "" when there is nothing. Its own words would be
  // misleading.
  std::string known_obstacle() const;

  // What no log line may hold.
  const std::vector<std::string>& secrets() const { return secrets_; }

 private:
  void set(std::string_view name, std::string value);
  void add(const KafkaSinkSettings& settings);
  void check() const;

  std::vector<std::pair<std::string, std::string>> properties_;
  std::vector<std::string> secrets_;
};

// What the members of a group that share a state topic call themselves to the brokers. Two groups' members would never
// subscribe alike.
std::string consumer_group_of(const KafkaSinkSettings& settings);

}  // namespace sessionlogd
