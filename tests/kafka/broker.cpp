#include "tests/kafka/broker.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace sessionlogd::test {
namespace fs = std::filesystem;
namespace {

using boost::asio::ip::tcp;

constexpr const char* kJava = "/usr/bin/java";
constexpr std::string_view kFolder = KAFKA_FOLDER;  // what ./dev fetched and prepare_broker made

bool takes_connections(unsigned short port) {
  boost::asio::io_context io;
  tcp::socket socket(io);
  boost::system::error_code failed;
  socket.connect({boost::asio::ip::address_v4::loopback(), port}, failed);
  return !failed;
}

std::vector<std::string> java(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kJava, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                       fmt::format("-XX:SharedArchiveFile={}/classes.jsa", kFolder), "-cp",
                                       fmt::format("{}/libs/*", kFolder)});
  return arguments;
}

}  // namespace

bool Cluster::is_available(std::string& why_not) {
  if (!fs::exists(kJava)) {
    why_not = std::string("no Java at ") + kJava;
  } else if (!fs::exists(fs::path(kFolder) / "libs/kafka_2.13-4.1.0.jar")) {
    why_not = fmt::format("no broker in {}: ./dev kafka puts it there", kFolder);
  } else {
    return true;
  }
  return false;
}

Cluster::Cluster(const ClusterSettings& settings) {
  std::string name = (fs::temp_directory_path() / "kafka_test.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  std::vector<Listener> listeners{{"PLAINTEXT", "PLAINTEXT"}, {"CONTROLLER", "PLAINTEXT"}};
  listeners.insert(listeners.end(), settings.listeners.begin(), settings.listeners.end());

  std::string voters, protocols;
  for (const Listener& listener : listeners)
    protocols += fmt::format("{}{}:{}", protocols.empty() ? "" : ",", listener.name, listener.protocol);
  std::vector<std::string> ways_in;  // of each broker
  while (size() < settings.brokers) {
    Broker& broker = brokers_.emplace_back();
    std::string& ways = ways_in.emplace_back();
    for (const Listener& listener : listeners) {
      const unsigned short port = ports_.emplace_back().number();
      if (broker.port == 0) broker.port = port;
      const std::string address = fmt::format("127.0.0.1:{}", port);
      std::string& all = addresses_[listener.name];
      all += (all.empty() ? "" : ",") + address;
      ways += fmt::format("{}{}://{}", ways.empty() ? "" : ",", listener.name, address);
      if (listener.name == "CONTROLLER")
        voters += fmt::format("{}{}@{}", voters.empty() ? "" : ",", brokers_.size(), address);
    }
  }
  const int replicas = std::min(settings.brokers, 3);
  for (std::size_t i = 0; i < brokers_.size(); ++i) {
    Broker& broker = brokers_[i];
    broker.directory = directory_ / std::to_string(i + 1);
    fs::create_directory(broker.directory);
    // Beside what makes one broker enough: a quorum with nothing to say writes nothing, and little is set aside for the
    // little that a test writes (usually 10 MiB for each index of a segment, 128 MiB for the cleaner).
    std::ofstream(broker.directory / "server.properties") << fmt::format(
        "process.roles=broker,controller\nnode.id={0}\ncontroller.quorum.voters={1}\nlisteners={2}\n"
        "controller.listener.names=CONTROLLER\nlistener.security.protocol.map={3}\nlog.dirs={4}/data\n"
        "offsets.topic.replication.factor={5}\ntransaction.state.log.replication.factor={5}\n"
        "transaction.state.log.min.isr={6}\ntransaction.state.log.num.partitions=4\n"
        "default.replication.factor={5}\nmin.insync.replicas={6}\nauto.create.topics.enable=false\n"
        "offsets.topic.num.partitions=4\ntransaction.abort.timed.out.transaction.cleanup.interval.ms=1000\n"
        "controlled.shutdown.enable=false\nmetadata.max.idle.interval.ms=0\nlog.index.size.max.bytes=65536\n"
        "log.cleaner.dedupe.buffer.size=2097152\n{7}\n",
        i + 1, voters, ways_in[i], protocols, broker.directory.string(), replicas, replicas > 1 ? 2 : 1,
        settings.properties);
    const fs::path formatted = fs::path(kFolder) / "storage" / std::to_string(i + 1);
    if (settings.storage.empty() && fs::exists(formatted)) {
      fs::copy(formatted, broker.directory / "data");
    } else {
      format(broker, settings.storage);
    }
    start(broker);
  }
  wait_ready();
}

Cluster::~Cluster() {
  // What they hold is of no use any more: no time for an orderly end.
  for (int i = 0; i < size(); ++i) kill(i);
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Cluster::format(const Broker& broker, std::vector<std::string> options) const {
  options.insert(options.begin(), {"kafka.tools.StorageTool", "format", "-t", "c2Vzc2lvbmxvZ2QtdGVzdA", "-c",
                                   (broker.directory / "server.properties").string()});
  const fs::path said = broker.directory / "format.out";
  Child format(java(std::move(options)), {said, said});
  if (format.wait() != 0) throw std::runtime_error("the broker's storage: " + format.out());
}

void Cluster::start(Broker& broker) {
  broker.process = std::make_unique<Child>(java({"kafka.Kafka", (broker.directory / "server.properties").string()}),
                                           Child::Streams{broker.directory / "out", broker.directory / "out"});
}

void Cluster::signal(int broker, int number) { brokers_.at(static_cast<std::size_t>(broker)).process->signal(number); }

void Cluster::kill(int broker) {
  signal(broker, SIGKILL);
  brokers_.at(static_cast<std::size_t>(broker)).process->wait();
}

void Cluster::restart(int broker) { start(brokers_.at(static_cast<std::size_t>(broker))); }

void Cluster::reconfigure(const std::string& from, const std::string& to) {
  for (const Broker& broker : brokers_) {
    const fs::path file = broker.directory / "server.properties";
    std::string properties = read_text(file);
    properties.replace(properties.find(from), from.size(), to);
    std::ofstream(file) << properties;
  }
}

void Cluster::wait_ready() {
  for (Broker& broker : brokers_) {
    if (!eventually([&] { return takes_connections(broker.port) || !broker.process->is_running(); }) ||
        !broker.process->is_running()) {
      throw std::runtime_error("the broker does not start: " + broker.process->out());
    }
  }
}

}  // namespace sessionlogd::test
