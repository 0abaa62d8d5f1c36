#include "bench/group_of_one.h"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include "sinks/formats/ecs.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::chrono::minutes kMayTake{2};

[[noreturn]] void end_program(const std::string& why) {
  fmt::print(stderr, "group of one: {}\n", why);
  std::_Exit(1);
}

CommitSettings commits_of_kafka() { return {.interval = KafkaSinkSettings::kCommitInterval}; }

}  // namespace

class GroupOfOne::Host : public SourceHost {
 public:
  explicit Host(GroupOfOne& of) : of_(of) {}

  void add(NewSource source, std::function<void(std::string)> added) override {
    of_.taken(std::move(source));
    asio::post(of_.main_, [added = std::move(added)] { added(""); });
  }
  void remove(std::string id, std::uint64_t /*life*/, ShardSources::Leaves /*how*/,
              std::function<void(std::optional<RestoredSource>)> removed) override {
    if (!of_.is_leaving_) end_program(fmt::format("the lane of {} has ended", id));
    asio::post(of_.main_, [removed = std::move(removed)] { removed(std::nullopt); });
  }

 private:
  GroupOfOne& of_;
};

GroupOfOne::GroupOfOne(const KafkaSinkSettings& settings, std::vector<SourceSettings> sources, Take take)
    : count_(sources.size()), take_(std::move(take)), group_(settings, kEcsFormat, guard_) {
  group_.prepare([] {});
  std::vector<std::unique_ptr<SourceHost>> hosts;
  hosts.push_back(std::make_unique<Host>(*this));
  sources_.emplace(SourceSet::Parts{.main = main_,
                                    .hosts = std::move(hosts),
                                    .partition_of = [this](std::string_view id) { return group_.partition_of(id); },
                                    .on_count = [](std::size_t) {}});
  lanes_.emplace(Lanes::Parts{.main = main_,
                              .group = group_,
                              .sources = *sources_,
                              .memory = memory_,
                              .commits = commits_of_kafka(),
                              .may_stay = [] { return true; },
                              .on_change = [] {}});
  sources_->want(std::move(sources), DaemonSettings().state_keep);
  lanes_->start();
  thread_ = std::jthread([this] {
    const auto work = asio::make_work_guard(main_);
    main_.run();
  });
  wait_until_all_are_taken();
}

GroupOfOne::~GroupOfOne() {
  main_.stop();
  thread_.join();
  main_.restart();
  is_leaving_ = true;
  lanes_->leave();
  const SteadyTime latest = SteadyClock::now() + kMayTake;
  while (!lanes_->has_left() || !lanes_->has_ended()) {
    if (SteadyClock::now() > latest) end_program("it does not leave its group");
    main_.run_one_for(20ms);
  }
}

void GroupOfOne::taken(NewSource source) {
  queues_[source.settings->id] = source.queue;
  take_(source);
  const std::lock_guard lock(mutex_);
  if (++taken_ == count_) all_taken_.notify_all();
}

void GroupOfOne::wait_until_all_are_taken() {
  std::unique_lock lock(mutex_);
  if (!all_taken_.wait_for(lock, kMayTake, [this] { return taken_ == count_; }))
    end_program(fmt::format("{} of {} sources have no lane", count_ - taken_, count_));
}

}  // namespace sessionlogd
