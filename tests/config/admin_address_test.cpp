#include "config/admin_address.h"

#include <gtest/gtest.h>

#include "config/value_error.h"
#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

TEST(AdminAddress, IsALoopbackAddressOrAUnixSocket) {
  EXPECT_EQ(parse_admin_address("127.0.0.1:9464"), AdminAddress{});
  EXPECT_EQ(parse_admin_address("localhost:1"), (AdminAddress{"127.0.0.1", 1, ""}));
  EXPECT_EQ(parse_admin_address("127.1.2.3:65535"), (AdminAddress{"127.1.2.3", 65535, ""}));
  EXPECT_EQ(parse_admin_address("[::1]:9464"), (AdminAddress{"::1", 9464, ""}));
  EXPECT_EQ(parse_admin_address("unix:/run/a.sock"), (AdminAddress{"", 0, "/run/a.sock"}));
}

TEST(AdminAddress, IsWrittenAsItIsRead) {
  for (const char* text : {"127.0.0.1:9464", "[::1]:9464", "unix:/run/a.sock"})
    EXPECT_EQ(parse_admin_address(text).text(), text);
}

TEST(AdminAddress, OfAnyOtherKindIsRefused) {
  for (const std::string text : {"0.0.0.0:9464",
                                 "[::]:9464",
                                 "10.0.0.5:9464",
                                 "metrics.example:9464",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 "127.0.0.1:0",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:94x",
                                 ":9464",
                                 "9464",
                                 "[::1]",
                                 "::1:9464",
                                 "http://127.0.0.1:9464",
                                 "user@127.0.0.1:9464",
                                 "127.0.0.1:9464/",
                                 "unix:",
                                 "unix:relative",
                                 "unix:/a\nb",
                                 "a.localhost:9464"}) {
    EXPECT_THROW(parse_admin_address(text), ValueError) << text;
  }
  EXPECT_THROW(parse_admin_address("unix:/" + std::string(107, 'a')), ValueError);
  EXPECT_EQ(parse_admin_address("unix:/" + std::string(106, 'a')).socket.size(), 107u);
}

TEST(AdminAddress, IsThereUnlessItIsSwitchedOff) {
  ConfigFiles files;
  EXPECT_EQ(files.settings(files.source()).daemon.admin, AdminAddress{});
  EXPECT_EQ(files.settings("[daemon]\nadmin = \"\"\n" + files.source()).daemon.admin, std::nullopt);
  EXPECT_EQ(files.settings("[daemon]\nadmin = \"[::1]:80\"\n" + files.source()).daemon.admin->host, "::1");
}

}  // namespace
}  // namespace sessionlogd
