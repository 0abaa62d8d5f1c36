#include "core/polling/discovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "core/async/task.h"
#include "core/base/json_text.h"
#include "core/http/http_headers.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr unsigned kModestPage = 30;

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

Discovery::Discovery(ApiClient& api, const SourceSettings& settings, WatchedNow watched_now, BadBody bad_body)
    : api_(api),
      settings_(settings),
      watched_now_(std::move(watched_now)),
      bad_body_(std::move(bad_body)),
      page_size_(settings.dialect->sessions.page_size) {}

ListingWalk::Source Discovery::source() const {
  const auto& dialect = settings_.dialect->sessions;
  return {.has_pages = !dialect.offset.empty(), .has_slices = !dialect.from.empty() && !dialect.to.empty()};
}

ListingWalk Discovery::walk(ListingWalk::Window window) const { return {window, source()}; }

ListingWalk Discovery::sweep(std::optional<Instant> place, std::size_t most_rows) const {
  ListingWalk::Source swept = source();
  swept.is_sweep = true;
  swept.most_rows = most_rows;
  return {{place, std::nullopt}, swept};
}

bool Discovery::can_list_running() const {
  const auto& dialect = settings_.dialect->sessions;
  return !dialect.status_filter.empty() && !dialect.from.empty();
}

Task<Result<SessionPage>> Discovery::next_page(ListingWalk& walk, Of of, double share) {
  std::string query = query_of(walk, of);
  Result<SessionPage> page = co_await read_page(std::move(query), walk.offset(), walk.limit(), share);
  // Behind the end some say that there is no such page: rows went since the one before.
  const int status = page.has_error() ? page.error().http_status : 0;
  if (walk.offset() > 0 && (status == 400 || status == 404 || status == 416)) {
    walk.moved(api_.now());
    co_return SessionPage();
  }
  if (page.has_error()) co_return page;
  const std::size_t asked = walk.limit() != 0 ? walk.limit() : page_size_;
  const bool is_at_most_asked = asked == 0 || page->rows.size() <= asked;
  if (is_at_most_asked) longest_page_ = std::max(longest_page_, page->rows.size());
  walk.take({page->rows, asked, longest_page_, page->total.value_or(0)}, api_.now());
  co_return page;
}

Task<Result<Listing>> Discovery::list(std::optional<Instant> from) {
  Listing listing;
  const Result<void> read = co_await read_all(walk({from, std::nullopt}), Of::kWindow, listing);
  if (read.has_error()) co_return read.error();
  // Those that run may have begun before the window.
  if (from && can_list_running()) {
    const Result<void> running = co_await read_all(walk({}), Of::kRunning, listing);
    if (running.has_error()) co_return running.error();
  }
  listing.sessions = last_of_each(std::move(listing.sessions));
  co_return listing;
}

Task<Result<void>> Discovery::read_all(ListingWalk walk, Of of, Listing& into) {
  while (!walk.ended()) {
    Result<SessionPage> page = co_await next_page(walk, of, kShareOfRate);
    if (page.has_error()) co_return page.error();
    std::move(page->sessions.begin(), page->sessions.end(), std::back_inserter(into.sessions));
  }
  // What runs and is not shown is asked for by its id, or shown by the window.
  if (of == Of::kWindow) into.missing = walk.missing();
  co_return Result<void>();
}

std::string Discovery::query_of(const ListingWalk& walk, Of of) const {
  const auto& dialect = settings_.dialect->sessions;
  const ListingWalk::Window& window = walk.window();
  std::string query;
  for (const auto& [name, value] : dialect.query) add_parameter(query, name, value);
  if (of == Of::kRunning) {
    for (const std::string& word : dialect.running_words) add_parameter(query, dialect.status_filter, word);
  }
  if (window.from) add_parameter(query, dialect.from, whole_seconds(*window.from));
  if (window.to) add_parameter(query, dialect.to, whole_seconds({window.to->seconds + 1, 0}));
  return query;
}

Task<Result<SessionPage>> Discovery::read_page(std::string query, std::size_t offset, std::size_t limit, double share) {
  const auto& dialect = settings_.dialect->sessions;
  for (;;) {
    std::string page_query = query;
    add_parameter(page_query, dialect.offset, std::to_string(offset));
    const std::size_t rows = limit != 0 ? limit : page_size_;
    if (rows != 0) add_parameter(page_query, dialect.limit, std::to_string(rows));
    std::string target = dialect.path + "?" + page_query;
    const SteadyTime asked = SteadyClock::now();
    Result<HttpResponse> response = co_await get_paced(std::move(target), share);
    if (response.has_value()) {
      Result<SessionPage> page = parse_session_page(*settings_.dialect, response->body.text());
      if (page.has_error()) bad_body_("", "a list of sessions", response->body.text());
      if (page.has_value()) {
        for (ListedSession& session : page->sessions) session.shown = shown_since(asked);
      }
      co_return page;
    }
    // A source that takes no pages of this size says 400, as it does to everything else that it does not take: smaller
    // ones are tried before the blame goes elsewhere.
    if (response.error().http_status != 400 || page_size_ == 0 || offset > 0) {
      if (page_size_ == 0) page_size_ = dialect.page_size;
      co_return response.error();
    }
    page_size_ = page_size_ > kModestPage ? kModestPage : 0;
    learn_pages_anew();
  }
}

Task<Result<HttpResponse>> Discovery::get_paced(std::string target, double share) {
  co_await api_.sleep_until(next_request_at_);
  const auto gap = std::chrono::duration<double>(1.0 / (share * settings_.poll.rate_per_second));
  next_request_at_ = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(gap);
  co_return co_await api_.get(std::move(target));
}

Task<Result<ListedSession>> Discovery::ask(std::string id) {
  std::string target = path_of_session(settings_.dialect->sessions.one_path, id);
  const SteadyTime asked = SteadyClock::now();
  Result<HttpResponse> response = co_await get_paced(std::move(target), kShareOfRate);
  if (response.has_error()) co_return response.error();
  Result<ListedSession> session = parse_session(*settings_.dialect, response->body.text());
  if (session.has_error()) {
    bad_body_(id, "its state", response->body.text());
    co_return session;
  }
  if (session->id != id)
    co_return Error(ErrorKind::kBadResponse, "the response names another session than was asked for");
  session->shown = shown_since(asked);
  co_return session;
}

Shown Discovery::shown_since(SteadyTime asked) const {
  const Watched now = watched_now_();
  return {now - std::chrono::ceil<Watched>(SteadyClock::now() - asked), now};
}

}  // namespace sessionlogd
