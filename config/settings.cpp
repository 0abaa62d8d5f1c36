#include "config/settings.h"

#include <tuple>

namespace sessionlogd {

bool operator==(const SourceSettings& a, const SourceSettings& b) {
  const auto members = [](const SourceSettings& s) {
    return std::tie(s.name, s.id, s.url, s.host, s.username, s.password, s.token, s.api_version, s.sessions,
                    s.session_types, s.time_zone, s.proxy, s.tls, s.labels, s.keep_original, s.poll);
  };
  return members(a) == members(b) && *a.dialect == *b.dialect;
}

}  // namespace sessionlogd
