#include "tests/systemd/installed.h"

#include <fmt/format.h>

namespace sessionlogd::test {

void Installed::install(const std::string& package) {
  machine_.get("apt-get install --yes --quiet --no-install-recommends " + package);
}

void Installed::serve(int seconds) {
  machine_.get(
      fmt::format("systemd-run --quiet --unit=fleet --property=StandardOutput=file:/exchange/fleet.log "
                  "fleet_sim serve --out /exchange --appliances 10 --sessions 8 --entries 30 --duration {}",
                  seconds));
  if (!eventually([&] { return read_text(machine_.exchange() / "fleet.log").find("ready") != std::string::npos; }))
    throw std::runtime_error("the fleet does not start");
  // Where things lie is what the unit says; the judge reads one file.
  machine_.get(
      "install -m 0640 -g sessionlogd /exchange/password /etc/sessionlogd/password && "
      "sed -e '/^state_dir/d' -e 's|^path = .*|rotate = { size = \"never\", every = \"never\" }|' "
      "-e 's|/exchange/password|/etc/sessionlogd/password|' /exchange/sessionlogd.toml > "
      "/etc/sessionlogd/sessionlogd.toml");
}

void Installed::add_drop_in(const std::string& lines) {
  machine_.get(
      fmt::format("d=/etc/systemd/system/sessionlogd.service.d; mkdir -p $d && printf '[Service]\\n%s\\n' '{}' > "
                  "$d/$(ls $d | wc -l).conf && systemctl daemon-reload",
                  lines));
}

std::string Installed::show(const std::string& property, const std::string& unit) {
  return machine_.get(fmt::format("systemctl show --value --property={} {}", property, unit));
}

bool Installed::has_written(const std::string& output) {
  return eventually([&] { return machine_.is_so("test -s " + output); });
}

bool Installed::agrees_in_the_end(std::string& table) {
  const auto ledgers = [&] {
    int count = 0;
    for (const std::string& line : Workplace::lines_of(read_text(machine_.exchange() / "fleet.log")))
      count += line == "ledger written";
    return count;
  };
  const auto fleet_said = [&](const char* word) {
    return read_text(machine_.exchange() / "fleet.log").find(word) != std::string::npos;
  };
  if (!eventually([&] { return fleet_said("frozen"); })) {
    table = "the fleet does not freeze\n";
    return false;
  }
  return eventually([&] {
    const int before = ledgers();
    machine_.get("systemctl kill --kill-whom=main --signal=USR1 fleet");
    if (!test::eventually([&] { return ledgers() > before; }, std::chrono::seconds(5))) return false;
    const Outcome judged =
        machine_.run("cp /var/log/sessionlogd/events.ndjson /exchange/ && fleet_sim reckon --complete --out /exchange");
    table = judged.out + judged.err;
    return judged.status == 0;
  });
}

}  // namespace sessionlogd::test
