// Events as Open Cybersecurity Schema Framework 1.7.0, class Scheduled Job Activity (1006) with the profile datetime,
// one JSON object a line. tests/formats/ocsf_test.cpp judges the lines by the published schema of the class.
//
// What the class has no place for stands under `unmapped`, flat and as strings only: in Parquet that is one map.
// https://schema.ocsf.io/1.7.0/classes/scheduled_job_activity?profiles=datetime
#pragma once

#include "sinks/formats/formats.h"

namespace sessionlogd {

extern const Format kOcsfFormat;

}  // namespace sessionlogd
