// Looks after rotated files, on a thread of its own at the lowest priority: compresses all but the newest, and removes
// the oldest beyond `keep`.
//
//   events-000123-T.ndjson ─▶ events-000123-T.ndjson.zst.part ─▶ compared, synced ─▶ ....zst, synced ─▶ the plain one
//   goes
//
// Touches only files before the one that is written: all their lines are committed, so recovery needs none of them.
// Killed anywhere, one of the two forms is whole.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "config/settings.h"
#include "sinks/file/file_ops.h"

namespace sessionlogd {

class RotatedKeeper {
 public:
  // `ops` outlives it.
  RotatedKeeper(FileSinkSettings settings, FileOps& ops);
  ~RotatedKeeper();  // ends what is under way, which is begun again next time

  // Every line of the files before number `written` is committed. Any thread; returns at once.
  void wake(std::int64_t written);

  // What the thread does for each wake(); for tests.
  void tidy(std::int64_t written);

 private:
  void run();
  bool stopping() const;
  void remove_oldest(std::int64_t written);
  void compress_all(std::int64_t written);
  bool compress_one(const std::string& plain);
  bool compress_to(int from, const std::string& whole);

  const FileSinkSettings settings_;
  FileOps& ops_;
  bool failing_ = false;  // said already

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t written_ = 0;  // guarded, with stop_
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sessionlogd
