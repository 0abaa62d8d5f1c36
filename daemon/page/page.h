// The page for people at "/": one file, daemon/page/index.html, built into the binary. It asks /status and /recent of
// where it came from, and nothing else of anybody.
#pragma once

#include <string>
#include <string_view>

namespace sessionlogd {

// `nonce` marks the page's own script and style: letters and digits.
std::string page_html(std::string_view nonce);

}  // namespace sessionlogd
