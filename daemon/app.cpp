#include "daemon/app.h"

#include <fmt/core.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "config/storage_paths.h"
#include "core/async/spawn.h"
#include "core/async/task.h"
#include "core/base/descriptors.h"
#include "core/base/host_name.h"
#include "core/base/log_line.h"
#include "core/http/curl_client.h"
#include "core/http/large_body_permit.h"
#include "core/polling/quarantine.h"
#include "daemon/commands/commands.h"
#include "daemon/control/shard_host.h"
#include "daemon/progress.h"
#include "daemon/service/log.h"
#include "daemon/service/version.h"
#include "sinks/formats/formats.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

// SIGTERM to exit takes at most so long: cancelling, logging out, and what the committer still has to do behind it.
constexpr std::chrono::milliseconds kShardsMayTake{2'000};
constexpr std::chrono::milliseconds kProgressEvery{200};
// Before that the lanes of a group, side by side, and the group takes back what was theirs.
constexpr std::chrono::milliseconds kGroupMayTake{5'000}, kLookAtGroupEvery{20};

// One lane has all sources, from the start of this process to its end.
constexpr SourceSet::Partition kOnlyPartition = 0;

CommitSettings commits_of(const Settings& settings) {
  return {.interval = settings.sink.commit_interval, .bytes = settings.sink.commit_bytes};
}

// Backlogs of batches and large responses go back to the system when they are freed. By itself glibc raises this with
// every large block it sees, to 32 MiB, and keeps them: at `memory = "64MiB"` the peak was 66 MiB beside the daemon's
// own, with this it is 37. What polls usually take is smaller and stays.
constexpr int kGivenBackWhenFreed = 512 << 10;

std::size_t count_shards(const Settings& settings, PollMode mode) {
  const std::size_t wanted = settings.daemon.threads != 0
                                 ? settings.daemon.threads
                                 : std::min<std::size_t>(std::thread::hardware_concurrency(),
                                                         MemoryShares::most_shards(settings.daemon.memory_bytes));
  if (mode == PollMode::kForever) return std::max<std::size_t>(wanted, 1);  // sources may be added
  return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(settings.sources.size(), 1));
}

std::size_t largest_body(const Settings& settings) {
  std::size_t largest = 1;
  for (const SourceSettings& source : settings.sources) largest = std::max(largest, source.poll.max_body_bytes);
  return largest;
}

MemoryShares shares_of(const Settings& settings, std::size_t shards) {
  MemoryShares shares =
      MemoryShares::of(settings.daemon.memory_bytes, shards, largest_body(settings), settings.sink.commit_bytes);
  const Descriptors descriptors = Descriptors::raise();
  if (!descriptors.are_enough_to_start(shards)) {
    throw WrongSetting(fmt::format(
        "this process may have {} files and sockets, and with {} threads it needs {}: raise LimitNOFILE= in "
        "the unit, or `ulimit -Hn`",
        descriptors.limit(), shards, Descriptors::least(shards)));
  }
  shares.connections = std::max<std::size_t>(descriptors.connections(shards) / shards, 1);
  return shares;
}

void warn_of_few_descriptors(std::size_t sources, std::size_t shards) {
  const Descriptors descriptors = Descriptors::raise();
  if (descriptors.are_enough_for(sources, shards)) return;
  spdlog::warn(
      "{} sources share {} connections, since this process may have {} files and sockets: each is connected to again "
      "and again; a higher LimitNOFILE= in the unit, or `ulimit -Hn`, ends that",
      sources, descriptors.connections(shards), descriptors.limit());
}

}  // namespace

App::App(const Settings& settings, PollMode mode)
    : settings_(settings),
      mode_(mode),
      signals_(main_, SIGTERM, SIGINT),
      hangups_(main_, SIGHUP),
      group_(make_group(settings, guard_)),
      shard_count_(count_shards(settings, mode)),
      memory_(shares_of(settings, shard_count_)),
      queue_memory_(std::make_shared<QueueMemory>(memory_.queue, group_ ? &guard_ : nullptr)),
      queue_(group_ ? nullptr : std::make_shared<BatchQueue>(queue_memory_)),
      pulse_(main_, service_, [this](SteadyTime now) {
        give_back(now);
        return status_line(now);
      }) {
  if (group_) return;
  sink_ = make_sink(settings, stop_.get_token());
  committer_.emplace(*queue_, *sink_, commits_of(settings), [this](const Error& error) { on_fatal(error); });
}

// The group's thread asks the pulse, and whoever looks asks the lanes.
App::~App() {
  admin_.reset();
  lanes_.reset();
  group_.reset();
}

int App::run() {
  ::mallopt(M_MMAP_THRESHOLD, kGivenBackWhenFreed);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is EFBIG, which the sink waits for
  for (const std::string& warning : settings_.warnings) spdlog::warn("{}", warning);
  warn_of_few_descriptors(settings_.sources.size(), shard_count_);

  if (group_) lock_state_dir();
  watch_signals();
  pulse_.start();
  make_shards();
  make_sources();
  if (group_) make_lanes();
  pulse_.know(shards_, [this] { return lanes_ ? lanes_->have_turned() : committer_->has_turned(); });
  starting_ = recovering();
  if (mode_ == PollMode::kForever && settings_.daemon.admin) show_how_it_is();
  if (!recover()) return 0;  // the locks are held, state and output agree
  give_sources();            // every source has its state
  start();                   // every thread runs
  pulse_.watch();
  service_.ready();
  if (mode_ == PollMode::kForever && settings_.sink.keeps_state()) listen_to_operator();
  starting_.clear();
  publish_process();
  shards_run_ = true;  // all that can be asked is there: from here on /readyz says so
  wait_for_end();
  const bool all_committed = stop();
  const int status = exit_status(all_committed);
  if (lanes_ && !lanes_->has_ended()) end_without_lanes_that_hang(status);
  return status;
}

void App::watch_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    request_stop();
  });
  watch_hangups();
}

void App::watch_hangups() {
  hangups_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    if (reload_) {
      spawn(main_, [](Reload& reload) -> Task<void> { co_await reload.run(); }(*reload_));
    } else {
      service_.reloading();
      if (sink_) sink_->reopen();
      service_.reloaded();
    }
    watch_hangups();
  });
}

// What ends a recovery when we are asked to stop.
struct App::Stopped {};

void App::turn_while_recovering() {
  main_.poll();
  if (stop_requested_) throw Stopped{};
  say_starting(recovering());
}

void App::recover_sink() {
  restored_ = RestoredState();  // a recovery that was cut short has given it a part
  sink_->on_progress([this] { turn_while_recovering(); });
  sink_->recover(restored_);
}

// false: we were asked to stop before.
bool App::recover() {
  say_starting(recovering());
  for (;;) {
    try {
      if (group_) {
        group_->prepare([this] { turn_while_recovering(); });
      } else {
        recover_sink();
      }
      break;
    } catch (const TryLater& full) {
      could_not_ = full.what();
      if (!wait_for_room()) return false;
    } catch (const Stopped&) {
      return false;
    }
  }
  spdlog::info("sessionlogd {} started: {} sources, sink={}", kVersion, settings_.sources.size(), output());
  return true;
}

// Until an attempt comes further than those before, what they failed for is what is waited for.
std::string App::recovering() const {
  const std::string how_far = sink_ ? sink_->how_far() : "";
  if (!how_far.empty()) return "reading what was delivered: " + how_far;
  if (!could_not_.empty()) return could_not_;
  return group_ ? "looking for the group's record" : "reading what was delivered";
}

std::string_view App::output() const { return group_ ? group_->name() : sink_->name(); }

// Any thread.
CommitterView App::committed() const { return lanes_ ? lanes_->committed() : committer_->view(); }

// For whoever looks at the admin address meanwhile; at most once a second.
void App::say_starting(std::string what) {
  const SteadyTime now = SteadyClock::now();
  if (starting_.empty() == what.empty() && now - starting_said_ < std::chrono::seconds{1}) return;
  starting_said_ = now;
  starting_ = std::move(what);
  publish_process();
}

// false: we were asked to stop.
bool App::wait_for_room() {
  starting_said_ = {};
  say_starting(could_not_);
  if (!room_wait_.has_waited()) {
    log_error({.sink = output()}, "cannot start now: {}; waiting until it can, nothing is lost", could_not_);
  }
  service_.ready();  // what is accepted and waits has started: nobody is helped by a restart
  asio::steady_timer timer(main_, room_wait_.next());
  bool over = false;
  timer.async_wait([&](const boost::system::error_code&) { over = true; });
  while (!over && !stop_requested_) main_.run_one();
  return !stop_requested_;
}

// A second member would take the control socket and the accounts of the first. What else is wrong with the directory a
// member can do without.
void App::lock_state_dir() {
  try {
    state_dir_.emplace(settings_.daemon.state_dir);
  } catch (const InUse& used) {
    throw InUse(fmt::format("{}; members on one host need a state_dir and an admin address each", used.what()));
  } catch (const std::exception& error) {
    spdlog::warn("{}: nobody is kept from using it, too", error.what());
  }
}

void App::make_shards() {
  if (settings_.sink.keeps_state()) {
    // The file sink has made it. Others keep nothing there, but the quarantine and the control socket do.
    ::mkdir(settings_.daemon.state_dir.c_str(), 0700);
    quarantine_ = std::make_unique<Quarantine>(settings_.daemon.state_dir + "/" + state_names::kQuarantine);
  }
  accounts_ = std::make_unique<Accounts>(
      settings_.sink.keeps_state() ? settings_.daemon.state_dir + "/" + state_names::kAccounts : "");
  const auto large_responses = std::make_shared<LargeResponses>(memory_.large_responses);
  const Shard::MakeEncoder encoder = [this, host = host_name()](const SourceSettings& source) {
    return make_encoder(source, settings_.sink, host, kVersion);
  };
  const auto client = [this, &large_responses](asio::io_context& io) {
    return std::make_unique<CurlClient>(io, memory_, large_responses);
  };
  std::random_device entropy;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    shards_.push_back(std::make_unique<Shard>(memory_, client, quarantine_.get(), fingerprint_bytes_, encoder, mode_,
                                              entropy(), accounts_.get(),
                                              settings_.daemon.verify.value_or(std::chrono::milliseconds{0})));
  }
}

void App::make_sources() {
  std::vector<std::unique_ptr<SourceHost>> hosts;
  for (const auto& shard : shards_) hosts.push_back(std::make_unique<ShardHost>(main_, *shard));
  sources_.emplace(SourceSet::Parts{
      .main = main_,
      .hosts = std::move(hosts),
      .partition_of = [this](std::string_view id) { return group_ ? group_->partition_of(id) : kOnlyPartition; },
      .on_count =
          [this](std::size_t sources) {
            fingerprint_bytes_ = MemoryShares::fingerprints(settings_.daemon.memory_bytes, sources);
          }});
}

void App::make_lanes() {
  lanes_.emplace(Lanes::Parts{.main = main_,
                              .group = *group_,
                              .sources = *sources_,
                              .memory = queue_memory_,
                              .commits = commits_of(settings_),
                              .may_stay = [this] { return pulse_.heartbeat().silent(SteadyClock::now()).empty(); },
                              .on_change = [this] { publish_process(); }});
}

void App::give_sources() {
  has_sources_ = true;
  sources_->want(settings_.sources, settings_.daemon.state_keep);
  if (!group_) sources_->begin(kOnlyPartition, queue_, restored_);
}

void App::start() {
  queue_memory_->on_room([this] {
    for (const auto& shard : shards_) shard->notify_room();
  });
  if (committer_) committer_->start();
  shards_running_ = shards_.size();
  for (const auto& shard : shards_) shard->start([this] { asio::post(main_, [this] { on_shard_end(); }); });
  if (lanes_) lanes_->start();
}

void App::listen_to_operator() {
  const auto read_again = [this] { return load_settings(settings_.file, format_rules()); };
  const auto on_change = [this] {
    if (lanes_) lanes_->try_again();
    publish_process();
  };
  const auto reopen = [this] {
    if (sink_) sink_->reopen();
  };
  reload_.emplace(main_, settings_, read_again, *sources_, reopen, service_, on_change, stop_.get_token());
  commands_.emplace(main_, *sources_, shards_, *reload_,
                    [this](const SourceSettings& source) { return lanes_ ? lanes_->elsewhere(source) : std::nullopt; });
  const std::string path = control_socket_in(settings_.daemon.state_dir);
  try {
    control_.emplace(main_, path, [this](std::string line) { return commands_->answer(std::move(line)); });
  } catch (const boost::system::system_error& error) {
    spdlog::warn("cannot listen at {}: {}; backfill and reload cannot reach this daemon, SIGHUP does", path,
                 error.code().message());
  }
}

void App::show_how_it_is() {
  publish_process();
  const Observed observed{.process = process_,
                          .heartbeat = pulse_.heartbeat(),
                          .shards = shards_,
                          .shards_run = shards_run_,
                          .queue = *queue_memory_,
                          .committed = [this] { return committed(); },
                          .quarantine = quarantine_.get()};
  admin_.emplace(*settings_.daemon.admin, observed, trouble_);
}

// Whenever something of it has changed.
void App::publish_process() {
  ProcessView view{.started = started_,
                   .config = settings_.file,
                   .config_loaded = reload_ ? reload_->loaded() : started_,
                   .daemon = reload_ ? reload_->daemon() : settings_.daemon,
                   .sink = settings_.sink,
                   .sources = {},
                   .waits_for_restart = {},
                   .threads = shards_.size(),
                   .sink_name = std::string(output()),
                   .starting = starting_,
                   .stopping = stop_requested_,
                   .group = {}};
  if (lanes_ && has_sources_) view.group = lanes_->view();
  if (reload_) view.waits_for_restart = reload_->waits_for_restart();
  if (has_sources_) {
    for (const SourceSet::Source& source : sources_->all()) view.sources.push_back(source.settings);
  } else {
    for (const SourceSettings& source : settings_.sources)
      view.sources.push_back(std::make_shared<const SourceSettings>(source));
  }
  process_.put(std::move(view));
}

void App::wait_for_end() {
  Progress progress(sources_->all());
  asio::steady_timer tick(main_);
  std::function<void()> show = [&] {
    progress.show();
    tick.expires_after(kProgressEvery);
    tick.async_wait([&](const boost::system::error_code& error) {
      if (!error) show();
    });
  };
  if (mode_ == PollMode::kOnePass && Progress::is_wanted()) show();
  auto work = asio::make_work_guard(main_);
  main_.run();
  if (mode_ == PollMode::kOnePass) progress.finish();
}

void App::request_stop() {
  if (std::exchange(stop_requested_, true)) return;
  service_.stopping();
  if (sources_) sources_->close();
  if (admin_) publish_process();
  stop_.request_stop();
  spawn(main_, release_lanes());
  const auto may_take = kShardsMayTake + (lanes_ ? kGroupMayTake : std::chrono::milliseconds{0});
  auto deadline = std::make_shared<asio::steady_timer>(main_, may_take);
  deadline->async_wait([this, deadline](const boost::system::error_code& error) {
    if (!error) main_.stop();
  });
}

// The lanes end first, and when no source of them is left, the shards.
Task<void> App::release_lanes() {
  if (lanes_ && has_sources_) {
    lanes_->leave();
    asio::steady_timer look(main_);
    const SteadyTime latest = SteadyClock::now() + kGroupMayTake;
    while (!lanes_->has_left() && SteadyClock::now() < latest) {
      look.expires_after(kLookAtGroupEvery);
      co_await look.async_wait(use_task);
    }
  } else if (has_sources_) {
    sources_->end(kOnlyPartition);
    co_await sources_->all_stopped(kOnlyPartition);
  }
  for (const auto& shard : shards_) shard->stop();
}

void App::on_shard_end() {
  if (--shards_running_ == 0) main_.stop();
}

void App::on_fatal(const Error& error) {
  log_error({.sink = sink_->name()}, "cannot go on: {}", error.detail);
  fatal_status_ = error.kind == ErrorKind::kFenced ? kFenced : kNotWell;
  queue_->end();  // nothing that is still read could be committed
  asio::post(main_, [this] { request_stop(); });
}

// In reverse: no new responses, then no new batches, then the last commit. What is left of a lane that took too long
// ends with its threads.
bool App::stop() {
  admin_.reset();
  for (const auto& shard : shards_) shard->join();
  if (queue_) queue_->close();
  const bool all_committed = committer_ ? committer_->join() : lanes_->has_left();
  say_grouped_lines(SteadyTime::max());
  const CommitterView done = committed();
  spdlog::info("stopped: {} events in {} commits", done.events, done.ok);
  return all_committed;
}

// One is inside a call that does not return. What it may still do to Kafka the next owner of its partition decides.
void App::end_without_lanes_that_hang(int status) {
  spdlog::warn("ends although not every partition could be released in time: the others take over without that");
  spdlog::shutdown();
  std::_Exit(status);
}

int App::exit_status(bool all_committed) const {
  if (fatal_status_ != kWell) return fatal_status_;
  // What no sink took is read from its source again at the next start, if one looks there for what was delivered.
  if (!all_committed && (mode_ == PollMode::kOnePass || !settings_.sink.keeps_state())) return kNotWell;
  if (mode_ == PollMode::kForever) return kWell;
  if (stop_requested_) return kNotWell;  // the pass was not finished
  const auto& all = sources_->all();
  return std::any_of(all.begin(), all.end(),
                     [](const SourceSet::Source& source) { return source.counters->failing.load(); })
             ? kNotWell
             : kWell;
}

// On the main thread, at any time between start and end.
void App::give_back(SteadyTime now) {
  if (!heap_.is_due(now, resident_bytes())) return;
  ::malloc_trim(0);
  heap_.done(now, resident_bytes());
}

std::string App::status_line(SteadyTime now) {
  say_grouped_lines(now);
  if (stop_requested_) return "stopping";
  if (shards_running_ == 0 && room_wait_.has_waited()) return fmt::format("waiting for sink={}", output());
  if (shards_running_ == 0) return "reading what was delivered";
  ServiceFigures figures;
  for (const SourceSet::Source& source : sources_->all()) {
    ++figures.sources;
    figures.failing += source.counters->failing ? 1 : 0;
    figures.sessions += source.counters->sessions;
  }
  const CommitterView done = committed();
  figures.events = done.events;
  figures.commits = done.ok;
  figures.queue_bytes = queue_memory_->bytes();
  figures.sink_waits = !done.error.empty();
  figures.sink = output();
  if (lanes_) publish_process();  // what their threads have come to
  return status_.line(figures, now);
}

}  // namespace sessionlogd
