#include "daemon/commands/ask_sources.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <memory>
#include <random>

#include "core/curl_client.h"
#include "core/spawn.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLogOutTimeout{1'500};

Task<void> ask_one(ApiClient& api, const AskSource& ask, std::size_t number, std::string& fault, std::size_t& asked) {
  fault = co_await ask(api, number);
  api.stop();
  co_await api.log_out(kLogOutTimeout);
  --asked;
}

}  // namespace

std::vector<std::string> ask_sources(const Settings& settings, const AskSource& ask,
                                     std::optional<std::chrono::seconds> most) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> faults(settings.sources.size(), "no answer in time");
  std::size_t asked = 0;
  asio::io_context io{1};
  CurlClient http(io);
  std::mt19937_64 random{std::random_device{}()};
  const Manners manners{.held_back = HeldBack::kFails};
  std::vector<std::unique_ptr<ApiClient>> clients;
  for (std::size_t number = 0; number < faults.size(); ++number) {
    try {
      clients.push_back(std::make_unique<ApiClient>(io, http, settings.sources[number], random, manners));
      spawn(io, ask_one(*clients.back(), ask, number, faults[number], asked));
      ++asked;
    } catch (const std::exception& error) {
      faults[number] = error.what();
    }
  }
  asio::steady_timer deadline(io);
  if (most) {
    deadline.expires_after(*most);
    deadline.async_wait([&](const boost::system::error_code& error) {
      if (!error) io.stop();
    });
  }
  while (asked > 0 && io.run_one() > 0) {
  }
  return faults;
}

}  // namespace sessionlogd
