#include "core/discovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "core/json_text.h"
#include "core/task.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr unsigned kTriesPerWindow = 3;
constexpr std::chrono::seconds kShortestSlice{60};
constexpr unsigned kModestPage = 30;
constexpr double kShareOfRate = 0.25;

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (name.empty()) return;
  if (!query.empty()) query += '&';
  query.append(name).append("=");
  append_percent_encoded(query, value);
}

// Sources take no fractions here; a whole second earlier is never too late.
std::string whole_seconds(Instant at) {
  std::string text;
  append_rfc3339(text, {at.seconds, 0});
  return text;
}

// Of an id that was given to another session in the meantime, the row that came last is true.
std::vector<ListedSession> last_of_each(std::vector<ListedSession> sessions) {
  std::unordered_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < sessions.size(); ++i) last[sessions[i].id] = i;
  if (last.size() == sessions.size()) return sessions;
  std::vector<std::size_t> kept;
  for (const auto& [id, i] : last) kept.push_back(i);
  std::ranges::sort(kept);
  std::vector<ListedSession> each;
  each.reserve(kept.size());
  for (const std::size_t i : kept) each.push_back(std::move(sessions[i]));
  return each;
}

}  // namespace

bool is_wanted(const SourceSettings& settings, const ListedSession& session) {
  const auto& types = settings.session_types;
  const auto holds = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), session.type) != list.end();
  };
  return (types.include.empty() || holds(types.include)) && !holds(types.exclude);
}

std::string path_of_session(std::string_view path, std::string_view id) {
  constexpr std::string_view kMark = "{id}";
  const std::size_t mark = path.find(kMark);
  if (mark == path.npos) return std::string(path);
  std::string filled;
  filled.reserve(path.size() + id.size());
  filled += path.substr(0, mark);
  append_percent_encoded(filled, id);
  filled += path.substr(mark + kMark.size());
  return filled;
}

Discovery::Discovery(ApiClient& api, const SourceSettings& settings, NotJson not_json)
    : api_(api),
      settings_(settings),
      not_json_(std::move(not_json)),
      page_size_(settings.dialect->sessions.page_size) {}

Task<Result<Listing>> Discovery::list(std::optional<Instant> from) {
  Listing listing;
  listing.sent = api_.now();
  const Window window{from, std::nullopt};
  Result<void> read = co_await read_window(window, listing);
  if (read.has_error()) co_return read.error();

  // Those that run may have begun before the window.
  std::string query = running_query();
  if (from && !query.empty()) {
    for (unsigned tries = 1;; ++tries) {
      const Result<PageWalk::Step> step = co_await read_pages(query, listing);
      if (step.has_error()) co_return step.error();
      if (*step == PageWalk::Step::kComplete || tries == kTriesPerWindow) break;
    }
  }
  listing.sessions = last_of_each(std::move(listing.sessions));
  co_return listing;
}

// A window whose rows keep moving is read in halves: fewer rows, fewer pages, less time for them to move.
Task<Result<void>> Discovery::read_window(Window window, Listing& into) {
  PageWalk::Step step = PageWalk::Step::kMore;
  for (unsigned tries = 0; tries < kTriesPerWindow && step != PageWalk::Step::kComplete; ++tries) {
    std::string query = window_query(window);
    const Result<PageWalk::Step> read = co_await read_pages(std::move(query), into);
    if (read.has_error()) co_return read.error();
    step = *read;
  }
  if (step == PageWalk::Step::kComplete) co_return Result<void>();

  const Instant end = window.to.value_or(api_.now());
  const bool has_slices =
      window.from && !settings_.dialect->sessions.to.empty() && !settings_.dialect->sessions.from.empty();
  if (step == PageWalk::Step::kStartOver && has_slices &&
      end.seconds - window.from->seconds >= 2 * kShortestSlice.count()) {
    const Instant middle{window.from->seconds + (end.seconds - window.from->seconds) / 2, 0};
    const Window older{window.from, middle}, newer{middle, window.to};
    const Result<void> first = co_await read_window(older, into);
    if (first.has_error()) co_return first;
    co_return co_await read_window(newer, into);
  }
  into.missing = step == PageWalk::Step::kIncomplete ? "its total says that there are more sessions than its pages show"
                                                     : "its rows moved too fast to be sure that none was missed";
  co_return Result<void>();
}

std::string Discovery::window_query(const Window& window) const {
  const auto& dialect = settings_.dialect->sessions;
  std::string query;
  for (const auto& [name, value] : dialect.query) add_parameter(query, name, value);
  if (window.from) add_parameter(query, dialect.from, whole_seconds(*window.from));
  if (window.to) add_parameter(query, dialect.to, whole_seconds({window.to->seconds + 1, 0}));
  return query;
}

std::string Discovery::running_query() const {
  const auto& dialect = settings_.dialect->sessions;
  if (dialect.status_filter.empty() || dialect.from.empty()) return {};
  std::string query;
  for (const auto& [name, value] : dialect.query) add_parameter(query, name, value);
  for (const std::string& word : dialect.running_words) add_parameter(query, dialect.status_filter, word);
  return query;
}

Task<Result<PageWalk::Step>> Discovery::read_pages(std::string query, Listing& into) {
  PageWalk walk;
  for (;;) {
    const std::size_t offset = walk.offset();
    Result<SessionPage> page = co_await read_page(query, offset);
    if (page.has_error()) co_return page.error();
    into.unusable += page->row_ids.size() - page->sessions.size();
    std::move(page->sessions.begin(), page->sessions.end(), std::back_inserter(into.sessions));
    const PageWalk::Step step = walk.take(page->row_ids, page->total);
    if (step != PageWalk::Step::kMore) co_return step;
  }
}

Task<Result<SessionPage>> Discovery::read_page(std::string query, std::size_t offset) {
  const auto& dialect = settings_.dialect->sessions;
  for (;;) {
    std::string page_query = query;
    add_parameter(page_query, dialect.offset, std::to_string(offset));
    if (page_size_ != 0) add_parameter(page_query, dialect.limit, std::to_string(page_size_));
    std::string target = dialect.path + "?" + page_query;
    const SteadyTime asked = SteadyClock::now();
    Result<HttpAnswer> answer = co_await get_paced(std::move(target));
    if (answer.has_value()) {
      Result<SessionPage> page = parse_session_page(*settings_.dialect, answer->body.text());
      if (page.has_error() && !is_json(answer->body.text())) not_json_("", "a list of sessions", answer->body.text());
      if (page.has_value()) {
        for (ListedSession& session : page->sessions) session.shown = shown_since(asked);
      }
      co_return page;
    }
    // A source that takes no pages of this size says 400, as it does to everything else that it does not take: smaller
    // ones are tried before the blame goes elsewhere.
    if (answer.error().http_status != 400 || page_size_ == 0) {
      if (page_size_ == 0) page_size_ = dialect.page_size;
      co_return answer.error();
    }
    page_size_ = page_size_ > kModestPage ? kModestPage : 0;
  }
}

Task<Result<HttpAnswer>> Discovery::get_paced(std::string target) {
  co_await api_.sleep_until(next_request_at_);
  const auto gap = std::chrono::duration<double>(1.0 / (kShareOfRate * settings_.poll.rate_per_second));
  next_request_at_ = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(gap);
  co_return co_await api_.get(std::move(target));
}

Task<Result<ListedSession>> Discovery::ask(std::string id) {
  std::string target = path_of_session(settings_.dialect->sessions.one_path, id);
  const SteadyTime asked = SteadyClock::now();
  Result<HttpAnswer> answer = co_await get_paced(std::move(target));
  if (answer.has_error()) co_return answer.error();
  Result<ListedSession> session = parse_session(*settings_.dialect, answer->body.text());
  if (session.has_error() && !is_json(answer->body.text())) not_json_(id, "its state", answer->body.text());
  if (session.has_error()) co_return session;
  if (session->id != id) co_return Error(ErrorKind::kBadAnswer, "the answer names another session than was asked for");
  session->shown = shown_since(asked);
  co_return session;
}

// By one reading of the appliance's clock: the answer may have taught us another.
Shown Discovery::shown_since(SteadyTime asked) const {
  const Instant now = api_.now();
  const auto took = std::chrono::nanoseconds(SteadyClock::now() - asked).count();
  return {add_nanoseconds(now, -took).value_or(now), now};
}

}  // namespace sessionlogd
