// The package from its first installation to its purge.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/systemd/installed.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Package : public Installed {};

TEST_F(Package, StartsNothingAndRefusesItsOwnConfigurationUntilThereIsASource) {
  install();
  EXPECT_EQ(show("ActiveState"), "inactive");
  EXPECT_EQ(show("UnitFileState"), "disabled");
  EXPECT_THAT(machine_.get("getent passwd sessionlogd"), HasSubstr(":/var/lib/sessionlogd:/usr/sbin/nologin"));

  EXPECT_FALSE(machine_.is_so("systemctl start sessionlogd"));
  EXPECT_EQ(show("ExecMainStatus"), "78");
  EXPECT_EQ(show("ActiveState"), "failed");  // and not waiting to be started again
  EXPECT_EQ(show("NRestarts"), "0");
  EXPECT_THAT(machine_.get("journalctl --unit=sessionlogd --output=cat --priority=err"),
              AllOf(HasSubstr("/etc/sessionlogd/sessionlogd.toml"), HasSubstr("[[source]]\nname     = "),
                    HasSubstr("\npassword = ")));
}

TEST_F(Package, KeepsStateAndEventsWhenItIsRemovedAndNothingWhenItIsPurged) {
  install();
  serve(8);
  machine_.get("systemctl enable --quiet --now sessionlogd");
  ASSERT_TRUE(has_written());
  machine_.get("apt-get remove --yes --quiet sessionlogd");
  EXPECT_FALSE(
      machine_.is_so("systemctl is-active --quiet sessionlogd || ls /etc/systemd/system/*.wants/ | grep sessionlogd"));
  EXPECT_TRUE(
      machine_.is_so("test -s /var/log/sessionlogd/events.ndjson && ls /var/lib/sessionlogd/* && "
                     "test -s /etc/sessionlogd/sessionlogd.toml"));

  install();
  EXPECT_EQ(show("ActiveState"), "inactive");
  machine_.get("systemctl enable --quiet --now sessionlogd");
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();

  machine_.get("apt-get purge --yes --quiet sessionlogd");
  EXPECT_FALSE(machine_.is_so("ls -d /etc/sessionlogd || ls -d /var/lib/sessionlogd || ls -d /var/log/sessionlogd"));
}

// The package before is this one under a lower version.
TEST_F(Package, IsUpgradedUnderLoad) {
  machine_.get(
      "cd /tmp && dpkg-deb -R /package.deb before && sed -i 's/^Version: .*/Version: 0.0.1-1/' before/DEBIAN/control "
      "&& "
      "dpkg-deb -b before before.deb");
  install("/tmp/before.deb");
  serve(10);
  machine_.get("systemctl enable --quiet --now sessionlogd");
  ASSERT_TRUE(has_written());
  const std::string before = show("MainPID");
  install();
  EXPECT_TRUE(is_active());
  EXPECT_NE(show("MainPID"), before);
  EXPECT_EQ(show("UnitFileState"), "enabled");
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();
}

TEST_F(Package, CompletesItsCommands) {
  install();
  const auto completed = [&](const std::string& words) {
    return machine_.get(
        fmt::format("bash -c '. /usr/share/bash-completion/completions/sessionlogd; COMP_WORDS=({}); "
                    "COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _sessionlogd; echo \"${{COMPREPLY[@]}}\"'",
                    words));
  };
  EXPECT_EQ(completed("sessionlogd back"), "backfill");
  EXPECT_EQ(completed("sessionlogd state re"), "rebuild");
  EXPECT_EQ(completed("sessionlogd backfill --si"), "--since");
  EXPECT_EQ(completed("sessionlogd dialects veeam-aw"), "veeam-aws");
  EXPECT_EQ(completed("sessionlogd backfill run"), "");  // an argument may be named like a command
}

}  // namespace
}  // namespace sessionlogd::test
