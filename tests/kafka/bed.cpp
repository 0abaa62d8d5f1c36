#include "tests/kafka/bed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

namespace sessionlogd::test {
namespace {

// Brokers on a busy machine may time out once more after all was delivered. A daemon that is stopped just then says by
// its status that it could not write its last states.
bool takes_events(const Child& daemon) {
  const std::string said = daemon.err();
  const std::size_t trouble = said.rfind(" cannot take events now");
  return trouble == said.npos || said.find(" takes events again", trouble) != said.npos;
}

}  // namespace

bool says(const Child& daemon, const std::string& text) {
  return eventually([&] { return daemon.err().find(text) != std::string::npos; });
}

Bed::Bed(Cluster& cluster, const std::string& name, std::vector<std::string> options, const std::string& keys)
    : topic(name), state_topic(name + "-state"), outside(cluster.addresses()), fleet(place, std::move(options)) {
  outside.create_topic(topic, 6);
  place.edit_config(fmt::format("type = \"file\"\npath = \"{}\"\n", place.output().string()),
                    fmt::format("type = \"kafka\"\nbrokers = \"{}\"\ntopic = \"{}\"\ntransactional_id = \"{}\"\n{}\n",
                                cluster.addresses(), topic, topic, keys));
}

std::vector<Message> Bed::read() {
  std::vector<Message> messages = outside.read(topic);
  std::ofstream out(place.output(), std::ios::binary | std::ios::trunc);
  for (const Message& message : messages) out << message.value << '\n';
  return messages;
}

bool Bed::agrees(const std::vector<std::string>& how) {
  read();
  return fleet.agrees(how);
}

void Bed::finish(Child& daemon, const std::vector<std::string>& how) {
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return agrees(how) && takes_events(daemon); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  read();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(how, table)) << table << daemon.err();
}

}  // namespace sessionlogd::test
