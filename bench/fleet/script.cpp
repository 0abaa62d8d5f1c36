#include "bench/fleet/script.h"

#include <algorithm>
#include <map>

#include "bench/fleet/phrases.h"
#include "bench/fleet/random.h"

namespace fleet {

namespace {

constexpr Nanos kTick = kSecond / 2;
constexpr std::size_t kDeep = 100'000;
constexpr double kAgain = 0.05;  // share of entries that say what others said before
constexpr double kOdd = 0.25;    // share of entries that a session opened again oddly does something to
constexpr std::size_t kLargeMessage = 2 << 20;
constexpr std::size_t kLongMessage = 4 << 10;
constexpr std::string_view kUnknownWords[] = {"Throttled", "Skipped", "PartiallySucceeded", "Failed"};

Nanos whole_micros(Nanos at) { return at - at % kMicrosecond; }
Nanos whole_tenths(Nanos at) { return at - at % 100; }

// Writes the entries of one session, in the order of their appearance.
class Author {
 public:
  Author(const Plan& plan, const Session& session)
      : plan_(plan),
        mix_(plan.mix),
        session_(session),
        aws_(session.dialect == Dialect::aws),
        from_(session.start),
        until_(session.stop),
        is_fine_(session.six_digits_from != kNever),
        shares_labels_(session.cleared == kNever && session.paged.to == 0),
        random_(session.seed ^ 0x5c) {}

  std::vector<Entry> write() {
    if (session_.is_of_short_entries) return write_short_entries();
    const std::size_t count = entry_count();
    write_act(0, count);
    if (session_.reopened != kNever) {
      from_ = session_.reopened;
      until_ = session_.second_stop;
      write_act(count, count / 2 + 2);
    }
    if (session_.unannounced != kNever)
      add_one("unannounced", "Retention was applied.", session_.unannounced,
              precise(random_.between(session_.start, session_.stop)));
    if (plan_.faults.strikes(Fault::long_entry, session_.seed))
      add_one("long", "A long report: " + std::string(kLongMessage, 'x'), session_.start, precise(session_.start));
    spare_twins();
    put_in_own_order();
    return std::move(entries_);
  }

 private:
  // Half of them at once, the rest at the end. Without a status a body of more than 16,384 stays below 1 MiB.
  std::vector<Entry> write_short_entries() {
    const bool has_status = !aws_ || session_.seed % 2 == 0;
    const std::size_t count = has_status ? 20'000 : 17'500;
    entries_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Entry& entry = entries_[i];
      entry.seed = random_.next();
      entry.label = label(std::to_string(i));
      entry.message = " #" + entry.label;
      entry.appears = i < count / 2 ? session_.start : session_.stop;
      entry.started = session_.start - session_.start % kSecond;
      entry.is_short = true;
      entry.has_start = !aws_;
      entry.may_vanish = false;
      entry.steps.push_back({entry.appears, has_status ? "Success" : "", 0});
    }
    return std::move(entries_);
  }

  // A session that is opened again has a second act, whose times are all its own.
  void write_act(std::size_t first, std::size_t count) {
    act_begin_ = entries_.size();
    std::vector<Nanos> times;
    for (std::size_t i = 0; i < count; ++i) times.push_back(appearance());
    std::sort(times.begin(), times.end());
    for (std::size_t i = 0; i < count; ++i) add(times[i], first + i);
  }
  bool is_second_act() const { return from_ == session_.reopened; }

  std::size_t entry_count() {
    if (random_.chance(0.03)) return 0;
    const auto average = static_cast<std::int64_t>(plan_.entries);
    return static_cast<std::size_t>(random_.between(std::max<std::int64_t>(average / 2, 1), average + average / 2));
  }

  // Half of the entries near the end: a session which began long ago still has something to tell.
  Nanos appearance() {
    const Nanos from = random_.chance(0.5) ? from_ : std::max(from_, until_ - plan_.session_length);
    return random_.between(from, until_);
  }

  void add(Nanos appears, std::size_t number) {
    Entry entry;
    entry.seed = random_.next();
    entry.appears = random_.chance(mix_.late) ? lateness() : appears;
    entry.started = started(entry.appears);
    if (random_.chance(mix_.hostile)) {
      entry.raw = make_hostile(random_, label(std::to_string(number)),
                               aws_ ? aws_time(entry.started) : azure_time(entry.started));
      entry.steps.push_back({entry.appears, "", 0});
      entries_.push_back(std::move(entry));
      return;
    }
    const bool again = random_.chance(kAgain) && shares_labels_;
    entry.message = again ? "Retrying." : make_message(random_, number);
    entry.label = label(again ? "again" : std::to_string(number));
    entry.has_start = !aws_ || !random_.chance(0.1);
    entry.ticks = random_.chance(0.5) && entry.has_start;
    if (aws_ && strikes(Fault::ticks_without_start, entry)) {
      entry.has_start = false;
      entry.ticks = true;
    }
    if (!aws_ && random_.chance(0.5)) entry.resource = "res-" + std::to_string(random_.below(5));
    if (random_.chance(mix_.extra)) entry.extra = make_extra(random_);
    misbehave(entry, again);
    entry.message += " #" + entry.label;
    write_steps(entry);
    const std::size_t twins = random_.chance(mix_.twin) && shares_labels_ ? 1 + random_.below(3) : 0;
    for (std::size_t i = 0; i < twins; ++i) add_twin(entry);
    entries_.push_back(std::move(entry));
  }

  // One that is there once, complete from when it appears.
  void add_one(const std::string& name, const std::string& message, Nanos appears, Nanos started) {
    Entry entry;
    entry.seed = random_.next();
    entry.appears = appears;
    entry.started = started;
    entry.label = label(name);
    entry.message = message + " #" + entry.label;
    entry.steps.push_back({appears, "Success", precise(appears)});
    entries_.push_back(std::move(entry));
  }

  std::string label(const std::string& number) const { return std::to_string(session_.index) + '.' + number; }

  // Decided by the entry's seed, so that all other entries stay as they are without these faults.
  void misbehave(Entry& entry, bool shares_its_label) {
    Random own(entry.seed);
    if (!shares_its_label && strikes(Fault::utf8, entry)) entry.message += make_bad_bytes(own);
    if (!shares_its_label && strikes(Fault::large_entry, entry)) entry.message += std::string(kLargeMessage, 'L');
    if (strikes(Fault::bigint, entry)) entry.extra += make_big_integer(own);
    if (strikes(Fault::nested, entry)) entry.extra += make_nested(kDeep);
  }
  bool strikes(Fault fault, const Entry& entry) const { return plan_.faults.strikes(fault, entry.seed); }

  // Equal in its identity, with a life of its own.
  void add_twin(const Entry& of) {
    Entry twin = of;
    twin.seed = random_.next();
    if (random_.chance(0.5)) twin.appears = std::min(of.appears + random_.between(0, kSecond), until_);
    twin.appears = std::max(twin.appears, of.appears);
    twin.steps.clear();
    write_steps(twin);
    entries_.push_back(std::move(twin));
  }

  Nanos lateness() { return until_ + random_.between(0, mix_.max_lateness); }

  Nanos started(Nanos appears) {
    if (session_.is_odd_again && random_.chance(kOdd)) return odd_start(appears);
    if (random_.chance(mix_.same_time) && entries_.size() > act_begin_ && entries_.back().started <= appears)
      return entries_.back().started;
    Nanos started = std::min(appears, until_) - random_.between(0, 50 * kMillisecond);
    started = std::max(started, from_);
    if (random_.chance(mix_.back_dated)) started -= random_.between(0, std::min(started - from_, 20 * kSecond));
    return is_fine_ || (!aws_ && random_.chance(0.3)) ? whole_tenths(started) : whole_micros(started);
  }

  // The first act looks ahead, the second one back.
  Nanos odd_start(Nanos appears) {
    return precise(is_second_act() ? random_.between(session_.start - kHour, session_.stop)
                                   : appears + random_.between(kSecond, 72 * kHour));
  }

  Nanos precise(Nanos at) const { return is_fine_ ? whole_tenths(at) : whole_micros(at); }

  std::string_view final_word() {
    if (random_.chance(mix_.unknown_status)) return random_.pick(kUnknownWords);
    static constexpr std::string_view kWords[] = {"Success", "Success", "Success", "Success",
                                                  "Warning", "Error",   "Canceled"};
    return random_.pick(kWords);
  }

  void write_steps(Entry& entry) {
    Nanos at = entry.appears;
    // Without executionStartTime an entry is complete at once, unless a fault has it otherwise.
    if ((entry.has_start || entry.ticks) && random_.chance(0.6)) {
      static constexpr std::string_view kWaiting[] = {"Pending", "Pending", "NeverExecuted"};
      static constexpr std::string_view kTrouble[] = {"RunningWithWarning", "RunningWithError", "Canceling"};
      if (random_.chance(0.3)) at = step(entry, at, random_.pick(kWaiting));
      at = step(entry, at, "Running");
      if (random_.chance(0.2)) at = step(entry, at, random_.pick(kTrouble));
    }
    finish(entry, at);
  }

  // Adds the step and says when the next one comes.
  Nanos step(Entry& entry, Nanos at, std::string_view status) {
    entry.steps.push_back({at, status, 0});
    const Nanos left = std::max<Nanos>(until_ - at, 0);
    return at + std::min(left, random_.between(0, plan_.session_length / 2));
  }

  void finish(Entry& entry, Nanos at) {
    if (!entry.steps.empty() && random_.chance(mix_.late)) at = std::max(at, lateness());
    Nanos finished = std::max(entry.started, precise(at));
    if (!aws_ && random_.chance(0.01)) finished += 30 * kHour;  // a duration with days
    const std::string_view word = final_word();
    // Azure fills durations in later, also after the status is final: a change of content under the same status.
    const bool untold = !aws_ && random_.chance(mix_.correction);
    entry.steps.push_back({at, word, untold ? 0 : finished});
    const Nanos again = std::min(at + random_.between(kSecond / 10, kSecond), until_ + mix_.max_lateness);
    if (untold) {
      entry.steps.push_back({again, word, finished});
    } else if (random_.chance(mix_.correction)) {
      entry.steps.push_back({again, word == "Warning" ? "Error" : "Warning", std::max(finished, precise(again))});
    }
    if (session_.is_odd_again && !is_second_act() && random_.chance(kOdd)) correct_much_later(entry);
  }

  // In the second act, what the first one said: another status at the same time, or (AWS) the same at another time.
  void correct_much_later(Entry& entry) {
    const Nanos at = random_.between(session_.reopened, session_.second_stop);
    Step step = entry.steps.back();
    step.at = at;
    aws_&& random_.chance(0.5) ? void(step.finished = std::max(step.finished + kSecond, precise(at)))
                               : void(step.status = step.status == "Warning" ? "Error" : "Warning");
    entry.steps.push_back(step);
  }

  void spare_twins() {
    std::map<std::string, std::size_t> seen;
    for (const Entry& entry : entries_) ++seen[entry.label];
    for (Entry& entry : entries_) entry.may_vanish = seen[entry.label] == 1;
  }

  // AWS: by the beginning, as the documented sample has it. Azure: as they came.
  void put_in_own_order() {
    if (!aws_) return;
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.started < b.started; });
  }

  const Plan& plan_;
  const Mix& mix_;
  const Session& session_;
  const bool aws_;
  Nanos from_, until_;  // the act that is being written
  const bool is_fine_;  // times to a tenth of a microsecond
  const bool shares_labels_;
  std::size_t act_begin_ = 0;
  Random random_;
  std::vector<Entry> entries_;
};

bool is_away(const Plan& plan, const Session& session, const Entry& entry, Nanos moment, Nanos freeze) {
  if (plan.mix.vanish <= 0 || !entry.may_vanish || moment >= std::min(session.stop, freeze)) return false;
  const auto span = static_cast<std::uint64_t>(moment / (700 * kMillisecond));
  return Random(seed_of(entry.seed, span)).chance(plan.mix.vanish);
}

// The last time something was written about a running entry.
Nanos last_tick(const Entry& entry, Nanos since, Nanos moment) {
  const Nanos last = entry.ticks ? since + (moment - since) / kTick * kTick : since;
  return std::max(entry.started, whole_micros(last));
}

// A time as the log tells it at a moment.
Nanos told(const Session& session, Nanos at, Nanos moment, Nanos freeze, bool tells_entries_apart) {
  if (at == 0) return at;
  if (session.telling) at = session.telling->told(at);
  if (session.six_digits_from == kNever || moment < std::min(session.six_digits_from, freeze)) return at;
  return whole_micros(at + (session.rounds && tells_entries_apart ? kMicrosecond / 2 : 0));
}

State aws_state(const Entry& entry, const Step& step, Nanos moment) {
  State state{step.status, entry.started, entry.has_start ? entry.started : 0, "0"};
  if (!entry.has_start && !entry.ticks) return state;
  state.log_time = step.finished != 0 ? step.finished : last_tick(entry, step.at, moment);
  // Only the millisecond component of the span, as the product does it (config/dialects/README.md).
  state.duration = std::to_string((state.log_time - entry.started) / kMillisecond % 1000);
  return state;
}

State azure_state(const Entry& entry, const Step& step, Nanos moment) {
  const bool waits = step.status == "Pending" || step.status == "NeverExecuted";
  State state{step.status, entry.started, waits ? 0 : entry.started + 18 * kMicrosecond, ""};
  if (step.finished != 0) {
    state.duration = time_span(step.finished - entry.started);
  } else if (entry.ticks && !waits && !is_final_status(step.status)) {
    state.duration = time_span(last_tick(entry, step.at, moment) - entry.started);
  }
  return state;
}

}  // namespace

std::vector<Entry> make_script(const Plan& plan, const Session& session) { return Author(plan, session).write(); }

std::optional<State> state_at(const Plan& plan, const Session& session, const Entry& entry, Nanos moment,
                              Nanos freeze) {
  const Nanos at = std::min(moment, freeze);
  if (entry.appears > at || is_away(plan, session, entry, moment, freeze)) return std::nullopt;
  if (entry.appears < session.cleared && session.cleared <= at && session.cleared < freeze) return std::nullopt;
  if (!entry.raw.empty()) return State{};
  Step step = entry.steps.front();
  for (const Step& next : entry.steps) {
    if (next.at <= at) step = next;
  }
  // A fleet that freezes ends what runs.
  if (moment >= freeze && !is_final_status(step.status)) {
    step = {freeze, "Success", std::max(entry.started, whole_micros(freeze))};
  }
  const bool aws = session.dialect == Dialect::aws;
  State state = aws ? aws_state(entry, step, at) : azure_state(entry, step, at);
  state.log_time = told(session, state.log_time, moment, freeze, !aws);
  state.start = told(session, state.start, moment, freeze, aws);
  if (entry.is_short) {
    state.start = 0;
    state.duration.clear();
  }
  return state;
}

Log log_at(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment, Nanos freeze) {
  std::vector<Shown> log;
  log.reserve(script.size());
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (std::optional<State> state = state_at(plan, session, script[i], moment, freeze)) {
      log.push_back({i, *std::move(state)});
    }
  }
  const std::size_t total = log.size();
  if (moment < freeze && session.paged.holds(moment)) log.resize(std::min(total, kLogPage));
  return {std::move(log), total};
}

bool is_final_status(std::string_view status) {
  static constexpr std::string_view kOpen[] = {"Pending",          "Running",   "RunningWithWarning",
                                               "RunningWithError", "Canceling", "NeverExecuted"};
  return std::find(std::begin(kOpen), std::end(kOpen), status) == std::end(kOpen);
}

std::string_view label_in(std::string_view message) {
  const std::size_t mark = message.rfind(" #");
  return mark == std::string_view::npos ? std::string_view() : message.substr(mark + 2);
}

}  // namespace fleet
