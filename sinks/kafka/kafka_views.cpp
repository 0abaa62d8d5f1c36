#include "sinks/kafka/kafka_views.h"

#include <chrono>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kOpeningSlice{20};

}  // namespace

KafkaViews::KafkaViews(KafkaSinkSettings settings) : settings_(std::move(settings)) {}

Result<std::shared_ptr<KafkaView>> KafkaViews::open(Patience& patience) {
  std::packaged_task<Opened()> task([&] { return make(patience); });
  std::unique_lock lock(mutex_);
  if (std::shared_ptr<KafkaView> view = current_.lock()) return view;
  const bool is_ours = !opening_.valid();
  if (is_ours) opening_ = task.get_future().share();
  const std::shared_future<Opened> opening = opening_;
  lock.unlock();
  if (!is_ours) return wait_for(opening, patience);
  task();
  lock.lock();
  opening_ = {};
  const Opened& opened = opening.get();
  if (opened) current_ = *opened;
  return opened;
}

// As long as this caller wants to, whoever opens it.
KafkaViews::Opened KafkaViews::wait_for(const std::shared_future<Opened>& theirs, Patience& patience) {
  while (theirs.wait_for(kOpeningSlice) != std::future_status::ready) {
    if (patience.over()) return Error(ErrorKind::kTryLater, "the topics are still being looked up");
  }
  return theirs.get();
}

KafkaViews::Opened KafkaViews::make(Patience& patience) const {
  try {
    const KafkaConf conf = KafkaConf::reader(settings_);
    // Asked by a client of its own, which forgets the leaders with its end.
    const KafkaClient client(KafkaClient::Kind::kConsumer, conf);
    const Result<KafkaPlace> place = prepare_topics(client, settings_, patience);
    if (!place) return place.error();
    return std::shared_ptr<KafkaView>(
        new KafkaView{*place, KafkaReader(conf, settings_.state_topic, place->state_partitions)});
  } catch (const SecretError& error) {
    return Error(ErrorKind::kTryLater, error.what());
  }
}

void KafkaViews::discard(const std::shared_ptr<KafkaView>& view) {
  std::lock_guard lock(mutex_);
  if (current_.lock() == view) current_.reset();
}

}  // namespace sessionlogd
