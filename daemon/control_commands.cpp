#include "daemon/control_commands.h"

#include <fmt/core.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/task.h"
#include "daemon/run_on_shard.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLookAgain{20};
constexpr int kLooksForCommit = 1'500;  // 30 s

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::string text_of(Instant at) {
  std::string text;
  append_rfc3339(text, at);
  return text;
}

}  // namespace

Task<std::string> ControlCommands::answer(std::string line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 3 && words[0] == "backfill") {
    const std::optional<ReadTime> since = parse_rfc3339(words[2]);
    if (!since) co_return fmt::format("failed \"{}\" is no time of RFC 3339", words[2]);
    co_return co_await backfill(words[1], since->instant);
  }
  if (words.size() == 1 && words[0] == "reload") co_return co_await reload_.run();
  co_return "failed this daemon does not know the command; is it of another version?";
}

Task<std::string> ControlCommands::backfill(std::string name, Instant since) {
  const SourceSet::Source* source = sources_.find(name);
  if (source == nullptr) co_return fmt::format("failed no source is named {}", name);
  if (!source->settings->sessions.empty())
    co_return fmt::format("failed source {} has a fixed list of sessions: there is nothing to list", name);
  Shard& shard = sources_.shard_of(*source);
  const auto floor = std::make_shared<std::optional<Instant>>();
  std::function<void()> lower = [floor, since, &shard, id = source->settings->id] {
    if (SourcePoller* poller = shard.find(id)) *floor = poller->backfill(since);
  };
  co_await run_on(io_, shard, std::move(lower));
  if (!*floor)
    co_return fmt::format("failed source {} is being reloaded, or parked (see `sessionlogd status`); try again", name);
  const bool committed = co_await all_committed();
  std::string said =
      fmt::format("{} source={} is listed again from {}", committed ? "ok" : "failed", name, text_of(since));
  said += since < **floor ? fmt::format(
                                "; nothing is repeated of sessions with entries after {}, what was delivered of "
                                "older ones is delivered again under the same event.id",
                                text_of(**floor))
                          : "; nothing that was delivered is repeated";
  if (!committed) said += "; but the sink does not commit: a restart before it does forgets this";
  co_return said;
}

// Whether all that has been pushed is durable, within half a minute: it is in the next commit but one at the latest.
Task<bool> ControlCommands::all_committed() {
  const std::uint64_t enough = committer_.commits() + 2;
  for (int look = 0; look < kLooksForCommit; ++look) {
    if (queue_.bytes() == 0 || committer_.commits() >= enough) co_return true;
    asio::steady_timer pause(io_, kLookAgain);
    co_await pause.async_wait(use_task);
  }
  co_return false;
}

}  // namespace sessionlogd
