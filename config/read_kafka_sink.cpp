#include "config/read_kafka_sink.h"

#include <algorithm>
#include <array>

#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using K = KafkaSinkSettings;

constexpr std::size_t kMaxTopicBytes = 249;  // Kafka's own limit

bool is_topic(std::string_view name) {
  if (name.empty() || name.size() > kMaxTopicBytes || name == "." || name == "..") return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == name.npos;
}

// A topic's name, or a transactional id by the same rule.
std::string topic(const TomlValue& value) {
  const auto* found = std::get_if<std::string>(&value.value);
  if (found == nullptr || !is_topic(*found)) {
    throw ValueError(describe(value), R"(1 to 249 letters, digits, ".", "_" or "-")");
  }
  return *found;
}

bool is_broker(std::string_view broker) {
  const std::size_t colon = broker.rfind(':');
  if (colon == broker.npos || colon == 0) return false;
  const std::string_view port = broker.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
}

std::string brokers(const TomlValue& value) {
  constexpr std::string_view kExpected = R"(brokers like "k1:9092,k2:9092")";
  std::string found = text(value);
  for (std::string_view rest = found; !rest.empty() || found.empty();) {
    const std::size_t comma = rest.find(',');
    if (!is_broker(rest.substr(0, comma)) || comma == rest.size() - 1) throw ValueError(describe(value), kExpected);
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  return found;
}

struct Reserved {
  std::string_view name, instead;
};

// What the promise rests on, or what has a key of its own.
constexpr auto kReserved = std::to_array<Reserved>({
    {"bootstrap.servers", "brokers"},
    {"metadata.broker.list", "brokers"},
    {"transactional.id", "transactional_id"},
    {"enable.idempotence", "delivery"},
    {"acks", "delivery"},
    {"request.required.acks", "delivery"},
    {"max.in.flight", "delivery"},
    {"max.in.flight.requests.per.connection", "delivery"},
    {"isolation.level", "delivery"},
    {"auto.offset.reset", "state_topic"},
    {"enable.partition.eof", "state_topic"},
    {"delivery.report.only.error", "delivery"},
    {"enable.gapless.guarantee", "delivery"},
});

// By which a group gives its members their parts.
constexpr auto kReservedInGroup =
    std::to_array<std::string_view>({"group.id", "group.instance.id", "partition.assignment.strategy",
                                     "enable.auto.commit", "max.poll.interval.ms", "group.protocol"});

constexpr std::uint64_t kMostStatePartitions = 1'000;

constexpr auto kSecrets = std::to_array<std::string_view>(
    {"sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret"});

bool is_reference(std::string_view value) {
  return value.starts_with("file:") || value.starts_with("env:") || value.starts_with("credential:");
}

KafkaProperty property(const std::string& name, const TomlValue& value) {
  const auto reserved = std::ranges::find(kReserved, name, &Reserved::name);
  if (reserved != kReserved.end()) {
    throw ValueError("a property that sessionlogd sets itself", "none: see sink." + std::string(reserved->instead));
  }
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) return {name, std::to_string(*number), {}};
  if (const auto* flag = std::get_if<bool>(&value.value)) return {name, *flag ? "true" : "false", {}};
  const auto* found = std::get_if<std::string>(&value.value);
  if (found == nullptr) throw ValueError(std::string(kind_of(value)), "a string, an integer, true or false");
  if (is_reference(*found) || std::ranges::find(kSecrets, name) != kSecrets.end()) {
    KafkaProperty read{name, "", secret_reference(value)};
    (void)read.read_secret();
    return read;
  }
  return {name, text(value), {}};
}

void read_properties(TableReader& table, std::vector<KafkaProperty>& into) {
  for (const auto& [name, value] : table.raw().members) {
    KafkaProperty read;
    if (table.read(name, read, [&name = name](const TomlValue& given) { return property(name, given); })) {
      into.push_back(std::move(read));
    }
  }
}

void warn_of_exposure(const KafkaSinkSettings& sink, std::vector<std::string>& warnings) {
  for (const KafkaProperty& property : sink.properties) {
    const std::string exposed = property.secret ? property.secret->exposure() : "";
    if (!exposed.empty()) warnings.push_back("sink.properties." + property.name + ": " + exposed + "; chmod o-r it");
  }
}

// Who is alone has a name of its own; those of a group have the group's.
void check_group(TableReader& table, const K& sink) {
  if (sink.group.empty()) {
    if (table.has("group") || !sink.transactional_id.empty() || table.has("transactional_id")) return;
    return table.refuse("transactional_id",
                        "found nothing, expected a name that no other daemon has, or instead of it `group`: the name "
                        "that all daemons have which share these sources");
  }
  if (table.has("transactional_id")) {
    table.refuse("transactional_id",
                 "found beside sink.group, expected one of both: in a group each partition has an id of its own");
  }
  if (sink.delivery == Delivery::kAtLeastOnce) {
    table.refuse("delivery",
                 "found \"at-least-once\" beside sink.group, expected \"exactly-once\": without transactions nothing "
                 "shuts out a member that has lost its part");
  }
  for (const KafkaProperty& property : sink.properties) {
    if (std::ranges::find(kReservedInGroup, property.name) == kReservedInGroup.end()) continue;
    table.table("properties")
        ->refuse(property.name, "found a property that sessionlogd sets itself, expected none: see sink.group");
  }
}

// Names and values of their own, so that it is no table of keys.
Key<K> properties_key() {
  Key<K> key("properties", &K::properties, Form<std::vector<KafkaProperty>>{},
             "any property of librdkafka; a value may name a secret, and passwords must. What is set here wins",
             {.default_words = "none"});
  key.read = [](TableReader& table, const ReadContext&, K& into) {
    if (auto properties = table.table("properties")) read_properties(*properties, into.properties);
    return true;
  };
  key.write = [](const K& sink, const K*, WrittenFor) {
    TomlTable properties;
    for (const KafkaProperty& property : sink.properties) {
      properties.members.push_back(
          {property.name, toml(property.secret ? property.secret->reference() : property.value)});
    }
    TomlValue out;
    out.value = std::move(properties);
    return std::optional(std::move(out));
  };
  return key;
}

}  // namespace

const Keys<KafkaSinkSettings>& keys_of(const KafkaSinkSettings&) {
  static const Keys<K> keys = a_key_for_each_member<K>({
      {"brokers",
       &K::brokers,
       texts_by(brokers),
       "`\"k1:9092,k2:9092\"`",
       {.required = R"(brokers like "k1:9092,k2:9092")"}},
      {"topic",
       &K::topic,
       texts_by(topic),
       "must exist, unless the brokers create topics by themselves",
       {.required = "the topic that gets the events"}},
      {"state_topic",
       &K::state_topic,
       texts_by(topic),
       "compacted; created if missing and allowed",
       {.default_words = "the topic's name and `-state`"}},
      {"transactional_id",
       &K::transactional_id,
       texts_by(topic),
       "one per daemon: a second daemon with the same one ends the first",
       {.default_words = "this one, or `group`"}},
      {"group",
       &K::group,
       texts_by(topic),
       "instead of `transactional_id`: several daemons with this very file share the sources",
       {.default_words = "none"}},
      {"state_partitions", &K::state_partitions, integers(1, kMostStatePartitions),
       "of the state topic when it is created. In a group: a multiple of the members, at least four times as many"},
      {"delivery", &K::delivery,
       words<Delivery>({{"exactly-once", Delivery::kExactlyOnce}, {"at-least-once", Delivery::kAtLeastOnce}}),
       "or `\"at-least-once\"`, for brokers without transactions"},
      properties_key(),
  });
  return keys;
}

SinkKind read_sink_of(TableReader& table, const ReadContext& context, KafkaSinkSettings sink) {
  const std::vector<std::string_view> refused = read_keys(table, keys_of(sink), context, sink);
  if (sink.state_topic.empty()) sink.state_topic = sink.topic + "-state";
  if (!is_among(refused, {"topic"}) && sink.state_topic == sink.topic) {
    table.refuse("state_topic", "found " + in_quotes(sink.topic) + ", expected another topic than that of the events");
  }
  if (!is_among(refused, {"group", "transactional_id"})) check_group(table, sink);
  if (context.opens_files()) warn_of_exposure(sink, context.warnings);
  return sink;
}

std::string path_of(const KafkaSinkSettings&) { return {}; }

}  // namespace sessionlogd
