// Trouble at a chosen call of librdkafka: kafka_writer is linked so that the calls below come here first (--wrap).
#pragma once

#include <string>

namespace sessionlogd::test {

// "ACTION:CALL:N": at the N-th (from 1) of init, begin, produce, flush, commit or abort,
//   die-before, die-after       SIGKILL for this process
//   die-during                  the same from another thread, while the call lasts or just behind it
//   fail-before, fail-after     an error of no particular kind, without or after doing what was asked
//   stop-before                 SIGSTOP for this process
//   hold-before, hold-after     the thread that calls stands still until let_go()
// Throws std::invalid_argument.
void plan_trouble(const std::string& plan);

bool is_held();  // a thread stands still
void let_go();   // whoever does, or will

}  // namespace sessionlogd::test
