// What the running daemon does at its operator's word, as it comes through the control socket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/batch_queue.h"
#include "core/committer.h"
#include "core/shard.h"
#include "core/timestamp.h"

namespace sessionlogd {

class ControlCommands {
 public:
  // All must outlive this. `io` is the main thread's.
  ControlCommands(boost::asio::io_context& io, std::span<const std::unique_ptr<Shard>> shards, const BatchQueue& queue,
                  const Committer& committer)
      : io_(io), shards_(shards), queue_(queue), committer_(committer) {}

  // "ok ..." or "failed ...".
  boost::asio::awaitable<std::string> answer(std::string line);

 private:
  boost::asio::awaitable<std::string> backfill(std::string source, Instant since);
  boost::asio::awaitable<bool> all_committed();

  boost::asio::io_context& io_;
  const std::span<const std::unique_ptr<Shard>> shards_;
  const BatchQueue& queue_;
  const Committer& committer_;
};

}  // namespace sessionlogd
