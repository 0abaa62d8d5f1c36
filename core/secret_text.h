// Finds a secret in what an appliance says: some echo the request that they refuse, and what they say is logged or
// kept.
#pragma once

#include <string_view>

namespace sessionlogd {

// Whether `text` holds `secret` as it is, percent-encoded (as a form carries it), with JSON's backslashes, or in base64
// (as Basic credentials do), wherever it begins. An empty secret is in no text.
bool holds_secret(std::string_view text, std::string_view secret);

}  // namespace sessionlogd
