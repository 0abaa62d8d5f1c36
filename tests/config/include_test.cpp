#include <gtest/gtest.h>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

using Lines = std::vector<std::string>;
constexpr const char* kInclude = "[daemon]\ninclude = [\"sources.d/*.toml\"]\n";

TEST(Include, AddsSourcesInOrderOfFileNames) {
  ConfigFiles files;
  files.write("sources.d/20.toml", files.source("third"));
  files.write("sources.d/10.toml", files.source("second"));
  files.write("sources.d/30.txt", "not ours");
  const Settings settings = files.settings(kInclude + files.source("first"));
  ASSERT_EQ(settings.sources.size(), 3u);
  EXPECT_EQ(settings.sources[0].name, "first");
  EXPECT_EQ(settings.sources[1].name, "second");
  EXPECT_EQ(settings.sources[2].name, "third");
}

TEST(Include, AppliesTheDefaultsOfPoll) {
  ConfigFiles files;
  files.write("sources.d/a.toml", files.source());
  EXPECT_EQ(files.settings(std::string(kInclude) + "[poll]\ninterval = \"3s\"\n").sources[0].poll.interval,
            std::chrono::seconds{3});
}

TEST(Include, TakesAFileOnce) {
  ConfigFiles files;
  files.write("sources.d/a.toml", files.source());
  EXPECT_EQ(files.settings("[daemon]\ninclude = [\"sources.d/*.toml\", \"sources.d/a*\"]\n").sources.size(), 1u);
}

TEST(Include, WorksBelowADirectoryWithAnOddName) {
  ConfigFiles files;
  files.write("[x]*/sources.d/a.toml", files.source());
  const auto path = files.write("[x]*/c.toml", kInclude);
  EXPECT_TRUE(std::holds_alternative<Settings>(load_settings(path, kFormats)));
}

TEST(Include, NeedsNoMatchInADirectoryThatIsThere) {
  ConfigFiles files;
  const std::string directory = (files.directory() / "sources.d").string();
  EXPECT_EQ(files.settings(kInclude + files.source()).warnings,
            Lines{"daemon.include: found \"sources.d/*.toml\", which leads nowhere: " + directory + " is not there"});
  std::filesystem::create_directory(directory);
  EXPECT_EQ(files.settings(kInclude + files.source()).warnings, Lines{});
  files.write("sources.d/aws.tml", files.source("b"));
  EXPECT_EQ(files.settings(kInclude + files.source()).warnings,
            Lines{"daemon.include: found \"sources.d/*.toml\", which matches nothing; there is \"" + directory +
                  "/aws.tml\""});
}

TEST(Include, ThroughAFileIsAMistake) {
  ConfigFiles files;
  files.write("sources.d", "");
  for (const char* pattern : {"sources.d/*.toml", "sources.d/a.toml"}) {
    EXPECT_EQ(files.mistakes("[daemon]\ninclude = [\"" + std::string(pattern) + "\"]\n" + files.source()),
              Lines{"sessionlogd.toml:2: daemon.include: found \"" + std::string(pattern) +
                    "\", which leads nowhere: sources.d is no directory"});
  }
}

TEST(Include, OfALinkToNothingIsAMistake) {
  ConfigFiles files;
  std::filesystem::create_symlink(files.directory() / "gone", files.directory() / "sources.d");
  EXPECT_EQ(files.mistakes(kInclude + files.source()),
            Lines{"sessionlogd.toml:2: daemon.include: found \"sources.d/*.toml\", which leads nowhere: sources.d is a "
                  "link to nothing"});
}

TEST(Include, OfAFileThatIsNamedNeedsTheFile) {
  ConfigFiles files;
  EXPECT_EQ(files.mistakes("[daemon]\ninclude = [\"more.toml\"]\n" + files.source()),
            Lines{"sessionlogd.toml:2: daemon.include: found \"more.toml\", which leads nowhere: more.toml is not "
                  "there"});
}

TEST(Include, ReportsTheMistakesOfAllFiles) {
  ConfigFiles files;
  files.write("sources.d/1.toml", "[daemon]\nthreads = 1\n" + files.source("a", "id = 5"));
  files.write("sources.d/2.toml", "this is no TOML\n");
  files.write("sources.d/3.toml", files.source("main") + "[[source]]\nname = \"x y\"\n");
  const Lines mistakes = files.mistakes(kInclude + files.source("main", "typo = 1"));
  const char* const starts[] = {
      "sessionlogd.toml:9: source[1].typo: found an unknown key",
      "sources.d/1.toml:1: daemon: found in an included file, expected in sessionlogd.toml: only [[source]] may stand "
      "here",
      "sources.d/1.toml:9: source[1].id: found 5",
      "sources.d/2.toml:1: found wrong TOML syntax: ",
      "sources.d/3.toml:2: source[1].name: found \"main\", which the source at sessionlogd.toml:4 has too",
      "sources.d/3.toml:8: source[2].dialect: found nothing",
      "sources.d/3.toml:8: source[2].url: found nothing",
      "sources.d/3.toml:8: source[2].password: found nothing",
      "sources.d/3.toml:9: source[2].name: found \"x y\"",
  };
  ASSERT_EQ(mistakes.size(), std::size(starts));
  for (std::size_t i = 0; i < mistakes.size(); ++i) EXPECT_TRUE(mistakes[i].starts_with(starts[i])) << mistakes[i];
}

TEST(Include, DoesNotClaimThereIsNoSourceWhenAFileIsBroken) {
  ConfigFiles files;
  files.write("sources.d/1.toml", "broken");
  EXPECT_EQ(files.mistakes(kInclude).size(), 1u);
}

}  // namespace
}  // namespace sessionlogd
