// config/sessionlogd.toml says of itself that it holds every key at its default: this holds it to that.
#include <gtest/gtest.h>

#include <regex>

#include "config/key.h"
#include "config/read_daemon.h"
#include "config/read_file_sink.h"
#include "config/read_kafka_sink.h"
#include "config/read_sink.h"
#include "config/read_source.h"
#include "tests/config/config_files.h"
#include "tests/config/reference.h"
#include "tests/support/read_text.h"

namespace sessionlogd {
namespace {

std::string shipped_file() { return test::read_text(SHIPPED_CONFIGURATION); }

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

template <class Table>
void expect_defaults(const Keys<Table>& keys, const Table& shipped, const Table& defaults = {}) {
  for (const Key<Table>& key : keys) EXPECT_TRUE(key.equal(shipped, defaults)) << key.name << " is not at its default";
}

TEST_F(ShippedFile, NeedsASource) { EXPECT_EQ(files_.mistakes(shipped_file()).size(), 1u); }

TEST_F(ShippedFile, HoldsTheDefaults) {
  const Settings shipped = files_.settings(with_example(shipped_file()));
  DaemonSettings daemon;
  daemon.state_dir = "/var/lib/sessionlogd";
  daemon.include = {"sources.d/*.toml"};
  expect_defaults(daemon_keys(), shipped.daemon, daemon);
  expect_defaults(sink_keys(), shipped.sink);
  const auto& file = std::get<FileSinkSettings>(shipped.sink.kind);
  expect_defaults(keys_of(file), file);
  ASSERT_EQ(shipped.warnings.size(), 1u);
  EXPECT_NE(shipped.warnings[0].find("sources.d is not there"), std::string::npos) << "the package brings it";

  ASSERT_EQ(shipped.sources.size(), 1u);
  const SourceSettings& source = shipped.sources[0];
  SourceSettings defaults;
  defaults.name = source.name;
  defaults.id = source.name;
  defaults.dialect = source.dialect;
  defaults.url = source.url;
  defaults.username = source.username;
  defaults.password = source.password;
  defaults.api_version = source.dialect->version.fallback;
  expect_defaults(source_keys(), source, defaults);
}

// Takes the keys without a default into use too: each must be known and well formed, though the files they name are not
// there.
TEST_F(ShippedFile, DocumentsOnlyKeysThatExist) {
  const std::string all =
      std::regex_replace(with_example(shipped_file()), std::regex("(^|\n)# (?=[a-z_0-9]+ *= )"), "$1");
  for (const std::string& mistake : files_.mistakes(all)) {
    EXPECT_TRUE(std::regex_search(
        mistake,
        std::regex("cannot be read|\\(No such file|a token and username|sink.facility: found a facility with")))
        << mistake;
  }
}

TEST_F(ShippedFile, HoldsTheDefaultsOfKafka) {
  const Settings shipped = files_.settings(with_kafka(with_example(shipped_file())));
  const auto& kafka = std::get<KafkaSinkSettings>(shipped.sink.kind);
  EXPECT_EQ(kafka.state_topic, kafka.topic + "-state");
  KafkaSinkSettings defaults;
  defaults.brokers = kafka.brokers;
  defaults.topic = kafka.topic;
  defaults.state_topic = kafka.state_topic;
  defaults.transactional_id = kafka.transactional_id;
  expect_defaults(keys_of(kafka), kafka, defaults);
  expect_defaults(sink_keys(), shipped.sink,
                  SinkSettings{.kind = kafka, .commit_interval = KafkaSinkSettings::kCommitInterval});
}

// `key = ` on a line of its own, in use, as an example or commented out, or within a table on one line.
bool stands_in(const std::string& text, const KeyRow& row) {
  const std::string key = row.name.substr(row.name.rfind('.') + 1);
  return std::regex_search(
      text, std::regex("(^|\n)(#[:!] )?(# )?" + key + " *= |\\[source\\." + key + "\\]|[{,] " + key + " = "));
}

TEST_F(ShippedFile, DocumentsEveryKey) {
  const std::string text = shipped_file();
  for (const ReferenceTable& table : reference()) {
    EXPECT_FALSE(table.rows.empty()) << table.heading;
    const std::string_view sink = "[sink], ";
    const bool is_a_sink = table.heading.starts_with(sink);
    // Those of a sink without an example here stand in the reference.
    if (is_a_sink && text.find("type = \"" + table.heading.substr(sink.size()) + "\"") == text.npos) continue;
    for (const KeyRow& row : table.rows) EXPECT_TRUE(stands_in(text, row)) << table.heading << " " << row.name;
  }
}

// What a failure prints belongs there.
TEST_F(ShippedFile, HasAReferenceWithARowForEveryKey) {
  const std::string page = test::read_text(CONFIGURATION_REFERENCE);
  for (const ReferenceTable& table : reference()) {
    const std::size_t heading = page.find("\n## " + table.heading + "\n");
    ASSERT_NE(heading, page.npos) << "config/README.md has no heading " << table.heading;
    const std::size_t begin = page.find("\n| key", heading) + 1, end = page.find("\n\n", begin) + 1;
    EXPECT_EQ(page.substr(begin, end - begin), to_markdown(table.rows)) << "config/README.md, " << table.heading;
  }
}

}  // namespace
}  // namespace sessionlogd
