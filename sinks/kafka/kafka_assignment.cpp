#include "sinks/kafka/kafka_assignment.h"

#include <optional>

namespace sessionlogd {
namespace {

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}

  template <class Int>
  std::optional<Int> number() {
    if (left_.size() < sizeof(Int)) return std::nullopt;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i) sum = sum << 8 | static_cast<unsigned char>(left_[i]);
    left_.remove_prefix(sizeof(Int));
    return static_cast<Int>(sum);
  }
  std::optional<std::string> text() {
    const auto size = number<std::int16_t>();
    if (!size || *size < 0 || left_.size() < static_cast<std::size_t>(*size)) return std::nullopt;
    std::string said(left_.substr(0, static_cast<std::size_t>(*size)));
    left_.remove_prefix(said.size());
    return said;
  }

 private:
  std::string_view left_;
};

std::optional<KafkaAssignment> assignment_in(Bytes bytes) {
  KafkaAssignment all;
  if (!bytes.number<std::int16_t>()) return std::nullopt;
  const auto topics = bytes.number<std::int32_t>();
  if (!topics) return std::nullopt;
  for (std::int32_t i = 0; i < *topics; ++i) {
    const std::optional<std::string> name = bytes.text();
    const auto count = bytes.number<std::int32_t>();
    if (!name || !count) return std::nullopt;
    auto& partitions = all.emplace_back(*name, std::vector<std::int32_t>()).second;
    for (std::int32_t j = 0; j < *count; ++j) {
      const auto partition = bytes.number<std::int32_t>();
      if (!partition) return std::nullopt;
      partitions.push_back(*partition);
    }
  }
  return all;
}

}  // namespace

KafkaAssignment read_assignment(std::string_view bytes) {
  return assignment_in(Bytes(bytes)).value_or(KafkaAssignment());
}

}  // namespace sessionlogd
