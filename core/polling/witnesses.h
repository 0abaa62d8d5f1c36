// Finished sessions that a listing showed, which the next one must show, too: one that lacks them shows less than there
// is. The newest, for they stay in the window for longest. Knows nothing of requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/dialect.h"
#include "core/base/timestamp.h"
#include "core/polling/session_list.h"

namespace sessionlogd {

class Witnesses {
 public:
  static constexpr std::size_t kMost = 8;
  static constexpr std::int64_t kOverlapSeconds = 2;

  explicit Witnesses(const Dialect& dialect) : dialect_(dialect) {}

  void listing_begins() { next_.clear(); }
  void look_at(const std::vector<ListedSession>& rows);
  // Whether the listing that has ended lacks one that began after `from`, the start of its window; nullopt: it had
  // none. Those that are lacking are looked for again in the next one.
  bool are_lacking(std::optional<Instant> from);
  void forget() { all_.clear(); }

 private:
  struct Witness {
    std::string id;
    Instant start;
    bool shown;
  };
  const Dialect& dialect_;
  std::vector<Witness> all_, next_;  // `next_` is a heap, the oldest at its front
};

}  // namespace sessionlogd
