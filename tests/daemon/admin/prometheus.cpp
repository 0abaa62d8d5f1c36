#include "tests/daemon/admin/prometheus.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "tests/daemon/admin/admin.h"

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;

constexpr const char* kConfiguration = R"(
global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: ["{}"]
scrape_configs:
  - job_name: sessionlogd
    static_configs: [{{ targets: ["127.0.0.1:{}"] }}]
)";

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char byte : text) encoded += fmt::format("%{:02X}", byte);
  return encoded;
}

std::string text_of(dom::element element) { return std::string(std::string_view(element)); }

}  // namespace

std::optional<std::string> prometheus_tool(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(PROMETHEUS_TOOLS ":") + (path != nullptr ? path : ""));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/" + name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

Prometheus::Prometheus(Workplace& place, const std::string& program, unsigned short admin_port) {
  place.write("prometheus.yaml", fmt::format(kConfiguration, SYSTEMD_FOLDER "/prometheus/alerts.yaml", admin_port));
  process_.emplace(place.start_program({program, "--config.file=" + (place / "prometheus.yaml").string(),
                                        "--storage.tsdb.path=" + (place / "prometheus").string(),
                                        fmt::format("--web.listen-address=127.0.0.1:{}", port_.number())}));
  const bool ready = eventually([&] {
    return ask_port(port_.number(), "GET /-/ready HTTP/1.0\r\n\r\n").find(" 200 ") != std::string::npos ||
           !process_->is_running();
  });
  if (!ready || !process_->is_running()) throw std::runtime_error("Prometheus does not start: " + process_->err());
}

std::string Prometheus::get(const std::string& target) const {
  const std::string response = ask_port(port_.number(), fmt::format("GET {} HTTP/1.0\r\n\r\n", target));
  const std::size_t head = response.find("\r\n\r\n");
  if (head == std::string::npos) throw std::runtime_error("Prometheus does not respond: " + process_->err());
  return response.substr(head + 4);
}

Prometheus::Evaluation Prometheus::evaluate(const std::string& expression) const {
  dom::parser parser;
  const dom::element response = parser.parse(get("/api/v1/query?query=" + percent_encoded(expression)));
  Evaluation evaluation;
  if (text_of(response["status"]) != "success") {
    evaluation.error = text_of(response["error"]);
    return evaluation;
  }
  for (const dom::element result : response["data"]["result"]) {
    Series series;
    for (const auto& [name, value] : dom::object(result["metric"])) series.labels.emplace(name, text_of(value));
    series.value = std::stod(text_of(result["value"].at(1)));
    evaluation.series.push_back(std::move(series));
  }
  return evaluation;
}

std::vector<Prometheus::AlertRule> Prometheus::alert_rules() const {
  dom::parser parser;
  const dom::element response = parser.parse(get("/api/v1/rules?type=alert"));
  std::vector<AlertRule> rules;
  for (const dom::element group : response["data"]["groups"]) {
    for (const dom::element rule : group["rules"]) {
      AlertRule one{text_of(rule["name"]), text_of(rule["query"]), {}, {}};
      for (const auto& [name, text] : dom::object(rule["annotations"])) one.texts.push_back(text_of(text));
      // "unknown" until it was evaluated once.
      const std::string health = text_of(rule["health"]);
      std::string_view error;
      if (health != "ok") one.fault = rule["lastError"].get(error) == simdjson::SUCCESS ? std::string(error) : health;
      rules.push_back(std::move(one));
    }
  }
  return rules;
}

}  // namespace sessionlogd::test
