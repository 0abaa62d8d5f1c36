// What the running daemon does at its operator's word, as it comes through the control socket.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/async/task.h"
#include "core/base/timestamp.h"
#include "core/polling/shard.h"
#include "core/state/batch_queue.h"
#include "daemon/control/reload.h"
#include "daemon/control/source_set.h"

namespace sessionlogd {

class ControlCommands {
 public:
  // On which host of a group a source is polled, "" = that is not known; nullopt: here.
  using Elsewhere = std::function<std::optional<std::string>(const SourceSettings&)>;

  // All must outlive this. `io` is the main thread's; the shards are those of the sources' places.
  ControlCommands(boost::asio::io_context& io, const SourceSet& sources, std::span<const std::unique_ptr<Shard>> shards,
                  Reload& reload, Elsewhere elsewhere)
      : io_(io), sources_(sources), shards_(shards), reload_(reload), elsewhere_(std::move(elsewhere)) {}

  // "ok ..." or "failed ...".
  Task<std::string> answer(std::string line);

 private:
  // What to do with the sessions of a source that began at a time or later, or before.
  enum class Act { kSince, kSinceAgain, kNoneBefore };
  Task<std::string> backfill(std::string name, Instant at, Act act);
  Task<bool> all_committed(std::shared_ptr<const BatchQueue> queue);

  boost::asio::io_context& io_;
  const SourceSet& sources_;
  const std::span<const std::unique_ptr<Shard>> shards_;
  Reload& reload_;
  const Elsewhere elsewhere_;
};

}  // namespace sessionlogd
