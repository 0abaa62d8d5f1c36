// Writes events to standard output and keeps no state: for trying things out. After a restart everything is delivered
// again.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string_view>
#include <utility>

#include "core/base/patience.h"
#include "core/state/sink.h"

namespace sessionlogd {

class StdoutSink : public Sink {
 public:
  // `fd` is another one in tests. SIGPIPE must be ignored in this process.
  explicit StdoutSink(std::stop_token stop = {}, int fd = 1) : stop_(std::move(stop)), fd_(fd) {}

  void recover(StateVisitor&) override {}

  // kRefused when the reader has gone, kTryLater when it takes nothing for some seconds, or for one once we stop.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
  std::string_view name() const override { return "file:-"; }

 private:
  // How much of `bytes` was written, all of it unless `error` says why not.
  std::size_t write_all(std::string_view bytes, Patience& patience, int& error) const;

  std::stop_token stop_;
  int fd_;
  std::size_t taken_ = 0;  // bytes of the batches on offer that were written by a commit() that failed later
};

}  // namespace sessionlogd
