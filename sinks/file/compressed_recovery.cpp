#include "sinks/file/compressed_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "sinks/file/zstd_file.h"

namespace sessionlogd {
namespace {

class CompressedRecovery {
 public:
  CompressedRecovery(const std::string& path, FileJournal& journal, StateVisitor& visitor, OutputPosition& position,
                     RecoveryLimits limits)
      : path_(path), zstd_(path), journal_(journal), visitor_(visitor), position_(position), limits_(limits) {}

  Recovered run(RecoveryProgress& progress) {
    skip_committed();
    for (;;) {
      buffer_.resize(filled_ + limits_.first_buffer + OutputLineReader::kPadding);
      const std::size_t got = zstd_.read({buffer_.data() + filled_, limits_.first_buffer});
      if (got == 0) break;
      filled_ += got;
      take_lines();
      progress.read(zstd_.consumed() - told_);
      told_ = zstd_.consumed();
      if (begin_ - position_.offset >= limits_.slice_bytes) commit_slice();
      if (filled_ > limits_.max_line) skip_long_line();
    }
    begin_ += filled_;  // what has no end is no line
    commit_slice();
    return recovered_;
  }

 private:
  void skip_committed() {
    std::vector<char> skipped(limits_.first_buffer);
    char last = '\n';
    while (begin_ < position_.offset) {
      const std::size_t wanted = std::min<std::uint64_t>(skipped.size(), position_.offset - begin_);
      const std::size_t got = zstd_.read({skipped.data(), wanted});
      begin_ += got;
      if (got != 0) last = skipped[got - 1];
      if (got < wanted) break;
    }
    if (begin_ == position_.offset && last == '\n') return;
    throw StateMismatch(
        fmt::format("output {} has no end of a line at byte {} of its content, up to where the state knows it: it is "
                    "another file. Put the right one back, or use `sessionlogd state rebuild`",
                    path_, position_.offset));
  }

  void take_lines() {
    char* line = buffer_.data();
    char* const end = line + filled_;
    for (char* newline = nullptr;
         (newline = static_cast<char*>(std::memchr(line, '\n', static_cast<std::size_t>(end - line)))) != nullptr;
         line = newline + 1) {
      if (std::exchange(within_long_line_, false)) continue;
      if (const auto event = reader_.read(line, static_cast<std::size_t>(newline - line))) {
        visitor_.delivered(*event);
        format_ = &reader_.format();
        ++recovered_.events;
      }
    }
    const auto taken = static_cast<std::size_t>(line - buffer_.data());
    std::memmove(buffer_.data(), line, filled_ - taken);
    filled_ -= taken;
    begin_ += taken;
  }

  // Longer than any line of ours: nothing up to its end is believed.
  void skip_long_line() {
    within_long_line_ = true;
    begin_ += filled_;
    filled_ = 0;
  }

  void commit_slice() {
    OutputPosition behind = position_;
    behind.offset = begin_;
    if (format_ != nullptr) behind.format = format_->name;
    const std::vector<Batch> settled = visitor_.settle();
    value_or_throw(journal_.commit(settled, behind));
    position_ = behind;
  }

  const std::string& path_;
  ZstdReader zstd_;
  FileJournal& journal_;
  StateVisitor& visitor_;
  OutputPosition& position_;
  const RecoveryLimits limits_;
  OutputLineReader reader_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t told_ = 0;  // of the compressed file, to the progress
  bool within_long_line_ = false;
  const Format* format_ = nullptr;  // of the last line that was ours
  Recovered recovered_;
};

}  // namespace

Recovered read_compressed(const std::string& path, FileJournal& journal, StateVisitor& visitor,
                          OutputPosition& position, RecoveryProgress& progress, RecoveryLimits limits) {
  return CompressedRecovery(path, journal, visitor, position, limits).run(progress);
}

}  // namespace sessionlogd
