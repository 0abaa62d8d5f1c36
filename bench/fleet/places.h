// Where the facts of a line stand: a table for each format, which one loop reads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bench/fleet/written.h"

namespace fleet {

struct Place {
  std::string Written::*fact;
  std::string_view name;  // as the format's lookup takes it
};

struct Places {
  std::string_view id, hash;
  std::span<const Place> facts;
};

// `text_at(name)` is the text that stands there, "" where there is none. nullopt: the line says no identity.
template <class TextAt>
std::optional<Written> read_places(const Places& places, TextAt text_at) {
  Written written;
  if (!take_identity(text_at(places.id), text_at(places.hash), written)) return std::nullopt;
  for (const auto& [fact, name] : places.facts) written.*fact = text_at(name);
  return std::optional(std::move(written));
}

}  // namespace fleet
