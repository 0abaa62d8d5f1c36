// Where sources live: what a SourceSet asks of a shard, from the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/polling/shard_sources.h"

namespace sessionlogd {

class SourceHost {
 public:
  virtual ~SourceHost() = default;

  // As ShardSources has them, in the order in which they are asked for. Both answer, on the main thread, from its loop
  // and not from the call.
  virtual void add(NewSource source, std::function<void(std::string unusable)> added) = 0;
  virtual void remove(std::string id, std::uint64_t life, ShardSources::Leaves how,
                      std::function<void(std::optional<RestoredSource>)> removed) = 0;
};

}  // namespace sessionlogd
