// The pages are held to what they speak of: tests, alerts, messages and files that they name exist, and the README is
// short.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/read_text.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;

const fs::path kTree = SOURCE_TREE;

// All matches' first group.
std::vector<std::string> all_of(const std::string& text, const char* pattern) {
  const std::regex regex(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.push_back((*at)[1]);
  return found;
}

// Without what a build or another checkout has put there.
std::vector<fs::path> files_of_the_tree(const std::set<std::string>& extensions) {
  std::vector<fs::path> files;
  for (const char* room : {".", "bench", "config", "core", "daemon", "package", "sinks", "tests"}) {
    const bool is_top = room == std::string(".");
    for (fs::recursive_directory_iterator at(kTree / room), end; at != end; ++at) {
      if (is_top && at->is_directory()) at.disable_recursion_pending();
      if (at->is_regular_file() && extensions.contains(at->path().extension().string())) files.push_back(at->path());
    }
  }
  return files;
}

// "Suite.Test" of each test, by the program that it is built into.
std::map<std::string, std::set<std::string>> tests_by_program() {
  std::map<std::string, std::set<std::string>> tests;
  for (const fs::path& list : files_of_the_tree({".txt"})) {
    const std::string text = test::read_text(list);
    const std::regex program(R"(add_executable\((\w+_test)\s([^)]*)\))");
    for (std::sregex_iterator at(text.begin(), text.end(), program), end; at != end; ++at) {
      std::set<std::string>& of = tests[(*at)[1]];
      for (const std::string& source : all_of((*at)[2], R"((\S+\.cpp))")) {
        const std::string code = test::read_text(list.parent_path() / source);
        const std::regex test(R"(^TEST(?:_F|_P)?\((\w+),\s*(\w+)\))", std::regex::ECMAScript | std::regex::multiline);
        for (std::sregex_iterator found(code.begin(), code.end(), test); found != end; ++found)
          of.insert((*found)[1].str() + "." + (*found)[2].str());
      }
    }
  }
  return tests;
}

// `named` is "Suite", "Suite.Test" or "Suite.Begi...".
bool is_there(const std::set<std::string>& tests, const std::string& named) {
  const bool is_cut = named.ends_with("...");
  const std::string begin = is_cut                          ? named.substr(0, named.size() - 3)
                            : named.find('.') == named.npos ? named + "."
                                                            : named;
  const bool is_whole = !is_cut && begin.back() != '.';
  const auto at = tests.lower_bound(begin);
  return at != tests.end() && (is_whole ? *at == begin : at->starts_with(begin));
}

TEST(Pages, NameTestsThatExist) {
  const auto tests = tests_by_program();
  ASSERT_TRUE(tests.contains("config_test"));
  const std::string page = test::read_text(kTree / "tests/README.md");
  // Of each program the suites, in the parentheses that follow its name.
  const std::regex cell(R"(`(\w+_test)`(?: \(([^)]*)\))?)");
  std::size_t named = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), cell), end; at != end; ++at) {
    const std::string program = (*at)[1], suites = (*at)[2];
    ASSERT_TRUE(tests.contains(program)) << program << " in tests/README.md is no test program";
    EXPECT_NE(suites, "") << "tests/README.md names " << program << " without a suite";
    for (const std::string& suite : all_of(suites, R"(([^,\s][^,]*))")) {
      ++named;
      EXPECT_TRUE(is_there(tests.at(program), suite)) << "tests/README.md: " << program << " has no " << suite;
    }
  }
  EXPECT_GT(named, 50u);
}

// The table of states and outputs: single tests there stand without their suite.
TEST(Pages, NameTestsOfTheFileSinkThatExist) {
  std::set<std::string> tests, names;
  for (const auto& [program, of] : tests_by_program()) tests.insert(of.begin(), of.end());
  for (const std::string& test : tests) names.insert(test.substr(test.find('.') + 1));
  const std::string page = test::read_text(kTree / "sinks/file/README.md");
  std::size_t rows = 0;
  for (const std::string& last : all_of(page, R"(^\|.*\| ([A-Z][\w., ]*) \|$)")) {
    ++rows;
    for (const std::string& named : all_of(last, R"(([^,\s][^,]*))"))
      EXPECT_TRUE(names.contains(named) || is_there(tests, named))
          << "sinks/file/README.md: there is no test " << named;
  }
  EXPECT_GT(rows, 20u);
}

TEST(Pages, HaveARowForEachAlert) {
  const std::string page = test::read_text(kTree / "daemon/README.md");
  const std::vector<std::string> alerts =
      all_of(test::read_text(kTree / "systemd/prometheus/alerts.yaml"), R"(- alert: (\w+))");
  EXPECT_GT(alerts.size(), 5u);
  for (const std::string& alert : alerts)
    EXPECT_NE(page.find("\n| `" + alert + "` |"), page.npos) << "daemon/README.md has no row for " << alert;
  for (const std::string& row : all_of(page, R"(^\| `(Sessionlogd\w+)`)"))
    EXPECT_THAT(alerts, testing::Contains(row)) << "of which daemon/README.md has a row";
}

// In the code a message may be cut over lines, and "..." stands for what it is filled with.
TEST(Pages, QuoteMessagesThatExist) {
  std::string code;
  for (const fs::path& file : files_of_the_tree({".cpp", ".h"})) {
    if (file.string().find("/tests/") == std::string::npos) code += test::read_text(file);
  }
  code = std::regex_replace(code, std::regex(R"("\s*\n\s*")"), "");
  const std::string page = test::read_text(kTree / "daemon/README.md");
  const std::size_t from = page.find("### Messages about sources"), to = page.find("\n## ", from);
  ASSERT_NE(to, page.npos);
  std::size_t quoted = 0;
  for (const std::string& first : all_of(page.substr(from, to - from), R"(^\| (`[^|]*) \|)")) {
    for (const std::string& message : all_of(first, "`([^`]+)`")) {
      ++quoted;
      for (const std::string& part : all_of(std::regex_replace(message, std::regex(R"( ?\.\.\. ?)"), "\n"), "([^\n]+)"))
        EXPECT_NE(code.find(part), code.npos) << "daemon/README.md quotes \"" << part << "\", which no message says";
    }
  }
  EXPECT_GT(quoted, 30u);
}

// As GitHub makes it of a heading.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return anchor;
}

TEST(Pages, LinkToWhatIsThere) {
  for (const fs::path& page : files_of_the_tree({".md"})) {
    for (const std::string& link : all_of(test::read_text(page), R"(\]\(([^)\s]+)\))")) {
      if (link.starts_with("http")) continue;
      const std::size_t hash = link.find('#');
      const fs::path target = hash == 0 ? page : page.parent_path() / link.substr(0, hash);
      EXPECT_TRUE(fs::exists(target)) << page << " links to " << link;
      if (hash == link.npos) continue;
      std::set<std::string> anchors;
      for (const std::string& heading : all_of(test::read_text(target), "^#+ (.*)$"))
        anchors.insert(anchor_of(heading));
      EXPECT_TRUE(anchors.contains(link.substr(hash + 1))) << page << " links to " << link;
    }
  }
}

// What an operator can choose from: what is added stands on the page where it is looked for.
TEST(Pages, NameEachFormatCommandAndProduct) {
  const std::string formats = test::read_text(kTree / "sinks/formats/README.md");
  const std::string shipped = test::read_text(kTree / "config/sessionlogd.toml");
  std::set<std::string> named;
  for (const std::string& name :
       all_of(test::read_text(kTree / "sinks/formats/shipped.h"), R"re(^#include "sinks/formats/(\w+)\.h")re")) {
    if (name == "formats" || !named.insert(name).second) continue;
    EXPECT_THAT(formats, testing::HasSubstr("\n| `" + name + "` |")) << "sinks/formats/README.md";
    EXPECT_THAT(shipped, testing::HasSubstr("\"" + name + "\"")) << "config/sessionlogd.toml";
  }
  EXPECT_GE(named.size(), 5u);

  const std::string operating = test::read_text(kTree / "daemon/README.md");
  const auto commands = all_of(test::read_text(kTree / "daemon/main.cpp"), R"re(add_subcommand\(\s*"(\w+)")re");
  EXPECT_GT(commands.size(), 10u);
  for (const std::string& command : commands)
    EXPECT_THAT(operating, testing::ContainsRegex("\nsessionlogd (state )?" + command + " ")) << "daemon/README.md";

  const std::string reference = test::read_text(kTree / "config/README.md");
  for (const auto& entry : fs::directory_iterator(kTree / "config/dialects")) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_THAT(reference, testing::HasSubstr("`" + entry.path().stem().string() + "`")) << "config/README.md";
  }
}

std::size_t words_of(const std::string& text) {
  std::istringstream words(text);
  return static_cast<std::size_t>(
      std::distance(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()));
}

// Its prose, a paragraph or an item of a list each: neither code, nor tables, nor headings.
std::vector<std::string> paragraphs_of(const std::string& page) {
  std::vector<std::string> paragraphs(1);
  std::istringstream lines(page);
  bool is_code = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) is_code = !is_code;
    const bool is_prose = !is_code && !line.empty() && std::string_view("`|#").find(line[0]) == std::string_view::npos;
    if (!is_prose || line.starts_with("- ") || std::isdigit(static_cast<unsigned char>(line[0])))
      paragraphs.emplace_back();
    if (is_prose) paragraphs.back() += line + " ";
  }
  return paragraphs;
}

TEST(Pages, BeginWithAShortReadme) {
  const std::string readme = test::read_text(kTree / "README.md");
  EXPECT_LE(words_of(readme), 900u);
  std::size_t sentences = 0;
  for (const std::string& paragraph : paragraphs_of(readme)) {
    std::istringstream lines(std::regex_replace(paragraph, std::regex("[.?!][*)]* "), "\n"));
    for (std::string sentence; std::getline(lines, sentence); ++sentences)
      EXPECT_LE(words_of(sentence), 35u) << "a long sentence in README.md: " << sentence;
  }
  EXPECT_GT(sentences, 20u);
}

}  // namespace
}  // namespace sessionlogd
