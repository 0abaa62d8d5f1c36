// Events as syslog messages of RFC 5424, one a line (RFC 6587, 3.4.2), without a byte order mark before the text.
//
//   <134>1 TIMESTAMP HOSTNAME sessionlogd - entry [origin ...][labels@32473 ...][sessionlog@32473 id="..." ...
//   bytes="20"] text
//
// The last element is ours, and its last parameter says how long the text is: a line that was cut short is shorter.
#pragma once

#include "sinks/formats/formats.h"

namespace sessionlogd {

extern const Format kRfc5424Format;

}  // namespace sessionlogd
