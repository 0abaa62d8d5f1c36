#include "bench/fleet/forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "bench/fleet/json_text.h"
#include "bench/fleet/script.h"

namespace fleet {

namespace {

constexpr std::size_t kLongMessage = 500;

// One piece of news about the entries of a number, and every spelling it was served in.
struct Form {
  bool final;
  std::string status, resource;
  Nanos when;
  std::vector<std::string> texts;  // JSON: [logTime,start,duration]
};

struct Serving {
  std::size_t form;
  bool owed;
};

struct Story {
  const Entry* entry = nullptr;
  std::vector<Serving> servings;
  std::optional<State> last;
};

// All entries that share a label.
struct Number {
  std::vector<Story> stories;
  std::vector<Form> forms;
  std::map<std::string, std::size_t> by_news;
};

// What makes two states of one number the same news. An unfinished step ticks, and digits below a microsecond come and
// go: neither is news.
std::string news_of(Dialect dialect, const Entry& entry, const State& state) {
  const Nanos identity = dialect == Dialect::azure || entry.has_start ? entry.started : 0;
  std::string news = fmt::format("{} {} {}", state.status, identity, entry.resource);
  if (!is_final_status(state.status)) return news;
  const Nanos content = dialect == Dialect::aws ? state.log_time : state.start;
  return news + fmt::format(" {} {}", content / kMicrosecond, state.duration);
}

std::string text_of(const Session& session, const State& state) {
  const auto time = [&](Nanos at) {
    return at == 0 ? std::string() : time_text(session.telling.get(), session.dialect, at);
  };
  return fmt::format(R"(["{}","{}","{}"])", time(state.log_time), time(state.start), state.duration);
}

// The form of the number that this is, a new one or with a new spelling.
std::size_t form_of(Number& number, const Session& session, const Entry& entry, const State& state, Nanos when) {
  const auto [known, is_new] = number.by_news.try_emplace(news_of(session.dialect, entry, state), number.forms.size());
  if (is_new) {
    number.forms.push_back({is_final_status(state.status), std::string(state.status), entry.resource, when, {}});
  }
  Form& form = number.forms[known->second];
  form.when = std::min(form.when, when);
  std::string text = text_of(session, state);
  if (std::find(form.texts.rbegin(), form.texts.rend(), text) == form.texts.rend()) {
    form.texts.push_back(std::move(text));
  }
  return known->second;
}

void serve(Number& number, Story& story, const Session& session, const State& state, const Served& served) {
  if (story.last == state) {
    story.servings.back().owed |= served.owed;
    return;
  }
  story.last = state;
  const std::size_t form = form_of(number, session, *story.entry, state, served.moment);
  if (story.servings.empty() || story.servings.back().form != form) {
    story.servings.push_back({form, served.owed});
  } else {
    story.servings.back().owed |= served.owed;
  }
}

void append_form(std::string& to, const Form& form) {
  fmt::format_to(std::back_inserter(to), R"([{},"{}","{}","{}",[)", int{form.final}, form.status, form.resource,
                 azure_time(form.when));
  const char* comma = "";
  for (const std::string& text : form.texts) to += std::exchange(comma, ",") + text;
  to += "]]";
}

void append_story(std::string& to, const Story& story) {
  fmt::format_to(std::back_inserter(to), R"({{"a":{},"s":[)", story.entry->appears);
  const char* comma = "";
  for (const Serving& each : story.servings) {
    fmt::format_to(std::back_inserter(to), "{}[{},{}]", std::exchange(comma, ","), each.form, int{each.owed});
  }
  to += ']';
  if (!story.entry->extra.empty()) {
    to += R"(,"x":)";
    append_json(to, '{' + story.entry->extra.substr(1) + '}');
  }
  to += '}';
}

void append_number(std::string& to, const std::string& label, const Number& number) {
  const std::string message = as_owed(number.stories.front().entry->message);
  fmt::format_to(std::back_inserter(to), R"({{"n":"{}","m":)", label);
  append_json(to, message.size() > kLongMessage ? message.substr(0, message.find(' ')) + " ..." : message);
  fmt::format_to(std::back_inserter(to), R"(,"h":"{}",)", hash_of(message));
  if (const std::string line = in_one_line(message); line != message) {
    fmt::format_to(std::back_inserter(to), R"("l":"{}",)", hash_of(line));
  }
  to += R"("f":[)";
  const char* comma = "";
  for (const Form& form : number.forms) {
    to += std::exchange(comma, ",");
    append_form(to, form);
  }
  to += R"(],"e":[)";
  comma = "";
  for (const Story& story : number.stories) {
    to += std::exchange(comma, ",");
    append_story(to, story);
  }
  to += "]}";
}

}  // namespace

void append_forms(std::string& to, const Plan& plan, const Session& session, std::span<const Served> served,
                  Nanos freeze) {
  const std::vector<Entry> script = make_script(plan, session);
  std::vector<Story> stories(script.size());
  std::map<std::string, Number> numbers;
  std::map<std::size_t, bool> errors;  // by entry: whether it is owed
  for (const Served& each : served) {
    for (const Shown& shown : log_at(plan, session, script, each.moment, freeze).shown) {
      const Entry& entry = script[shown.entry];
      if (entry.raw.empty()) {
        stories[shown.entry].entry = &entry;
        serve(numbers[entry.label], stories[shown.entry], session, shown.state, each);
      } else {
        errors[shown.entry] |= each.owed;
      }
    }
  }
  for (Story& story : stories) {
    if (story.entry != nullptr) numbers[story.entry->label].stories.push_back(std::move(story));
  }
  to += R"("numbers":[)";
  const char* comma = "";
  for (const auto& [label, number] : numbers) {
    to += std::exchange(comma, ",");
    append_number(to, label, number);
  }
  to += R"(],"errors":[)";
  comma = "";
  for (const auto& [entry, owed] : errors) {
    fmt::format_to(std::back_inserter(to), "{}[{},", std::exchange(comma, ","), int{owed});
    append_json(to, script[entry].raw);
    to += ']';
  }
  to += ']';
}

}  // namespace fleet
