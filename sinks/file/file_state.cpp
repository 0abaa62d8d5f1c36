#include "sinks/file/file_state.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "sinks/file/file_journal.h"
#include "sinks/file/file_sink.h"
#include "sinks/file/look_at_outputs.h"
#include "sinks/file/output_file.h"
#include "sinks/file/output_recovery.h"
#include "sinks/file/rotated_name.h"
#include "sinks/file/state_dir.h"
#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// SQLite's log goes with its database, or it would be taken for the log of the next one.
std::vector<std::string> move_aside(const StateDir& directory, FileOps& ops) {
  const std::string suffix =
      fmt::format(".before-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(ops.now())));
  std::vector<std::string> moved;
  for (const char* part : {"", "-wal", "-shm"}) {
    const std::string from = directory.state_file() + part, to = directory.state_file() + suffix + part;
    if (ops.rename(from.c_str(), to.c_str()) == 0) {
      moved.push_back(to);
    } else if (errno != ENOENT) {
      throw_storage_error(fmt::format("state {} cannot be moved aside to {}", from, to), errno);
    }
  }
  directory.sync();
  return moved;
}

// The first of the numbers that lead to the last one without a gap.
const RotatedFile& first_of_run(const std::vector<RotatedFile>& files) {
  auto first = std::prev(files.end());
  while (first != files.begin() && std::prev(first)->sequence + 1 >= first->sequence) --first;
  return *first;
}

std::uint64_t end_of_last_line(const OutputFile& output) {
  std::array<char, 1 << 16> block{};
  for (std::uint64_t end = output.size(); end != 0;) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, block.size());
    const std::size_t size = output.read(begin, {block.data(), static_cast<std::size_t>(end - begin)});
    const std::size_t newline = std::string_view(block.data(), size).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    end = begin;
  }
  return 0;
}

}  // namespace

NewState rebuild_state(const std::string& state_dir, const FileSinkSettings& settings, const Format& format,
                       StateVisitor& into, FileOps& ops) {
  NewState made;
  {
    const StateDir directory(state_dir);
    OutputPosition start{.path = absolute(settings.path), .format = std::string(format.name)};
    const std::vector<RotatedFile> rotated = list_rotated(start.path);
    const std::optional<OutputFile> current = OutputFile::open(start.path, ops);
    if (!rotated.empty()) {
      const RotatedFile& first = first_of_run(rotated);
      start.sequence = first.sequence;
      start.device = first.device;
      start.inode = first.inode;
    } else if (current && current->size() != 0) {
      start.device = current->device();
      start.inode = current->inode();
    } else {
      throw std::runtime_error(
          fmt::format("there is no output at {} to make the state from: `sessionlogd state init` starts "
                      "afresh",
                      start.path));
    }
    made.first_file = start.sequence;
    made.gap_before = !rotated.empty() && rotated.front().sequence < start.sequence;
    made.moved_aside = move_aside(directory, ops);
    FileJournal journal(directory.state_file());
    value_or_throw(journal.commit({}, start));
    directory.sync();
  }
  // From here on this is a recovery like any other, from the start of the first file.
  FileSink(state_dir, settings, format, ops).recover(into);
  return made;
}

NewState init_state(const std::string& state_dir, const FileSinkSettings& settings, const Format& format,
                    FileOps& ops) {
  NewState made;
  const StateDir directory(state_dir);
  OutputPosition start{.path = absolute(settings.path), .format = std::string(format.name)};
  const std::vector<RotatedFile> rotated = list_rotated(start.path);
  const std::optional<OutputFile> current = OutputFile::open(start.path, ops);
  if (!rotated.empty()) start.sequence = rotated.back().sequence + 1;
  if (current) {
    start.device = current->device();
    start.inode = current->inode();
    start.offset = end_of_last_line(*current);
    if (const Format* written = format_of(*current)) start.format = written->name;
  }
  made.first_file = start.sequence;
  made.moved_aside = move_aside(directory, ops);
  FileJournal journal(directory.state_file());
  if (current || !rotated.empty()) value_or_throw(journal.commit({}, start));
  directory.sync();
  return made;
}

}  // namespace sessionlogd
