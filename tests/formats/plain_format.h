// A format that nobody uses, unlike ECS in everything that may differ: no JSON, a beginning of its own, the identifying
// fields first and the message last. With it in the table, whoever knows ECS alone fails a test.
#pragma once

#include "sinks/formats/formats.h"

namespace sessionlogd::test {

// "plain": P1, 17 fields and P1 again, with tabs between them; see plain_format.cpp.
extern const Format kPlainFormat;

}  // namespace sessionlogd::test
