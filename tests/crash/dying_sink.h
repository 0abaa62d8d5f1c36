// A file sink in a child process that commits on and on until it dies, and what is left of it afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sinks/file/file_sink.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {

struct SinkPlace {
  TempDir dir{quick_directory()};
  std::string state_dir = dir / "state";
  FileSinkSettings settings{
      .path = dir / "events.ndjson",
      .mode = 0640,
      .group = {},
      .rotate = {.size_bytes = 4096, .every = std::nullopt, .keep = std::nullopt, .compress = true}};
};

// Recovers and commits in a child process, which dies at SESSIONLOGD_CRASH_AT or ends after some commits. False: it did
// not come to the point. Throws when it ended in another way. Entries count upwards in each of a few sessions.
bool live_and_die(const SinkPlace& place, const std::string& crash_at, std::uint64_t seed);

// Recovers once more in this process and compares state and output: every entry once, in order. With rotated files
// removed, their lines may be missing at the start. "" when all is well.
std::string judge(const SinkPlace& place, FileOps& ops = FileOps::system());

}  // namespace sessionlogd::test
