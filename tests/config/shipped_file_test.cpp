// config/sessionlogd.toml says of itself that it holds every key at its default: this holds it to that.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

std::string text_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string shipped_file() { return text_of(SHIPPED_CONFIGURATION); }

// The example of a source taken into use, as the file tells operators to.
std::string with_example(const std::string& text) { return std::regex_replace(text, std::regex("(^|\n)#: "), "$1"); }

// The same with Kafka in place of the file.
std::string with_kafka(const std::string& text) {
  const std::size_t file = text.find("\n[sink]\n"), kafka = text.find("\n#! ");
  return std::regex_replace(text.substr(0, file) + text.substr(kafka), std::regex("(^|\n)#! "), "$1");
}

class ShippedFile : public testing::Test {
 protected:
  ShippedFile() { std::filesystem::permissions(files_.write("aws-eu", "hunter2"), std::filesystem::perms{0600}); }

  ConfigFiles files_;
  EnvironmentVariable credentials_{"CREDENTIALS_DIRECTORY", files_.directory().c_str()};
  EnvironmentVariable no_state_{"STATE_DIRECTORY", nullptr};
};

void expect_equal(const PollSettings& a, const PollSettings& b) {
  EXPECT_EQ(a.interval, b.interval);
  EXPECT_EQ(a.max_interval, b.max_interval);
  EXPECT_EQ(a.discovery_interval, b.discovery_interval);
  EXPECT_EQ(a.sweep_interval, b.sweep_interval);
  EXPECT_EQ(a.settle, b.settle);
  EXPECT_EQ(a.lookback, b.lookback);
  EXPECT_EQ(a.overlap, b.overlap);
  EXPECT_EQ(a.max_session_age, b.max_session_age);
  EXPECT_EQ(a.timeout, b.timeout);
  EXPECT_EQ(a.max_body_bytes, b.max_body_bytes);
  EXPECT_EQ(a.connections, b.connections);
  EXPECT_EQ(a.rate_per_second, b.rate_per_second);
  EXPECT_EQ(a.changes, b.changes);
  EXPECT_EQ(a.retention, b.retention);
}

TEST_F(ShippedFile, NeedsASource) { EXPECT_EQ(files_.mistakes(shipped_file()).size(), 1u); }

TEST_F(ShippedFile, HoldsTheDefaults) {
  const Settings shipped = files_.settings(with_example(shipped_file()));
  EXPECT_EQ(shipped.daemon.state_dir, "/var/lib/sessionlogd");
  EXPECT_EQ(shipped.daemon.threads, DaemonSettings{}.threads);
  EXPECT_EQ(shipped.daemon.log_level, DaemonSettings{}.log_level);
  EXPECT_EQ(shipped.daemon.admin, DaemonSettings{}.admin);
  EXPECT_EQ(shipped.daemon.metrics_per_source, DaemonSettings{}.metrics_per_source);
  EXPECT_EQ(shipped.daemon.state_keep, DaemonSettings{}.state_keep);
  EXPECT_EQ(shipped.daemon.verify, DaemonSettings{}.verify);
  EXPECT_EQ(shipped.daemon.memory_bytes, DaemonSettings{}.memory_bytes);
  EXPECT_EQ(shipped.sink.format, SinkSettings{}.format);
  EXPECT_EQ(shipped.sink.commit_interval, SinkSettings{}.commit_interval);
  EXPECT_EQ(shipped.sink.commit_bytes, SinkSettings{}.commit_bytes);
  EXPECT_EQ(shipped.sink.file.path, FileSinkSettings{}.path);
  EXPECT_EQ(shipped.sink.file.mode, FileSinkSettings{}.mode);
  EXPECT_EQ(shipped.sink.file.group, FileSinkSettings{}.group);
  EXPECT_EQ(shipped.sink.file.rotate.size_bytes, RotateSettings{}.size_bytes);
  EXPECT_EQ(shipped.sink.file.rotate.every, RotateSettings{}.every);
  EXPECT_EQ(shipped.sink.file.rotate.keep, RotateSettings{}.keep);
  EXPECT_EQ(shipped.sink.file.rotate.compress, RotateSettings{}.compress);
  ASSERT_EQ(shipped.warnings.size(), 1u);
  EXPECT_NE(shipped.warnings[0].find("sources.d is not there"), std::string::npos) << "the package brings it";

  ASSERT_EQ(shipped.sources.size(), 1u);
  const SourceSettings& source = shipped.sources[0];
  expect_equal(source.poll, PollSettings{});
  EXPECT_EQ(source.id, source.name);
  EXPECT_EQ(source.api_version, source.dialect->version.fallback);
  EXPECT_EQ(source.time_zone.name, TimeZone{}.name);
  EXPECT_EQ(source.time_zone.fixed_offset, TimeZone{}.fixed_offset);
  EXPECT_EQ(source.keep_original, SourceSettings{}.keep_original);
  EXPECT_EQ(source.tls.verify, TlsSettings{}.verify);
}

// Takes the keys without a default into use too: each must be known and well formed, though the files they name are not
// there.
TEST_F(ShippedFile, DocumentsOnlyKeysThatExist) {
  const std::string all =
      std::regex_replace(with_example(shipped_file()), std::regex("(^|\n)# (?=[a-z_0-9]+ *= )"), "$1");
  for (const std::string& mistake : files_.mistakes(all)) {
    EXPECT_TRUE(std::regex_search(mistake, std::regex("cannot be read|\\(No such file|a token and username")))
        << mistake;
  }
}

TEST_F(ShippedFile, HoldsTheDefaultsOfKafka) {
  const Settings shipped = files_.settings(with_kafka(with_example(shipped_file())));
  ASSERT_TRUE(shipped.sink.kafka);
  EXPECT_EQ(shipped.sink.kafka->state_topic, shipped.sink.kafka->topic + "-state");
  EXPECT_EQ(shipped.sink.kafka->delivery, KafkaSinkSettings{}.delivery);
  EXPECT_TRUE(shipped.sink.kafka->properties.empty());
  EXPECT_EQ(shipped.sink.commit_interval, std::chrono::milliseconds(300));
  EXPECT_EQ(shipped.sink.commit_bytes, SinkSettings{}.commit_bytes);
}

// An unknown key's message lists the known ones: each of them must be explained, in the file and in the reference.
TEST_F(ShippedFile, DocumentsEveryKey) {
  const std::string text = shipped_file();
  const std::string reference = text_of(CONFIGURATION_REFERENCE);
  for (const char* where : {"[daemon]\n", "[poll]\n", "[sink]\n", "[sink]\ntype = \"kafka\"\n", "[[source]]\n",
                            "[[source]]\n[source.tls]\n"}) {
    for (const std::string& mistake : files_.mistakes(std::string(where) + "qqqqqqqqqqqq = 1\n")) {
      const std::size_t list = mistake.find("unknown key, expected one of ");
      if (list == mistake.npos) continue;
      std::istringstream keys(mistake.substr(list + 29));
      for (std::string key; keys >> key;) {
        if (key.ends_with(',')) key.pop_back();
        EXPECT_TRUE(
            std::regex_search(text, std::regex("(^|\n)(#[:!] )?(# )?" + key + " *= |\\[source\\." + key + "\\]")))
            << key;
        // A column of keys: | `mode` |, or several of them.
        EXPECT_TRUE(std::regex_search(reference, std::regex("\\n\\|[^|\n]*`(tls\\.)?" + key + "`[^|\n]*\\|")))
            << key << " is not in config/README.md";
      }
    }
  }
}

}  // namespace
}  // namespace sessionlogd
