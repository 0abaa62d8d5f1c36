// Writes a file of events in each format, as the file sink leaves it: `write_events DIRECTORY` makes
// DIRECTORY/ecs.events and so on. Every kind of event, hostile texts, times of every precision, lines of many lengths
// up to max_event, and in the middle the blanks that a recovery puts over a torn end.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "sinks/file/file_sink.h"
#include "tests/formats/hostile_texts.h"
#include "tests/formats/support.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

// What package/siem/README.md advises; the receivers there take more.
constexpr std::size_t kMaxEventBytes = 64u << 10;

constexpr std::uint64_t kSession = 7;

class Events {
 public:
  Events() {
    for (const EventKind kind : {EventKind::kNew, EventKind::kChanged, EventKind::kError, EventKind::kGap}) {
      add(event_of(kind, kSession, next()));
      add(bare_event_of(kind, kSession, next()));
    }
    for (const auto* texts : {&what_stands_whole(), &what_is_replaced()}) {
      for (const std::string& text : *texts) add_hostile(text);
    }
    for (const std::uint32_t nanos : {0u, 100'000'000u, 20'000'000u, 123'456'000u, 123'456'700u, 999'999'999u, 1u})
      add_at({1'795'293'672, nanos});
    for (const std::int64_t seconds : {0LL, 951'782'400LL, 4'102'444'800LL}) add_at({seconds, 987'654'321});
    // Around the limits that receivers have by themselves, and ours.
    for (const std::size_t size : {2'048u, 8'192u, 20'000u, 65'536u}) {
      for (std::size_t length = size - 1'200; length <= size + 100; length += 100) add_long(length);
    }
  }

  const std::vector<Event>& all() const { return all_; }

 private:
  std::uint64_t next() const { return all_.size(); }
  void add(const Event& event) { all_.push_back(event); }
  void add_hostile(const std::string& text) {
    Event event = event_of(EventKind::kChanged, kSession, next(), text);
    event.status = event.resource_id = event.log_time = event.duration = text;
    add(event);
  }
  void add_at(Instant time) {
    Event event = event_of(EventKind::kNew, kSession, next());
    event.timestamp = time;
    add(event);
  }
  void add_long(std::size_t length) {
    texts_.push_back(std::string(length / 2, 'm') + std::string(length - length / 2, ' ') + "end");
    add(event_of(EventKind::kNew, kSession, next(), texts_.back()));
  }

  std::vector<Event> all_;
  std::deque<std::string> texts_;  // what events point to
};

void write(const Format& format, std::span<const Event> events, const std::string& state_dir,
           const FileSinkSettings& settings) {
  Batch batch = batch_in(format, kSession, 0, 0);
  for (const Event& event : events) {
    const std::string line = line_in(format, event);
    batch.events += line;
    batch.index.push_back(
        {static_cast<std::uint32_t>(line.size()), event.entry_key, event.hash, event.delivered_log_time()});
  }
  CountingState state;
  FileSink sink(state_dir, settings, format);
  sink.recover(state);
  if (const Result<void> done = sink.commit({&batch, 1}); !done) throw std::runtime_error(done.error().detail);
}

void write(const Format& format, const std::string& directory) {
  const TempDir state(quick_directory());
  FileSinkSettings settings{.path = fmt::format("{}/{}.events", directory, format.name)};
  settings.rotate = {.size_bytes = std::nullopt, .every = std::nullopt, .keep = std::nullopt};
  settings.max_event_bytes = kMaxEventBytes;
  const Events events;
  const std::span<const Event> all = events.all();
  const std::size_t half = all.size() / 2;
  write(format, all.first(half), state / "state", settings);
  // A commit that a crash has torn.
  const std::string torn = line_in(format, event_of(EventKind::kNew, kSession, half, std::string(600'000, 'x')));
  append_text(settings.path, torn.substr(0, torn.size() / 2));
  write(format, all.subspan(half), state / "state", settings);
}

}  // namespace
}  // namespace sessionlogd::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: write_events DIRECTORY\n", stderr);
    return 2;
  }
  for (const sessionlogd::Format* format : sessionlogd::formats()) sessionlogd::test::write(*format, argv[1]);
}
