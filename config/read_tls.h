// The keys of [source.tls].
#pragma once

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<TlsSettings>& tls_keys();

void read_tls(TableReader& table, const ReadContext& context, TlsSettings& into);

}  // namespace sessionlogd
