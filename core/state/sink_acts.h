// What is done to a sink beside running it: each kind of sink says for each of these what it does, or why it cannot.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/state/delivered_reader.h"
#include "core/state/sink.h"

namespace sessionlogd {

// One thing that was looked at with a connection.
struct SinkFinding {
  std::string what;
  std::string said;   // "12 partitions, 3 replicas, min.insync.replicas 2"
  std::string fault;  // "" = none
  bool warning = false;
};

// State that was made from what was delivered.
struct RebuiltState {
  std::string from;   // which part of the output it knows: "from the output's file 3 on"
  std::string notes;  // in lines: what it does not know, and where the state before is
};

// What cannot be done, or fails, throws as Sink::recover() does; what() says why.
class SinkActs {
 public:
  virtual ~SinkActs() = default;

  // As make_sink() and make_delivered_reader(). Making it checks all that can be checked without a connection.
  virtual std::unique_ptr<Sink> make(std::stop_token stop) const = 0;
  virtual std::unique_ptr<DeliveredReader> make_reader() const = 0;

  // With a connection, without disturbing a daemon that runs. Empty: there is nothing to connect to.
  virtual std::vector<SinkFinding> check_connection() const = 0;

  // The rows as they are committed by now, also while a daemon runs, and in lines where they are.
  virtual std::string read_state(StateVisitor& into) const = 0;

  // State that knows nothing: all that the sources still hold is delivered again. In lines, what was done.
  virtual std::string init_state() const = 0;

  // State that knows every event of the output that can be read; `into` is told of them as in Sink::recover().
  virtual RebuiltState rebuild_state(StateVisitor& into) const = 0;
};

}  // namespace sessionlogd
