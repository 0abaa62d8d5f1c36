#include "sinks/file/file_delivered.h"

#include <fmt/format.h>

#include <filesystem>

#include "config/storage_paths.h"
#include "sinks/file/file_journal.h"
#include "sinks/file/output_scan.h"

namespace sessionlogd {

FileDelivered::FileDelivered(const std::string& state_dir, const FileSinkSettings& settings)
    : state_(state_dir + "/" + state_names::kState),
      output_(std::filesystem::absolute(settings.path).lexically_normal().string()) {}

void FileDelivered::read_state(StateVisitor& into) {
  if (std::filesystem::exists(state_)) FileJournal::open_to_read(state_).read_rows(into);
}

ReadBack FileDelivered::read_events(Instant /*since*/, const std::function<void(const Delivered&)>& take) {
  const ScannedOutput scanned = scan_output(output_, take);
  return {.events = scanned.events,
          .where = fmt::format("{} files of {}", scanned.files, output_),
          .gone = scanned.from_the_first ? "" : "older files"};
}

}  // namespace sessionlogd
