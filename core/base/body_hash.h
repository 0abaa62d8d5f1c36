// Tells a response that is the same as the last one, which is what most polls get: this hash is all that they cost.
#pragma once

#include <cstdint>
#include <string_view>

namespace sessionlogd {

// Of the text's bytes, the same on every machine; never 0.
std::uint64_t hash_body(std::string_view text);

}  // namespace sessionlogd
