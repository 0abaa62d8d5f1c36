#include "config/read_file_sink.h"

#include <grp.h>

#include <cerrno>
#include <charconv>

#include "config/storage_paths.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using R = RotateSettings;
using F = FileSinkSettings;

// Where a relative path leads depends on who starts the daemon, so it is refused.
std::string output_path(const TomlValue& value) {
  constexpr std::string_view kExpected = R"(an absolute path, or "-" for standard output)";
  std::string found = text(value);
  if (found == "-") return found;
  if (!found.starts_with('/') || found.ends_with('/')) throw ValueError(describe(value), kExpected);
  return found;
}

std::uint32_t mode(const TomlValue& value, const ReadContext&) {
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

std::string octal_digits(std::uint32_t bits) {
  std::string digits;
  for (const unsigned shift : {9u, 6u, 3u, 0u}) digits += static_cast<char>('0' + ((bits >> shift) & 7));
  return digits;
}

Form<std::uint32_t> modes() {
  return {mode, [](std::uint32_t bits, WrittenFor) { return std::optional(toml(octal_digits(bits))); }};
}

const Keys<R>& rotate_keys() {
  static const Keys<R> keys = a_key_for_each_member<R>({
      {"size", &R::size_bytes, or_word("never", sizes(1u << 10, std::uint64_t{1} << 40)),
       "a file that would grow past it is ended; `\"never\"`: none is"},
      {"every", &R::every, or_word("never", durations(1s, 24h * 3650)),
       "a file that was begun longer ago is ended; `\"never\"`: none is"},
      {"keep", &R::keep, or_word("all", integers(1, 1'000'000)), "so many ended files stay, or `\"all\"`"},
      {"compress", &R::compress, words<bool>({{"zstd", true}, {"none", false}}),
       "all ended files but the newest; or `\"none\"`"},
  });
  return keys;
}

void read_rotate(TableReader& table, const ReadContext& context, RotateSettings& into) {
  read_keys(table, rotate_keys(), context, into);
  table.finish();
}

}  // namespace

const Keys<FileSinkSettings>& keys_of(const FileSinkSettings&) {
  static const Keys<F> keys = a_key_for_each_member<F>({
      {"path", &F::path, texts_by(output_path),
       "absolute; `\"-\"` is standard output without state, to try things out"},
      {"mode", &F::mode, modes(), "of the file"},
      {"group", &F::group, texts_by(group), "of the file", {.default_words = "the daemon's"}},
      table_key("rotate", &F::rotate, rotate_keys, read_rotate, "when a file is ended, and what becomes of it"),
      {"max_event", &F::max_event_bytes, or_word("none", sizes(1u << 10, 256u << 20)),
       "a longer line is cut to it: unknown fields go first, then the ends of long texts"},
  });
  return keys;
}

const Keys<StdoutSinkSettings>& keys_of(const StdoutSinkSettings&) {
  static const Keys<StdoutSinkSettings> keys = a_key_for_each_member<StdoutSinkSettings>(
      {{"path", &StdoutSinkSettings::path, texts_by(output_path), "standard output"}});
  return keys;
}

SinkKind read_sink_of(TableReader& table, const ReadContext& context, FileSinkSettings sink) {
  const std::vector<std::string_view> refused = read_keys(table, keys_of(sink), context, sink);
  if (sink.path == "-") return StdoutSinkSettings{};
  if (context.opens_files() && !is_among(refused, {"path"})) {
    if (const std::string fault = find_fault_of_output(sink.path); !fault.empty()) table.refuse("path", fault);
  }
  return sink;
}

std::string path_of(const FileSinkSettings& sink) { return sink.path; }
std::string path_of(const StdoutSinkSettings&) { return {}; }

}  // namespace sessionlogd
