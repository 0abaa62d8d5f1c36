#include "sinks/file/file_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/log_line.h"
#include "sinks/file/compressed_recovery.h"
#include "sinks/file/crash_point.h"
#include "sinks/file/look_at_outputs.h"
#include "sinks/file/output_line.h"
#include "sinks/file/rotated_name.h"
#include "sinks/file/rotation.h"
#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

std::int64_t seconds_of(std::chrono::system_clock::time_point at) { return std::chrono::system_clock::to_time_t(at); }

// In search of the end of another program's first line.
constexpr std::uint64_t kMostForeignLooked = 1u << 20;

std::uint64_t bytes_of(const std::vector<FileToRead>& files) {
  std::uint64_t sum = 0;
  for (const FileToRead& file : files) {
    const std::uint64_t size = std::filesystem::file_size(file.path);
    sum += file.compressed ? size : size - std::min(size, file.offset);
  }
  return sum;
}

// Recovery would take its lines for another program's.
[[noreturn]] void unknown_format(const OutputPosition& position, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "output {} is written in format {} by what {} says, and this sessionlogd knows no such format: install the "
      "version that wrote it again",
      position.path, position.format, state_file));
}

}  // namespace

FileSink::FileSink(std::string state_dir, FileSinkSettings settings, const Format& format, FileOps& ops)
    : state_path_(std::move(state_dir)),
      settings_(std::move(settings)),
      format_(format),
      ops_(ops),
      name_("file:" + settings_.path) {
  settings_.path = std::filesystem::absolute(settings_.path).lexically_normal().string();
}

void FileSink::recover(StateVisitor& into) {
  // In this order, the lock of the directory last: a recovery that found no room may have opened them before.
  output_.reset();
  journal_.reset();
  state_dir_.emplace(state_path_);
  const auto tell = [this](std::string how_far) {
    how_far_ = std::move(how_far);
    if (tell_) tell_();
  };
  StateProgress of_state(name_, tell);
  const auto works = [&of_state](std::string_view work) { of_state.works(work); };
  how_far_.clear();
  journal_.emplace(state_dir_->state_file(), works);
  state_dir_->sync();
  std::optional<OutputFile> current = OutputFile::open(settings_.path, ops_);
  crash_point("recover.locked");

  const std::optional<OutputPosition> position = journal_->read_position();
  if (position && find_format(position->format) == nullptr) unknown_format(*position, state_dir_->state_file());
  const GoOn way =
      match_output(position, look_at_outputs(settings_.path, current, position, ops_), state_dir_->state_file());
  journal_->read_rows(into, works);
  how_far_.clear();
  crash_point("recover.read");
  position_ = position.value_or(OutputPosition{.format = std::string(format_.name)});
  if (position_.begun == 0) position_.begun = seconds_of(ops_.now());

  RecoveryProgress progress(name_, bytes_of(way.read), tell);
  bool foreign = false;  // in the last one, at its end or within what was read
  for (const FileToRead& file : way.read) foreign = read_forward(file, current, into, progress).foreign_bytes > 0;
  if (way.committed_is_gone) {
    log_error({.sink = name_},
              "output {} (file {}, {} bytes committed) is gone: going on in a new file {}. Nothing is delivered "
              "again, so "
              "whoever had not read it yet must read it from where it was moved to",
              position_.path, position_.sequence, position_.offset, settings_.path);
  }
  if (way.in_current) {
    output_ = std::move(current);
    if (position_.format != format_.name) {
      end_file_of_another_format();
    } else if (foreign && rename_output()) {
      // Another program writes here: as while we run, this file ends with its lines.
      begin_file(position_.sequence + 1);
    }
  } else {
    current.reset();
    begin_file(way.next_sequence);
  }
  crash_point("recover.done");
  keeper_.emplace(settings_, ops_);
  keeper_->wake(position_.sequence);
}

Result<void> FileSink::commit(std::span<const Batch> batches) {
  const std::lock_guard lock(mutex_);
  if (refusal_) return *refusal_;
  Result<void> result = try_commit(batches);
  if (!result && result.error().kind != ErrorKind::kTryLater) refusal_ = result.error();
  return result;
}

Result<void> FileSink::look() {
  const std::lock_guard lock(mutex_);
  if (!refusal_) {
    if (const Result<void> there = check_state(); !there) refusal_ = there.error();
  }
  return refusal_ ? Result<void>(*refusal_) : Result<void>();
}

void FileSink::reopen() {
  const std::lock_guard lock(mutex_);
  if (!output_ || refusal_) return;
  const Result<void> done = prepare_output(0);
  if (done) return;
  const Error error = done.error();
  if (error.kind != ErrorKind::kTryLater) refusal_ = error;
  log_warn({.sink = name_}, "cannot open its output again yet: {}", error.detail);
}

Result<void> FileSink::try_commit(std::span<const Batch> batches) {
  std::size_t bytes = 0;
  std::vector<std::string_view> pieces;
  std::deque<std::string> cut;  // what pieces point to
  for (const Batch& batch : batches) {
    const std::string_view events = has_longer_than_max(batch) ? cut.emplace_back(cut_to_max(batch)) : batch.events;
    if (!events.empty()) pieces.push_back(events);
    bytes += events.size();
    if (settings_.max_event_bytes) continue;  // which is less
    for (const EventRef& line : batch.index) {
      if (line.size <= kMaxLineBytes) continue;
      return Error(ErrorKind::kRefused,
                   fmt::format("source={} session={}: an event of {} bytes is larger than a line may be ({})",
                               batch.source_id, batch.session_id, line.size, kMaxLineBytes));
    }
  }
  crash_point("commit.begun");
  if (Result<void> there = check_state(); !there) return there;
  if (Result<void> ready = prepare_output(bytes); !ready) return ready;
  offered_again_ = true;  // unless this succeeds
  if (!pieces.empty()) {
    if (Result<void> written = write_events(pieces); !written) return written;
  }
  // From here on the events are durable: a crash finds them behind the committed position.
  OutputPosition behind = position_;
  behind.offset += bytes;
  if (Result<void> committed = journal_->commit(batches, behind); !committed) return committed;
  // From here on the batches are durable.
  position_ = behind;
  offered_again_ = false;
  crash_point("commit.done");
  return {};
}

bool FileSink::has_longer_than_max(const Batch& batch) const {
  return settings_.max_event_bytes && std::ranges::any_of(batch.index, [this](const EventRef& line) {
           return line.size - 1 > *settings_.max_event_bytes;
         });
}

// Its events as they are written: the same each time it is offered.
std::string FileSink::cut_to_max(const Batch& batch) const {
  std::string events;
  std::string_view lines = batch.events;
  for (const EventRef& line : batch.index) {
    const std::string_view text = lines.substr(0, line.size - 1);  // without its "\n"
    lines.remove_prefix(line.size);
    if (text.size() > *settings_.max_event_bytes) {
      events += format_.cut(text, *settings_.max_event_bytes);
    } else {
      events += text;
    }
    events += '\n';
  }
  return events;
}

Result<void> FileSink::write_events(std::span<const std::string_view> pieces) {
  if (Result<void> whole = check_size(); !whole) return whole;
  if (Result<void> written = output_->write(position_.offset, pieces); !written) return written;
  crash_point("commit.written");
  if (Result<void> synced = output_->sync(); !synced) return synced;
  crash_point("commit.synced");
  return {};
}

// Sees to it that the file we write is the one at sink.path, and that `bytes` more may go into it.
Result<void> FileSink::prepare_output(std::size_t bytes) {
  const OutputFile::Place place = output_->place();
  // Lines of the batches on offer may stand in the renamed file, for those who follow it to see: they are finished
  // there.
  if (offered_again_ && place != OutputFile::Place::kNowhere) return {};
  if (place != OutputFile::Place::kThere) {
    const OutputPosition left = position_;
    Result<void> begun = go_on_in_next_file();
    if (begun) say_where_it_went(place, left);
    return begun;
  }
  const bool foreign = !offered_again_ && leave_foreign_lines();
  if (!foreign && !rotation_is_due(settings_.rotate, position_, bytes, ops_.now())) return {};
  crash_point("rotate.begun");
  if (!rename_output()) return {};
  return go_on_in_next_file();
}

Result<void> FileSink::go_on_in_next_file() {
  try {
    begin_file(position_.sequence + 1);
    offered_again_ = false;  // nothing of them is in this one
  } catch (const SyncFailed& error) {
    return Error(ErrorKind::kRefused, error.what());
  } catch (const std::exception& error) {
    return Error(ErrorKind::kTryLater, error.what());
  }
  keeper_->wake(position_.sequence);
  return {};
}

// What is committed into files that nobody finds again is not durable.
Result<void> FileSink::check_state() const {
  if (state_dir_->is_there()) return {};
  return Error(ErrorKind::kRefused,
               fmt::format("the state at {} was removed or replaced while it was in use: it is not known any more what "
                           "was delivered. Put it back, or make it again from the output with `sessionlogd state "
                           "rebuild`",
                           state_dir_->state_file()));
}

// Whether another program has appended a whole line of text: readers may have it already, so that nothing is written
// over it, nor over what stands behind it, and the file ends here. What else stands behind our last line was torn.
bool FileSink::leave_foreign_lines() {
  const std::uint64_t size = output_->size();
  if (size <= position_.offset) return false;
  const std::uint64_t foreign = size - position_.offset;
  std::string found(static_cast<std::size_t>(std::min(foreign, kMostForeignLooked)), '\0');
  found.resize(output_->read(position_.offset, {found.data(), found.size()}));
  const std::string_view first = std::string_view(found).substr(0, found.find('\n') + 1);
  const bool are_lines = !first.empty() && is_text(first);
  if (are_lines) {
    say_foreign_lines(output_->path(), foreign, position_.offset);
  } else {
    say_written_over(foreign);
  }
  return are_lines;
}

void FileSink::say_written_over(std::uint64_t bytes) {
  if (std::exchange(written_over_said_, true)) return;
  log_warn({.sink = name_},
           "{} bytes that are no line of text stand behind byte {} of {}, and are written over; if they are another "
           "program's, give it a file of its own; said once",
           bytes, position_.offset, output_->path());
}

void FileSink::say_foreign_lines(const std::string& path, std::uint64_t bytes, std::uint64_t offset) const {
  log_warn({.sink = name_},
           "{} bytes of another program stand behind byte {} of {}: they stay, this file ends with them, and events go "
           "on in a new one; give that program a file of its own",
           bytes, offset, path);
}

// Another program may have cut the file under us; what we write would be unreadable.
Result<void> FileSink::check_size() const {
  const std::uint64_t size = output_->size();
  if (size >= position_.offset) return {};
  return Error(
      ErrorKind::kRefused,
      fmt::format("output {} was cut to {} bytes while it was written ({} were committed): a log rotation that "
                  "cuts files (copytruncate) must not touch it",
                  output_->path(), size, position_.offset));
}

// false: the file stays where it is, and is written on.
bool FileSink::rename_output() {
  const std::string name = rotated_name(settings_.path, position_.sequence, ops_.now());
  if (ops_.rename(settings_.path.c_str(), name.c_str()) == 0) {
    crash_point("rotate.renamed");
    log_info({.sink = name_}, "rotated: {} bytes are in {}", position_.offset, name);
    rename_failed_ = false;
    return true;
  }
  const int error = errno;
  if (!std::exchange(rename_failed_, true)) {
    log_warn({.sink = name_}, "cannot rotate, so the output grows on: it cannot be renamed to {}: {}", name,
             std::generic_category().message(error));
  }
  return false;
}

void FileSink::say_where_it_went(OutputFile::Place place, const OutputPosition& left) const {
  if (place == OutputFile::Place::kElsewhere) {
    log_info({.sink = name_}, "the output (file {}) was renamed: going on in a new one", left.sequence);
  } else {
    log_error({.sink = name_},
              "the output was removed while it was written: its {} bytes are gone for whoever had not read them, and "
              "are "
              "not delivered again. Going on in a new one",
              left.offset);
  }
}

// All its lines are committed.
void FileSink::end_file_of_another_format() {
  if (position_.offset == 0) {
    position_.format = format_.name;  // the next commit says so, with the first line
    return;
  }
  const OutputPosition ended = position_;
  const std::string name = rotated_name(settings_.path, ended.sequence, ops_.now());
  if (ops_.rename(settings_.path.c_str(), name.c_str()) != 0) {
    throw_storage_error(fmt::format("output {} has lines of format {}, so that {} begins a new file; but it cannot be "
                                    "renamed to {}",
                                    settings_.path, ended.format, format_.name, name),
                        errno);
  }
  crash_point("rotate.renamed");
  begin_file(ended.sequence + 1);
  log_info({.sink = name_}, "the format is {} now and was {}: the {} bytes of before are in {}", format_.name,
           ended.format, ended.offset, name);
}

// What is at sink.path already, must be empty: made for us by the program that renamed, or by us before we were killed.
void FileSink::begin_file(std::int64_t sequence) {
  std::optional<OutputFile> next = OutputFile::open(settings_.path, ops_);
  if (!next) {
    next = OutputFile::create(settings_, ops_);
  } else if (next->size() == 0) {
    next->take_over(settings_);
  } else {
    throw std::runtime_error(
        fmt::format("output {} is another file now, with {} bytes that we did not write: move it away", settings_.path,
                    next->size()));
  }
  const OutputPosition start{
      sequence, next->device(), next->inode(), 0, settings_.path, seconds_of(ops_.now()), std::string(format_.name)};
  if (const Result<void> committed = journal_->commit({}, start); !committed) {
    const Error error = committed.error();
    if (error.kind == ErrorKind::kTryLater) throw TryLater(error.detail);
    throw SyncFailed(error.detail);
  }
  position_ = start;
  output_ = std::move(next);
  crash_point("begin.committed");
}

Recovered FileSink::read_forward(const FileToRead& file, std::optional<OutputFile>& current, StateVisitor& into,
                                 RecoveryProgress& progress) {
  std::optional<OutputFile> other;
  if (file.sequence != position_.sequence) position_.begun = seconds_of(ops_.now());
  position_.sequence = file.sequence;
  position_.offset = file.offset;
  position_.path = settings_.path;
  if (!file.compressed && file.path != settings_.path) {
    other = OutputFile::open(file.path, ops_);
    if (!other || other->size() < file.offset || !other->line_ends_at(file.offset)) {
      throw StateMismatch(
          fmt::format("output {} has no end of a line at byte {}, up to where {} knows it: put the right "
                      "file back, or use `sessionlogd state rebuild`",
                      file.path, file.offset, state_dir_->state_file()));
    }
  }
  Recovered recovered;
  if (file.compressed) {
    recovered = read_compressed(file.path, *journal_, into, position_, progress);
  } else {
    OutputFile& plain = other ? *other : *current;
    position_.device = plain.device();
    position_.inode = plain.inode();
    recovered = OutputRecovery(plain, *journal_, into, progress).run(position_);
  }
  if (position_.offset == file.offset) return recovered;
  log_info({.sink = name_}, "recovered {} events from bytes {} to {} of {}", recovered.events, file.offset,
           position_.offset, file.path);
  if (recovered.foreign_bytes > 0) say_foreign_lines(file.path, recovered.foreign_bytes, file.offset);
  if (recovered.blanked_bytes == 0) return recovered;
  log_warn({.sink = name_},
           "{} bytes of {} between {} and {} were no complete line of ours and are blanks now: a write had been cut "
           "short, or another program writes to this file",
           recovered.blanked_bytes, file.path, file.offset, position_.offset);
  return recovered;
}

}  // namespace sessionlogd
