#include "tests/formats/hostile_texts.h"

namespace sessionlogd::test {

const std::vector<std::string>& whole_texts() {
  static const std::vector<std::string> kTexts = {
      "a|b\\|c\\\\|",
      "e=f \\=g \\\\= =",
      "]\\] [x y=\"z\"] \\\\]",
      "\"\\\"",
      "\\",
      "ends with a backslash\\",
      " ",
      "  two ",
      "tab\tbed",
      "\u2028\u2029\u0085",
      "\u202Eabc\u202C \u2066x\u2069 \u200F",
      "Größe 日本 \U0001F600",
      " slHash=deadbeef",
      " msg=x slHash=00000000 CEF:0|a|b|c|entry|e|1|rt=1",
      "\"][sessionlog@32473 id=\"00000000000000000000000000000000\" bytes=\"0\"]",
      "<13>1 - - - - - - x",
      "{\"event\":{}}",
      "\"},\"event\":{\"id\":\"00000000000000000000000000000000\"",
      "P1\t\\x0a",
      std::string(1u << 20, 'm'),
      std::string(1u << 20, '='),
      std::string(1u << 20, ']'),
  };
  return kTexts;
}

const std::vector<std::string>& replaced_texts() {
  static const std::vector<std::string> kTexts = {
      "\n",
      "\r\n",
      "a\nCEF:0|x\r<13>1 ",
      std::string("nul\0nul", 7),
      "\x01\x1f\x7f",
      "\xff\xfe\xc3",
      "\xed\xa0\x80",
      "\xc3",
      "\xe2\x82",
      "\xf0\x9f\x98 x",
      std::string(1u << 20, '\xff'),
      std::string(1u << 20, '\n'),
      std::string(5'000, '\0'),
  };
  return kTexts;
}

}  // namespace sessionlogd::test
