// The format that the configuration asks for.
#pragma once

#include <memory>
#include <string_view>

#include "config/settings.h"
#include "core/event.h"

namespace sessionlogd {

// `format` was checked by config/load: it is one of those listed in make_encoder.cpp.
std::unique_ptr<Encoder> make_encoder(std::string_view format, const SourceSettings& source,
                                      std::string_view agent_name, std::string_view agent_version);

}  // namespace sessionlogd
