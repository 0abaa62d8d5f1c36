#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

TEST(Load, FillsInEveryDefault) {
  ConfigFiles files;
  const EnvironmentVariable no_state("STATE_DIRECTORY", nullptr);
  const Settings settings = files.settings(files.source());
  EXPECT_EQ(settings.daemon.state_dir, "/var/lib/sessionlogd");
  EXPECT_EQ(std::get<FileSinkSettings>(settings.sink.kind).path, "/var/log/sessionlogd/events.ndjson");
  ASSERT_EQ(settings.sources.size(), 1u);
  const SourceSettings& source = settings.sources[0];
  EXPECT_EQ(source.id, "a");
  EXPECT_EQ(source.host, "10.0.0.5");
  EXPECT_EQ(source.dialect->name, "veeam-aws");
  EXPECT_EQ(source.api_version, "1.6-rev0");
  EXPECT_EQ(source.poll.retention, 24h * 90);
  EXPECT_EQ(source.password->read(), "hunter2");
  EXPECT_TRUE(settings.warnings.empty());
}

TEST(Load, TakesTheStateDirectoryOfTheUnit) {
  ConfigFiles files;
  const EnvironmentVariable state("STATE_DIRECTORY", "/var/lib/one:/var/lib/two");
  EXPECT_EQ(files.settings(files.source()).daemon.state_dir, "/var/lib/one");
  EXPECT_EQ(files.settings("[daemon]\nstate_dir = \"/srv\"\n" + files.source()).daemon.state_dir, "/srv");
}

TEST(Load, TakesEveryKey) {
  ConfigFiles files;
  const Settings settings = files.settings(R"(
[daemon]
threads = 3
log_level = "debug"
memory = "256MiB"
admin = ""
[poll]
interval = "1ms"
max_interval = "2s"
lookback = "all"
rate = "30/m"
changes = "final"
connections = 1000
[sink]
type = "file"
path = "/srv/events.ndjson"
mode = "0600"
group = "root"
format = "ecs"
commit_interval = "300ms"
commit_bytes = "1MiB"
max_event = "8KiB"
rotate = { size = "never", every = "90m", keep = "all", compress = "none" }
)" + files.source("a", R"(id = "old"
api_version = "1.4-rev0"
sessions = ["s1", "s2"]
session_types = { include = ["Policy"], exclude = ["Task"] }
time_zone = "+02:00"
proxy = "http://proxy:3128/"
labels = { site = "fra1", rack = "7" }
keep_original = true
tls = { pin_sha256 = ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="], server_name = "h" }
)"));
  EXPECT_EQ(settings.daemon.threads, 3u);
  EXPECT_EQ(settings.daemon.memory_bytes, 256u << 20);
  const auto& file = std::get<FileSinkSettings>(settings.sink.kind);
  EXPECT_EQ(file.path, "/srv/events.ndjson");
  EXPECT_EQ(file.mode, 0600u);
  EXPECT_EQ(file.group, "root");
  EXPECT_EQ(settings.sink.commit_interval, 300ms);
  EXPECT_EQ(file.rotate.size_bytes, std::nullopt);
  EXPECT_EQ(file.rotate.every, 90min);
  EXPECT_EQ(file.max_event_bytes, 8u << 10);
  EXPECT_EQ(file.rotate.keep, std::nullopt);
  EXPECT_FALSE(file.rotate.compress);
  const SourceSettings& source = settings.sources[0];
  EXPECT_EQ(source.id, "old");
  EXPECT_EQ(source.poll.interval, 1ms);
  EXPECT_EQ(source.poll.lookback, std::nullopt);
  EXPECT_EQ(source.poll.rate_per_second, 0.5);
  EXPECT_EQ(source.poll.changes, Changes::kFinal);
  EXPECT_EQ(source.poll.connections, 1000u);
  EXPECT_EQ(source.sessions, (std::vector<std::string>{"s1", "s2"}));
  EXPECT_EQ(source.session_types.exclude, std::vector<std::string>{"Task"});
  EXPECT_EQ(source.proxy, "http://proxy:3128");
  EXPECT_EQ(source.labels.size(), 2u);
  EXPECT_EQ(source.tls.server_name, "h");
}

TEST(Load, OverridesPollPerSource) {
  ConfigFiles files;
  const Settings settings =
      files.settings("[poll]\ninterval = \"2s\"\nretention = \"30d\"\n" +
                     files.source("a", "[source.poll]\nmax_interval = \"5s\"\nretention = \"7d\"") + files.source("b"));
  EXPECT_EQ(settings.sources[0].poll.interval, 2s);
  EXPECT_EQ(settings.sources[0].poll.max_interval, 5s);
  EXPECT_EQ(settings.sources[0].poll.retention, 24h * 7);
  EXPECT_EQ(settings.sources[1].poll.max_interval, 60s);
  EXPECT_EQ(settings.sources[1].poll.retention, 24h * 30);
}

TEST(Load, TakesADashForStandardOutput) {
  ConfigFiles files;
  const Settings settings = files.settings("[sink]\npath = \"-\"\nmode = \"0600\"\n" + files.source());
  EXPECT_TRUE(std::holds_alternative<StdoutSinkSettings>(settings.sink.kind));
  EXPECT_FALSE(settings.sink.keeps_state());
}

TEST(Load, TakesATokenInsteadOfAPassword) {
  ConfigFiles files;
  const Settings settings = files.settings(
      "[[source]]\nname=\"a\"\ndialect=\"veeam-azure\"\nurl=\"https://h\"\ntoken=\"" + files.secret() + "\"\n");
  EXPECT_EQ(settings.sources[0].token->read(), "hunter2");
  EXPECT_FALSE(settings.sources[0].password);
  EXPECT_EQ(settings.sources[0].api_version, "v8");
}

TEST(Load, WarnsOfSecretsInClearAndUnverifiedPeers) {
  ConfigFiles files;
  auto source = [&](std::string url, std::string more) {
    return "[[source]]\nname=\"a\"\ndialect=\"veeam-aws\"\nurl=\"" + url + "\"\nusername=\"u\"\npassword=\"" +
           files.secret() + "\"\n" + more + "\n";
  };
  using Warnings = std::vector<std::string>;
  const Warnings clear{R"(source "a": http://h is not encrypted: the password leaves this host in clear)"};
  EXPECT_EQ(files.settings(source("http://h", "")).warnings, clear);
  EXPECT_EQ(files.settings(source("http://127.0.0.1:8080", "")).warnings, Warnings{});
  EXPECT_EQ(files.settings(source("http://127.0.0.1", "proxy=\"http://p\"")).warnings.size(), 1u);
  EXPECT_EQ(files.settings(source("https://h", "proxy=\"http://p\"")).warnings, Warnings{});
  EXPECT_EQ(files.settings(source("https://h", "tls={verify=false}")).warnings,
            Warnings{R"(source "a": tls.verify = false: whoever responds at https://h is believed)"});
}

// Syslog daemons cut what is too long for them, and nobody would know.
TEST(Load, WarnsOfLongLinesForSyslog) {
  const ConfigFiles files;
  const auto with = [&](const char* sink) { return files.settings("[sink]\n" + std::string(sink) + files.source()); };
  const Settings settings = with("format = \"syslog\"\nfacility = \"local3\"\n");
  EXPECT_EQ(settings.sink.facility, 19u);
  ASSERT_EQ(settings.warnings.size(), 1u);
  EXPECT_THAT(settings.warnings[0], testing::StartsWith("sink.max_event is \"none\": "));
  EXPECT_THAT(with("format = \"syslog\"\nmax_event = \"8KiB\"\n").warnings, testing::IsEmpty());
  EXPECT_THAT(with("format = \"ecs\"\n").warnings, testing::IsEmpty());
}

TEST(Load, ReadsTheFileItself) {
  ConfigFiles files;
  const auto loaded = load_settings(files.write("c.toml", files.source()), kFormats);
  ASSERT_TRUE(std::holds_alternative<Settings>(loaded));
  EXPECT_EQ(std::get<Settings>(loaded).file, (files.directory() / "c.toml").string());
}

}  // namespace
}  // namespace sessionlogd
