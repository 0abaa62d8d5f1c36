#include "sinks/formats/json_line.h"

#include <gtest/gtest.h>

#include "sinks/formats/formats.h"

namespace sessionlogd {
namespace {

using Texts = std::vector<std::optional<std::string>>;

// The texts at the paths; nullopt: the line is refused.
std::optional<Texts> read(const std::string& line, const std::vector<JsonPath>& paths) {
  const std::string padded = line + std::string(LineReader::kPadding, 'x');
  JsonLine json(paths);
  std::vector<std::optional<std::string_view>> found(paths.size());
  if (!json.read(std::string_view(padded).substr(0, line.size()), found)) return std::nullopt;
  return Texts(found.begin(), found.end());
}

TEST(JsonLine, FindsATextAtItsPath) {
  const struct {
    std::string path, line;
    std::optional<std::string> text;
  } cases[] = {
      {"a", R"({"a":"x"})", "x"},
      {"a", R"({"a":"x","a":"y"})", "x"},
      {"a", R"({"a":1,"a":"y"})", "y"},
      {"a", R"({"a":"\u00e9\n"})", "é\n"},
      {"a", R"({"b":{"a":"x"}})", std::nullopt},
      {"a", R"({"a":["x"]})", std::nullopt},
      {"a/b", R"({"a":{"b":"x"}})", "x"},
      {"a/b", R"({"a":{"c":"x"},"a":{"b":"y"}})", "y"},
      {"a/b", R"({"a":"b"})", std::nullopt},
      {"a/b", R"({"a":[{"b":"x"}]})", std::nullopt},
      {"a/b/c/d", R"({"a":{"b":{"c":{"d":"x"}}}})", "x"},
      {"a/[]", R"({"a":["x"]})", "x"},
      {"a/[]", R"({"a":"x"})", std::nullopt},
      {"a/[]", R"({"a":[]})", std::nullopt},
      {"a/[]/b", R"({"a":[{"b":"x"}]})", "x"},
      {"a/[]/b", R"({"a":{"[]":{"b":"x"}}})", std::nullopt},
      {"a/[]/[]/b", R"({"a":[[{"b":"x"}]]})", "x"},
      {"a/[k.l]", R"({"a":[{"key":"k.l","value":"x"}]})", "x"},
      {"a/[k.l]", R"({"a":[{"key":"m","value":"x"},{"key":"k.l","value":"y"},{"key":"k.l","value":"z"}]})", "y"},
      {"a/[k.l]", R"({"a":[{"value":"x","key":"k.l"}]})", std::nullopt},
      {"a/[k.l]", R"({"a":[{"key":"k.l"},{"value":"x"}]})", std::nullopt},
      {"a/[k.l]", R"({"a":{"k.l":"x"}})", std::nullopt},
      {"a/[k.l]", R"({"a":["k.l","x",{"key":7,"value":"x"}]})", std::nullopt},
      {"a/[k.l]/b", R"({"a":[{"key":"k.l","value":{"b":"x"}}]})", "x"},
      {"", R"({"":"x"})", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(read(c.line, {c.path}), Texts{c.text}) << c.path << " in " << c.line;
}

TEST(JsonLine, FindsSeveralTextsInAnyOrder) {
  const std::vector<JsonPath> paths = {"l/[]/m/[k]/s", "o/b", "a", "o/c", "l/[]/n", "l/[]/m/[j]/s"};
  EXPECT_EQ(
      read(
          R"({"o":{"c":"1","b":"2"},"l":[{"m":[{"key":"j","value":{"s":"3"}},{"key":"k","value":{"s":"4"}}],"n":"5"}]})",
          paths),
      (Texts{"4", "2", std::nullopt, "1", "5", "3"}));
}

TEST(JsonLine, RefusesMoreThanOneElementWhereOnlyOneMayBe) {
  EXPECT_FALSE(read(R"({"a":[{"b":"x"},{"b":"y"}]})", {"a/[]/b"}));
  EXPECT_FALSE(read(R"({"a":[{"b":"x"},null]})", {"a/[]/b"}));
  EXPECT_TRUE(read(R"({"c":[{"b":"x"},{"b":"y"}]})", {"a/[]/b"})) << "nothing is looked for there";
}

// What nobody looks for is checked as well.
TEST(JsonLine, RefusesWhatIsNotValidToItsLastByte) {
  for (const char* line :
       {R"({"a":[{"key":"k","value":tru}]})", R"({"a":[{"key":"k","value":"x"})", R"({"a":[{"b":"x"}]}})",
        R"({"a":[{"key":"\x","value":1}]})", R"({"a":[{"key":"k" "value":1}]})", "{\"a\":[{\"key\":\"\xff\"}]}"}) {
    EXPECT_FALSE(read(line, {"a/[k]"})) << line;
    EXPECT_FALSE(read(line, {"b"})) << line;
  }
}

}  // namespace
}  // namespace sessionlogd
