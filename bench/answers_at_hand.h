// HttpClient without a network: who links this has it from here, not from core/http_client.cpp. Each request is
// answered on its shard's own thread, in the next turn of the loop, and shares nothing with the other shards'.
#pragma once

#include "core/body.h"
#include "core/http_client.h"

namespace sessionlogd {

// Appends the body of the answer, whose status is 200. Of the program that links this. Called on the shards' threads.
void answer_at_hand(const HttpRequest& request, Body& body);

}  // namespace sessionlogd
