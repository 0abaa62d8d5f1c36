// The dashboard and the alerts against a real Prometheus that scrapes a daemon at work: each query is valid there, and
// finds what it asks for.
#include "tests/daemon/admin/prometheus.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <regex>
#include <set>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;

constexpr const char* kDashboard = SYSTEMD_FOLDER "/grafana/sessionlogd.json";

// Of both products, over TLS, with responses that are no 200: there is something for every panel.
class ScrapedFleet : public testing::Test {
 protected:
  void SetUp() override {
    program_ = prometheus_tool("prometheus");
    if (!program_) GTEST_SKIP() << "NOT TESTED: there is no prometheus";
    fleet_.emplace(
        place_, std::vector<std::string>{"--appliances", "4", "--sessions", "5", "--entries", "30", "--dialect", "both",
                                         "--tls", "--fault", "500=0.1", "--duration", "60"});
  }

  void start() {
    port_.emplace(open_admin_port(place_));
    daemon_.emplace(place_.start("run"));
    prometheus_.emplace(place_, *program_, port_->number());
  }

  // What is wrong with an expression, "" when it gives numbers that have each of these labels.
  std::string fault_of(const std::string& expression, const std::set<std::string>& labels) const {
    const Prometheus::Evaluation evaluation = prometheus_->evaluate(expression);
    if (!evaluation.error.empty()) return evaluation.error;
    if (evaluation.series.empty()) return "it finds nothing";
    for (const Prometheus::Series& series : evaluation.series) {
      if (!std::isfinite(series.value)) return "it gives no number";
      for (const std::string& label : labels) {
        if (!series.labels.contains(label)) return "what it finds has no label " + label;
      }
    }
    return "";
  }

  // As fault_of() says in the end: what is asked about a daemon that has just begun is there soon.
  void expect_to_find(const std::string& what, const std::string& expression,
                      const std::set<std::string>& labels) const {
    std::string fault;
    EXPECT_TRUE(eventually([&] { return (fault = fault_of(expression, labels)).empty(); }, kSoon))
        << what << ": " << expression << ": " << fault;
  }

  std::vector<Prometheus::AlertRule> evaluated_rules() const {
    std::vector<Prometheus::AlertRule> rules;
    const auto has_fault = [](const Prometheus::AlertRule& rule) { return !rule.fault.empty(); };
    eventually([&] { return std::ranges::none_of(rules = prometheus_->alert_rules(), has_fault); }, kSoon);
    for (const Prometheus::AlertRule& rule : rules) EXPECT_EQ(rule.fault, "") << rule.name;
    EXPECT_GE(rules.size(), 10u);
    return rules;
  }

  // The values of a label, as Grafana puts those of a variable into a query.
  std::string any_of(const std::string& selector, const std::string& label) const {
    std::string all;
    for (const auto& series : prometheus_->evaluate(fmt::format("group by ({}) ({})", label, selector)).series)
      all += (all.empty() ? "" : "|") + std::regex_replace(series.labels.at(label), std::regex(R"(\.)"), R"(\\.)");
    return "(" + all + ")";
  }

  static constexpr std::chrono::seconds kSoon{60};

  Workplace place_;
  std::optional<std::string> program_;
  std::optional<SimulatedFleet> fleet_;
  std::optional<HeldPort> port_;  // of the daemon
  std::optional<Child> daemon_;
  std::optional<Prometheus> prometheus_;
};

std::string text_of(dom::element element) { return std::string(std::string_view(element)); }

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::set<std::string> words_in(const std::string& text, const char* pattern) {
  const std::regex word(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), word); it != std::sregex_iterator(); ++it)
    found.insert((*it)[1]);
  return found;
}

struct Panel {
  std::string title, expression;
  std::set<std::string> labels;  // that its legend shows
};

std::vector<Panel> panels_of(const dom::element& dashboard) {
  std::vector<Panel> panels;
  for (const dom::element panel : dashboard["panels"]) {
    for (const dom::element target : panel["targets"]) {
      const std::string legend = text_of(target["legendFormat"]);
      panels.push_back({text_of(panel["title"]), text_of(target["expr"]), words_in(legend, R"(\{\{(\w+)\}\})")});
    }
  }
  EXPECT_GT(panels.size(), 15u);
  return panels;
}

// Grafana's variables and what it puts in their place, those that ask for values in order: each may use those before
// it.
using Variables = std::map<std::string, std::string>;

std::string fill_in(std::string expression, const Variables& variables) {
  for (const auto& [name, value] : variables) expression = replace_all(std::move(expression), name, value);
  return expression;
}

// Compared with "bool", what is well is not filtered out.
std::string what_it_looks_at(const Prometheus::AlertRule& rule) {
  return std::regex_replace(rule.expression, std::regex("(==|<|>) "), "$1 bool ");
}

// This daemon is in none, and has no series of it.
bool asks_for_a_group(const std::string& expression) {
  return std::regex_search(expression, std::regex("sessionlogd_(partition|group_|takeover_|sources_unknown)"));
}

TEST_F(ScrapedFleet, HasSomethingForEveryPanelAndEveryAlert) {
  start();
  dom::parser parser;
  const dom::element dashboard = parser.load(kDashboard);
  Variables variables{{"$__rate_interval", "5m"}};
  for (const dom::element variable : dashboard["templating"]["list"]) {
    if (text_of(variable["type"]) != "query") continue;
    const std::string definition = text_of(variable["definition"]);
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(definition, parts, std::regex(R"(label_values\((.*), (\w+)\))"))) << definition;
    const std::string selector = fill_in(parts[1], variables);
    expect_to_find(definition, selector, {parts[2]});
    variables.emplace("$" + text_of(variable["name"]), any_of(selector, parts[2]));
  }
  EXPECT_EQ(variables.size(), 3u);
  for (const Panel& panel : panels_of(dashboard)) {
    if (!asks_for_a_group(panel.expression))
      expect_to_find(panel.title, fill_in(panel.expression, variables), panel.labels);
  }
  for (const Prometheus::AlertRule& rule : evaluated_rules()) {
    if (asks_for_a_group(rule.expression)) continue;
    std::set<std::string> labels;
    for (const std::string& text : rule.texts) labels.merge(words_in(text, R"(\$labels\.(\w+))"));
    expect_to_find(rule.name, what_it_looks_at(rule), labels);
  }
}

// There only its own label is missing.
TEST_F(ScrapedFleet, HasThatWithoutSeriesPerSourceToo) {
  place_.edit_config("[daemon]\n", "[daemon]\nmetrics_per_source = false\n");
  start();
  dom::parser parser;
  const Variables all{{"$__rate_interval", "5m"}, {"$instance", ".*"}, {"$source", ".*"}};
  for (Panel panel : panels_of(parser.load(kDashboard))) {
    panel.labels.erase("source");
    if (asks_for_a_group(panel.expression)) continue;
    expect_to_find(panel.title, fill_in(panel.expression, all), panel.labels);
  }
  for (const Prometheus::AlertRule& rule : evaluated_rules()) {
    if (!asks_for_a_group(rule.expression)) expect_to_find(rule.name, what_it_looks_at(rule), {});
  }
}

}  // namespace
}  // namespace sessionlogd::test
