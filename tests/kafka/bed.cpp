#include "tests/kafka/bed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "tests/daemon/admin/admin.h"

namespace sessionlogd::test {
namespace {

// Brokers on a busy machine may time out once more after all was delivered. Where that comes and goes its end is said
// late.
bool takes_events(const Workplace& place) {
  return get_body(place, "/status").find(R"("state":"ok","error":"","last_commit":)") != std::string::npos;
}

// A daemon waits two seconds at its end for brokers that are slow just then. If that was not enough it says so, and by
// its status, and what it could not write is read again at the next start.
bool was_in_vain(const Child& daemon, int status) {
  return status == 1 && daemon.err().find(" did not take the last events before the end") != std::string::npos;
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
  open_admin_address(place);
}

bool Bed::is_told(const Child& daemon, const std::string& trouble, std::size_t since) const {
  return eventually([&] {
    return daemon.err().find(trouble, since) != std::string::npos ||
           get_body(place, "/status").find(trouble) != std::string::npos;
  });
}

bool Bed::is_well() const {
  return eventually([&] { return takes_events(place); });
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
  const int status = end(daemon, how);
  if (was_in_vain(daemon, status)) {
    EXPECT_TRUE(eventually([&] {
      Child next = start();
      EXPECT_TRUE(says(next, " started: ")) << next.err();
      const int again = end(next, how);
      EXPECT_TRUE(again == 0 || was_in_vain(next, again)) << next.err();
      return again == 0;
    })) << daemon.err();
  } else {
    EXPECT_EQ(status, 0) << daemon.err();
  }
  read();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(how, table)) << table << daemon.err();
}

int Bed::end(Child& daemon, const std::vector<std::string>& how) {
  EXPECT_TRUE(eventually([&] { return agrees(how) && takes_events(place); })) << daemon.err();
  daemon.signal(SIGTERM);
  return daemon.wait();
}

}  // namespace sessionlogd::test
