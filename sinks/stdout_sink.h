// Writes events to standard output and keeps no state: for trying things out. After a restart everything is delivered
// again.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/state/sink.h"

namespace sessionlogd {

class StdoutSink : public Sink {
 public:
  // `fd` is another one in tests. SIGPIPE must be ignored in this process.
  explicit StdoutSink(int fd = 1) : fd_(fd) {}

  void recover(StateVisitor&) override {}

  // kRefused when the reader has gone.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
  std::string_view name() const override { return "file:-"; }

 private:
  int fd_;
  std::size_t taken_ = 0;  // bytes of the batches on offer that were written by a commit() that failed later
};

}  // namespace sessionlogd
