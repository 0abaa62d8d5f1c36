#include "config/read_poll.h"

#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kDay = 24h;

using P = PollSettings;

void check_intervals(const TableReader& table, const PollSettings& poll) {
  if (poll.max_interval >= poll.interval) return;
  if (table.has("max_interval")) {
    table.refuse("max_interval", "found " + in_quotes(format_duration(poll.max_interval)) +
                                     ", expected at least the interval, " + in_quotes(format_duration(poll.interval)));
  } else if (table.has("interval")) {
    table.refuse("interval", "found " + in_quotes(format_duration(poll.interval)) +
                                 ", expected at most max_interval, " + in_quotes(format_duration(poll.max_interval)));
  }
}

}  // namespace

const Keys<PollSettings>& poll_keys() {
  static const Keys<P> keys = a_key_for_each_member<P>({
      {"freshness", &P::freshness, or_word("interval", durations(10ms, kDay)),
       "the aim for the mean age of an entry when it is read: the pace learns when entries come; `\"interval\"`: as "
       "that"},
      {"interval", &P::interval, durations(1ms, kDay), "a running session is read no more often; 1 ms to 24 h"},
      {"max_interval", &P::max_interval, durations(1ms, kDay),
       "and no less often; the same as `interval` is a fixed pace, without an aim"},
      {"discovery_interval", &P::discovery_interval, durations(1ms, kDay),
       "from the end of one listing to the next at most; a fixed pace takes it, or up to an eighth less"},
      {"sweep_interval", &P::sweep_interval, durations(1s, 30 * kDay),
       "how often everything that the source shows is listed again"},
      {"settle", &P::settle, durations(0ms, 30 * kDay), "how long after its stop a session is read for the last time"},
      {"lookback", &P::lookback, or_word("all", durations(1s, 3650 * kDay)),
       "at first contact: what had ended and had begun before is left alone; `\"all\"`: nothing is"},
      {"overlap", &P::overlap, durations(0ms, 30 * kDay),
       "how far each later listing reaches back before the last one"},
      {"max_session_age", &P::max_session_age, durations(1s, 365 * kDay),
       "a session that runs longer is warned about and read less often"},
      {"timeout", &P::timeout, durations(1ms, 1h), "for one request"},
      {"max_body", &P::max_body_bytes, sizes(1u << 10, 4ull << 30),
       "decoded; a larger response is refused and counted"},
      {"connections", &P::connections, integers(1, 1000), "requests in flight per source; 1 to 1000"},
      {"rate", &P::rate_per_second, rates(), "requests per source"},
      {"changes", &P::changes, words<Changes>({{"emit", Changes::kEmit}, {"final", Changes::kFinal}}),
       "an entry again each time it changes; `\"final\"`: once, when its status is final; what was emitted while it "
       "ran, "
       "before this was set, again"},
      {"retention",
       &P::retention,
       durations(1s, 3650 * kDay),
       "how long the source keeps its logs: an alert comes long before",
       {.default_words = "the dialect's, `\"90d\"`"}},
  });
  return keys;
}

void read_poll(TableReader& table, const ReadContext& context, PollSettings& into) {
  const std::vector<std::string_view> refused = read_keys(table, poll_keys(), context, into);
  if (!is_among(refused, {"interval", "max_interval"})) check_intervals(table, into);
  const std::size_t most = context.memory_bytes / kLeastMemoryPerBody;
  if (table.has("max_body") && !is_among(refused, {"max_body"}) && into.max_body_bytes > most) {
    table.refuse("max_body", "found " + in_quotes(format_size(into.max_body_bytes)) +
                                 ", expected at most a quarter of daemon.memory, " + in_quotes(format_size(most)));
  }
  table.finish();
}

}  // namespace sessionlogd
