// What the operator asked for, checked and with every default filled in: plain values, no file formats, no lookups.
//
// Filled by config/load.h. The names, units and defaults are those of config/sessionlogd.toml, which documents each
// key.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/admin_address.h"
#include "config/dialect.h"
#include "config/secret.h"

namespace sessionlogd {

// What must fit into `memory`: what a thread takes at the worst, and so many times the largest response.
inline constexpr std::size_t kLeastMemoryPerThread = 64u << 20;
inline constexpr std::size_t kLeastMemoryPerBody = 4;

struct DaemonSettings {
  std::string state_dir;
  unsigned threads = 0;  // shards; 0 = one per core, as far as memory goes
  std::string log_level = "info";
  std::vector<std::string> include{};  // patterns
  std::size_t memory_bytes = 512u << 20;
  std::chrono::milliseconds state_keep{std::chrono::hours{24 * 30}};
  std::optional<std::chrono::milliseconds> verify = std::chrono::hours{24};  // nullopt = off
  std::optional<AdminAddress> admin = AdminAddress{};                        // nullopt = none
  bool metrics_per_source = true;                                            // false: of all sources together
};

enum class Changes { kEmit, kFinal };

// Whether a configuration must name secrets and certificate files that can be read. A command that only asks the
// running daemon sends none, and systemd's credentials are not there for it.
enum class SecretFiles { kMustBeReadable, kNotOpened };

struct PollSettings {
  std::optional<std::chrono::milliseconds> freshness{};  // nullopt = "interval"
  std::chrono::milliseconds interval{5'000};
  std::chrono::milliseconds max_interval{60'000};
  std::chrono::milliseconds discovery_interval{30'000};
  std::chrono::milliseconds sweep_interval{std::chrono::hours{24}};
  std::chrono::milliseconds settle{600'000};
  std::optional<std::chrono::milliseconds> lookback{std::chrono::hours{24}};  // nullopt = "all"
  std::chrono::milliseconds overlap{std::chrono::hours{2}};
  std::chrono::milliseconds max_session_age{std::chrono::hours{24 * 7}};
  std::chrono::milliseconds timeout{30'000};
  std::size_t max_body_bytes = 64u << 20;
  unsigned connections = 4;
  double rate_per_second = 20;
  Changes changes = Changes::kEmit;
  std::chrono::milliseconds retention{std::chrono::hours{24 * 90}};

  std::chrono::milliseconds aimed_age() const { return freshness.value_or(interval); }
  bool operator==(const PollSettings&) const = default;
};

struct TlsSettings {
  std::string ca_file;
  std::vector<std::string> pin_sha256;  // base64 of the SHA-256 of the SPKI
  std::string server_name;
  bool verify = true;
  std::string cert_file, key_file;

  bool operator==(const TlsSettings&) const = default;
};

struct SessionTypes {
  std::vector<std::string> include, exclude;  // include empty = all

  bool operator==(const SessionTypes&) const = default;
};

// An offset from UTC or an IANA zone: for times that the source writes without a zone.
struct TimeZone {
  std::string name = "UTC";
  std::optional<std::chrono::minutes> fixed_offset =
      std::chrono::minutes{0};  // nullopt: look `name` up in the tz database

  bool operator==(const TimeZone&) const = default;
};

struct SourceSettings {
  std::string name;
  std::string id;  // default: the name
  std::shared_ptr<const Dialect> dialect;
  std::string url;   // scheme://host[:port], without a trailing slash
  std::string host;  // of the url, without brackets
  std::string username;
  std::optional<Secret> password;
  std::optional<Secret> token;
  std::string api_version;  // default: the dialect's
  std::vector<std::string> sessions;
  SessionTypes session_types;
  TimeZone time_zone;
  std::string proxy;
  TlsSettings tls;
  std::vector<std::pair<std::string, std::string>> labels;
  bool keep_original = false;
  PollSettings poll;
};

// Whether two readings of a configuration say the same of a source, by its keys (read_source.h); dialects are compared
// by what they say.
bool operator==(const SourceSettings& a, const SourceSettings& b);

// When an output file is ended, and what becomes of it then.
struct RotateSettings {
  std::optional<std::size_t> size_bytes = 256u << 20;                      // nullopt = "never"
  std::optional<std::chrono::milliseconds> every{std::chrono::hours{24}};  // nullopt = "never"
  std::optional<std::uint64_t> keep = 14;                                  // rotated files; nullopt = "all"
  bool compress = true;                                                    // with zstd

  bool operator==(const RotateSettings&) const = default;
};

// Each kind of sink has a struct, which says what its `type` is called, whether it keeps state, and which
// commit_interval it has by default.
struct FileSinkSettings {
  static constexpr std::string_view kType = "file";
  static constexpr bool kKeepsState = true;
  static constexpr std::chrono::milliseconds kCommitInterval{100};

  std::string path = "/var/log/sessionlogd/events.ndjson";
  std::uint32_t mode = 0640;
  std::string group{};  // "" = as it comes
  RotateSettings rotate{};
  std::optional<std::size_t> max_event_bytes{};  // of a line without its newline; nullopt = "none"
};

// A file sink whose path is "-". The state directory is then not touched.
struct StdoutSinkSettings {
  static constexpr std::string_view kType = "file";
  static constexpr bool kKeepsState = false;
  static constexpr std::chrono::milliseconds kCommitInterval{100};

  std::string path = "-";
};

enum class Delivery { kExactlyOnce, kAtLeastOnce };

// One of librdkafka's own properties: its value, or where that is read from.
struct KafkaProperty {
  std::string name;
  std::string value;
  std::optional<Secret> secret;  // instead of the value

  // Reads the secret now: of several lines where it is a key or certificate in PEM form. Throws SecretError.
  std::string read_secret() const { return name.ends_with(".pem") ? secret->read_text() : secret->read(); }

  bool operator==(const KafkaProperty&) const = default;
};

struct KafkaSinkSettings {
  static constexpr std::string_view kType = "kafka";
  static constexpr bool kKeepsState = true;
  static constexpr std::chrono::milliseconds kCommitInterval{300};  // readers wait for a transaction, not for a line

  std::string brokers;  // host:port, separated by commas
  std::string topic;
  std::string state_topic;              // default: the topic's name and "-state"
  std::string transactional_id;         // "" in a group: each partition has one of its own
  std::string group{};                  // several daemons share the sources; "" = this one has all
  std::uint64_t state_partitions = 12;  // of the state topic, when it is made
  Delivery delivery = Delivery::kExactlyOnce;
  std::vector<KafkaProperty> properties;
};

// Every sink there is. The first of those with one kType is what its `type` reads.
using SinkKind = std::variant<FileSinkSettings, StdoutSinkSettings, KafkaSinkSettings>;

struct SinkSettings {
  SinkKind kind;
  std::string format = "ecs";
  std::optional<unsigned> facility{};  // of syslog, by its number; nullopt: not said
  std::chrono::milliseconds commit_interval = FileSinkSettings::kCommitInterval;
  std::size_t commit_bytes = 8u << 20;

  // False: after a restart everything is delivered again, and nothing is looked for in the state directory.
  bool keeps_state() const {
    return std::visit([](const auto& sink) { return sink.kKeepsState; }, kind);
  }
};

// The group of daemons that share the sources, "" = this one has all for itself.
inline std::string group_of(const SinkSettings& sink) {
  const auto* kafka = std::get_if<KafkaSinkSettings>(&sink.kind);
  return kafka != nullptr ? kafka->group : "";
}

struct Settings {
  std::string file;  // the configuration's path, as given
  DaemonSettings daemon;
  std::vector<SourceSettings> sources;
  SinkSettings sink;
  std::vector<std::string> warnings;  // accepted, but said at every start: verify = false, a secret sent in clear
};

}  // namespace sessionlogd
