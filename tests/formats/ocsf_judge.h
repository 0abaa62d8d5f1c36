// Judges a line of the output by the published schema of OCSF's class Scheduled Job Activity, and by what a schema
// cannot say: sums, captions, and that a time has the same milliseconds in both its forms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/formats/json_schema.h"

namespace sessionlogd::test {

class OcsfJudge {
 public:
  OcsfJudge();  // reads tests/data/specs/ocsf-1.7.0-scheduled_job_activity.schema.json

  // What is wrong with a line, nothing when it is well.
  std::vector<std::string> complaints(std::string_view line) const;

 private:
  JsonSchema schema_;
};

}  // namespace sessionlogd::test
