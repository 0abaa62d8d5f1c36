#include "tests/formats/ocsf_judge.h"

#include <fmt/format.h>

#include <map>

#include "core/base/timestamp.h"
#include "tests/support/data_file.h"

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;

using Complaints = std::vector<std::string>;

// Captions of the enumerations: https://schema.ocsf.io/1.7.0/classes/scheduled_job_activity. Of 99, "Other", it is the
// source's own word.
struct Caption {
  const char *number, *text;
  std::map<std::int64_t, std::string> captions;
};
const Caption kCaptions[] = {
    {"category_uid", "category_name", {{1, "System Activity"}}},
    {"class_uid", "class_name", {{1006, "Scheduled Job Activity"}}},
    {"type_uid", "type_name", {{100699, "Scheduled Job Activity: Other"}}},
    {"severity_id", "severity", {{1, "Informational"}, {2, "Low"}, {3, "Medium"}, {4, "High"}}},
    {"status_id", "status", {{0, "Unknown"}, {1, "Success"}, {2, "Failure"}}},
};

void judge_captions(dom::object event, Complaints& into) {
  for (const Caption& caption : kCaptions) {
    std::int64_t number = 0;
    std::string_view text;
    if (event[caption.number].get(number) || event[caption.text].get(text)) {
      into.push_back(fmt::format("{} or {} is missing", caption.number, caption.text));
      continue;
    }
    const auto found = caption.captions.find(number);
    if (found != caption.captions.end() ? text != found->second : number != 99)
      into.push_back(fmt::format("{}: {} is not called {}", caption.number, number, text));
  }
}

void judge_sum(dom::object event, Complaints& into) {
  if (std::int64_t(event["type_uid"]) != std::int64_t(event["class_uid"]) * 100 + std::int64_t(event["activity_id"]))
    into.emplace_back("type_uid is not class_uid * 100 + activity_id");
}

// Each name_dt beside its name.
void judge_times(const std::string& path, dom::object members, Complaints& into) {
  for (const auto [name, value] : members) {
    dom::object inner;
    if (!value.get(inner)) judge_times(path + std::string(name) + ".", inner, into);
    std::string_view digits;
    if (!name.ends_with("_dt") || value.get(digits)) continue;
    std::int64_t milliseconds = 0;
    const auto read = parse_rfc3339(digits);
    if (!read || !read->zoned || members[name.substr(0, name.size() - 3)].get(milliseconds) ||
        milliseconds != read->instant.seconds * 1'000 + read->instant.nanos / 1'000'000)
      into.push_back(fmt::format("{}{}: its milliseconds are others", path, name));
  }
}

void judge_unmapped(dom::object event, Complaints& into) {
  dom::object members;
  if (event["unmapped"].get(members)) return;
  for (const auto [name, value] : members) {
    if (!value.is_string()) into.push_back(fmt::format("unmapped.{} is no string", name));
  }
}

}  // namespace

OcsfJudge::OcsfJudge() : schema_(read_data_file("specs/ocsf-1.7.0-scheduled_job_activity.schema.json")) {}

Complaints OcsfJudge::complaints(std::string_view line) const {
  if (line.find_first_of("\r\n") != line.npos) return {"more than one line"};
  dom::parser parser;
  dom::element value;
  dom::object event;
  const simdjson::padded_string text(line);
  if (parser.parse(text).get(value) || value.get(event)) return {"no JSON object"};
  Complaints complaints = schema_.complaints(value);
  if (!complaints.empty()) return complaints;
  judge_captions(event, complaints);
  judge_sum(event, complaints);
  judge_times("", event, complaints);
  judge_unmapped(event, complaints);
  return complaints;
}

}  // namespace sessionlogd::test
