#include "sinks/file/output_recovery.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "sinks/file/crash_point.h"

namespace sessionlogd {
namespace {

bool is_blank(const char* bytes, std::size_t size) {
  return std::string_view(bytes, size).find_first_not_of(' ') == std::string_view::npos;
}

}  // namespace

void value_or_throw(const Result<void>& result) {
  if (result) return;
  const Error error = result.error();
  if (error.kind == ErrorKind::kTryLater) throw TryLater(error.detail);
  throw std::runtime_error(error.detail);
}

OutputRecovery::OutputRecovery(OutputFile& output, FileJournal& journal, StateVisitor& visitor,
                               RecoveryProgress& progress, RecoveryLimits limits)
    : output_(output), journal_(journal), visitor_(visitor), progress_(progress), limits_(limits) {}

Recovered OutputRecovery::run(OutputPosition& position) {
  position_ = &position;
  begin_ = position.offset;
  end_ = output_.size();
  reset_buffer();
  while (begin_ < end_) {
    fill();
    const void* newline = ::memrchr(buffer_.get(), '\n', filled_);
    if (newline != nullptr) {
      take_lines(static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.get()) + 1);
    } else if (begin_ + filled_ == end_) {
      take_torn_line();
    } else if (may_stay()) {
      grow();
    } else {
      blank_long_line();
    }
    if (begin_ - position.offset >= limits_.slice_bytes) commit_slice();
  }
  commit_slice();
  return recovered_;
}

void OutputRecovery::fill() {
  const std::size_t wanted = std::min<std::uint64_t>(capacity_, end_ - begin_);
  const std::size_t got = output_.read(begin_ + filled_, {buffer_.get() + filled_, wanted - filled_});
  filled_ += got;
  if (filled_ != wanted)
    throw std::runtime_error("output " + output_.path() + " shrank while it was read: another program writes to it");
}

// The first `size` bytes are complete lines.
void OutputRecovery::take_lines(std::size_t size) {
  for (char* line = buffer_.get(); line != buffer_.get() + size;) {
    char* newline = static_cast<char*>(std::memchr(line, '\n', static_cast<std::size_t>(buffer_.get() + size - line)));
    take_line(line, static_cast<std::size_t>(newline - line));
    line = newline + 1;
  }
  write_back(size);
  if (capacity_ > limits_.first_buffer && filled_ <= limits_.first_buffer) reset_buffer();
}

void OutputRecovery::take_line(char* line, std::size_t size) {
  if (const auto event = reader_.read(line, size)) {
    visitor_.delivered(*event);
    format_ = &reader_.format();
    ++recovered_.events;
  } else if (size <= limits_.max_foreign && is_of_another_program({line, size})) {
    recovered_.foreign_bytes += size + 1;
  } else {
    blank(line, size);
  }
}

// The output ends within this line.
void OutputRecovery::take_torn_line() {
  blank(buffer_.get(), filled_);
  buffer_[filled_ - 1] = '\n';
  write_back(filled_);
}

// A line that cannot stay and is longer than the buffer: blanked piece by piece. The position stays before it until its
// end is known, and what is left of it after a kill begins with a blank, so that no part of it is ever believed.
void OutputRecovery::blank_long_line() {
  bool ended = false;
  while (!ended) {
    fill();
    char* newline = static_cast<char*>(std::memchr(buffer_.get(), '\n', filled_));
    const std::size_t size = newline != nullptr ? static_cast<std::size_t>(newline - buffer_.get()) + 1 : filled_;
    blank(buffer_.get(), newline != nullptr ? size - 1 : size);
    ended = newline != nullptr || begin_ + size == end_;
    if (ended) buffer_[size - 1] = '\n';
    write_back(size);
  }
}

void OutputRecovery::blank(char* bytes, std::size_t size) {
  if (!is_blank(bytes, size)) recovered_.blanked_bytes += size;
  std::memset(bytes, ' ', size);
}

void OutputRecovery::write_back(std::size_t size) {
  const std::string_view bytes(buffer_.get(), size);
  value_or_throw(output_.write(begin_, {&bytes, 1}));
  crash_point("recover.written_back");
  progress_.read(size);
  std::memmove(buffer_.get(), buffer_.get() + size, filled_ - size);
  filled_ -= size;
  begin_ += size;
}

void OutputRecovery::commit_slice() {
  if (begin_ == position_->offset) return;
  value_or_throw(output_.sync());
  crash_point("recover.synced");
  // From here on every line before begin_ is on the disk, so the state may say so.
  OutputPosition behind = *position_;
  behind.offset = begin_;
  if (format_ != nullptr) behind.format = format_->name;
  const std::vector<Batch> settled = visitor_.settle();
  value_or_throw(journal_.commit(settled, behind));
  *position_ = behind;
  crash_point("recover.committed");
}

void OutputRecovery::grow() {
  const std::size_t larger = std::min(capacity_ * 4, limits_.max_line);
  auto buffer = std::make_unique_for_overwrite<char[]>(larger + OutputLineReader::kPadding);
  std::memcpy(buffer.get(), buffer_.get(), filled_);
  buffer_ = std::move(buffer);
  capacity_ = larger;
}

// Back to the first size, keeping what is in it.
void OutputRecovery::reset_buffer() {
  auto buffer = std::make_unique_for_overwrite<char[]>(limits_.first_buffer + OutputLineReader::kPadding);
  if (filled_ != 0) std::memcpy(buffer.get(), buffer_.get(), filled_);
  buffer_ = std::move(buffer);
  capacity_ = limits_.first_buffer;
  reader_.shrink();
}

// Whether a line that is longer than the buffer is ours or another program's, as far as it was read. Blocks of NUL are
// what a power cut leaves, in lengths that must not be held in memory.
bool OutputRecovery::may_stay() const {
  const std::string_view begun(buffer_.get(), filled_);
  if (capacity_ >= limits_.max_line) return false;
  if (OutputLineReader::may_begin(begun)) return begun.find('\0') == begun.npos;
  return capacity_ <= limits_.max_foreign && begun.front() != ' ' && is_text(begun);
}

}  // namespace sessionlogd
