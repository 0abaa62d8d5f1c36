// Who reads the sessions that listings and sweeps show.
#pragma once

#include <vector>

#include "core/async/task.h"
#include "core/base/result.h"
#include "core/polling/discovery.h"
#include "core/polling/session_table.h"
#include "core/polling/source_health.h"

namespace sessionlogd {

class FoundSessions {
 public:
  virtual ~FoundSessions() = default;
  // Rows of one page, in their order: they are in the table, and what must be remembered is in the queue, on return.
  virtual void take_in(const std::vector<ListedSession>& rows, const Showing& how) = 0;
  virtual void push(std::vector<StateRecord> records) = 0;
  // Returns when there is room for more sessions; false: we are stopping.
  virtual Task<bool> room_to_list() = 0;
  virtual Task<bool> room_to_sweep() = 0;
  // Returns when nothing is due.
  virtual Task<void> all_read() = 0;
  // A listing of everything begins.
  virtual void sweep_begins() = 0;
  // A listing has ended.
  virtual void listed(const Result<void>& how, SourceHealth::Tries tries) = 0;
};

}  // namespace sessionlogd
