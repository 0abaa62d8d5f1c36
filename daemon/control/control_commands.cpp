#include "daemon/control/control_commands.h"

#include <fmt/core.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "daemon/control/run_on_shard.h"

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

// "backfill NAME TIME", "backfill-again NAME TIME", "none-before NAME TIME", "reload".
Task<std::string> ControlCommands::answer(std::string line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 1 && words[0] == "reload") co_return co_await reload_.run();
  const std::optional<Act> act = words.size() != 3              ? std::nullopt
                                 : words[0] == "backfill"       ? std::optional(Act::kSince)
                                 : words[0] == "backfill-again" ? std::optional(Act::kSinceAgain)
                                 : words[0] == "none-before"    ? std::optional(Act::kNoneBefore)
                                                                : std::nullopt;
  if (!act) co_return "failed this daemon does not know the command; is it of another version?";
  const std::optional<ReadTime> at = parse_rfc3339(words[2]);
  if (!at) co_return fmt::format("failed \"{}\" is no time of RFC 3339", words[2]);
  co_return co_await backfill(words[1], at->instant, *act);
}

Task<std::string> ControlCommands::backfill(std::string name, Instant at, Act act) {
  const SourceSet::Source* source = sources_.find(name);
  if (source == nullptr) co_return fmt::format("failed no source is named {}", name);
  if (!source->settings->sessions.empty())
    co_return fmt::format("failed source {} has a fixed list of sessions: there is nothing to list", name);
  if (const std::optional<std::string> host = elsewhere_(*source->settings)) {
    co_return fmt::format("failed source {} is polled by another member of the group{}: run this command there", name,
                          host->empty() ? "" : ", on host " + *host);
  }
  const auto sessions = std::make_shared<std::optional<std::size_t>>();
  std::shared_ptr<const BatchQueue> queue;
  if (const SourceSet::Place* place = sources_.place_of(*source)) {
    queue = place->queue;
    Shard& shard = *shards_[place->host];
    std::function<void()> tell = [sessions, at, act, &shard, id = source->settings->id, life = queue->life()] {
      SourcePoller* poller = shard.sources().find(id, life);
      if (poller == nullptr) return;
      *sessions = act == Act::kNoneBefore ? poller->leave_alone(at) : poller->backfill(at, act == Act::kSinceAgain);
    };
    co_await run_on(io_, shard, std::move(tell));
  }
  if (!*sessions)
    co_return fmt::format("failed source {} is being reloaded, or parked (see `sessionlogd status`); try again", name);
  const bool committed = co_await all_committed(queue);
  std::string said = act == Act::kNoneBefore
                         ? fmt::format("source={}: {} waiting sessions that began before {} are left alone", name,
                                       **sessions, text_of(at))
                         : fmt::format(
                               "source={} is listed again from {}; {} sessions that were left alone are news, "
                               "nothing that was delivered is repeated",
                               name, text_of(at), **sessions);
  if (!committed) said += "; but the sink does not commit: a restart before it does forgets this";
  co_return (committed ? "ok " : "failed ") + said;
}

// Whether all that has been pushed is durable, within half a minute.
Task<bool> ControlCommands::all_committed(std::shared_ptr<const BatchQueue> queue) {
  const std::uint64_t enough = queue->pushed();
  for (int look = 0; look < kLooksForCommit && !queue->is_over(); ++look) {
    if (queue->committed() >= enough) co_return true;
    asio::steady_timer pause(io_, kLookAgain);
    co_await pause.async_wait(use_task);
  }
  co_return false;
}

}  // namespace sessionlogd
