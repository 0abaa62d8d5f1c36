#include "config/read_sink.h"

#include <grp.h>

#include <charconv>

#include "config/read_kafka_sink.h"
#include "config/storage_paths.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

// A file's readers wait for a line, Kafka's for a transaction.
constexpr std::chrono::milliseconds kKafkaCommitInterval = 300ms;

enum class SinkType { kFile, kKafka };

// Where a relative path leads depends on who starts the daemon, so it is refused.
std::string output_path(const TomlValue& value) {
  constexpr std::string_view kExpected = R"(an absolute path, or "-" for standard output)";
  std::string found = text(value);
  if (found == "-") return found;
  if (!found.starts_with('/') || found.ends_with('/')) throw ValueError(describe(value), kExpected);
  return found;
}

std::uint32_t mode(const TomlValue& value) {
  const auto* found = std::get_if<std::string>(&value.value);
  std::uint32_t bits = 0;
  bool octal = false;
  if (found != nullptr && (found->size() == 3 || found->size() == 4)) {
    const char* end = found->data() + found->size();
    octal = std::from_chars(found->data(), end, bits, 8).ptr == end;
  }
  constexpr std::uint32_t kOwnerReadsAndWrites = 0600;
  if (!octal || bits > 0777 || (bits & kOwnerReadsAndWrites) != kOwnerReadsAndWrites) {
    throw ValueError(describe(value), R"(octal digits in quotes like "0640", with reading and writing for the owner)");
  }
  return bits;
}

std::string group(const TomlValue& value) {
  std::string name = filled_text(value);
  ::group entry{};
  ::group* found = nullptr;
  std::vector<char> buffer(1 << 16);
  while (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE &&
         buffer.size() < (1 << 24)) {
    buffer.resize(buffer.size() * 4);
  }
  if (found == nullptr) throw ValueError(describe(value), "a group of this system");
  return name;
}

Rule<std::string> one_of(std::span<const std::string_view> names) {
  std::vector<std::pair<std::string_view, std::string>> words;
  for (const std::string_view name : names) words.emplace_back(name, name);
  return word(std::move(words));
}

void read_rotate(TableReader& table, RotateSettings& into) {
  table.read("size", into.size_bytes, or_word<std::size_t>("never", size_between(1u << 10, std::uint64_t{1} << 40)));
  table.read("every", into.every, or_word<std::chrono::milliseconds>("never", duration_between(1s, 24h * 3650)));
  table.read("keep", into.keep, or_word<std::uint64_t>("all", integer_between(1, 1'000'000)));
  table.read("compress", into.compress, word<bool>({{"zstd", true}, {"none", false}}));
  table.finish();
}

void read_file_sink(TableReader& table, SecretFiles files, FileSinkSettings& into) {
  if (table.read("path", into.path, output_path) && into.path != "-" && files == SecretFiles::kMustBeReadable) {
    if (const std::string fault = find_fault_of_output(into.path); !fault.empty()) table.refuse("path", fault);
  }
  table.read("mode", into.mode, mode);
  table.read("group", into.group, group);
  if (auto rotate = table.table("rotate")) read_rotate(*rotate, into.rotate);
}

void warn_of_exposure(const KafkaSinkSettings& sink, std::vector<std::string>& warnings) {
  for (const KafkaProperty& property : sink.properties) {
    const std::string exposed = property.secret ? property.secret->exposure() : "";
    if (!exposed.empty()) warnings.push_back("sink.properties." + property.name + ": " + exposed + "; chmod o-r it");
  }
}

}  // namespace

void read_sink(TableReader& table, const SinkContext& context, SinkSettings& into, std::vector<std::string>& warnings) {
  SinkType type = SinkType::kFile;
  const bool known_type =
      table.read("type", type, word<SinkType>({{"file", SinkType::kFile}, {"kafka", SinkType::kKafka}}));
  if (type == SinkType::kKafka) {
    into.commit_interval = kKafkaCommitInterval;
    read_kafka_sink(table, into.kafka.emplace());
    if (context.files == SecretFiles::kMustBeReadable) warn_of_exposure(*into.kafka, warnings);
  } else {
    read_file_sink(table, context.files, into.file);
  }
  table.read("format", into.format, one_of(context.formats));
  table.read("commit_interval", into.commit_interval, duration_between(1ms, 1h));
  if (table.read("commit_bytes", into.commit_bytes, size_between(1u << 10, 1u << 30)) && table.has("commit_bytes") &&
      into.commit_bytes > context.memory_bytes) {
    table.refuse("commit_bytes", "found " + in_quotes(format_size(into.commit_bytes)) +
                                     ", expected at most daemon.memory, " +
                                     in_quotes(format_size(context.memory_bytes)));
  }
  if (known_type) table.finish();  // else the keys of the other type would be called unknown
}

}  // namespace sessionlogd
