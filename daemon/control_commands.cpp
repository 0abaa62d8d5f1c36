#include "daemon/control_commands.h"

#include <fmt/core.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <vector>

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

// Runs `task` on the shard's thread; returns when it has run.
asio::awaitable<void> run_on(asio::io_context& io, Shard& shard, std::function<void()> task) {
  auto done = std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max());
  shard.post([&io, done, task = std::move(task)] {
    task();
    asio::post(io, [done] { done->cancel(); });
  });
  boost::system::error_code ignored;
  co_await done->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

asio::awaitable<std::string> ControlCommands::answer(std::string line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 3 && words[0] == "backfill") {
    const std::optional<ReadTime> since = parse_rfc3339(words[2]);
    if (!since) co_return fmt::format("failed \"{}\" is no time of RFC 3339", words[2]);
    co_return co_await backfill(words[1], since->instant);
  }
  co_return "failed this daemon does not know the command; is it of another version?";
}

asio::awaitable<std::string> ControlCommands::backfill(std::string source, Instant since) {
  for (const auto& shard : shards_) {
    for (const auto& poller : shard->sources()) {
      if (poller->settings().name != source) continue;
      if (!poller->settings().sessions.empty())
        co_return fmt::format("failed source {} has a fixed list of sessions: there is nothing to list", source);
      const auto floor = std::make_shared<Instant>();
      std::function<void()> lower = [floor, since, it = poller.get()] { *floor = it->backfill(since); };
      co_await run_on(io_, *shard, std::move(lower));
      const bool committed = co_await all_committed();
      std::string said =
          fmt::format("{} source={} is listed again from {}", committed ? "ok" : "failed", source, text_of(since));
      said += since < *floor ? fmt::format(
                                   "; nothing is repeated of sessions with entries after {}, what was delivered of "
                                   "older ones is delivered again under the same event.id",
                                   text_of(*floor))
                             : "; nothing that was delivered is repeated";
      if (!committed) said += "; but the sink does not commit: a restart before it does forgets this";
      co_return said;
    }
  }
  co_return fmt::format("failed no source is named {}", source);
}

// Whether all that has been pushed is durable, within half a minute: it is in the next commit but one at the latest.
asio::awaitable<bool> ControlCommands::all_committed() {
  const std::uint64_t enough = committer_.commits() + 2;
  for (int look = 0; look < kLooksForCommit; ++look) {
    if (queue_.bytes() == 0 || committer_.commits() >= enough) co_return true;
    asio::steady_timer pause(io_, kLookAgain);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return false;
}

}  // namespace sessionlogd
