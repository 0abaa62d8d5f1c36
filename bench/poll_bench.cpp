// What a poll of an unchanged body of 20 KB costs one shard, against a bare libcurl multi loop that discards the body:
// polls per CPU-second, over plain HTTP and over TLS with keep-alive. One server, in a process of its own, serves
// both, who take turns. Prints one line per figure: name, ours, against, ratio, at least, aim: poll_bench [plain|tls].
#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/cpu_seconds.h"
#include "bench/median.h"
#include "config/load.h"
#include "core/base/memory_shares.h"
#include "core/http/curl_client.h"
#include "core/polling/shard.h"
#include "core/state/committer.h"
#include "sinks/formats/ecs.h"
#include "tests/support/test_server.h"

namespace {

using namespace sessionlogd;
using namespace std::chrono_literals;

constexpr int kSessions = 50, kEntries = 100, kConnections = 4, kRounds = 5;
constexpr auto kWarmUp = 700ms, kRound = 1'000ms;

std::string session_id(int number) { return fmt::format("90faa259-fbf6-493a-b492-{:012x}", number); }

// ---- The server

std::string log_of(int number) {
  std::string text = fmt::format(R"({{"sessionId":"{}","log":[)", session_id(number));
  for (int i = 0; i < kEntries; ++i) {
    text += fmt::format(
        R"({}{{"status":"Success","logTime":"2020-06-20T19:{:02}:13.{:06}","message":"Creating snapshot snap-{:08x} of volume vol-0a1b2c3d4e5f","executionStartTime":"2020-06-20T18:12:04.{:06}","executionDuration":{}}})",
        i == 0 ? "" : ",", i % 60, 100'000 + i, i, 200'000 + i, i);
  }
  return text + "]}";
}

// Responses are made before the first request: they are the same each time.
class Appliance {
 public:
  Appliance() {
    for (int number = 0; number < kSessions; ++number) {
      logs_.push_back(test::response(log_of(number), {"Content-Type: application/json"}));
      rows_.push_back(test::response(
          fmt::format(R"({{"id":"{}","type":"Policy","status":"Running","executionStartTime":"{:%FT%TZ}"}})",
                      session_id(number), fmt::gmtime(std::time(nullptr) - 60)),
          {"Content-Type: application/json"}));
    }
  }
  test::TestServer::Reply operator()(const test::TestServer::Request& request) const {
    constexpr std::string_view kSessionsPath = "/api/v1/sessions/";
    const std::string_view target(request.target().data(), request.target().size());
    if (!target.starts_with(kSessionsPath)) return test::response("{}");
    const std::string_view id = target.substr(kSessionsPath.size(), session_id(0).size());
    const auto number = std::stoul(std::string(id.substr(id.rfind('-') + 1)), nullptr, 16);
    return target.ends_with("/log") ? logs_.at(number) : rows_.at(number);
  }

 private:
  std::vector<std::string> logs_, rows_;
};

// In a child, so that its time is not ours; it ends with us.
class ServerProcess {
 public:
  explicit ServerProcess(const test::TestServer::Tls* tls) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const Appliance appliance;
      const auto server = tls != nullptr ? std::make_unique<test::TestServer>(appliance, *tls)
                                         : std::make_unique<test::TestServer>(appliance);
      const std::string url = server->url();
      if (::write(ends[1], url.data(), url.size()) < 0) ::_exit(1);
      ::close(ends[1]);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char url[64];
    const auto size = ::read(ends[0], url, sizeof url);
    ::close(ends[0]);
    if (size <= 0) throw std::runtime_error("the server did not start");
    url_.assign(url, static_cast<std::size_t>(size));
  }
  ~ServerProcess() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  const std::string& url() const { return url_; }

 private:
  pid_t child_ = -1;
  std::string url_;
};

// ---- Ours

class Nowhere : public Sink {
 public:
  void recover(StateVisitor&) override {}
  [[nodiscard]] Result<void> commit(std::span<const Batch>) override { return {}; }
  std::string_view name() const override { return "nowhere"; }
};

SourceSettings make_source(const std::string& url, const std::string& token_file, const std::string& ca_file) {
  SourceSettings source;
  source.name = source.id = "aws-eu";
  source.host = "127.0.0.1";
  source.url = url;
  const BuiltInDialect& built_in = built_in_dialects().front();
  source.dialect =
      std::make_shared<const Dialect>(std::get<Dialect>(parse_dialect(built_in.toml, std::string(built_in.name))));
  source.api_version = source.dialect->version.fallback;
  source.token = Secret::parse("file:" + token_file);
  source.tls.ca_file = ca_file;
  for (int number = 0; number < kSessions; ++number) source.sessions.push_back(session_id(number));
  source.poll.interval = source.poll.max_interval = 1ms;
  source.poll.discovery_interval = 1h;
  source.poll.connections = kConnections;
  source.poll.rate_per_second = 1e6;
  return source;
}

// Polls of unchanged bodies per CPU-second.
double rate_of_shard(const SourceSettings& source) {
  const MemoryShares memory;
  const auto queue = std::make_shared<BatchQueue>(memory.queue);
  Nowhere nowhere;
  Committer committer(*queue, nowhere, {}, [](const Error&) { std::abort(); });
  const auto make_encoder = [](const SourceSettings& settings) {
    return std::make_unique<EcsEncoder>(settings, "host-1", "0.1.0");
  };
  const std::atomic<std::size_t> fingerprint_bytes = 0;
  Shard shard(
      memory, [&](auto& io) { return std::make_unique<CurlClient>(io, memory); }, nullptr, fingerprint_bytes,
      make_encoder, PollMode::kForever, 1);
  const auto counted = std::make_shared<SourceCounters>();
  NewSource taken{
      .queue = queue, .settings = std::make_shared<const SourceSettings>(source), .counters = counted, .restored = {}};
  shard.sources().add(taken);
  committer.start();
  std::promise<void> ended;
  shard.start([&] { ended.set_value(); });
  std::this_thread::sleep_for(kWarmUp);
  const SourceCounters& counters = *counted;
  const std::uint64_t polls = counters.counts()[Counted::kPollsUnchanged];
  const double cpu = cpu_seconds();
  std::this_thread::sleep_for(kRound);
  const SourceCounts counts = counters.counts();
  const double rate = static_cast<double>(counts[Counted::kPollsUnchanged] - polls) / (cpu_seconds() - cpu);
  if (counts[Counted::kPollsFailed] > 0 || counts[Counted::kPollsUnchanged] == polls)
    throw std::runtime_error("polls failed");
  shard.stop();
  ended.get_future().wait();
  shard.join();
  queue->close();
  committer.join();
  return rate;
}

// ---- The bare loop

std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

double rate_of_curl(const std::string& url, const std::string& ca_file) {
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(), &curl_multi_cleanup);
  curl_slist* headers = nullptr;
  for (const char* line : {"Accept: application/json", "x-api-version: 1.6-rev0", "Authorization: Bearer token"})
    headers = curl_slist_append(headers, line);
  std::vector<CURL*> transfers;
  int next = 0;
  std::uint64_t done = 0;
  const auto begin = [&](CURL* transfer) {
    const std::string target = fmt::format("{}/api/v1/sessions/{}/log", url, session_id(next++ % kSessions));
    curl_easy_setopt(transfer, CURLOPT_URL, target.c_str());
    curl_multi_add_handle(multi.get(), transfer);
  };
  for (int i = 0; i < kConnections; ++i) {
    CURL* transfer = curl_easy_init();
    // The requests are the same as ours, byte by byte.
    curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(transfer, CURLOPT_USERAGENT, "sessionlogd");
    curl_easy_setopt(transfer, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(transfer, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    if (!ca_file.empty()) {
      curl_easy_setopt(transfer, CURLOPT_CAINFO, ca_file.c_str());
      curl_easy_setopt(transfer, CURLOPT_CAPATH, nullptr);
    }
    transfers.push_back(transfer);
    begin(transfer);
  }
  const auto run_for = [&](std::chrono::milliseconds span) {
    for (const auto until = std::chrono::steady_clock::now() + span; std::chrono::steady_clock::now() < until;) {
      int running = 0, left = 0;
      curl_multi_perform(multi.get(), &running);
      bool any = false;
      while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
        if (message->data.result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(message->data.result));
        CURL* transfer = message->easy_handle;
        ++done;
        any = true;
        curl_multi_remove_handle(multi.get(), transfer);
        begin(transfer);
      }
      if (!any) curl_multi_poll(multi.get(), nullptr, 0, 100, nullptr);
    }
  };
  run_for(kWarmUp);
  const std::uint64_t before = done;
  const double cpu = cpu_seconds();
  run_for(kRound);
  const double rate = static_cast<double>(done - before) / (cpu_seconds() - cpu);
  for (CURL* transfer : transfers) {
    curl_multi_remove_handle(multi.get(), transfer);
    curl_easy_cleanup(transfer);
  }
  curl_slist_free_all(headers);
  return rate;
}

void compare(std::string_view name, std::string_view wanted, const test::TestServer::Tls* tls,
             const std::string& ca_file) {
  const ServerProcess server(tls);
  const test::TemporaryFile token("token");
  const SourceSettings source = make_source(server.url(), token.path(), ca_file);
  std::vector<double> ours, bare, ratios;
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(rate_of_curl(server.url(), ca_file));
    ours.push_back(rate_of_shard(source));
    ratios.push_back(ours.back() / bare.back());
  }
  fmt::print("{}|{:.1f}|{:.1f}|{:.2f}|{}\n", name, median(ours) / 1e3, median(bare) / 1e3, median(ratios), wanted);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::warn);
  curl_global_init(CURL_GLOBAL_ALL);
  const std::string_view part = argc > 1 ? argv[1] : "";
  if (part != "tls") compare("unchanged polls to bare libcurl, thousands per CPU-s", ">= 0.80|>= 0.95", nullptr, "");
  if (part == "plain") return 0;
  const test::TestServer::Tls tls{test::Certificate("IP:127.0.0.1"), {}};
  const test::TemporaryFile ca(tls.certificate.certificate_pem);
  compare("the same over TLS", ">= 0.85|>= 0.97", &tls, ca.path());
}
