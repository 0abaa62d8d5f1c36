// Texts that an appliance could send to break a line, a field, or what reads them.
#pragma once

#include <string>
#include <vector>

namespace sessionlogd::test {

// What every format writes as it is, or behind an escape.
const std::vector<std::string>& whole_texts();

// What may become U+FFFD, or a text for the end of a line.
const std::vector<std::string>& replaced_texts();

}  // namespace sessionlogd::test
