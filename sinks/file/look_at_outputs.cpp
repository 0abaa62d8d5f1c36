#include "sinks/file/look_at_outputs.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "sinks/file/output_line.h"

namespace sessionlogd {
namespace {

// So much is looked through at first, and doubled while the first line has no end. A longer line than the last of
// these is not recognised, and a person is asked.
constexpr std::size_t kFirstLook = 1u << 20, kLastLook = 128u << 20;

OutputFound::Beginning beginning_of(const OutputFile& output) {
  using Beginning = OutputFound::Beginning;
  if (format_of(output) != nullptr) return Beginning::kOurs;
  std::string text(std::min<std::uint64_t>(output.size(), kFirstLook), '\0');
  text.resize(output.read(0, text));
  const std::size_t begin = text.find_first_not_of(" \n");
  if (begin == text.npos || text[begin] == '\0') return Beginning::kNothing;
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  text.resize(text.size() + OutputLineReader::kPadding);
  const std::string_view line = std::string_view(text).substr(begin, end - begin);
  if (!OutputLineReader::may_begin(line)) return Beginning::kForeign;
  // One that lacks nothing but its end is torn, too.
  const bool is_ours = !is_of_another_program(line) || OutputLineReader().read(line.data(), line.size());
  return is_ours ? Beginning::kTorn : Beginning::kForeign;
}

OutputFound look_at(const OutputFile& output, const std::optional<OutputPosition>& position) {
  OutputFound found{output.path(), output.device(), output.inode(), output.size(), true, beginning_of(output)};
  if (position && position->offset <= found.size) found.line_ends_at_position = output.line_ends_at(position->offset);
  return found;
}

// Inodes are used again, so the file must look like the committed one, too: of which only the beginning of a line may
// be there when nothing of it was committed.
bool looks_like(const OutputPosition& position, const OutputFound& found) {
  using Beginning = OutputFound::Beginning;
  if (found.size < position.offset || !found.line_ends_at_position) return false;
  if (found.begins_with == Beginning::kOurs) return true;
  return position.offset == 0 && (found.size == 0 || found.begins_with == Beginning::kTorn);
}

std::optional<OutputFound> look_for_renamed(const std::string& path, const OutputPosition& position, FileOps& ops) {
  const std::optional<std::string> name = find_by_inode(position.path, position.inode);
  if (!name || *name == path) return std::nullopt;
  const std::optional<OutputFile> file = OutputFile::open(*name, ops);
  if (!file) return std::nullopt;
  OutputFound found = look_at(*file, position);
  return looks_like(position, found) ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace

// Blank lines are what recovery leaves.
const Format* format_of(const OutputFile& output) {
  for (std::size_t look = kFirstLook; look <= kLastLook; look *= 2) {
    std::vector<char> text(std::min<std::uint64_t>(output.size(), look) + OutputLineReader::kPadding);
    const std::size_t size = output.read(0, {text.data(), text.size() - OutputLineReader::kPadding});
    std::size_t begin = 0;
    while (begin < size && (text[begin] == ' ' || text[begin] == '\n')) ++begin;
    if (const void* newline = std::memchr(text.data() + begin, '\n', size - begin)) {
      const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data());
      OutputLineReader reader;
      return reader.read(text.data() + begin, end - begin) ? &reader.format() : nullptr;
    }
    if (size < look) break;
  }
  return nullptr;
}

OutputsFound look_at_outputs(const std::string& path, const std::optional<OutputFile>& current,
                             const std::optional<OutputPosition>& position, FileOps& ops) {
  OutputsFound found;
  found.path = path;
  found.rotated = list_rotated(path);
  if (current) found.current = look_at(*current, position);
  if (!position) return found;
  if (position->path != path) found.rotated_before = list_rotated(position->path);
  found.renamed = look_for_renamed(path, *position, ops);
  return found;
}

}  // namespace sessionlogd
