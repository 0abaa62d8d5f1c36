#include "bench/fleet/fleet.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <deque>
#include <future>
#include <optional>
#include <thread>

#include "bench/fleet/certificate.h"
#include "bench/fleet/connection.h"
#include "bench/fleet/control.h"

namespace fleet {

namespace asio = boost::asio;

namespace {

using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr int kBacklog = 1024;
constexpr unsigned kFirstDoor = 127u << 24 | 1u << 8 | 1;  // 127.0.1.1
constexpr std::chrono::milliseconds kNoSocket{20};

// The acceptor outlives this. `appliance` null: the calls are taken and never answered.
Awaitable<void> take_calls(Acceptor& acceptor, Appliance* appliance, asio::ssl::context* tls) {
  Timer timer(acceptor.get_executor());
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (error) {  // out of descriptors, or closed for a while
      timer.expires_after(kNoSocket);
      co_await timer.async_wait(kAwait);
      continue;
    }
    const Executor executor = acceptor.get_executor();
    if (appliance != nullptr) {
      asio::co_spawn(executor, converse(std::move(socket), *appliance, tls), asio::detached);
    } else {
      asio::co_spawn(executor, keep_silent(std::move(socket)), asio::detached);
    }
  }
}

// Whoever connects from now on gets no response at all, as from an address where nobody is: the queue of those who wait
// to be accepted is full, and stays so as long as these sockets live.
std::vector<Socket> swallow_calls(Acceptor& acceptor) {
  acceptor.listen(0);
  std::vector<Socket> callers;
  for (int i = 0; i < 4; ++i) {
    Socket& caller = callers.emplace_back(acceptor.get_executor());
    caller.open(asio::ip::tcp::v4());
    caller.native_non_blocking(true);
    const auto to = acceptor.local_endpoint();
    ::connect(caller.native_handle(), to.data(), static_cast<socklen_t>(to.size()));
  }
  return callers;
}

Acceptor bound(const Executor& executor, const asio::ip::tcp::endpoint& to) {
  Acceptor acceptor(executor);
  acceptor.open(to.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(to);
  tell_arrivals(acceptor.native_handle());
  return acceptor;
}

// An appliance that refuses connections for a while (by the fleet's clock): its socket is closed, and a new one is
// opened at the same place. The acceptor outlives this and is used by take_calls.
Awaitable<void> refuse_calls(Acceptor& acceptor, Span down) {
  Timer timer(acceptor.get_executor());
  const auto place = acceptor.local_endpoint();
  timer.expires_after(std::chrono::nanoseconds(std::max<Nanos>(down.from - now(), 0)));
  co_await timer.async_wait(kAwait);
  boost::system::error_code ignored;
  acceptor.close(ignored);
  timer.expires_after(std::chrono::nanoseconds(std::max<Nanos>(down.to - now(), 0)));
  co_await timer.async_wait(kAwait);
  acceptor = bound(acceptor.get_executor(), place);
  acceptor.listen(kBacklog);
}

// One thread and its appliances.
struct Shard {
  asio::io_context io{1};
  Shared shared;
  std::vector<std::unique_ptr<Appliance>> appliances;
  std::deque<Acceptor> acceptors;  // at addresses that stay
  std::optional<asio::executor_work_guard<Executor>> work;
  std::thread thread;
};

asio::ip::address_v4 address_of(const Setting& setting, std::size_t index) {
  if (!setting.many_addresses) return asio::ip::address_v4::loopback();
  constexpr std::size_t kHosts = 250;
  const auto host =
      127u << 24 | static_cast<unsigned>(index / kHosts % kHosts) << 8 | static_cast<unsigned>(index % kHosts + 1);
  return asio::ip::address_v4(host);
}

}  // namespace

struct Fleet::Running {
  Plan plan;
  Conduct conduct;
  Setting setting;
  std::atomic<Nanos> freeze{kNever};
  Certificates certificates;
  std::optional<asio::ssl::context> tls;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<Acceptor> unheard;  // bound and never listening: the port is taken, the connection refused; or swallowing
  std::vector<Socket> callers;
  std::vector<Endpoint> endpoints;
  std::string control_url;

  Running(const Plan& p, const Conduct& c, const Setting& s) : plan(p), conduct(c), setting(s) {}

  void make_tls() {
    certificates = make_certificates();
    tls.emplace(asio::ssl::context::tls_server);
    tls->use_certificate(asio::buffer(certificates.server_pem), asio::ssl::context::pem);
    tls->use_private_key(asio::buffer(certificates.key_pem), asio::ssl::context::pem);
  }

  void add_appliance(std::size_t index) {
    Shard& shard = *shards[index % shards.size()];
    Acceptor acceptor = bound(shard.io.get_executor(), {address_of(setting, index), 0});
    const auto at = acceptor.local_endpoint();
    endpoints.push_back({source_name(plan, index), dialect_of(plan, index),
                         fmt::format("{}://{}:{}", setting.tls ? "https" : "http", at.address().to_string(), at.port()),
                         nature_of(plan, index).has_short_retention});
    const bool is_dead = index >= plan.appliances - setting.dead || nature_of(plan, index).is_dead;
    if (is_dead && index % 3 != 0) {
      if (index % 3 == 2) {
        for (Socket& caller : swallow_calls(acceptor)) callers.push_back(std::move(caller));
      }
      unheard.push_back(std::move(acceptor));
      return;
    }
    Appliance* appliance = nullptr;
    if (!is_dead) {
      appliance =
          shard.appliances.emplace_back(std::make_unique<Appliance>(plan, conduct, index, freeze, shard.shared)).get();
    }
    open(shard, std::move(acceptor), appliance, index);
    for (unsigned door = 1; door <= setting.doors; ++door) {
      const asio::ip::address_v4 address(kFirstDoor + door - 1);
      open(shard, bound(shard.io.get_executor(), {address, at.port()}), appliance, index);
    }
  }

  void open(Shard& shard, Acceptor acceptor, Appliance* appliance, std::size_t index) {
    Acceptor& listening = shard.acceptors.emplace_back(std::move(acceptor));
    listening.listen(kBacklog);
    asio::co_spawn(shard.io, take_calls(listening, appliance, tls ? &*tls : nullptr), asio::detached);
    const Span down = nature_of(plan, index).is_down;
    const Nanos offset = nature_of(plan, index).clock_offset;
    if (appliance != nullptr && down.to > down.from) {
      asio::co_spawn(shard.io, refuse_calls(listening, {down.from - offset, down.to - offset}), asio::detached);
    }
  }
};

Fleet::Fleet(const Plan& plan, const Conduct& conduct, const Setting& setting)
    : running_(std::make_unique<Running>(plan, conduct, setting)) {
  Running& r = *running_;
  r.setting.dead = std::min(r.setting.dead, plan.appliances);
  if (plan.all_past) r.freeze = plan.begin;
  if (setting.tls) r.make_tls();
  for (std::size_t i = 0; i < std::max<std::size_t>(setting.threads, 1); ++i) {
    r.shards.push_back(std::make_unique<Shard>());
    r.shards.back()->shared.cache_bytes_left =
        static_cast<std::int64_t>(setting.cache_bytes / std::max<std::size_t>(setting.threads, 1));
  }
  for (std::size_t i = 0; i < plan.appliances; ++i) r.add_appliance(i);
  Acceptor control = bound(r.shards.front()->io.get_executor(), {asio::ip::address_v4::loopback(), 0});
  control.listen(kBacklog);
  r.control_url = fmt::format("http://127.0.0.1:{}/status", control.local_endpoint().port());
  std::function<std::string()> say = [this] { return status(); };
  asio::co_spawn(r.shards.front()->io, serve_control(std::move(control), std::move(say)), asio::detached);
}

Fleet::~Fleet() { stop(); }

void Fleet::start() {
  for (auto& shard : running_->shards) {
    shard->work.emplace(shard->io.get_executor());
    shard->thread = std::thread([io = &shard->io] { io->run(); });
  }
}

void Fleet::freeze() {
  // A little ahead, so that no thread has served a later moment when it learns of it.
  const Nanos at = now() / kMomentLength * kMomentLength + 2 * kMomentLength;
  running_->freeze = at;
  std::this_thread::sleep_for(std::chrono::nanoseconds(std::max<Nanos>(at - now(), 0)));
}

void Fleet::stop() {
  for (auto& shard : running_->shards) shard->io.stop();
  for (auto& shard : running_->shards) {
    if (shard->thread.joinable()) shard->thread.join();
  }
}

const std::vector<Endpoint>& Fleet::endpoints() const { return running_->endpoints; }
const std::string& Fleet::ca_pem() const { return running_->certificates.ca_pem; }
const std::string& Fleet::control_url() const { return running_->control_url; }
bool Fleet::frozen() const { return now() >= running_->freeze.load(); }

std::vector<ApplianceRecord> Fleet::records() {
  std::vector<ApplianceRecord> records;
  for (auto& shard : running_->shards) {
    std::promise<void> taken;
    asio::post(shard->io, [&] {
      for (const auto& appliance : shard->appliances) {
        records.push_back(appliance->record(now()));
      }
      taken.set_value();
    });
    taken.get_future().wait();
  }
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return records;
}

void Fleet::write_ledger(const std::string& path) {
  fleet::write_ledger(path, running_->plan, records(), running_->freeze.load());
}

void Fleet::write_visits(const std::string& path) { fleet::write_visits(path, running_->plan, records()); }

std::string Fleet::status() const {
  std::uint64_t requests = 0, log_answers = 0, sessions = 0, unread = 0;
  const Nanos at = now();
  Nanos all_polled_since = at;
  for (const auto& shard : running_->shards) {
    requests += shard->shared.requests;
    log_answers += shard->shared.log_answers;
    for (const auto& appliance : shard->appliances) {
      sessions += appliance->sessions_existing(at);
      unread += appliance->sessions_unread(at);
      all_polled_since = std::min(all_polled_since, appliance->last_asked());
    }
  }
  return fmt::format(
      R"({{"frozen":{},"all_polled_since":{},"requests":{},"log_answers":{},"sessions":{},"read_to_end":{},"caught_up":{}}})"
      "\n",
      frozen(), all_polled_since, requests, log_answers, sessions, sessions - unread, frozen() && unread == 0);
}

}  // namespace fleet
