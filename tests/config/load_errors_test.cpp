// Every class of mistake, with the whole message an operator sees.
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "config/load.h"
#include "tests/config/config_files.h"
#include "tests/config/reference.h"

namespace sessionlogd {
namespace {

using Lines = std::vector<std::string>;

struct Row {
  const char* text;
  const char* mistake;  // without "sessionlogd.toml:"; see with_lists()
};

void append_to(std::string& list, std::string_view name, std::string_view separator) {
  if (!list.empty()) list += separator;
  list += name;
}

std::map<std::string, std::string> lists() {
  std::map<std::string, std::string> lists;
  for (const ReferenceTable& table : reference()) {
    for (const KeyRow& row : table.rows) {
      if (row.name.find('.') == row.name.npos) append_to(lists["<keys of " + table.heading + ">"], row.name, ", ");
    }
    if (table.heading.starts_with("[sink], "))
      append_to(lists["<types>"], '"' + table.heading.substr(table.heading.find(' ') + 1) + '"', " or ");
  }
  for (const BuiltInDialect& dialect : built_in_dialects()) append_to(lists["<dialects>"], dialect.name, ", ");
  return lists;
}

// What grows with each key, sink and product that is added is not written down here: "<keys of [daemon]>", "<types>" of
// sinks, and "<dialects>" stand for it.
std::string with_lists(std::string text) {
  for (const auto& [name, list] : lists()) {
    if (const std::size_t at = text.find(name); at != text.npos) text.replace(at, name.size(), list);
  }
  return text;
}

TEST(LoadErrors, AreTestedWithListsThatAreNotEmpty) {
  EXPECT_TRUE(with_lists("<keys of [sink], file>").starts_with("type, path, mode, "))
      << with_lists("<keys of [sink], file>");
  EXPECT_TRUE(with_lists("<keys of [daemon]>").starts_with("state_dir, threads, "));
  EXPECT_TRUE(with_lists("<dialects>").starts_with("veeam-aws, veeam-azure"));
  EXPECT_TRUE(with_lists("<types>").starts_with("\"file\" or \"kafka\""));
}

// Each stands behind keys that are right.
TEST(LoadErrors, OfTheKafkaSink) {
  const Row table[] = {
      {"properties = 5", "6: sink.properties: found 5, expected a table"},
      {"delivery = \"exactly\"", "6: sink.delivery: found \"exactly\", expected \"exactly-once\" or \"at-least-once\""},
      {"state_topic = \"t\"", "6: sink.state_topic: found \"t\", expected another topic than that of the events"},
      {"state_topic = \"a b\"",
       "6: sink.state_topic: found \"a b\", expected 1 to 249 letters, digits, \".\", \"_\" or \"-\""},
      {"path = \"/a\"", "6: sink.path: found an unknown key, expected one of <keys of [sink], kafka>"},
      {"properties = { \"linger.ms\" = [5] }",
       "6: sink.properties.linger.ms: found an array, expected a string, an integer, true or false"},
      {"properties = { \"enable.idempotence\" = false }",
       "6: sink.properties.enable.idempotence: found a property that sessionlogd sets itself, expected none: see "
       "sink.delivery"},
      {"properties = { \"sasl.password\" = \"hunter2\" }",
       "6: sink.properties.sasl.password: found a literal (not shown), expected \"file:/path\", \"env:NAME\" or "
       "\"credential:NAME\""},
      {"properties = { \"sasl.username\" = \"file:/none\" }",
       "6: sink.properties.sasl.username: file:/none cannot be read: No such file or directory"},
  };
  for (const Row& row : table) {
    ConfigFiles files;
    const Lines mistakes = files.mistakes(
        std::string("[sink]\ntype = \"kafka\"\nbrokers = \"k:1,[::1]:2\"\ntopic = \"t\"\ntransactional_id = \"id\"\n") +
        row.text + "\n" + files.source("a"));
    EXPECT_EQ(mistakes, Lines{with_lists(std::string("sessionlogd.toml:") + row.mistake)}) << row.text;
  }
}

TEST(LoadErrors, NamesEveryKeyThatKafkaNeeds) {
  ConfigFiles files;
  EXPECT_EQ(files.mistakes("[sink]\ntype = \"kafka\"\n" + files.source("a")),
            (Lines{"sessionlogd.toml:1: sink.brokers: found nothing, expected brokers like \"k1:9092,k2:9092\"",
                   "sessionlogd.toml:1: sink.topic: found nothing, expected the topic that gets the events",
                   "sessionlogd.toml:1: sink.transactional_id: found nothing, expected a name that no other daemon "
                   "has, or instead of it `group`: the name that all daemons have which share these sources"}));
  for (const char* brokers : {"", "k", "k:", ":1", "k:1,", "k:x", "k:1,,k:2"}) {
    const Lines mistakes =
        files.mistakes(std::string("[sink]\ntype = \"kafka\"\ntopic = \"t\"\ntransactional_id = \"i\"\nbrokers = \"") +
                       brokers + "\"\n" + files.source("a"));
    EXPECT_EQ(mistakes.size(), 1u) << brokers;
  }
}

TEST(LoadErrors, NamesWhatAGroupExcludes) {
  const Row table[] = {
      {"transactional_id = \"i\"",
       "6: sink.transactional_id: found beside sink.group, expected one of both: in a group each partition has an id "
       "of "
       "its own"},
      {"delivery = \"at-least-once\"",
       "6: sink.delivery: found \"at-least-once\" beside sink.group, expected \"exactly-once\": without transactions "
       "nothing shuts out a member that has lost its part"},
      {"state_partitions = 0", "6: sink.state_partitions: found 0, expected an integer from 1 to 1000"},
  };
  const std::string shared = "[sink]\ntype = \"kafka\"\nbrokers = \"k:1\"\ntopic = \"t\"\n";
  const std::string group = shared + "group = \"g\"\n", alone = shared + "transactional_id = \"i\"\n";
  ConfigFiles files;
  for (const Row& row : table) {
    EXPECT_EQ(files.mistakes(group + row.text + "\n" + files.source("a")),
              Lines{std::string("sessionlogd.toml:") + row.mistake})
        << row.text;
  }
  for (const char* name : {"group.id", "group.instance.id", "partition.assignment.strategy", "enable.auto.commit",
                           "group.protocol", "max.poll.interval.ms", "session.timeout.ms"}) {
    const std::string rest = std::string("properties = { \"") + name + "\" = 3000 }\n" + files.source("a");
    const Lines refused{std::string("sessionlogd.toml:6: sink.properties.") + name +
                        ": found a property that sessionlogd sets itself, expected none: see sink.group"};
    EXPECT_EQ(files.mistakes(group + rest), name == std::string("session.timeout.ms") ? Lines{} : refused);
    EXPECT_EQ(files.mistakes(alone + rest), Lines{}) << name;
  }
}

// Each text stands alone before a source that is right.
TEST(LoadErrors, OfDaemonPollAndSink) {
  const Row table[] = {
      {"daemon = 5", "1: daemon: found 5, expected a table"},
      {"[deamon]", "1: deamon: found an unknown key, did you mean \"daemon\"?"},
      {"[other]", "1: other: found an unknown key, expected one of daemon, poll, sink, source"},
      {"[daemon]\nstate_dir = \"var\"", "2: daemon.state_dir: found \"var\", expected an absolute path"},
      {"[daemon]\nthreads = -1", "2: daemon.threads: found -1, expected an integer from 0 to 1024"},
      {"[daemon]\nthreads = 1.5", "2: daemon.threads: found a fraction, expected an integer from 0 to 1024"},
      {"[daemon]\nlog_level = \"loud\"",
       "2: daemon.log_level: found \"loud\", expected \"trace\" or \"debug\" or \"info\" or \"warn\" or \"error\""},
      {"[daemon]\nmemory = \"63MiB\"", "2: daemon.memory: found \"63MiB\", expected a size from 64MiB to 1024GiB"},
      {"[daemon]\nmemory = 5", "2: daemon.memory: found 5, expected a size like \"64KiB\" or \"8MiB\""},
      {"[daemon]\nadmin = \"9464\"",
       "2: daemon.admin: found \"9464\", expected a loopback address like \"127.0.0.1:9464\" or \"[::1]:9464\", a "
       "Unix socket like \"unix:/run/sessionlogd/admin.sock\", or \"\" for none"},
      {"[daemon]\nadmin = 9464", "2: daemon.admin: found 9464, expected a string"},
      {"[daemon]\nkeep_state = \"30d\"",
       "2: daemon.keep_state: found an unknown key, expected one of <keys of [daemon]>"},
      {"[daemon]\nverify = \"5s\"", "2: daemon.verify: found \"5s\", expected a duration from 10s to 30d, or \"\""},
      {"[daemon]\ninclude = \"a\"", "2: daemon.include: found \"a\", expected an array of strings"},
      {"[daemon]\ninclude = [\"/etc/*\"]",
       "2: daemon.include: found \"/etc/*\", expected a path below the directory of this file, like "
       "\"sources.d/*.toml\""},
      {"[daemon]\ninclude = [\"a/../../b\"]",
       "2: daemon.include: found \"a/../../b\", expected a path below the directory of this file, like "
       "\"sources.d/*.toml\""},
      {"[poll]\nintervall = \"5s\"", "2: poll.intervall: found an unknown key, did you mean \"interval\"?"},
      {"[poll]\ninterval = 5", "2: poll.interval: found 5, expected a duration like \"250ms\", \"5s\" or \"1h\""},
      {"[poll]\ninterval = \"5 s\"",
       "2: poll.interval: found \"5 s\", expected a duration like \"250ms\", \"5s\", \"10m\", \"24h\" or \"7d\""},
      {"[poll]\ninterval = \"0ms\"", "2: poll.interval: found \"0ms\", expected a duration from 1ms to 1d"},
      {"[poll]\ninterval = \"25h\"\nmax_interval = \"24h\"",
       "2: poll.interval: found \"25h\", expected a duration from 1ms to 1d"},
      {"[poll]\ninterval = \"90s\"", "2: poll.interval: found \"90s\", expected at most max_interval, \"1m\""},
      {"[poll]\nmax_interval = \"1s\"", "2: poll.max_interval: found \"1s\", expected at least the interval, \"5s\""},
      {"[poll]\nlookback = \"al\"",
       "2: poll.lookback: found \"al\", expected a duration like \"250ms\", \"5s\", \"10m\", \"24h\" or \"7d\", or "
       "\"all\""},
      {"[poll]\nmax_body = \"129MiB\"",
       "2: poll.max_body: found \"129MiB\", expected at most a quarter of daemon.memory, \"128MiB\""},
      {"[daemon]\nmemory = \"255MiB\"",
       "2: daemon.memory: found \"255MiB\", expected at least \"256MiB\", or a poll.max_body of a quarter of it"},
      {"[daemon]\nthreads = 9", "2: daemon.threads: found 9, expected at most 8: \"64MiB\" of daemon.memory for each"},
      {"[poll]\nconnections = 0", "2: poll.connections: found 0, expected an integer from 1 to 1000"},
      {"[poll]\nrate = \"0/s\"",
       "2: poll.rate: found \"0/s\", expected a rate above zero like \"20/s\", \"2.5/s\", \"30/m\" or \"100/h\""},
      {"[poll]\nchanges = \"all\"", "2: poll.changes: found \"all\", expected \"emit\" or \"final\""},
      {"[sink]\ntype = \"tape\"", "2: sink.type: found \"tape\", expected <types>"},
      {"[sink]\npath = \"out\"",
       "2: sink.path: found \"out\", expected an absolute path, or \"-\" for standard output"},
      {"[sink]\nmode = \"0999\"",
       "2: sink.mode: found \"0999\", expected octal digits in quotes like \"0640\", with reading and writing for the "
       "owner"},
      {"[sink]\nmode = 640",
       "2: sink.mode: found 640, expected octal digits in quotes like \"0640\", with reading and writing for the "
       "owner"},
      {"[sink]\ngroup = \"no such group\"", "2: sink.group: found \"no such group\", expected a group of this system"},
      {"[sink]\nformat = \"cef\"", "2: sink.format: found \"cef\", expected \"ecs\" or \"syslog\""},
      {"[sink]\nfacility = \"local0\"",
       "2: sink.facility: found a facility with sink.format = \"ecs\", expected none: only messages of \"syslog\" have "
       "one"},
      {"[sink]\nformat = \"syslog\"\nfacility = \"kern\"",
       "3: sink.facility: found \"kern\", expected \"user\" or \"mail\" or \"daemon\" or \"auth\" or \"syslog\" or "
       "\"lpr\" or \"news\" or \"uucp\" or \"cron\" or \"authpriv\" or \"ftp\" or \"local0\" or \"local1\" or "
       "\"local2\" or \"local3\" or \"local4\" or \"local5\" or \"local6\" or \"local7\""},
      {"[sink]\nmax_event = \"1000B\"",
       "2: sink.max_event: found \"1000B\", expected a size from 1KiB to 256MiB, or \"none\""},
      {"[sink]\nrotate = 5", "2: sink.rotate: found 5, expected a table"},
      {"[sink]\nrotate = { sizes = 1 }", "2: sink.rotate.sizes: found an unknown key, did you mean \"size\"?"},
      {"[sink]\nrotate = { size = \"1000B\" }",
       "2: sink.rotate.size: found \"1000B\", expected a size from 1KiB to 1024GiB, or \"never\""},
      {"[sink]\nrotate = { size = 5 }",
       "2: sink.rotate.size: found 5, expected a size like \"64KiB\" or \"8MiB\", or \"never\""},
      {"[sink]\nrotate = { every = \"10ms\" }",
       "2: sink.rotate.every: found \"10ms\", expected a duration from 1s to 3650d, or \"never\""},
      {"[sink]\nrotate = { keep = 0 }",
       "2: sink.rotate.keep: found 0, expected an integer from 1 to 1000000, or \"all\""},
      {"[sink]\nrotate = { keep = \"none\" }",
       "2: sink.rotate.keep: found \"none\", expected an integer from 1 to 1000000, or \"all\""},
      {"[sink]\nrotate = { compress = \"gzip\" }",
       "2: sink.rotate.compress: found \"gzip\", expected \"zstd\" or \"none\""},
      {"[sink]\nrotate = { compress = true }", "2: sink.rotate.compress: found true, expected \"zstd\" or \"none\""},
      {"[sink]\n\"a\\nb\" = 1", "2: sink.\"a\\x0ab\": found an unknown key, expected one of <keys of [sink], file>"},
      {"[poll]\ninterval = 1979-05-27",
       "2: poll.interval: found a date or a time, expected a duration like \"250ms\", \"5s\" or \"1h\""},
  };
  ConfigFiles files;
  for (const auto& [text, mistake] : table) {
    EXPECT_EQ(files.mistakes(std::string(text) + "\n" + files.source()),
              Lines{with_lists("sessionlogd.toml:" + std::string(mistake))});
  }
}

// Each text stands in line 7, the last of a source that is right.
TEST(LoadErrors, OfASource) {
  const Row table[] = {
      {"id = \"a b\"", "7: source[1].id: found \"a b\", expected 1 to 64 letters, digits, \".\", \"_\" or \"-\""},
      {"pasword = \"x\"", "7: source[1].pasword: found an unknown key, did you mean \"password\"?"},
      {"api_version = \"1.4\\r\\nX: y\"",
       "7: source[1].api_version: found \"1.4\\x0d\\x0aX: y\", expected a string without control characters"},
      {"api_version = \"../v1\"",
       "7: source[1].api_version: found \"../v1\", expected a version like \"1.6-rev0\" or \"v8\""},
      {"api_version = \"..\"",
       "7: source[1].api_version: found \"..\", expected a version like \"1.6-rev0\" or \"v8\""},
      {"token = \"env:PATH\"",
       "7: source[1].token: found a token and username or password, expected one way to log in"},
      {"sessions = []", "7: source[1].sessions: found an empty array, expected at least one string, or no such key"},
      {"sessions = [\"s\", \"s\"]", "7: source[1].sessions: found \"s\" twice, expected each once"},
      {"sessions = [\"\"]", "7: source[1].sessions: found an empty string, expected some text"},
      {"session_types = { include = [\"T\"], exclude = [\"T\"] }",
       "7: source[1].session_types.exclude: found \"T\" in include and in exclude, expected it in one of them"},
      {"time_zone = \"../UTC\"",
       "7: source[1].time_zone: found \"../UTC\", expected \"UTC\", an offset like \"+02:00\", or a zone like "
       "\"Europe/Berlin\""},
      {"proxy = \"proxy:3128\"",
       "7: source[1].proxy: found \"proxy:3128\", expected a URL like \"https://10.0.0.5:11005\": http or https, a "
       "host, a port or "
       "none"},
      {"labels = { site = 5 }", "7: source[1].labels: found 5 for the label \"site\", expected a string"},
      {"labels = { a.b = \"c\" }", "7: source[1].labels: found a table for the label \"a\", expected a string"},
      {"labels = { \"a.b\" = \"c\" }",
       "7: source[1].labels: found the label \"a.b\", expected a name of 1 to 64 letters, digits, \"_\" or \"-\""},
      {"labels = { longer = \"x\" }\n[sink]\nformat = \"syslog\"",
       "7: source[1].labels: found the label \"longer\", expected a name of 1 to 5 bytes, as sink.format takes them"},
      {"keep_original = \"yes\"", "7: source[1].keep_original: found \"yes\", expected true or false"},
      {"tls = { ca_file = \"/no/such\" }",
       "7: source[1].tls.ca_file: found \"/no/such\" (No such file or directory), expected a file that can be read"},
      {"tls = { ca_file = \"/\" }",
       "7: source[1].tls.ca_file: found \"/\" (not a regular file), expected a file that can be read"},
      {"tls = { ca_file = \"ca.pem\" }", "7: source[1].tls.ca_file: found \"ca.pem\", expected an absolute path"},
      {"tls = { pin_sha256 = [\"abc\"] }",
       "7: source[1].tls.pin_sha256: found \"abc\", expected the base64 of 32 bytes: the SHA-256 of the certificate's "
       "public key"},
      {"tls = { server_name = \"a b\" }",
       "7: source[1].tls.server_name: found \"a b\", expected a host name or an IP address"},
      {"tls = { key_file = \"/etc/passwd\" }",
       "7: source[1].tls.key_file: found one of cert_file and key_file, expected both (they may name the same file)"},
      {"poll = { interval = \"2h\" }",
       "7: source[1].poll.interval: found \"2h\", expected at most max_interval, \"1m\""},
      {"poll = 5", "7: source[1].poll: found 5, expected a table"},
  };
  ConfigFiles files;
  for (const auto& [text, mistake] : table) {
    EXPECT_EQ(files.mistakes(files.source("a", text)), Lines{with_lists("sessionlogd.toml:" + std::string(mistake))});
  }
}

TEST(LoadErrors, OfKeysASourceNeeds) {
  ConfigFiles files;
  EXPECT_EQ(files.mistakes("\n[[source]]\n"),
            (Lines{"sessionlogd.toml:2: source[1].name: found nothing, expected the source's name",
                   with_lists("sessionlogd.toml:2: source[1].dialect: found nothing, expected one of <dialects>"),
                   "sessionlogd.toml:2: source[1].url: found nothing, expected a URL like \"https://10.0.0.5:11005\"",
                   "sessionlogd.toml:2: source[1].password: found nothing, expected username and password, or token"}));
  const std::string base = "[[source]]\nname=\"a\"\ndialect=\"veeam-aws\"\nurl=\"https://h\"\n";
  EXPECT_EQ(files.mistakes(base + "username = \"u\"\n"),
            Lines{"sessionlogd.toml:1: source[1].password: found nothing, expected \"file:/path\", \"env:NAME\" or "
                  "\"credential:NAME\" beside username"});
  EXPECT_EQ(files.mistakes(base + "password = \"" + files.secret() + "\"\n"),
            Lines{"sessionlogd.toml:1: source[1].username: found nothing, expected the user's name beside password"});
}

TEST(LoadErrors, OfDialectsThatAreNotThere) {
  ConfigFiles files;
  const std::string text = std::regex_replace(files.source(), std::regex("veeam-aws"), "veeam-awz");
  EXPECT_EQ(files.mistakes(text),
            Lines{with_lists("sessionlogd.toml:3: source[1].dialect: found \"veeam-awz\", expected one of "
                             "<dialects>; did you mean \"veeam-aws\"?")});
}

TEST(LoadErrors, NeverShowSecrets) {
  ConfigFiles files;
  files.write("two-lines", "hunter2\nhunter2\n");
  const std::string base = "[[source]]\nname=\"a\"\ndialect=\"veeam-aws\"\nurl=\"https://h\"\n";
  const std::string texts[] = {
      base + "username=\"u\"\npassword=\"hunter2\"",
      base + "username=\"u\"\npassword=[\"hunter2\"]",
      base + "username=\"u\"\npassword={file=\"hunter2\"}",
      base + "username=\"u\"\npassword=hunter2",
      base + "username=\"u\"\npassword=\"hunter2",
      base + "username=\"u\"\npassword='hunter2\n",
      base + "username=\"u\"\npasword=\"hunter2\"",
      base + "token=\"hunter2\"",
      base + "token=\"file:" + files.directory().string() + "/two-lines\"",
      "[[source]]\nurl=\"https://u:hunter2@h\"\nproxy=\"http://u:hunter2@p\"",
  };
  for (const std::string& text : texts) {
    const Lines mistakes = files.mistakes(text);
    EXPECT_FALSE(mistakes.empty()) << text;
    for (const std::string& mistake : mistakes) EXPECT_EQ(mistake.find("hunter"), mistake.npos) << mistake;
  }
  EXPECT_EQ(files.mistakes(base + "username=\"u\"\npassword=31337"),
            Lines{"sessionlogd.toml:6: source[1].password: found an integer, expected \"file:/path\", \"env:NAME\" or "
                  "\"credential:NAME\""});
}

TEST(LoadErrors, OfNamesAndIdsThatAreNotUnique) {
  ConfigFiles files;
  EXPECT_EQ(files.mistakes(files.source("a") + files.source("a") + files.source("b", "id = \"a\"")),
            (Lines{"sessionlogd.toml:9: source[2].name: found \"a\", which the source at sessionlogd.toml:2 has too, "
                   "expected another",
                   "sessionlogd.toml:21: source[3].id: found \"a\", which the source at sessionlogd.toml:2 has too, "
                   "expected another"}));
}

TEST(LoadErrors, OfTlsWithoutTls) {
  ConfigFiles files;
  const std::string text =
      std::regex_replace(files.source("a", "tls = { verify = true }"), std::regex("https"), "http");
  EXPECT_EQ(files.mistakes(text),
            Lines{"sessionlogd.toml:7: source[1].tls: found tls beside an http URL, expected https"});
}

TEST(LoadErrors, ShowWhatASourceNeedsWhenThereIsNone) {
  ConfigFiles files;
  EXPECT_EQ(
      files.mistakes(""),
      Lines{"sessionlogd.toml: source: found no source, expected at least one, here or in an included file, like:\n"
            "[[source]]\n"
            "name     = \"aws-eu\"\n"
            "dialect  = \"veeam-aws\"\n"
            "url      = \"https://10.0.0.5:11005\"\n"
            "username = \"collector\"\n"
            "password = \"file:/etc/sessionlogd/aws-eu.password\""});
  EXPECT_EQ(files.mistakes("[source]\nname = \"a\"\n"),
            Lines{"sessionlogd.toml:1: source: found a table, expected tables that start with [[source]]"});
}

TEST(LoadErrors, AllComeAtOnceInOrderOfLines) {
  ConfigFiles files;
  const Lines mistakes = files.mistakes("[sink]\nmode = \"x\"\n[poll]\nrate = 5\nzzz = 1\n[daemon]\nthreads = \"2\"\n" +
                                        files.source("a", "keep_original = 1\nid = \"\"\n"));
  ASSERT_EQ(mistakes.size(), 6u);
  const char* const starts[] = {"sessionlogd.toml:2: sink.mode:",
                                "sessionlogd.toml:4: poll.rate:",
                                "sessionlogd.toml:5: poll.zzz:",
                                "sessionlogd.toml:7: daemon.threads:",
                                "sessionlogd.toml:14: source[1].keep_original:",
                                "sessionlogd.toml:15: source[1].id:"};
  for (std::size_t i = 0; i < mistakes.size(); ++i) EXPECT_TRUE(mistakes[i].starts_with(starts[i])) << mistakes[i];
}

TEST(LoadErrors, OfFilesThatCannotBeRead) {
  const auto loaded = load_settings("/no/such/sessionlogd.toml", kFormats);
  ASSERT_TRUE(std::holds_alternative<std::vector<ConfigError>>(loaded));
  EXPECT_EQ(std::get<std::vector<ConfigError>>(loaded)[0].to_string(),
            "/no/such/sessionlogd.toml: cannot be read: No such file or directory");
  EXPECT_EQ(std::get<std::vector<ConfigError>>(load_settings("/", kFormats))[0].to_string(),
            "/: cannot be read: not a regular file");
}

TEST(LoadErrors, OfSyntaxNameTheLine) {
  ConfigFiles files;
  for (const char* line :
       {"[[[a", "x", "= 1", "a = 1 b = 2", "a = \"", "[a", "a = 01", "a = 1 \xc3\xa9", "\xe3\x81\x82 = 1", "a = [1"}) {
    const Lines mistakes = files.mistakes("[daemon]\nthreads = 1\n" + std::string(line));
    ASSERT_EQ(mistakes.size(), 1u) << line;
    EXPECT_TRUE(mistakes[0].starts_with("sessionlogd.toml:3: found wrong TOML syntax")) << mistakes[0];
  }
}

TEST(LoadErrors, OfTextsThatWouldExhaustUs) {
  ConfigFiles files;
  auto repeated = [](std::string_view part, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += part;
    return out;
  };
  for (const std::string& text :
       {"a = " + repeated("[", 100'000), "a = " + repeated("{b=", 100'000), repeated("a.", 500'000) + "a = 1",
        "[" + repeated("a.", 500'000) + "a]", "x = '''\n''' \n" + repeated("\"=\".", 100'000) + "a = 1",
        repeated("[[a]]\n", 300'000), repeated("#", 5u << 20), "a = \"" + repeated("x", 3u << 20)}) {
    EXPECT_FALSE(files.mistakes(text).empty());
  }
  EXPECT_EQ(files.mistakes("\n" + repeated("a.", 17) + "a = 1"),
            Lines{"sessionlogd.toml:2: found a key of more than 16 parts, expected fewer"});
  // Dots in values are no depth.
  EXPECT_EQ(files.mistakes(files.source("a", "sessions = [\"" + repeated(".", 40) + "\"] # " + repeated(".", 40))),
            Lines{});
}

}  // namespace
}  // namespace sessionlogd
