// The service under a real systemd: how it starts, is watched, is started again, and ends.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/systemd/installed.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ServiceLife : public Installed {
 protected:
  ServiceLife() { install(); }

  int restarts() { return std::stoi(show("NRestarts")); }

  // Started again since it had been that often.
  bool restarted_since(int times) {
    return eventually([&] { return restarts() > times && is_active(); });
  }
};

TEST_F(ServiceLife, IsReadyAndSaysWhatItDoes) {
  serve(6);
  machine_.get("systemctl enable --quiet --now sessionlogd");
  EXPECT_TRUE(is_active());
  ASSERT_TRUE(eventually([&] { return show("StatusText").find("10 sources, ") == 0; })) << show("StatusText");
  EXPECT_THAT(show("After"), AllOf(HasSubstr("network-online.target"), HasSubstr("time-sync.target")));
  ASSERT_TRUE(has_written());
  EXPECT_EQ(machine_.get("stat -c '%a %U %G' /var/lib/sessionlogd /var/log/sessionlogd"),
            "700 sessionlogd sessionlogd\n750 sessionlogd sessionlogd");
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();
}

TEST_F(ServiceLife, FillsTheJournalsFields) {
  serve(30);
  machine_.get("sed -i '0,/^url = .*/s||url = \"http://127.0.0.1:1\"|' /etc/sessionlogd/sessionlogd.toml");
  machine_.get("systemctl start sessionlogd");
  const std::string name =
      machine_.get("sed -n 's/^name = \"\\(.*\\)\"/\\1/p' /etc/sessionlogd/sessionlogd.toml | head -1");
  const std::string of_source = fmt::format("journalctl --quiet --output=json SESSIONLOGD_SOURCE={}", name);
  ASSERT_TRUE(eventually([&] { return !machine_.get(of_source + " --priority=warning").empty(); })) << journal();
  EXPECT_THAT(machine_.get(of_source + " --priority=warning | head -1"),
              AllOf(HasSubstr("\"SYSLOG_IDENTIFIER\":\"sessionlogd\""), HasSubstr("\"PRIORITY\":\"4\""),
                    HasSubstr("\"_SYSTEMD_UNIT\":\"sessionlogd.service\"")));
  // Between one look and the other there may be more.
  std::string naming_it, of_it;
  ASSERT_TRUE(eventually([&] {
    naming_it =
        machine_.get("journalctl --quiet --unit=sessionlogd --priority=warning --output=json | grep -c aws-0000");
    of_it = machine_.get(of_source + " --priority=warning | wc -l");
    return naming_it == of_it;
  })) << naming_it
      << " lines name the source, " << of_it << " are said to be of it";
  EXPECT_EQ(machine_.get("journalctl --quiet --unit=sessionlogd --output=json | grep -c '\"MESSAGE\":\\[' || true"),
            "0")
      << "none is binary: no colours";
}

TEST_F(ServiceLife, StopsInTimeUnderLoad) {
  serve(60);
  add_drop_in("TimeoutStopSec=10s");  // systemd itself judges
  machine_.get("systemctl start sessionlogd");
  ASSERT_TRUE(has_written());
  machine_.get("systemctl stop sessionlogd");
  EXPECT_EQ(show("Result"), "success") << journal();
  EXPECT_EQ(show("ExecMainStatus"), "0");
  EXPECT_THAT(journal(), HasSubstr("stopped: "));
}

TEST_F(ServiceLife, GoesOnAfterAKillAndWhenItIsStuck) {
  serve(12);
  add_drop_in("WatchdogSec=2s");
  machine_.get("systemctl start sessionlogd");
  ASSERT_TRUE(has_written());
  // On a busy machine two seconds may pass once more without a sign of life.
  int before = restarts();
  machine_.get("systemctl kill --kill-whom=main --signal=KILL sessionlogd");
  ASSERT_TRUE(restarted_since(before)) << journal();
  before = restarts();
  machine_.get("systemctl kill --kill-whom=main --signal=STOP sessionlogd");
  ASSERT_TRUE(restarted_since(before)) << journal();
  EXPECT_THAT(journal(), HasSubstr("Watchdog timeout"));
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();
}

TEST_F(ServiceLife, IsReadyWhileItWaitsForRoom) {
  serve(6);
  machine_.get("mkdir -p /var/lib/sessionlogd && mount -t tmpfs -o size=4k full /var/lib/sessionlogd");
  machine_.get("systemctl start sessionlogd");
  EXPECT_TRUE(is_active());
  ASSERT_TRUE(eventually([&] { return show("StatusText").starts_with("waiting for sink=file:"); })) << journal();
  machine_.get("mount -o remount,size=64m /var/lib/sessionlogd");
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();
  EXPECT_EQ(show("NRestarts"), "0");
}

TEST_F(ServiceLife, ReloadsWhatIsRightAndRefusesWhatIsWrong) {
  serve(60);
  machine_.get(
      "cd /etc/sessionlogd && cp sessionlogd.toml all && awk '/^.*source/ { n++ } n < 10' all > sessionlogd.toml");
  machine_.get("systemctl start sessionlogd");
  ASSERT_TRUE(eventually([&] { return show("StatusText").starts_with("9 sources, "); })) << show("StatusText");
  const std::string pid = show("MainPID");

  machine_.get("cp /etc/sessionlogd/all /etc/sessionlogd/sessionlogd.toml && systemctl reload sessionlogd");
  ASSERT_TRUE(eventually([&] { return show("StatusText").starts_with("10 sources, "); })) << show("StatusText");

  machine_.get("echo 'nonsense = 1' >> /etc/sessionlogd/sessionlogd.toml");
  EXPECT_FALSE(machine_.is_so("systemctl reload sessionlogd"));
  EXPECT_THAT(machine_.get("journalctl --unit=sessionlogd --output=cat --priority=err"), HasSubstr("nonsense"));
  EXPECT_TRUE(is_active());
  EXPECT_TRUE(show("StatusText").starts_with("10 sources, ")) << show("StatusText");
  EXPECT_EQ(show("MainPID"), pid);
}

TEST_F(ServiceLife, TakesSecretsFromCredentials) {
  serve(6);
  machine_.get(
      "systemd-creds encrypt --with-key=host --name=second /etc/sessionlogd/password /etc/sessionlogd/second.cred && "
      "chmod 600 /etc/sessionlogd/second.cred && chown root:root /etc/sessionlogd/password && "
      "chmod 600 /etc/sessionlogd/password");
  machine_.get(
      "sed -i -e 's|file:/etc/sessionlogd/password|credential:second|' "
      "-e '0,/credential:second/s||credential:first|' /etc/sessionlogd/sessionlogd.toml");
  add_drop_in(
      "LoadCredential=first:/etc/sessionlogd/password\nLoadCredentialEncrypted=second:/etc/sessionlogd/second.cred");
  machine_.get("systemctl start sessionlogd");
  machine_.get("systemctl reload sessionlogd");
  std::string table;
  ASSERT_TRUE(agrees_in_the_end(table)) << table << journal();
}

TEST_F(ServiceLife, HasInstancesWithTheirOwnStateAndOutput) {
  serve(60);
  machine_.get(
      "sed -e 's|^rotate = .*|path = \"/var/log/sessionlogd/siem/events.ndjson\"|' "
      "-e 's|^.daemon.|&\\nstate_dir = \"/var/lib/sessionlogd/siem\"|' /etc/sessionlogd/sessionlogd.toml > "
      "/etc/sessionlogd/siem.toml");
  machine_.get("systemctl start sessionlogd@siem");
  machine_.get("systemctl start sessionlogd");
  ASSERT_TRUE(has_written("/var/log/sessionlogd/siem/events.ndjson"));
  ASSERT_TRUE(has_written());
  EXPECT_EQ(machine_.get("stat -c '%a %U' /var/lib/sessionlogd/siem"), "700 sessionlogd");
  machine_.get("systemctl reload sessionlogd@siem");
  EXPECT_THAT(machine_.get("journalctl --unit=sessionlogd@siem --output=cat"),
              HasSubstr("reloaded /etc/sessionlogd/siem"));
  EXPECT_EQ(show("ActiveState", "sessionlogd@siem.service"), "active");
}

TEST_F(ServiceLife, GivesItsOutputToAGroupWithTheExampleDropIn) {
  serve(60);
  machine_.get(
      "mkdir /etc/systemd/system/sessionlogd.service.d && cp /usr/share/doc/sessionlogd/examples/output-group.conf "
      "/etc/systemd/system/sessionlogd.service.d/ && systemctl daemon-reload && "
      "sed -i 's|^rotate = .*|group = \"adm\"|' /etc/sessionlogd/sessionlogd.toml");
  machine_.get("systemctl start sessionlogd");
  ASSERT_TRUE(has_written()) << journal();
  EXPECT_EQ(machine_.get("stat -c '%a %G' /var/log/sessionlogd/events.ndjson"), "640 adm");
}

}  // namespace
}  // namespace sessionlogd::test
