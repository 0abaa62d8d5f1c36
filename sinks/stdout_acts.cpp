#include "sinks/stdout_acts.h"

#include <stdexcept>
#include <utility>

#include "sinks/stdout_sink.h"

namespace sessionlogd {
namespace {

[[noreturn]] void refuse() {
  throw std::runtime_error("sink.path is \"-\": standard output, of which no state is kept");
}

class StdoutActs : public SinkActs {
 public:
  std::unique_ptr<Sink> make(std::stop_token stop) const override {
    return std::make_unique<StdoutSink>(std::move(stop));
  }
  std::unique_ptr<DeliveredReader> make_reader() const override { return nullptr; }
  std::vector<SinkFinding> check_connection() const override { return {}; }
  std::string read_state(StateVisitor&) const override { refuse(); }
  std::string init_state() const override { refuse(); }
  RebuiltState rebuild_state(StateVisitor&) const override { refuse(); }
};

}  // namespace

std::unique_ptr<SinkActs> make_acts(const StdoutSinkSettings&, const Settings&) {
  return std::make_unique<StdoutActs>();
}

}  // namespace sessionlogd
