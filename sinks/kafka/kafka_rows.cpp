#include "sinks/kafka/kafka_rows.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <simdjson.h>

#include <charconv>
#include <iterator>

#include "core/base/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kCommit = "commit/";
constexpr std::size_t kKeyDigits = 16;

template <class T>
bool read_number(std::string_view text, int base, T& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void append_row_key(std::string_view source_id, const StateRecord& record, std::string& to) {
  fmt::format_to(std::back_inserter(to), "{}/{:016x}/{}", source_id, record.session_key, record.part);
}

std::optional<RowAddress> parse_row_key(std::string_view key) {
  const std::size_t second = key.rfind('/');
  if (second == key.npos || second == 0) return std::nullopt;
  const std::size_t first = key.rfind('/', second - 1);
  if (first == key.npos || first == 0 || second - first != kKeyDigits + 1) return std::nullopt;
  RowAddress address{key.substr(0, first), 0, 0};
  if (!read_number(key.substr(first + 1, kKeyDigits), 16, address.session_key)) return std::nullopt;
  if (!read_number(key.substr(second + 1), 10, address.part)) return std::nullopt;
  return address;
}

void visit_row(std::string_view state_topic, std::string_view key, std::string_view value, StateVisitor& into) {
  if (is_commit_key(key)) return;
  const std::optional<RowAddress> address = parse_row_key(key);
  if (!address) {
    throw StateMismatch(
        fmt::format("state topic {} holds a record that is none of ours: give it a topic of its own", state_topic));
  }
  into.record(address->source_id, {address->session_key, address->part, std::string(value)});
}

std::int32_t partition_of_source(std::string_view source_id, std::int32_t partitions) {
  return rd_kafka_msg_partitioner_murmur2(nullptr, source_id.data(), source_id.size(), partitions, nullptr, nullptr);
}

std::string transactional_id_of(const StatePart& part, std::string_view state_topic) {
  return fmt::format("{}-{}", state_topic, part.partition);
}

KafkaSinkSettings lane_settings(KafkaSinkSettings settings, const StatePart& part) {
  settings.transactional_id = transactional_id_of(part, settings.state_topic);
  return settings;
}

std::string commit_key(std::string_view transactional_id) {
  return std::string(kCommit) + std::string(transactional_id);
}

bool is_commit_key(std::string_view key) {
  return key.starts_with(kCommit) && key.find('/', kCommit.size()) == key.npos;
}

namespace {

void append_bond(const GroupBond& bond, std::string& to) {
  to += R"(,"group":)";
  append_json_string(to, bond.group);
  to += R"(,"topic":)";
  append_json_string(to, bond.topic);
  to += R"(,"format":)";
  append_json_string(to, bond.format);
}

// What is not there stays as it is.
template <class T>
void read_member(const simdjson::dom::element& json, const char* name, T& into) {
  if (std::int64_t number = 0; json[name].get(number) == simdjson::SUCCESS) into = static_cast<T>(number);
}
template <>
void read_member(const simdjson::dom::element& json, const char* name, std::string& into) {
  if (std::string_view text; json[name].get(text) == simdjson::SUCCESS) into = text;
}

GroupBond bond_in(const simdjson::dom::element& json) {
  GroupBond bond;
  read_member(json, "group", bond.group);
  read_member(json, "topic", bond.topic);
  read_member(json, "format", bond.format);
  return bond;
}

void check_version(std::int32_t version) {
  if (version <= kLaneVersion) return;
  throw StateMismatch(fmt::format("the state topic has records of version {}, this sessionlogd knows {}: update it",
                                  version, kLaneVersion));
}

}  // namespace

GroupBond bond_of(const KafkaSinkSettings& settings, std::string_view format) {
  return {settings.group, settings.topic, std::string(format)};
}

std::string mismatch_of(std::string_view state_topic, const GroupBond& found, const GroupBond& ours) {
  if (found == ours) return {};
  return fmt::format(
      "state topic {} belongs to group {}, topic {}, format {}; this configuration says group {}, topic {}, format {}. "
      "All members need the same, and another group a state topic of its own",
      state_topic, found.group, found.topic, found.format, ours.group, ours.topic, ours.format);
}

std::string encode_commit(const CommitRecord& record) {
  std::string text = fmt::format(R"({{"sequence":{},"instance":)", record.sequence);
  append_json_string(text, record.instance);
  text += R"(,"host":)";
  append_json_string(text, record.host);
  text += R"(,"time":)";
  append_json_string(text, record.time);
  text += fmt::format(R"(,"partitions":{})", record.partitions);
  if (record.version > 0) {
    text += fmt::format(R"(,"version":{})", record.version);
    if (record.log_start) text += fmt::format(R"(,"log_start":{})", *record.log_start);
    append_bond(record.bond, text);
  }
  return text + "}";
}

CommitRecord decode_commit(std::string_view value) {
  CommitRecord record;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  std::string_view instance, host, time;
  std::int64_t partitions = 0;
  const bool ours = parser.parse(value.data(), value.size()).get(json) == simdjson::SUCCESS &&
                    json["sequence"].get(record.sequence) == simdjson::SUCCESS &&
                    json["instance"].get(instance) == simdjson::SUCCESS &&
                    json["host"].get(host) == simdjson::SUCCESS && json["time"].get(time) == simdjson::SUCCESS &&
                    json["partitions"].get(partitions) == simdjson::SUCCESS;
  if (!ours) throw StateMismatch("the commit record in the state topic is none of ours, or damaged");
  record.instance = instance;
  record.host = host;
  record.time = time;
  record.partitions = static_cast<std::int32_t>(partitions);
  read_member(json, "version", record.version);
  check_version(record.version);
  if (std::int64_t start = 0; json["log_start"].get(start) == simdjson::SUCCESS) record.log_start = start;
  record.bond = bond_in(json);
  return record;
}

bool is_of_the_founding(const CommitRecord& record) { return record.version > 0 && record.sequence == 0; }

std::string founders_id(std::string_view state_topic) { return std::string(state_topic) + "-group"; }

std::string group_key(std::string_view state_topic) { return commit_key(founders_id(state_topic)); }

// With all members of a commit's, so that it is one for those who know no groups.
std::string encode_group(const GroupRecord& record, const CommitRecord& by) {
  CommitRecord all = by;
  all.partitions = record.partitions;
  all.version = kLaneVersion;
  all.bond = record.bond;
  return encode_commit(all);
}

GroupRecord decode_group(std::string_view value) {
  const CommitRecord all = decode_commit(value);
  return {all.partitions, all.bond};
}

void refuse_group(std::string_view state_topic, std::string_view value) {
  if (value.empty()) return;
  throw StateMismatch(fmt::format("state topic {0} belongs to group {1}: set `group = \"{1}\"`, or name another topic",
                                  state_topic, decode_group(value).bond.group));
}

}  // namespace sessionlogd
