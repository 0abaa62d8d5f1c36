// The keys of [sink]: those that every sink has, and those of the sink that it names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

// Those that every sink has; `type` stands for those of its own.
const Keys<SinkSettings>& sink_keys();

void read_sink(TableReader& table, const ReadContext& context, SinkSettings& into);

// Of a format that sink.format may name; of any other, those of one that asks nothing.
const FormatRules& rules_of(const ReadContext& context, std::string_view format);

std::string_view type_of(const SinkSettings& sink);

// The path that nothing else may have; "" = none.
std::string path_of(const SinkSettings& sink);

// All keys and values, as /status shows them.
TomlTable written(const SinkSettings& sink);

// Where two configurations of a sink say different things; where they name different ones, of the rest only what both
// have.
std::vector<std::string> keys_that_differ(const SinkSettings& a, const SinkSettings& b);

// The rows of the reference: first its own.
std::vector<KeyRow> rows_of(const SinkSettings& defaults);

}  // namespace sessionlogd
