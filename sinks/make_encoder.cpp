#include "sinks/make_encoder.h"

#include <stdexcept>
#include <string>

#include "sinks/formats/ecs.h"

namespace sessionlogd {

std::unique_ptr<Encoder> make_encoder(std::string_view format, const SourceSettings& source,
                                      std::string_view agent_name, std::string_view agent_version) {
  if (format == "ecs") return std::make_unique<EcsEncoder>(source, agent_name, agent_version);
  throw std::logic_error("no encoder for the format " + std::string(format));
}

}  // namespace sessionlogd
