// A real Prometheus that scrapes a test's daemon with our alert rules in force, and its promtool.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/daemon/held_port.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {

// Where "prometheus" or "promtool" is: what ./dev unpacked, or else the PATH's; nothing when it is nowhere.
std::optional<std::string> prometheus_tool(const std::string& name);

class Prometheus {
 public:
  // Scrapes 127.0.0.1:`admin_port` twice a second from now on, as job "sessionlogd". Throws when it does not start.
  Prometheus(Workplace& place, const std::string& program, unsigned short admin_port);

  struct Series {
    std::map<std::string, std::string> labels;
    double value = 0;
  };
  struct Evaluation {
    std::string error;  // "" = the expression is valid
    std::vector<Series> series;
  };
  Evaluation evaluate(const std::string& expression) const;

  struct AlertRule {
    std::string name, expression;
    std::vector<std::string> texts;  // its annotations, as they are written
    std::string fault;               // of its last evaluation; "" = none
  };
  std::vector<AlertRule> alert_rules() const;

 private:
  std::string get(const std::string& target) const;

  HeldPort port_;
  std::optional<Child> process_;
};

}  // namespace sessionlogd::test
