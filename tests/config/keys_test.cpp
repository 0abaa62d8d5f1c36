// The descriptions of the keys: complete, each for a member of its own, and what they write is read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "config/dialect_set.h"
#include "config/error_list.h"
#include "config/key.h"
#include "config/read_daemon.h"
#include "config/read_file_sink.h"
#include "config/read_kafka_sink.h"
#include "config/read_poll.h"
#include "config/read_sink.h"
#include "config/read_source.h"
#include "config/read_tls.h"
#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

struct Members {
  int first = 1;
  std::optional<std::string> second{};
  std::vector<std::pair<std::string, std::string>> third{};
  static constexpr int kNotOne = 4;
};
struct OneMore {
  Members members;
  std::optional<std::chrono::milliseconds> fourth;
  std::shared_ptr<const Members> fifth;
  std::variant<int, std::string> sixth;
};
static_assert(member_count<Members>() == 3);
static_assert(member_count<OneMore>() == 4);

class Readings {
 public:
  Readings() {
    context_.memory_bytes = 512u << 20;
    context_.dialects = &dialects_;
  }

  // Of a table with nothing else in it.
  template <class Table>
  Table read(const Keys<Table>& keys, const TomlTable& text, Table into = {}) {
    TableReader table(errors_, "file", "", 1, text);
    const std::size_t before = errors_.size();
    read_keys(table, keys, context_, into);
    table.finish();
    EXPECT_EQ(errors_.size(), before) << errors_.in_order().back().to_string();
    return into;
  }
  template <class Table>
  Table read(const Keys<Table>& keys, std::string_view text) {
    return read(keys, parse_toml(text, "file", errors_).value());
  }

  // `text`, and a value that is not the default for each key that it leaves out.
  template <class Table>
  std::string with_others(const Keys<Table>& keys, std::string_view text) {
    std::string all(text);
    const TomlTable named = parse_toml(text, "file", errors_).value();
    for (const Key<Table>& key : keys) {
      if (named.find(key.name) != nullptr) continue;
      const auto other = std::ranges::find_if(kValues, [&](std::string_view value) { return is_other(key, value); });
      EXPECT_NE(other, std::end(kValues)) << "none of kValues is another one of " << key.name << ": name one";
      if (other != std::end(kValues)) all += "\n" + line(key.name, *other);
    }
    return all;
  }

 private:
  // What keys of most kinds take.
  static constexpr std::string_view kValues[] = {"true",     "false",     "7",         "\"7s\"",     "\"7h\"",
                                                 "\"7MiB\"", "\"0.7/s\"", "\"seven\"", "\"/seven\"", "[\"seven\"]"};

  static std::string line(std::string_view name, std::string_view value) {
    return std::string(name) + " = " + std::string(value);
  }

  template <class Table>
  bool is_other(const Key<Table>& key, std::string_view value) {
    ErrorList refused;
    const TomlTable text = parse_toml(line(key.name, value), "file", refused).value();
    TableReader table(refused, "file", "", 1, text);
    Table read;
    return key.read(table, context_, read) && !key.equal(read, Table());
  }

  ErrorList errors_;
  std::vector<std::string> warnings_;
  DialectSet dialects_{"/nowhere", errors_, warnings_};
  ReadContext context_{.formats = kFormats, .secret_files = SecretFiles::kNotOpened, .warnings = warnings_};
};

// `other` gives keys another value than the default: those that take none of what most do.
template <class Table>
void expect_members_of_their_own(const Keys<Table>& keys, std::string_view other) {
  Readings readings;
  const Table defaults, changed = readings.read(keys, readings.with_others(keys, other));
  for (const Key<Table>& key : keys) {
    Table one = defaults;
    key.copy(changed, one);
    for (const Key<Table>& each : keys) {
      if (each.name == "dialect") continue;  // its default is none
      EXPECT_EQ(each.equal(one, changed), each.name == key.name) << key.name << " taken over, " << each.name;
    }
  }
}

template <class Table>
void expect_read_back(Readings& readings, const Keys<Table>& keys, const Table& once) {
  const Table again = readings.read(keys, written(keys, once, WrittenFor::kFile));
  for (const Key<Table>& key : keys) EXPECT_TRUE(key.equal(once, again)) << key.name;
}

template <class Table>
void expect_read_back(const Keys<Table>& keys, std::string_view other) {
  Readings readings;
  expect_read_back(readings, keys, readings.read(keys, readings.with_others(keys, other)));
}

template <class Table>
void expect_defaults_read_back(const Keys<Table>& keys) {
  Readings readings;
  expect_read_back(readings, keys, readings.read(keys, ""));
}

constexpr std::string_view kDaemon = R"(state_dir = "/srv"
threads = 3
log_level = "warn"
include = ["a/*.toml"]
memory = "1GiB"
state_keep = "7d"
verify = ""
admin = "unix:/run/admin"
metrics_per_source = false)";
constexpr std::string_view kPoll = R"(freshness = "2s"
interval = "1ms"
max_interval = "3s"
discovery_interval = "7s"
sweep_interval = "1h"
settle = "0ms"
lookback = "all"
overlap = "3h"
max_session_age = "1d"
timeout = "31s"
max_body = "1MiB"
connections = 9
rate = "0.3/s"
changes = "final"
retention = "10d")";
constexpr std::string_view kTls = R"(ca_file = "/ca"
pin_sha256 = ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
server_name = "h"
verify = false
cert_file = "/cert"
key_file = "/key")";
constexpr std::string_view kSource = R"(name = "a"
id = "old"
dialect = "veeam-aws"
url = "https://h:1"
proxy = "http://[::1]:3128"
username = "u"
password = "env:A"
token = "file:/token"
api_version = "v8"
sessions = ["s"]
session_types = { include = ["I"], exclude = ["E"] }
time_zone = "+02:00"
tls = { server_name = "h" }
labels = { site = "a" }
keep_original = true
poll = { interval = "7s" })";
constexpr std::string_view kFile = R"(path = "/events"
mode = "0604"
group = "root"
rotate = { size = "never", every = "90m", keep = 3, compress = "none" }
max_event = "8KiB")";
constexpr std::string_view kKafka = R"(brokers = "k:1"
topic = "t"
state_topic = "s"
transactional_id = "i"
group = "g"
delivery = "at-least-once"
properties = { "linger.ms" = "5", "ssl.key.password" = "env:PATH" })";

TEST(ConfigurationKeys, StandForAMemberOfTheirOwn) {
  expect_members_of_their_own(daemon_keys(), kDaemon);
  expect_members_of_their_own(poll_keys(), kPoll);
  expect_members_of_their_own(tls_keys(), kTls);
  expect_members_of_their_own(source_keys(), kSource);
  expect_members_of_their_own(keys_of(FileSinkSettings{}), kFile);
  expect_members_of_their_own(keys_of(KafkaSinkSettings{}), kKafka);
}

// So a new one need not be named here.
TEST(ConfigurationKeys, AreGivenAnotherValueUnlessTheirWordsAreTheirOwn) {
  expect_members_of_their_own(poll_keys(), "changes = \"final\"");
}

TEST(ConfigurationKeys, ReadBackWhatTheyWrite) {
  expect_read_back(daemon_keys(), kDaemon);
  expect_read_back(poll_keys(), kPoll);
  expect_defaults_read_back(poll_keys());
  expect_read_back(tls_keys(), kTls);
  expect_read_back(source_keys(), kSource);
  expect_read_back(keys_of(FileSinkSettings{}), kFile);
  expect_defaults_read_back(keys_of(FileSinkSettings{}));
  expect_read_back(keys_of(KafkaSinkSettings{}), kKafka);
}

TEST(ConfigurationKeys, SayWhereTwoSinksDiffer) {
  using Names = std::vector<std::string>;
  const SinkSettings file;
  SinkSettings other = file;
  EXPECT_EQ(keys_that_differ(file, other), Names{});
  std::get<FileSinkSettings>(other.kind).rotate.keep = std::nullopt;
  other.commit_bytes = 5000;
  EXPECT_EQ(keys_that_differ(file, other), (Names{"commit_bytes", "rotate"}));
  EXPECT_EQ(keys_that_differ(file, {.kind = StdoutSinkSettings{}}), Names{"path"});
  KafkaSinkSettings kafka;
  kafka.topic = "t";
  EXPECT_EQ(keys_that_differ(file, {.kind = kafka}), Names{"type"});
  const SinkSettings before{.kind = kafka};
  kafka.properties = {{"linger.ms", "5", {}}};
  EXPECT_EQ(keys_that_differ(before, {.kind = kafka}), Names{"properties"});
}

}  // namespace
}  // namespace sessionlogd
