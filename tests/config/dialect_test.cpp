#include "config/dialect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "config/load.h"
#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kSmall = R"(name = "other"
module = "m"
dataset = "m.d"
vendor = "V"
product = "P"
[version]
default = "v1"
[token]
path = "/token"
password_grant = { user = "{username}", password = "{password}" }
[sessions]
path = "/{version}/s"
one_path = "/{version}/s/{id}"
items = "rows"
final_words = ["Done"]
fields = { id = "id", status = "state", start = "began" }
[log]
path = "/{version}/s/{id}/log"
entries = "log"
identity = ["t|began", "text"]
content = ["state"]
[log.fields]
log_time = "t"
status = "state"
message = "text"
start = "began"
)";

Lines mistakes(std::string_view text) {
  const auto parsed = parse_dialect(text, "d.toml");
  Lines out;
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
    for (const ConfigError& error : *errors) out.push_back(error.to_string());
  }
  return out;
}

Dialect built_in(std::string_view name) {
  for (const BuiltInDialect& dialect : built_in_dialects()) {
    if (dialect.name == name) return std::get<Dialect>(parse_dialect(dialect.toml, std::string(name)));
  }
  throw std::runtime_error("no such dialect");
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  return out.replace(out.find(from), from.size(), to);
}

TEST(BuiltInDialects, AreNamedAsTheyAreListed) {
  EXPECT_GE(built_in_dialects().size(), 2u);
  EXPECT_TRUE(std::ranges::is_sorted(built_in_dialects(), {}, &BuiltInDialect::name));
  for (const BuiltInDialect& dialect : built_in_dialects()) {
    EXPECT_EQ(mistakes(dialect.toml), Lines{});
    EXPECT_EQ(built_in(dialect.name).name, dialect.name);
  }
}

TEST(BuiltInDialects, DescribeAws) {
  const Dialect aws = built_in("veeam-aws");
  EXPECT_EQ(aws.version.header, "x-api-version");
  EXPECT_EQ(aws.version.fallback, "1.6-rev0");
  EXPECT_EQ(aws.token.path, "/api/v1/token");
  EXPECT_EQ(aws.token.logout_method, "DELETE");
  EXPECT_EQ(aws.sessions.path, "/api/v1/sessions");
  EXPECT_EQ(aws.sessions.query, (FormFields{{"Sort", "startTimeAsc"}}));
  EXPECT_TRUE(aws.sessions.ascending);
  EXPECT_EQ(aws.log.session_id, "sessionId");
  using Identity = std::vector<std::vector<EntryField>>;
  EXPECT_EQ(aws.log.identity, (Identity{{EntryField::kStart}, {EntryField::kMessage}}));
  EXPECT_EQ(aws.log.identity_before, (Identity{{EntryField::kStart, EntryField::kLogTime}, {EntryField::kMessage}}));
  EXPECT_EQ(aws.log.content, (std::vector{EntryField::kLogTime, EntryField::kStatus, EntryField::kDuration}));
  EXPECT_EQ(aws.log.duration_from, Dialect::Log::DurationFrom::kTimes);
  EXPECT_TRUE(aws.session_is_final("Failed"));
  EXPECT_FALSE(aws.session_is_final("NeverExecuted"));
}

TEST(BuiltInDialects, DescribeAzure) {
  const Dialect azure = built_in("veeam-azure");
  EXPECT_EQ(azure.version.header, "");
  EXPECT_EQ(azure.version.fallback, "v8");
  EXPECT_EQ(azure.token.path, "/api/oauth2/token");
  EXPECT_EQ(azure.sessions.one_path, "/api/{version}/jobSessions/{id}");
  EXPECT_FALSE(azure.sessions.ascending);
  EXPECT_EQ(azure.sessions.session_name.front(), "backupJobInfo.policyName");
  EXPECT_EQ(azure.log.identity.size(), 3u);
  EXPECT_EQ(azure.log.duration_from, Dialect::Log::DurationFrom::kField);
  EXPECT_TRUE(azure.session_is_final("Error"));
  EXPECT_FALSE(azure.session_is_final("Unknown"));
}

TEST(BuiltInDialects, AgreeOnTheStatusWordsOfEntries) {
  struct {
    const char* word;
    bool final;
    Outcome outcome;
    Level level;
  } const table[] = {{"Success", true, Outcome::kSuccess, Level::kInfo},
                     {"Succeeded", true, Outcome::kSuccess, Level::kInfo},
                     {"Warning", true, Outcome::kSuccess, Level::kWarning},
                     {"Error", true, Outcome::kFailure, Level::kError},
                     {"Failed", true, Outcome::kFailure, Level::kError},
                     {"Canceled", true, Outcome::kUnknown, Level::kNotice},
                     {"Cancelled", true, Outcome::kUnknown, Level::kNotice},
                     {"Unknown", true, Outcome::kUnknown, Level::kInfo},
                     {"Running", false, Outcome::kUnknown, Level::kInfo},
                     {"RunningWithWarning", false, Outcome::kUnknown, Level::kWarning},
                     {"RunningWithError", false, Outcome::kUnknown, Level::kError},
                     {"Pending", false, Outcome::kUnknown, Level::kInfo},
                     {"Canceling", false, Outcome::kUnknown, Level::kInfo},
                     {"NeverExecuted", false, Outcome::kUnknown, Level::kInfo}};
  for (const char* name : {"veeam-aws", "veeam-azure"}) {
    const Dialect dialect = built_in(name);
    EXPECT_EQ(dialect.statuses.size(), std::size(table));
    for (const auto& row : table) {
      const StatusWord* status = dialect.status(row.word);
      ASSERT_NE(status, nullptr) << row.word;
      EXPECT_EQ(status->final, row.final) << row.word;
      EXPECT_EQ(status->outcome, row.outcome) << row.word;
      EXPECT_EQ(status->level, row.level) << row.word;
    }
  }
}

TEST(Dialect, NeedsLittle) { EXPECT_EQ(mistakes(kSmall), Lines{}); }

// A dialect of a user's own that was written for the version before: what it delivered stays known.
TEST(Dialect, TakesNoContentForIdentityAndKeepsWhatItWas) {
  const auto parsed = parse_dialect(replaced(kSmall, "[\"state\"]", "[\"t\", \"state\"]"), "d.toml");
  ASSERT_TRUE(std::holds_alternative<Dialect>(parsed));
  const Dialect::Log& log = std::get<Dialect>(parsed).log;
  using Identity = std::vector<std::vector<EntryField>>;
  EXPECT_EQ(log.identity, (Identity{{EntryField::kStart}, {EntryField::kMessage}}));
  EXPECT_EQ(log.identity_before, (Identity{{EntryField::kLogTime, EntryField::kStart}, {EntryField::kMessage}}));
}

TEST(Dialect, ReportsWhatIsMissing) {
  EXPECT_EQ(mistakes("").size(), 9u);
  EXPECT_EQ(mistakes("")[0], "d.toml:1: name: found nothing, expected the dialect's name");
  EXPECT_EQ(mistakes("")[6], "d.toml:1: token: found nothing, expected the table [token]");
}

TEST(Dialect, ReportsMistakes) {
  struct {
    const char *from, *to, *mistake;
  } const table[] = {
      {"name = \"other\"", "name = \"a b\"",
       "1: name: found \"a b\", expected 1 to 64 letters, digits, \".\", \"_\" or \"-\""},
      {"vendor = \"V\"", "vendor = \"V\\n\"",
       "4: vendor: found \"V\\x0a\", expected a string without control characters"},
      {"path = \"/token\"", "path = \"/token/{id}\"",
       "9: token.path: found \"/token/{id}\", expected a path like \"/api/{version}/sessions\", with no other "
       "placeholder"},
      {"{password}", "secret",
       "10: token.password_grant: found no {username} or no {password}, expected a form that sends both"},
      {"{password}", "{pass}",
       "10: token.password_grant: found \"{pass}\" for \"password\", expected no placeholders but {username} "
       "{password}"},
      {"path = \"/{version}/s\"", "path = \"/v1/s\"",
       "12: sessions.path: found \"/v1/s\", expected {version} in it since version.header is not set"},
      {"/{version}/s/{id}\"", "/{version}/s\"",
       "13: sessions.one_path: found \"/{version}/s\", expected a path like \"/api/{version}/sessions/{id}\", with "
       "{id}"},
      {"/{id}/log", "/log",
       "18: log.path: found \"/{version}/s/log\", expected a path like \"/api/{version}/sessions/{id}\", with {id}"},
      {"items = \"rows\"", "items = \"rows\"\noffset = \"o\"",
       "15: sessions.offset: found no limit beside it, expected both or none"},
      {"items = \"rows\"", "items = \"rows\"\npagesize = 5",
       "15: sessions.pagesize: found an unknown key, did you mean \"page_size\"?"},
      {"t|began", "t|end", "20: log.identity: found \"end\", expected a field that log.fields names"},
      {"t|began", "t|", "20: log.identity: found \"\", expected a field that log.fields names"},
      {"[\"state\"]", "[\"usn\"]", "21: log.content: found \"usn\", expected a field that log.fields names"},
      {"[\"state\"]", "[\"state\"]\nduration_from = \"field\"",
       "22: log.duration_from: found no duration in log.fields, expected it there"},
      {"start = \"began\"\n", "start = \"t\"\nid = \"began\"\n",
       "26: log.fields.start: found \"t\" twice, expected each field once"},
      {"start = \"began\"\n", "start = \"began\"\n[statuses]\nDone = { level = \"bad\" }\n",
       "28: statuses.Done.level: found \"bad\", expected \"info\" or \"notice\" or \"warning\" or \"error\""},
  };
  for (const auto& row : table) {
    EXPECT_EQ(mistakes(replaced(kSmall, row.from, row.to)), Lines{"d.toml:" + std::string(row.mistake)});
  }
}

TEST(DialectDirectory, AddsAndReplacesByName) {
  ConfigFiles files;
  files.write("dialects/other.toml", kSmall);
  files.write("dialects/veeam-aws.toml", replaced(kSmall, "\"other\"", "\"veeam-aws\""));
  const Settings settings =
      files.settings(files.source("a") + std::regex_replace(files.source("b"), std::regex("veeam-aws"), "other"));
  EXPECT_EQ(settings.sources[0].dialect->product, "P");
  EXPECT_EQ(settings.sources[1].dialect->name, "other");
  EXPECT_EQ(settings.warnings, Lines{(files.directory() / "dialects/veeam-aws.toml").string() +
                                     " replaces the built-in dialect veeam-aws"});
}

// As `sessionlogd dialects veeam-aws > dialects/mine.toml` makes it: the built-in one would be gone for every source.
TEST(DialectDirectory, RefusesACopyThatStillHasTheNameOfTheBuiltInOne) {
  ConfigFiles files;
  files.write("dialects/mine.toml", built_in_dialects().front().toml);
  EXPECT_EQ(
      files.mistakes(files.source()),
      Lines{"dialects/mine.toml: name: found \"veeam-aws\", the name of a built-in dialect, expected another, like "
            "\"mine\" (to replace the built-in one, name the file veeam-aws.toml)"});
}

TEST(DialectDirectory, ReportsMistakesOnce) {
  ConfigFiles files;
  files.write("dialects/other.toml", "broken");
  const Lines found = files.mistakes(std::regex_replace(files.source(), std::regex("veeam-aws"), "other"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("dialects/other.toml:1: found wrong TOML syntax: ")) << found[0];
}

TEST(DialectDirectory, HoldsEachNameOnce) {
  ConfigFiles files;
  files.write("dialects/a.toml", kSmall);
  files.write("dialects/b.toml", kSmall);
  EXPECT_EQ(files.mistakes(files.source()),
            Lines{"dialects/b.toml: name: found \"other\", which dialects/a.toml has too, expected another"});
}

}  // namespace
}  // namespace sessionlogd
