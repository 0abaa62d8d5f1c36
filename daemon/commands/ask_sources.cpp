#include "daemon/commands/ask_sources.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <memory>
#include <random>

#include "core/async/spawn.h"
#include "core/http/curl_client.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

// To be admitted, and to be answered.
constexpr std::chrono::milliseconds kMostToLogOut = 2 * ApiClient::kLogOutTimeout;

// A source that is asked, and whether the time for that is over.
struct Asking {
  std::unique_ptr<ApiClient> api;
  bool is_late = false, has_responded = false;
};

Task<void> ask_one(Asking& source, const AskSource& ask, std::size_t number, std::string& fault, std::size_t& asked) {
  std::string found = co_await ask(*source.api, number);
  source.has_responded = true;
  if (!source.is_late) fault = std::move(found);
  source.api->stop();
  co_await source.api->log_out(ApiClient::kLogOutTimeout);
  --asked;
}

// Their requests end, and with them what waits for those; then their tokens are handed back.
void end_late(std::vector<Asking>& sources) {
  for (Asking& source : sources) {
    if (source.api == nullptr || source.has_responded) continue;
    source.is_late = true;
    source.api->stop();
  }
}

}  // namespace

std::vector<std::string> ask_sources(const Settings& settings, const AskSource& ask,
                                     std::optional<std::chrono::seconds> most) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> faults(settings.sources.size(), "no response in time");
  std::size_t asked = 0;
  asio::io_context io{1};
  CurlClient http(io);
  std::mt19937_64 random{std::random_device{}()};
  const Manners manners{.held_back = HeldBack::kFails};
  std::vector<Asking> sources(faults.size());
  for (std::size_t number = 0; number < faults.size(); ++number) {
    try {
      sources[number].api = std::make_unique<ApiClient>(io, http, settings.sources[number], random, manners);
      spawn(io, ask_one(sources[number], ask, number, faults[number], asked));
      ++asked;
    } catch (const std::exception& error) {
      faults[number] = error.what();
    }
  }
  asio::steady_timer deadline(io), end(io);
  if (most) {
    deadline.expires_after(*most);
    deadline.async_wait([&](const boost::system::error_code& error) {
      if (!error) end_late(sources);
    });
    end.expires_after(*most + kMostToLogOut);
    end.async_wait([&](const boost::system::error_code& error) {
      if (!error) io.stop();
    });
  }
  while (asked > 0 && io.run_one() > 0) {
  }
  return faults;
}

}  // namespace sessionlogd
