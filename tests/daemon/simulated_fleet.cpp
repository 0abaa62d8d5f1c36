#include "tests/daemon/simulated_fleet.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace sessionlogd::test {
namespace {

namespace asio = boost::asio;

std::vector<std::string> serve_command(const Workplace& place, std::vector<std::string> options) {
  options.insert(options.begin(), {FLEET_SIM, "serve", "--out", place.directory().string()});
  return options;
}

std::string word_after(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) throw std::runtime_error("the fleet does not say " + name);
  const std::size_t begin = at + name.size();
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

// What stands in quotes behind the first `key`; "" where there is none.
std::string quoted(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

std::string get(unsigned short port) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  boost::system::error_code failed;
  socket.connect({asio::ip::address_v4::loopback(), port}, failed);
  if (failed) return {};
  asio::write(socket, asio::buffer(std::string("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")), failed);
  std::string response;
  asio::read(socket, asio::dynamic_buffer(response), failed);
  return response;
}

}  // namespace

double evolution_seconds() {
  const char* given = std::getenv("SESSIONLOGD_E2E_SECONDS");
  return given != nullptr ? std::strtod(given, nullptr) : 15;
}

std::string format_of_campaigns() {
  const char* given = std::getenv("SESSIONLOGD_FORMAT");
  return fmt::format("format = \"{}\"\n", given != nullptr ? given : "ecs");
}

const char* version_before() { return std::getenv("SESSIONLOGD_BEFORE"); }

SimulatedFleet::SimulatedFleet(Workplace& place, std::vector<std::string> options)
    : place_(place), child_(place.start_program(serve_command(place, std::move(options)))) {
  if (!eventually([&] { return child_.out().find('\n') != std::string::npos || !child_.is_running(); }) ||
      !child_.is_running()) {
    throw std::runtime_error("the fleet does not start: " + child_.err());
  }
  const std::string ready = child_.out();
  std::cout << ready;
  first_url_ = word_after(ready, "first=");
  const std::string control = word_after(ready, "control=");
  control_port_ = static_cast<unsigned short>(std::stoi(control.substr(control.rfind(':') + 1)));
}

std::string SimulatedFleet::first_source() const { return quoted(read_text(place_.config()), "\nname = \""); }

std::string SimulatedFleet::format() const {
  const std::string format = quoted(read_text(place_.config()), "\nformat = \"");
  return format.empty() ? "ecs" : format;
}

bool SimulatedFleet::says(const std::string& text) const { return get(control_port_).find(text) != std::string::npos; }

std::uint64_t SimulatedFleet::count(const std::string& name) const {
  return std::stoull(word_after(get(control_port_), "\"" + name + "\":"));
}

std::size_t SimulatedFleet::ledgers_written() const {
  std::size_t count = 0;
  for (const std::string& line : Workplace::lines_of(child_.out())) count += line == "ledger written";
  return count;
}

bool SimulatedFleet::agrees(const std::vector<std::string>& how, std::string* table) {
  return write_books() && reckon(how, table);
}

bool SimulatedFleet::write_books() {
  const std::size_t before = ledgers_written();
  child_.signal(SIGUSR1);
  return eventually([&] { return ledgers_written() > before; });
}

bool SimulatedFleet::agrees_at_the_end(const std::vector<std::string>& how, std::string& table) {
  child_.signal(SIGTERM);
  if (child_.wait() != 0) table = "the fleet failed: " + child_.err();
  return reckon(how, &table);
}

bool SimulatedFleet::reckon(const std::vector<std::string>& how, std::string* table) {
  return judge({FLEET_SIM, "reckon", "--out", place_.directory().string(), "--format", format()}, how, table);
}

bool SimulatedFleet::is_shared_well(const std::vector<std::string>& limits, std::string& table) {
  return judge({FLEET_SIM, "sharing", "--out", place_.directory().string()}, limits, &table);
}

bool SimulatedFleet::judge(std::vector<std::string> command, const std::vector<std::string>& more, std::string* table) {
  command.insert(command.end(), more.begin(), more.end());
  Child judge = place_.start_program(std::move(command));
  const int status = judge.wait();
  if (table != nullptr) *table = judge.out() + judge.err();
  return status == 0;
}

void expect_little_of_the_last(const Workplace& place, int count) {
  std::string config = read_text(place.config());
  for (std::size_t at = config.npos; count > 0; --count) {
    at = config.rfind("[[source]]\n", at) + 11;
    config.insert(at, "poll = { timeout = \"1s\" }\n");
    at -= 12;
  }
  place.write("sessionlogd.toml", config);
}

}  // namespace sessionlogd::test
