#include "core/base/json_index.h"

#include <simdjson.h>

namespace sessionlogd {
namespace {

// Texts that grow little by little need not a new index each time.
constexpr std::size_t kStep = 64u << 10;

}  // namespace

struct JsonIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonIndex::JsonIndex() : stage_(std::make_unique<Stage>()) {}
JsonIndex::~JsonIndex() = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

const std::uint32_t* JsonIndex::of(std::string_view text) {
  auto& parser = stage_->parser;
  if (!parser || parser->capacity() < text.size()) {
    parser.reset();
    const std::size_t capacity = (text.size() / kStep + 1) * kStep;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser)) return nullptr;
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  if (parser->stage1(bytes, text.size(), simdjson::stage1_mode::regular)) return nullptr;
  parser->structural_indexes[parser->n_structural_indexes] = static_cast<std::uint32_t>(text.size());
  return parser->structural_indexes.get();
}

}  // namespace sessionlogd
