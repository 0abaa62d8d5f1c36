// Secrets stay where they belong, whatever the appliances say and however the daemon ends.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <boost/beast/http/verb.hpp>
#include <csignal>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Reply = TestServer::Reply;

std::string base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char byte : text) encoded += fmt::format("%{:02X}", byte);
  return encoded;
}

// As it is, as a form may hold it, and the middle of its base64 after 0, 1 or 2 other bytes.
std::vector<std::string> forms_of(const std::string& secret) {
  std::vector<std::string> forms{secret, percent_encoded(secret)};
  for (const std::string before : {"", "a", "ab"}) {
    const std::string encoded = base64(before + secret);
    forms.push_back(encoded.substr(4, encoded.size() - 8));
  }
  return forms;
}

// Everything that the daemon wrote below the workplace, and what it shows of itself.
void expect_nowhere(const Workplace& place, const std::string& secret) {
  int files = 0;
  for (const auto& file : fs::recursive_directory_iterator(place.directory())) {
    if (!file.is_regular_file() || file.path().filename() == "password") continue;
    const std::string text = read_text(file.path());
    for (const std::string& form : forms_of(secret)) EXPECT_EQ(text.find(form), text.npos) << form << file.path();
    ++files;
  }
  EXPECT_GE(files, 4);
}

void expect_not_shown(const Child& daemon, const std::string& secret) {
  for (const char* what : {"cmdline", "environ"}) {
    const std::string shown = read_text(fmt::format("/proc/{}/{}", daemon.pid(), what));
    for (const std::string& form : forms_of(secret)) EXPECT_EQ(shown.find(form), shown.npos) << form << what;
  }
}

// What stands at the admin address becomes a file of the workplace.
void keep_what_is_shown(const Workplace& place) {
  for (const char* name : {"status", "metrics", "recent", ""}) {
    const std::string response = get(place, fmt::format("/{}", name));
    EXPECT_THAT(response, HasSubstr(" 200 "));
    place.write(fmt::format("shown.{}", name), response);
  }
}

constexpr const char* kPassword = "canary-password-7f3a";
constexpr const char* kToken = "canary-access-";  // as tests/daemon/appliance gives them

// What the request carried, in all the forms a server might write it in.
std::string echo_of(const Appliance::Request& request) {
  const std::string carried = fmt::format("{}\n{}", std::string_view(request["Authorization"]), request.body());
  return fmt::format("{}\n{}\n{}\nBasic {}", carried, percent_encoded(carried), kPassword,
                     base64(fmt::format("collector:{}", kPassword)));
}

std::string json_echo_of(const Appliance::Request& request) {
  std::string text = echo_of(request);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format(R"({{"title":"no","message":"{}","detail":"{}"}})", text, text);
}

class Secrets : public testing::Test {
 protected:
  Workplace place_;
};

TEST_F(Secrets, AreNowhereThroughFailuresThatEchoTheRequest) {
  std::atomic<int> count = 0;
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    if (request.method() == boost::beast::http::verb::delete_) return std::nullopt;
    const int number = ++count;
    // A token that is refused is renewed no more than once in 30 s.
    if (number % 90 == 3) return response(json_echo_of(request), {}, "401 Unauthorized");
    switch (number % 11) {
      case 5:
        return response(fmt::format("<html><pre>{}</pre></html>", echo_of(request)), {"Content-Type: text/html"});
      case 7:
        return response(json_echo_of(request), {}, "500 Internal Server Error");
      case 9:
        return response(json_echo_of(request), {}, "400 Bad Request");
      default:
        return std::nullopt;
    }
  });
  appliance.sessions = 10;
  place_.write("password", kPassword);
  place_.configure(appliance.source("a", "file:" + (place_ / "password").string()), "log_level = \"trace\"\n");
  open_admin_address(place_);
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return !place_.lines().empty() && count > 100; })) << daemon.err();
  expect_not_shown(daemon, kPassword);
  keep_what_is_shown(place_);
  EXPECT_THAT(read_text(place_ / "shown.status"), HasSubstr("\"password\":\"file:/"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  expect_nowhere(place_, kPassword);
  expect_nowhere(place_, kToken);
  expect_nowhere(place_, "canary-refresh");
}

TEST_F(Secrets, AreNowhereWhenALoginIsRefusedWithAnEcho) {
  std::atomic<int> count = 0;
  const Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    ++count;
    return response(json_echo_of(request), {}, "401 Unauthorized");
  });
  place_.write("password", kPassword);
  place_.configure(appliance.source("a", "file:" + (place_ / "password").string()), "log_level = \"trace\"\n");
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return daemon.err().find("cannot be listed") != std::string::npos; })) << daemon.err();
  EXPECT_EQ(count, 1) << "it is parked";
  EXPECT_THAT(daemon.err(), HasSubstr("repeats the secret"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  expect_nowhere(place_, kPassword);
}

TEST_F(Secrets, AreNowhereThroughTheFaultsOfAFleet) {
  SimulatedFleet fleet(place_, {"--appliances", "8", "--sessions", "5", "--faults", "--fault", "echo=0.1", "--fault",
                                "expire=0.05", "--duration", fmt::format("{:.1f}", evolution_seconds() / 3)});
  place_.edit_config("[daemon]\n", "[daemon]\nlog_level = \"trace\"\n");
  const std::string secret = read_text(place_ / "password");
  ASSERT_GT(secret.size(), 6u);
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return fleet.is_frozen(); }));
  expect_not_shown(daemon, secret);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  expect_nowhere(place_, secret);
}

// Whether a crash leaves a file beside the program, when cores are allowed.
bool leaves_a_core(Workplace& place, std::vector<std::string> command, const std::function<bool(Child&)>& is_up) {
  command.insert(command.begin(), {"/bin/sh", "-c", "cd \"$1\" && ulimit -c unlimited && shift && exec \"$@\"", "sh",
                                   place.directory().string()});
  Child child = place.start_program(std::move(command));
  EXPECT_TRUE(eventually([&] { return is_up(child); })) << child.err();
  child.signal(SIGSEGV);
  EXPECT_EQ(child.wait(), -SIGSEGV);
  for (const auto& file : fs::directory_iterator(place.directory())) {
    if (file.path().filename().string().starts_with("core")) return true;
  }
  return false;
}

TEST_F(Secrets, AreInNoCoreDump) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer catches the signal that would leave one";
#endif
  const Appliance appliance;
  place_.write("password", kPassword);
  place_.configure(appliance.source("a", "file:" + (place_ / "password").string()));
  EXPECT_FALSE(leaves_a_core(place_, {SESSIONLOGD, "run", "-c", place_.config().string()},
                             [&](Child&) { return appliance.logs_read() > 0; }));
  const bool any_program_does = leaves_a_core(place_, {"/bin/sleep", "60"}, [](Child& child) {
    return read_text(fmt::format("/proc/{}/comm", child.pid())) == "sleep\n";
  });
  if (!any_program_does) GTEST_SKIP() << "no program leaves a core file here";
}

}  // namespace
}  // namespace sessionlogd::test
