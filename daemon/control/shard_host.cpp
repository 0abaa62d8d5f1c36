#include "daemon/control/shard_host.h"

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace sessionlogd {

namespace asio = boost::asio;

void ShardHost::add(NewSource source, std::function<void(std::string unusable)> added) {
  auto given = std::make_shared<NewSource>(std::move(source));
  shard_.post([this, given = std::move(given), added = std::move(added)] {
    asio::post(main_, [added, unusable = shard_.sources().add(std::move(*given))] { added(unusable); });
  });
}

void ShardHost::remove(std::string id, std::uint64_t life, ShardSources::Leaves how,
                       std::function<void(std::optional<RestoredSource>)> removed) {
  shard_.post([this, id = std::move(id), life, how, removed = std::move(removed)] {
    shard_.sources().remove(id, life, how, [this, removed](std::optional<RestoredSource> known) {
      auto state = std::make_shared<std::optional<RestoredSource>>(std::move(known));
      asio::post(main_, [removed, state] { removed(std::move(*state)); });
    });
  });
}

}  // namespace sessionlogd
