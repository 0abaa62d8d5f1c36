#include "config/secret.h"

#include <gtest/gtest.h>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

using Lines = std::vector<std::string>;

std::string secret_refusal(std::string_view reference) {
  try {
    (void)Secret::parse(reference).read();
  } catch (const SecretError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Secret, ReadsAFileWithoutItsLastNewline) {
  ConfigFiles files;
  const std::pair<const char*, const char*> table[] = {{"hunter2", "hunter2"},
                                                       {"hunter2\n", "hunter2"},
                                                       {"hunter2\r\n", "hunter2"},
                                                       {"\xEF\xBB\xBFhunter2\r\n", "hunter2"},
                                                       {" a ", " a "}};
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(Secret::parse("file:" + files.write("s", text).string()).read(), expected);
  }
}

TEST(Secret, ReadsTheEnvironment) {
  const EnvironmentVariable variable("CONFIG_TEST_SECRET", "hunter2");
  EXPECT_EQ(Secret::parse("env:CONFIG_TEST_SECRET").read(), "hunter2");
}

TEST(Secret, ReadsACredential) {
  ConfigFiles files;
  files.write("aws-eu", "hunter2\n");
  const EnvironmentVariable variable("CREDENTIALS_DIRECTORY", files.directory().c_str());
  EXPECT_EQ(Secret::parse("credential:aws-eu").read(), "hunter2");
}

TEST(Secret, KeepsTheReferenceAsWritten) {
  EXPECT_EQ(Secret::parse("credential:aws-eu").reference(), "credential:aws-eu");
}

TEST(Secret, NeverRepeatsWhatIsNoReference) {
  for (const char* text : {"hunter2", "", "http:hunter2", "file:hunter2", "env:hunter-2", "env:", "env:2hunter",
                           "credential:", "credential:hunter/2", "credential:..", "FILE:/hunter2", " file:/hunter2"}) {
    const std::string message = secret_refusal(text);
    EXPECT_EQ(message.find("hunter"), message.npos) << message;
    EXPECT_TRUE(message.ends_with(R"(, expected "file:/path", "env:NAME" or "credential:NAME")")) << message;
  }
  EXPECT_TRUE(secret_refusal("hunter2").starts_with("found a literal (not shown)"));
}

TEST(Secret, SaysWhyItCannotBeRead) {
  ConfigFiles files;
  const EnvironmentVariable unset("CONFIG_TEST_SECRET", nullptr);
  const EnvironmentVariable no_credentials("CREDENTIALS_DIRECTORY", nullptr);
  const std::string base = "file:" + files.directory().string();
  files.write("empty", "\n");
  files.write("large", std::string(70'000, 'x'));
  files.write("two", "hunter2\n\n");
  files.write("lines", "first\nsecond\n");
  files.write("returns", "hunter2\r\r\n");
  files.write("utf16", std::string_view("\xFF\xFEh\0u\0", 6));
  files.write("utf16be", std::string_view("\xFE\xFF\0h\0u", 6));
  files.write("binary", std::string_view("h\0u", 3));
  const std::string several = " holds more than one line, expected one (an empty one at the end counts, too)";
  const std::string no_text = " holds UTF-16 or binary data, expected text in UTF-8";
  const std::pair<std::string, std::string> table[] = {
      {base + "/missing", base + "/missing cannot be read: No such file or directory"},
      {base, base + " cannot be read: not a regular file"},
      {base + "/empty", base + "/empty is empty"},
      {base + "/large", base + "/large cannot be read: larger than 64 KiB"},
      {base + "/two", base + "/two" + several},
      {base + "/lines", base + "/lines" + several},
      {base + "/returns", base + "/returns" + several},
      {base + "/utf16", base + "/utf16" + no_text},
      {base + "/utf16be", base + "/utf16be" + no_text},
      {base + "/binary", base + "/binary" + no_text},
      {"file:/dev/zero", "file:/dev/zero cannot be read: not a regular file"},
      {"env:CONFIG_TEST_SECRET", "env:CONFIG_TEST_SECRET cannot be read: the environment variable is not set"},
      {"credential:x",
       "credential:x cannot be read: $CREDENTIALS_DIRECTORY is not set (LoadCredential= in the unit sets it)"}};
  for (const auto& [reference, expected] : table) EXPECT_EQ(secret_refusal(reference), expected);
}

TEST(Secret, MayHaveSeveralLinesWhereItIsAKey) {
  ConfigFiles files;
  const Secret key = Secret::parse("file:" + files.write("key", "\xEF\xBB\xBF-----\nMII\n-----\n").string());
  EXPECT_EQ(key.read_text(), "-----\nMII\n-----");
  EXPECT_EQ((KafkaProperty{"ssl.key.pem", "", key}).read_secret(), "-----\nMII\n-----");
  EXPECT_THROW((KafkaProperty{"sasl.password", "", key}).read_secret(), SecretError);
}

TEST(Secret, SaysWhoElseMayReadItsFile) {
  ConfigFiles files;
  const auto path = files.write("s", "hunter2");
  const Secret secret = Secret::parse("file:" + path.string());
  for (const unsigned mode : {0400u, 0600u, 0640u}) {
    std::filesystem::permissions(path, std::filesystem::perms{mode});
    EXPECT_EQ(secret.exposure(), "") << mode;
  }
  std::filesystem::permissions(path, std::filesystem::perms{0604});
  EXPECT_EQ(secret.exposure(), secret.reference() + " may be read by every user of this host (mode 0604)");
  EXPECT_EQ(Secret::parse("env:HOME").exposure(), "");
  const Lines warnings =
      files
          .settings("[[source]]\nname=\"a\"\ndialect=\"veeam-aws\"\nurl=\"https://h\"\nusername=\"u\"\npassword=\"" +
                    secret.reference() + "\"\n")
          .warnings;
  EXPECT_EQ(warnings, Lines{"source \"a\": " + secret.exposure() + ": anyone there can log in with it; chmod o-r it"});
}

}  // namespace
}  // namespace sessionlogd
