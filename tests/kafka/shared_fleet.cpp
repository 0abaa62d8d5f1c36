#include "tests/kafka/shared_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "tests/daemon/admin/admin.h"

namespace sessionlogd::test {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::vector<std::string> with_doors(std::vector<std::string> options, std::size_t members) {
  options.insert(options.end(), {"--doors", std::to_string(members)});
  return options;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string text_after(const std::string& line, const std::string& key) {
  const std::size_t begin = line.find(key) + key.size();
  return line.substr(begin, line.find_first_of("\",}", begin) - begin);
}

}  // namespace

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SharedFleet::SharedFleet(Cluster& cluster, const std::string& name, std::size_t members, std::vector<std::string> fleet,
                         const std::string& identity)
    : topic(name),
      state_topic(name + "-state"),
      outside(cluster.addresses()),
      fleet_(place_, with_doors(std::move(fleet), members)) {
  outside.create_topic(topic, 6);
  place_.edit_config(
      fmt::format("type = \"file\"\npath = \"{}\"\n", place_.output().string()),
      fmt::format("type = \"kafka\"\nbrokers = \"{}\"\ntopic = \"{}\"\n{}\n", cluster.addresses(), topic, identity));
  while (members_.size() < members) {
    members_.push_back(std::make_unique<Member>());
    give_file(members_.size() - 1);
  }
}

std::string SharedFleet::door(std::size_t member) const { return fmt::format("127.0.1.{}", member + 1); }

// Its logins are kept from life to life, which Workplace forgets in a folder `state`.
void SharedFleet::give_file(std::size_t member) {
  const Workplace& place = members_[member]->place;
  std::string text = read_text(place_.config());
  replace_all(text, "\"http://127.0.0.1:", fmt::format("\"http://{}:", door(member)));
  replace_all(text, (place_ / "state").string(), (place / "kept").string());
  place.write("sessionlogd.toml", text);
  open_admin_address(place);
}

void SharedFleet::note(const std::string& option, std::size_t member) {
  moments_.insert(moments_.end(), {option, fmt::format("{}@{}", door(member), now_ns())});
}

// One that handed its logins back may log in again at once.
void SharedFleet::start(std::size_t member) {
  Member& of = *members_[member];
  if (std::exchange(of.was_stopped, false)) note("--started", member);
  of.process.emplace(of.place.start("run"));
}

void SharedFleet::kill(std::size_t member) {
  process(member).signal(SIGKILL);
  if (process(member).wait() != -SIGKILL) throw std::runtime_error("it had ended: " + process(member).err());
  members_[member]->process.reset();
}

int SharedFleet::stop(std::size_t member) {
  process(member).signal(SIGTERM);
  const int status = process(member).wait();
  if (status != 0) std::cout << process(member).err();
  members_[member]->was_stopped = true;
  members_[member]->process.reset();
  return status;
}

void SharedFleet::freeze(std::size_t member) {
  process(member).signal(SIGSTOP);
  eventually([&] { return process(member).has_stopped(); });
}

void SharedFleet::thaw(std::size_t member) {
  note("--thawed", member);
  process(member).signal(SIGCONT);
}

// The fleet writes both books at once.
std::map<std::string, std::vector<SharedFleet::Came>> SharedFleet::visits() {
  fleet_.write_books();
  std::map<std::string, std::vector<Came>> visits;
  for (const std::string& line : Workplace::lines_of(read_text(place_ / "visits.ndjson"))) {
    visits[text_after(line, "\"source\":\"")].push_back({std::stoll(text_after(line, "\"at\":")),
                                                         text_after(line, "\"by\":\""),
                                                         text_after(line, "\"kind\":\"") == "login"});
  }
  for (auto& [source, came] : visits) std::ranges::sort(came, {}, &Came::at);
  return visits;
}

bool SharedFleet::is_polled_since(std::int64_t ns) const {
  return fleet_.count("all_polled_since") > static_cast<std::uint64_t>(ns);
}

bool SharedFleet::has_lost_one() {
  return std::ranges::any_of(members_, [](auto& member) { return member->process && !member->process->is_running(); });
}

bool SharedFleet::wait_until_polled_since(std::int64_t ns) {
  return eventually([&] { return is_polled_since(ns) || has_lost_one(); }) && !has_lost_one();
}

std::vector<double> SharedFleet::taken_over_after(std::int64_t at, std::size_t from) {
  std::vector<double> seconds;
  for (const auto& [source, came] : visits()) {
    const auto next = std::ranges::find_if(came, [&](const Came& c) { return c.at > at; });
    if (next == came.begin() || std::prev(next)->who != door(from) || std::prev(next)->at < at - 5 * kSecondNs)
      continue;
    const auto other = std::find_if(next, came.end(), [&](const Came& c) { return c.who != door(from); });
    const bool must_wait = other != came.end() && std::any_of(came.begin(), next, [&](const Came& c) {
                             return c.is_login && c.who == other->who && c.at > at - 30 * kSecondNs;
                           });
    if (must_wait) continue;
    seconds.push_back(other == came.end() ? -1 : static_cast<double>(other->at - at) / kSecondNs);
  }
  return seconds;
}

void SharedFleet::show_judge() {
  std::ofstream out(place_.output(), std::ios::binary | std::ios::trunc);
  for (const Message& message : outside.read(topic)) out << message.value << '\n';
}

bool SharedFleet::agrees() {
  show_judge();
  return fleet_.agrees({});
}

// Who was killed waits half a minute before it logs in again.
bool SharedFleet::wait_until_all_is_read() {
  constexpr std::chrono::minutes kLong{20};  // a fleet that evolves through 60 faults may do so long after the last one
  return eventually([&] { return fleet_.is_caught_up(); }, kLong);
}

std::vector<std::string> SharedFleet::finish(std::uint64_t rate, std::string& table) {
  std::vector<std::string> wrong;
  if (!wait_until_all_is_read()) wrong.push_back("not everything was read");
  if (!eventually([&] { return agrees(); })) wrong.push_back("not everything was committed");
  for (std::size_t member = 0; member < size(); ++member) {
    const int status = runs(member) ? stop(member) : 0;
    if (status != 0) wrong.push_back(fmt::format("member {} ended with {}", member, status));
  }
  show_judge();
  if (!fleet_.agrees_at_the_end({}, table)) wrong.push_back("the output does not agree");
  std::vector<std::string> limits{"--rate", std::to_string(rate), "--members", std::to_string(size())};
  limits.insert(limits.end(), moments_.begin(), moments_.end());
  std::string shared;
  if (!fleet_.is_shared_well(limits, shared)) wrong.push_back("the fleet was not treated as by one daemon");
  table += '\n' + shared;
  return wrong;
}

std::string SharedFleet::everything_said() const {
  std::string all;
  for (std::size_t member = 0; member < size(); ++member) {
    for (int life = 1;; ++life) {
      const std::string said = read_text(members_[member]->place / fmt::format("{}.err", life));
      if (said.empty()) break;
      all += fmt::format("member {}, its command no. {}:\n{}", member, life, said);
    }
  }
  return all;
}

}  // namespace sessionlogd::test
