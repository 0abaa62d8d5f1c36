// All sources as if they were one, for fleets whose series per source would be too many. Counts are sums that never go
// down, as Prometheus expects of a counter: what a source had counted stays when it leaves. Everything else is that of
// the source that is worst off, so that an alert that holds for one holds for all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/polling/source_view.h"

namespace sessionlogd {

struct SourceSums {
  SourceView as_one;                                    // its identity has a retention only
  std::vector<std::pair<int, std::uint64_t>> requests;  // as_one's own keeps few apart
};

class AllSources {
 public:
  // Each source by its id and the life of its lane; one that counts less than before has begun anew.
  SourceSums look(const std::vector<const SourceView*>& sources);

 private:
  void count(const SourceView& source, const SourceView& before);

  SourceView counts_;
  std::map<int, std::uint64_t> requests_;
  std::map<std::pair<std::string, std::uint64_t>, SourceView> before_;  // by id and life
};

}  // namespace sessionlogd
