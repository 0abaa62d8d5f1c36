#include "sinks/file/file_acts.h"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "config/storage_paths.h"
#include "sinks/file/file_delivered.h"
#include "sinks/file/file_journal.h"
#include "sinks/file/file_sink.h"
#include "sinks/file/file_state.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {
namespace {

std::string moved_aside(const NewState& made) {
  std::string lines;
  for (const std::string& path : made.moved_aside) lines += fmt::format("The state before is kept as {}\n", path);
  return lines;
}

class FileActs : public SinkActs {
 public:
  FileActs(FileSinkSettings sink, std::string state_dir, const Format& format)
      : sink_(std::move(sink)), state_dir_(std::move(state_dir)), format_(format) {}

  std::unique_ptr<Sink> make(std::stop_token) const override {
    return std::make_unique<FileSink>(state_dir_, sink_, format_);
  }
  std::unique_ptr<DeliveredReader> make_reader() const override {
    return std::make_unique<FileDelivered>(state_dir_, sink_);
  }
  std::vector<SinkFinding> check_connection() const override { return {}; }
  std::string read_state(StateVisitor& into) const override;
  std::string init_state() const override;
  RebuiltState rebuild_state(StateVisitor& into) const override;

 private:
  const FileSinkSettings sink_;
  const std::string state_dir_;
  const Format& format_;
};

// Without the lines behind the committed position: a running daemon knows more.
std::string FileActs::read_state(StateVisitor& into) const {
  const std::string path = state_dir_ + "/" + state_names::kState;
  if (!std::filesystem::exists(path)) throw std::runtime_error("there is no state at " + path);
  FileJournal journal = FileJournal::open_to_read(path);
  const StateDatabase::Reading reading = journal.of_one_commit();
  const std::optional<OutputPosition> position = journal.read_position();
  journal.read_rows(into);
  std::string lines = fmt::format("state   {}\n", path);
  if (position)
    lines +=
        fmt::format("output  {} (file {}): {} bytes committed\n", position->path, position->sequence, position->offset);
  return lines;
}

std::string FileActs::init_state() const {
  const NewState made = sessionlogd::init_state(state_dir_, sink_, format_);
  return fmt::format(
             "The state knows nothing now. The output stays as it is; what the sources still hold within `lookback` is "
             "delivered again behind it, from file {} on.\n",
             made.first_file) +
         moved_aside(made);
}

RebuiltState FileActs::rebuild_state(StateVisitor& into) const {
  const NewState made = sessionlogd::rebuild_state(state_dir_, sink_, format_, into);
  RebuiltState rebuilt{.from = fmt::format("from the output's file {} on", made.first_file), .notes = {}};
  if (made.gap_before) {
    rebuilt.notes = fmt::format(
        "There are older files, but the one with number {} is missing, so they were not read.\n", made.first_file - 1);
  }
  rebuilt.notes +=
      "What stood in files before that is delivered again as far as the sources still hold it within `lookback`.\n" +
      moved_aside(made);
  return rebuilt;
}

}  // namespace

std::unique_ptr<SinkActs> make_acts(const FileSinkSettings& sink, const Settings& settings) {
  return std::make_unique<FileActs>(sink, settings.daemon.state_dir, format_named(settings.sink.format));
}

}  // namespace sessionlogd
