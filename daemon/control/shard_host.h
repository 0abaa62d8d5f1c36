// A shard as the main thread's source set sees it: there and back by the two event loops.
#pragma once

#include <boost/asio/io_context.hpp>

#include "core/polling/shard.h"
#include "daemon/control/source_host.h"

namespace sessionlogd {

class ShardHost : public SourceHost {
 public:
  // Both must outlive this, and this what it was asked.
  ShardHost(boost::asio::io_context& main, Shard& shard) : main_(main), shard_(shard) {}

  void add(NewSource source, std::function<void(std::string unusable)> added) override;
  void remove(std::string id, std::uint64_t life, ShardSources::Leaves how,
              std::function<void(std::optional<RestoredSource>)> removed) override;

 private:
  boost::asio::io_context& main_;
  Shard& shard_;
};

}  // namespace sessionlogd
