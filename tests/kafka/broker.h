// Apache Kafka in KRaft mode, one or more brokers on loopback, each a JVM process of its own.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/daemon/child.h"
#include "tests/daemon/held_port.h"

namespace sessionlogd::test {

// A further way in to every broker.
struct Listener {
  std::string name, protocol;  // "SCRAM", "SASL_SSL"
};

struct ClusterSettings {
  int brokers = 1;
  std::string properties = {};            // of every broker, beside our own
  std::vector<Listener> listeners = {};   // beside the plain one, which needs no credentials
  std::vector<std::string> storage = {};  // options for its formatting
};

class Cluster {
 public:
  // Whether the jars and a Java are there; `why_not` says what is missing.
  static bool is_available(std::string& why_not);

  // Formatted, started and answering when it returns.
  explicit Cluster(const ClusterSettings& settings);
  ~Cluster();

  const std::string& addresses() const { return addresses_.at("PLAINTEXT"); }
  const std::string& addresses(const std::string& listener) const { return addresses_.at(listener); }
  int size() const { return static_cast<int>(brokers_.size()); }

  // Of one broker, 0 is the first.
  void signal(int broker, int number);
  void kill(int broker);                                             // SIGKILL
  void restart(int broker);                                          // after kill(); returns at once
  void reconfigure(const std::string& from, const std::string& to);  // in every broker's properties, for its next start
  void wait_ready();                                                 // until every broker takes connections

 private:
  struct Broker {
    std::filesystem::path directory;
    unsigned short port = 0;  // of the plain listener
    std::unique_ptr<Child> process;
  };
  void format(const Broker& broker, std::vector<std::string> options) const;
  void start(Broker& broker);

  std::filesystem::path directory_;
  std::vector<HeldPort> ports_;                   // a broker needs its own again after a kill
  std::map<std::string, std::string> addresses_;  // by listener
  std::vector<Broker> brokers_;
};

}  // namespace sessionlogd::test
