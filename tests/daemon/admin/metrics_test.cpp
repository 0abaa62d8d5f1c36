// The metrics against what really happened: the fleet's own count, the output, and the table that documents them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/admin/prometheus.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

Samples metrics(const Workplace& place) { return samples_of(get_body(place, "/metrics")); }

// The queue need not be empty: listings go on, and are committed too.
bool all_is_done(const Samples& now) {
  const double done = sum_of(now, "sessionlogd_sessions", "state=\"done\"");
  return done > 0 && done == sum_of(now, "sessionlogd_sessions") &&
         sum_of(now, "sessionlogd_events_total") == now.at("sessionlogd_delivery_delay_seconds_count");
}

// The judge's table has a row for it: a name, blanks, a number.
double number_in(const std::string& table, const std::string& row) {
  const std::size_t at = table.find(row);
  return at == std::string::npos ? -1 : std::stod(table.substr(at + row.size()));
}

TEST(Metrics, AgreeWithTheLedgerOfAFleetThatEvolves) {
  Workplace place;
  SimulatedFleet fleet(place, {"--appliances", "10", "--sessions", "6", "--entries", "30", "--dialect", "both",
                               "--duration", fmt::format("{:.1f}", evolution_seconds() / 3)});
  open_admin_address(place);
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();
  Samples now;
  ASSERT_TRUE(eventually([&] {
    return all_is_done(now = metrics(place)) && sum_of(now, "sessionlogd_source_lag_seconds") == 0;
  })) << daemon.err();

  EXPECT_EQ(sum_of(now, "sessionlogd_polls_total"), fleet.count("log_answers"));
  EXPECT_EQ(sum_of(now, "sessionlogd_polls_total", "failed"), 0);
  EXPECT_EQ(now["sessionlogd_poll_seconds_count"], fleet.count("log_answers"));
  EXPECT_EQ(now["sessionlogd_poll_lateness_seconds_count"], fleet.count("log_answers"));
  // Listings go on: what was asked before the look is in it, and nothing else than was asked.
  const auto asked = static_cast<double>(fleet.count("requests"));
  EXPECT_TRUE(eventually([&] { return sum_of(metrics(place), "sessionlogd_http_requests_total") >= asked; }));
  EXPECT_LE(sum_of(metrics(place), "sessionlogd_http_requests_total"), fleet.count("requests"));
  EXPECT_EQ(sum_of(now, "sessionlogd_source_up"), 10);
  EXPECT_EQ(sum_of(now, "sessionlogd_sources", "\"ok\""), 10);

  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({"--exact"}, table)) << table;
  const auto lines = static_cast<double>(place.lines().size());
  EXPECT_GT(lines, 0);
  EXPECT_EQ(sum_of(now, "sessionlogd_events_total"), lines);
  EXPECT_EQ(sum_of(now, "sessionlogd_events_total", "\"new\"") + sum_of(now, "sessionlogd_events_total", "\"changed\""),
            number_in(table, "events written"));
  EXPECT_EQ(sum_of(now, "sessionlogd_events_total", "\"error\""), number_in(table, "error events written"));
  EXPECT_EQ(sum_of(now, "sessionlogd_events_total", "\"gap\""), number_in(table, "gap events written"));
  EXPECT_EQ(now["sessionlogd_delivery_delay_seconds_count"], lines);
  EXPECT_EQ(now["sessionlogd_event_bytes_total"], static_cast<double>(std::filesystem::file_size(place.output())));
}

// Nothing moves, so each session is read once, and whole.
TEST(Metrics, CountTheEntriesThatWereServed) {
  Workplace place;
  SimulatedFleet fleet(place, {"--static", "--appliances", "6", "--sessions", "5", "--entries", "40", "--hostile", "0",
                               "--poll", "lookback=all"});
  open_admin_address(place);
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return fleet.agrees({"--exact"}); })) << daemon.err();
  Samples now;
  ASSERT_TRUE(eventually([&] { return all_is_done(now = metrics(place)); })) << daemon.err();
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({"--exact"}, table)) << table;
  EXPECT_GE(sum_of(now, "sessionlogd_entries_total"), number_in(table, "entries served"));
  EXPECT_GE(sum_of(now, "sessionlogd_polls_total"), number_in(table, "sessions served"))
      << "empty logs are read thrice";
  EXPECT_EQ(sum_of(now, "sessionlogd_events_total", "\"new\""), number_in(table, "entries served"));
}

// name -> type, label names and help, as they stand in a row of the table.
using Documented = std::map<std::string, std::string>;

constexpr std::string_view kOfAGroup = "\nA member of a [group]";
enum class Which { kAll, kWithoutGroup };

Documented documented(Which which) {
  Documented rows;
  const std::regex row(R"(\| `(sessionlogd_\w+)` \| (\w+) \| (.*?) \| (.*) \|)");
  std::string page = read_text(METRICS_TABLE);
  const std::size_t group = page.find(kOfAGroup);
  EXPECT_NE(group, page.npos);
  if (which == Which::kWithoutGroup) page.resize(group);
  for (const std::string& line : Workplace::lines_of(page)) {
    std::smatch cells;
    if (std::regex_match(line, cells, row))
      rows[cells[1]] = fmt::format("{} {} {}", cells[2].str(), cells[3].str(), cells[4].str());
  }
  return rows;
}

std::string labels_of(const std::string& metrics, const std::string& name) {
  std::smatch sample;
  const std::regex first("\n" + name + R"((?:_bucket)?\{([^}\n]*)\} )");
  if (!std::regex_search(metrics, sample, first)) return "";
  std::string labels;
  const std::string all = sample[1];
  const std::regex label(R"(([a-z_]+)=)");
  for (std::sregex_iterator it(all.begin(), all.end(), label); it != std::sregex_iterator(); ++it) {
    if ((*it)[1] != "le") labels += (labels.empty() ? "" : ", ") + (*it)[1].str();
  }
  return labels;
}

// The same of metrics as they are given.
Documented documented_by(const std::string& text) {
  Documented rows;
  const std::regex head(R"(# HELP (\w+) (.*)\n# TYPE \w+ (\w+)\n)");
  for (std::sregex_iterator it(text.begin(), text.end(), head); it != std::sregex_iterator(); ++it) {
    const std::string name = (*it)[1];
    rows[name] = fmt::format("{} {} {}", (*it)[3].str(), labels_of(text, name), (*it)[2].str());
  }
  return rows;
}

TEST(Metrics, AreThoseOfTheTable) {
  Workplace place;
  SimulatedFleet fleet(place, {"--static", "--appliances", "2", "--sessions", "3", "--tls", "--poll", "lookback=all"});
  open_admin_address(place);
  place.edit_config("[daemon]\n", "[daemon]\nverify = \"10s\"\n");
  Child daemon = place.start("run");
  std::string text;
  ASSERT_TRUE(eventually([&] {
    text = get_body(place, "/metrics");
    return all_is_done(samples_of(text)) && text.find("sessionlogd_verified_timestamp_seconds{") != text.npos;
  })) << daemon.err();
  EXPECT_EQ(documented_by(text), documented(Which::kWithoutGroup));
  EXPECT_EQ(text.find("session="), std::string::npos) << "ids of sessions make series without end";

  const auto promtool = prometheus_tool("promtool");
  if (!promtool) GTEST_SKIP() << "NOT LINTED: there is no promtool";
  place.write("metrics.txt", text);
  const std::string lint =
      fmt::format("{0} check metrics <{1} >{1}.lint 2>&1", *promtool, (place / "metrics.txt").string());
  EXPECT_EQ(std::system(lint.c_str()), 0) << read_text(place / "metrics.txt.lint");
}

// The same names, each without the label `source`, and the fleet's own counts.
TEST(Metrics, OfAllSourcesTogetherAreTheirSums) {
  Workplace place;
  SimulatedFleet fleet(place, {"--static", "--appliances", "6", "--sessions", "5", "--entries", "40", "--hostile", "0",
                               "--tls", "--poll", "lookback=all"});
  open_admin_address(place);
  place.edit_config("[daemon]\n", "[daemon]\nmetrics_per_source = false\n");
  Child daemon = place.start("run");
  std::string text;
  ASSERT_TRUE(eventually([&] { return all_is_done(samples_of(text = get_body(place, "/metrics"))); })) << daemon.err();
  EXPECT_EQ(text.find("source="), std::string::npos);
  Documented expected = documented(Which::kWithoutGroup);
  for (auto& [name, row] : expected) row = std::regex_replace(row, std::regex("^(\\w+ )source(, )?"), "$1");
  EXPECT_EQ(documented_by(text), expected);
  Samples now = samples_of(text);
  EXPECT_EQ(now["sessionlogd_sources{state=\"ok\"}"], 6);
  EXPECT_EQ(now["sessionlogd_source_up"], 1);
  EXPECT_EQ(sum_of(now, "sessionlogd_polls_total"), fleet.count("log_answers"));
  EXPECT_LE(now["sessionlogd_sessions{state=\"done\"}"], fleet.count("log_answers")) << "empty logs are read thrice";

  // One leaves: what it had counted stays.
  std::string config = read_text(place.config());
  place.write("sessionlogd.toml", config.substr(0, config.rfind("[[source]]")));
  EXPECT_EQ(place.run("reload").status, 0);
  Samples later;
  EXPECT_TRUE(eventually([&] {
    later = metrics(place);
    return later["sessionlogd_sources{state=\"ok\"}"] == 5;
  }));
  EXPECT_EQ(later["sessionlogd_entries_total"], now["sessionlogd_entries_total"]);
  EXPECT_LT(later["sessionlogd_sessions{state=\"done\"}"], now["sessionlogd_sessions{state=\"done\"}"]);
}

TEST(Metrics, ThatAlertsAndDashboardAskForAreThere) {
  const Documented known = documented(Which::kAll);
  const std::regex metric(R"(sessionlogd_[a-z0-9_]+)");
  for (const char* file : {SYSTEMD_FOLDER "/prometheus/alerts.yaml", SYSTEMD_FOLDER "/grafana/sessionlogd.json"}) {
    const std::string text = read_text(file);
    int found = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), metric); it != std::sregex_iterator(); ++it, ++found) {
      const std::string name = std::regex_replace((*it)[0].str(), std::regex("_(bucket|sum|count)$"), "");
      EXPECT_TRUE(known.contains(name)) << file << ": " << name;
    }
    EXPECT_GT(found, 10) << file;
  }
}

TEST(Alerts, ComeWhenTheyShouldAndNotBefore) {
  const auto promtool = prometheus_tool("promtool");
  if (!promtool) GTEST_SKIP() << "NOT TESTED: there is no promtool";
  Workplace place;
  Child test = place.start_program({*promtool, "test", "rules", SYSTEMD_FOLDER "/prometheus/alerts_test.yaml"});
  EXPECT_EQ(test.wait(), 0) << test.out() << test.err();
}

}  // namespace
}  // namespace sessionlogd::test
