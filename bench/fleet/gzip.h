// A body as `Content-Encoding: gzip` carries it.
#pragma once

#include <string>
#include <string_view>

namespace fleet {

std::string gzip(std::string_view text);

}  // namespace fleet
