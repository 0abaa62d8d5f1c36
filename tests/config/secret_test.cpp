#include "config/secret.h"

#include <gtest/gtest.h>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

std::string refusal(std::string_view reference) {
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
                                                       {"hunter2\n\n", "hunter2\n"},
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
    const std::string message = refusal(text);
    EXPECT_EQ(message.find("hunter"), message.npos) << message;
    EXPECT_TRUE(message.ends_with(R"(, expected "file:/path", "env:NAME" or "credential:NAME")")) << message;
  }
  EXPECT_TRUE(refusal("hunter2").starts_with("found a literal (not shown)"));
}

TEST(Secret, SaysWhyItCannotBeRead) {
  ConfigFiles files;
  const EnvironmentVariable unset("CONFIG_TEST_SECRET", nullptr);
  const EnvironmentVariable no_credentials("CREDENTIALS_DIRECTORY", nullptr);
  const std::string base = "file:" + files.directory().string();
  files.write("empty", "\n");
  files.write("large", std::string(70'000, 'x'));
  const std::pair<std::string, std::string> table[] = {
      {base + "/missing", base + "/missing cannot be read: No such file or directory"},
      {base, base + " cannot be read: not a regular file"},
      {base + "/empty", base + "/empty is empty"},
      {base + "/large", base + "/large cannot be read: larger than 64 KiB"},
      {"file:/dev/zero", "file:/dev/zero cannot be read: not a regular file"},
      {"env:CONFIG_TEST_SECRET", "env:CONFIG_TEST_SECRET cannot be read: the environment variable is not set"},
      {"credential:x",
       "credential:x cannot be read: $CREDENTIALS_DIRECTORY is not set (LoadCredential= in the unit sets it)"}};
  for (const auto& [reference, expected] : table) EXPECT_EQ(refusal(reference), expected);
}

}  // namespace
}  // namespace sessionlogd
