// The page at "/" in a real browser, with an appliance that would like to take it over.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTakeOver = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>";

class Page : public testing::Test {
 protected:
  // The document as it stands after the page's script has run, and what the browser said.
  struct Seen {
    std::string document, said;
  };
  Seen open(unsigned short port) {
    const std::string here = place_.directory().string();
    Child browser = place_.start_program(
        {"/usr/bin/chromium", "--headless", ::geteuid() == 0 ? "--no-sandbox" : "--disable-extensions", "--disable-gpu",
         "--no-proxy-server", "--enable-logging=stderr", "--user-data-dir=" + here + "/browser",
         "--virtual-time-budget=3000", "--dump-dom", fmt::format("http://127.0.0.1:{}/", port)},
        {"HOME=" + here});
    EXPECT_EQ(browser.wait(), 0) << browser.err();
    return {browser.out(), browser.err()};
  }

  Workplace place_;
};

TEST_F(Page, ShowsWhatAnApplianceSaysAsTextAndRunsNoneOfIt) {
  if (::access("/usr/bin/chromium", X_OK) != 0) GTEST_SKIP() << "NOT TESTED: chromium is not installed";
  place_.write("password", "secret");
  const std::string password = "file:" + (place_ / "password").string();
  const Appliance good;
  const Appliance hostile([](const Appliance::Request& request) -> std::optional<Appliance::Reply> {
    if (std::string(request.target()).find("token") == std::string::npos) return std::nullopt;
    const std::string body = fmt::format("{{\"message\":\"{}\"}}", kTakeOver);
    return Appliance::Reply(
        fmt::format("HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  });
  place_.configure(good.source("good", password) + hostile.source("hostile", password));
  const HeldPort port = open_admin_port(place_);
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] {
    const Outcome status = place_.run("status");
    return status.out.find("1 ok 1 parked") != std::string::npos;
  })) << daemon.err();

  place_.edit_config("commit_interval = \"50ms\"", "commit_interval = \"60ms\"");
  EXPECT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(eventually([&] { return place_.run("status").out.find("RESTART NEEDED") != std::string::npos; }));

  const Seen seen = open(port.number());
  EXPECT_THAT(seen.document,
              AllOf(HasSubstr("<title>✗ sessionlogd</title>"), HasSubstr("1 of 2 sources are not collected"),
                    HasSubstr("&lt;img src=x onerror=document.title='taken'&gt;&lt;script&gt;"), HasSubstr(">good<")));
  EXPECT_THAT(seen.document, HasSubstr("<li>The file says something else for sink.commit_interval, which only"));
  EXPECT_THAT(seen.document, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("'taken'</script>"))));
  // What its own policy had forbidden would be said here, and every fault of the script.
  EXPECT_THAT(seen.said, Not(HasSubstr("CONSOLE"))) << seen.said;
}

}  // namespace
}  // namespace sessionlogd::test
