// What curl's result codes mean to us, in one table.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "core/base/result.h"

namespace sessionlogd {

struct CurlFault {
  ErrorKind kind;
  std::string_view words;  // what failed, to follow "host:port: "
};

CurlFault classify(CURLcode code);

}  // namespace sessionlogd
