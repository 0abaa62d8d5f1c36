// Finds a secret in what an appliance says: some echo the request that they refuse, and what they say is logged or
// kept.
#pragma once

#include <cstddef>
#include <string_view>

namespace sessionlogd {

// Whether `text` holds `secret` in any form that undoing encodings brings back: HTML's entities, percent-encoding,
// JSON's and C's escapes, base64 and its form for URLs, one around the other, in letters of either case. Text and
// secret are brought to one plain form, so that no list of what may have been done to it is needed. An empty secret is
// in no text.
//
// Takes time in proportion to `text`, about 0.1 ms a KiB: hand over what would be quoted or kept, and a little more, so
// that a secret is seen that is cut at its end.
bool holds_secret(std::string_view text, std::string_view secret);

}  // namespace sessionlogd
