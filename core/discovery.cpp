#include "core/discovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (name.empty()) return;
  if (!query.empty()) query += '&';
  query.append(name).append("=").append(percent_encode(value));
}

// Sources take no fractions here; a whole second earlier is never too late.
std::string whole_seconds(Instant at) {
  std::string text;
  append_rfc3339(text, {at.seconds, 0});
  return text;
}

}  // namespace

std::string path_of_session(std::string path, std::string_view id) {
  const std::size_t mark = path.find("{id}");
  if (mark != std::string::npos) path.replace(mark, 4, percent_encode(id));
  return path;
}

asio::awaitable<Result<Listing>> Discovery::list(std::optional<Instant> from) {
  Listing listing;
  listing.sent = api_.now();
  std::string query = window_query(from);
  Result<void> read = co_await read_pages(std::move(query), listing);
  query = running_query();
  if (read.has_value() && !query.empty() && from) read = co_await read_pages(std::move(query), listing);
  if (read.has_error()) co_return read.error();
  listing.answered = api_.now();
  co_return listing;
}

std::string Discovery::window_query(std::optional<Instant> from) const {
  std::string query;
  for (const auto& [name, value] : settings_.dialect->sessions.query) add_parameter(query, name, value);
  if (from) add_parameter(query, settings_.dialect->sessions.from, whole_seconds(*from));
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

// The end is an empty page, or the total reached, or a page shorter than those before: never just a page shorter than asked for, since
// a source may give less than that at a time.
asio::awaitable<Result<void>> Discovery::read_pages(std::string query, Listing& into) {
  const auto& dialect = settings_.dialect->sessions;
  std::unordered_set<std::string> ids;
  for (const ListedSession& session : into.sessions) ids.insert(session.id);
  std::unordered_set<std::string> of_this_listing;
  std::size_t offset = 0, longest = 0;
  for (;;) {
    std::string page_query = query;
    add_parameter(page_query, dialect.offset, std::to_string(offset));
    add_parameter(page_query, dialect.limit, std::to_string(dialect.page_size));
    std::string target = dialect.path + "?" + page_query;
    Result<HttpAnswer> answer = co_await api_.get(std::move(target));
    if (answer.has_error()) co_return answer.error();
    Result<SessionPage> page = parse_session_page(*settings_.dialect, answer->body.text());
    if (page.has_error()) co_return page.error();

    into.unreadable += page->unreadable;
    for (ListedSession& session : page->sessions) {
      of_this_listing.insert(session.id);
      if (ids.insert(session.id).second) into.sessions.push_back(std::move(session));
    }
    offset += page->rows;
    const bool complete = page->total && of_this_listing.size() + into.unreadable >= *page->total;
    if (page->rows == 0 || complete || page->rows < longest) co_return Result<void>();
    longest = std::max(longest, page->rows);
  }
}

asio::awaitable<Result<ListedSession>> Discovery::ask(std::string id) {
  std::string target = path_of_session(settings_.dialect->sessions.one_path, id);
  Result<HttpAnswer> answer = co_await api_.get(std::move(target));
  if (answer.has_error()) co_return answer.error();
  Result<ListedSession> session = parse_session(*settings_.dialect, answer->body.text());
  if (session.has_value() && session->id != id) co_return Error(ErrorKind::kBadAnswer, "the answer names another session than was asked for");
  co_return session;
}

}  // namespace sessionlogd
