// Apache Kafka in KRaft mode, one or more brokers on loopback, each a JVM process of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/daemon/child.h"

namespace sessionlogd::test {

class Cluster {
 public:
  // Whether the jars and a Java are there; `why_not` says what is missing.
  static bool is_available(std::string& why_not);

  // Formatted, started and answering when it returns. `more` is added to every broker's properties.
  explicit Cluster(int brokers, const std::string& more = "");
  ~Cluster();

  const std::string& addresses() const { return addresses_; }
  int size() const { return static_cast<int>(brokers_.size()); }

  // Of one broker, 0 is the first.
  void signal(int broker, int number);
  void kill(int broker);     // SIGKILL
  void restart(int broker);  // after kill(); returns at once
  void wait_ready();         // until every broker takes connections

 private:
  struct Broker {
    std::filesystem::path directory;
    unsigned short port = 0;
    std::unique_ptr<Child> process;
  };
  void start(Broker& broker);

  std::filesystem::path directory_;
  std::string addresses_;
  std::vector<Broker> brokers_;
};

}  // namespace sessionlogd::test
