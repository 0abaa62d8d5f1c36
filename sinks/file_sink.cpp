#include "sinks/file_sink.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "sinks/output_match.h"
#include "sinks/output_recovery.h"

namespace sessionlogd {
namespace {

OutputFound look_at(const OutputFile& output, const std::optional<OutputPosition>& position) {
  OutputFound found{output.path(), output.device(), output.inode(), output.size(), true};
  if (position && position->offset > 0 && position->offset <= found.size) {
    char last = 0;
    output.read(position->offset - 1, {&last, 1});
    found.line_ends_at_position = last == '\n';
  }
  return found;
}

std::optional<OutputFound> look_at(const std::optional<OutputFile>& output,
                                   const std::optional<OutputPosition>& position) {
  if (!output) return std::nullopt;
  return look_at(*output, position);
}

}  // namespace

FileSink::FileSink(std::string state_dir, FileSinkSettings settings, FileOps& ops)
    : state_path_(std::move(state_dir)), settings_(std::move(settings)), ops_(ops), name_("file:" + settings_.path) {
  settings_.path = std::filesystem::absolute(settings_.path).lexically_normal().string();
}

void FileSink::recover(StateVisitor& into) {
  state_dir_.emplace(state_path_);
  journal_.emplace(state_dir_->state_file());
  state_dir_->sync();
  std::optional<OutputFile> output = OutputFile::open(settings_.path, ops_);

  const std::optional<OutputPosition> position = journal_->read_position();
  const GoOn way = match_output(position, look_at(output, position), state_dir_->state_file());
  journal_->read_rows(into);
  switch (way) {
    case GoOn::kFirstFile:
      return begin_file(std::move(output), 1);
    case GoOn::kSameFile:
      return go_on_in_same_file(std::move(*output), *position, into);
    case GoOn::kNextFile:
      return go_on_in_next_file(std::move(output), *position, into);
  }
}

Result<void> FileSink::commit(std::span<const Batch> batches) {
  if (refusal_) return *refusal_;
  Result<void> result = try_commit(batches);
  if (!result && result.error().kind != ErrorKind::kTryLater) refusal_ = result.error();
  return result;
}

Result<void> FileSink::try_commit(std::span<const Batch> batches) {
  OutputPosition behind = position_;
  std::vector<std::string_view> pieces;
  for (const Batch& batch : batches) {
    for (const EventRef& line : batch.index) {
      if (line.size <= kMaxLineBytes) continue;
      return Error(ErrorKind::kRefused,
                   fmt::format("source={} session={}: an event of {} bytes is larger than a line may be ({})",
                               batch.source_id, batch.session_id, line.size, kMaxLineBytes));
    }
    if (!batch.events.empty()) pieces.emplace_back(batch.events);
    behind.offset += batch.events.size();
  }
  if (!pieces.empty()) {
    if (Result<void> written = write_events(pieces); !written) return written;
  }
  // From here on the events are durable: a crash finds them behind the committed position.
  if (Result<void> committed = journal_->commit(batches, behind); !committed) return committed;
  // From here on the batches are durable.
  position_ = behind;
  return {};
}

Result<void> FileSink::write_events(std::span<const std::string_view> pieces) {
  if (Result<void> usable = check_output(); !usable) return usable;
  if (Result<void> written = output_->write(position_.offset, pieces); !written) return written;
  return output_->sync();
}

// Other programs may have cut or removed the file under us; what we write would be unreadable or gone.
Result<void> FileSink::check_output() const {
  if (!output_->has_a_name()) {
    return Error(
        ErrorKind::kRefused,
        fmt::format("output {} was removed while it was written: the next start begins a new file", output_->path()));
  }
  if (const std::uint64_t size = output_->size(); size < position_.offset) {
    return Error(ErrorKind::kRefused,
                 fmt::format("output {} was cut to {} bytes while it was written ({} were committed): a log rotation "
                             "that cuts files (copytruncate) must not touch it",
                             output_->path(), size, position_.offset));
  }
  return {};
}

void FileSink::begin_file(std::optional<OutputFile> output, std::int64_t sequence) {
  if (output) {
    output_.emplace(std::move(*output));
  } else {
    output_.emplace(OutputFile::create(settings_, ops_));
  }
  const OutputPosition start{sequence, output_->device(), output_->inode(), 0, settings_.path};
  if (const Result<void> committed = journal_->commit({}, start); !committed)
    throw std::runtime_error(committed.error().detail);
  position_ = start;
}

void FileSink::go_on_in_same_file(OutputFile output, const OutputPosition& position, StateVisitor& into) {
  output_.emplace(std::move(output));
  position_ = position;
  position_.device = output_->device();
  position_.path = settings_.path;
  read_forward(*output_, position_, into);
}

void FileSink::go_on_in_next_file(std::optional<OutputFile> output, OutputPosition position, StateVisitor& into) {
  if (!finish_moved_file(position, into) && position.offset > 0) {
    spdlog::error(
        "sink={} output {} (file {}, {} bytes committed) is gone: going on in a new file {}. Nothing is delivered "
        "again, so "
        "whoever had not read it yet must read it from where it was moved to",
        name_, position.path, position.sequence, position.offset, settings_.path);
  }
  begin_file(std::move(output), position.sequence + 1);
}

// When sink.path was changed, the file at the path before may still hold lines that were never committed. False: it is
// not there.
bool FileSink::finish_moved_file(OutputPosition& position, StateVisitor& into) {
  if (position.path == settings_.path) return false;
  std::optional<OutputFile> before = OutputFile::open(position.path, ops_);
  if (match_output(position, look_at(before, position), state_dir_->state_file()) != GoOn::kSameFile) return false;
  read_forward(*before, position, into);
  spdlog::info("sink={} output {} is finished, going on in {}", name_, position.path, settings_.path);
  return true;
}

void FileSink::read_forward(OutputFile& output, OutputPosition& position, StateVisitor& into) {
  const std::uint64_t from = position.offset;
  const Recovered recovered = OutputRecovery(output, *journal_, into).run(position);
  if (position.offset == from) return;
  spdlog::info("sink={} recovered {} events from bytes {} to {} of {}", name_, recovered.events, from, position.offset,
               output.path());
  if (recovered.blanked_bytes == 0) return;
  spdlog::warn(
      "sink={} {} bytes of {} between {} and {} were no complete line of ours and are blanks now: a write had been cut "
      "short, or "
      "another program writes to this file",
      name_, recovered.blanked_bytes, output.path(), from, position.offset);
}

}  // namespace sessionlogd
