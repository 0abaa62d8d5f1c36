#include "sinks/file/rotation.h"

#include <gtest/gtest.h>

#include "sinks/file/rotated_name.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::system_clock::time_point;

constexpr Time kNow{1'000'000s};

TEST(Rotation, EndsAFileThatWouldGrowTooLargeOrIsTooOld) {
  const RotateSettings both{.size_bytes = 1000, .every = 60s};
  const RotateSettings never{.size_bytes = std::nullopt, .every = std::nullopt};
  const struct {
    const char* what;
    RotateSettings settings;
    std::uint64_t offset;
    std::size_t bytes;
    std::chrono::seconds begun;
    bool due;
  } cases[] = {
      {"room for all", both, 400, 600, 999'999s, false},
      {"one byte too many", both, 400, 601, 999'999s, true},
      {"an empty file takes anything", both, 0, 5000, 0s, false},
      {"a batch without events, however large", both, 5000, 0, 999'999s, false},
      {"old enough", both, 1, 0, 999'940s, true},
      {"a second younger", both, 1, 0, 999'941s, false},
      {"begun in the future: the clock was set back", both, 1, 1, 2'000'000s, false},
      {"begun nobody knows when", both, 1, 1, 0s, false},
      {"switched off", never, 1u << 31, 1u << 30, 1s, false},
  };
  for (const auto& c : cases) {
    const OutputPosition position{.offset = c.offset, .begun = c.begun.count()};
    EXPECT_EQ(rotation_is_due(c.settings, position, c.bytes, kNow), c.due) << c.what;
  }
}

TEST(RotatedName, CarriesNumberAndTime) {
  EXPECT_EQ(rotated_name("/log/events.ndjson", 123, Time{1'795'293'672s}),
            "/log/events-000123-20261121T204112Z.ndjson");
  EXPECT_EQ(rotated_name("/log/events", 12'345'678, Time{0s}), "/log/events-12345678-19700101T000000Z");
  EXPECT_EQ(rotated_name("/log/a.b.c", 1, Time{0s}), "/log/a.b-000001-19700101T000000Z.c");
}

TEST(RotatedName, FindsItsOwnAndNothingElse) {
  test::TempDir dir;
  const std::string ours[] = {"events-1000000-20261121T204112Z.ndjson", "events-000002-20261121T204112Z.ndjson.zst",
                              "events-000003-20201121T204112Z.ndjson", "events-000003-20201121T204112Z.ndjson.zst"};
  const std::string others[] = {"events.ndjson",
                                "events-000001.ndjson",
                                "events-1-20261121T204112Z.ndjson",
                                "events-000001-20261121T204112Z.ndjson.gz",
                                "events-000001-2026112xT204112Z.ndjson",
                                "events-00000x-20261121T204112Z.ndjson",
                                "events-000000-20261121T204112Z.ndjson",
                                "other-000001-20261121T204112Z.ndjson",
                                "events-000001-20261121T204112Z.ndjson.zst.part",
                                "events-99999999999999999999-20261121T204112Z.ndjson"};
  for (const std::string& name : ours) test::write_text(dir / name, "x");
  for (const std::string& name : others) test::write_text(dir / name, "x");
  std::filesystem::create_symlink(dir / "events.ndjson", dir / "events-000009-20261121T204112Z.ndjson");
  std::filesystem::create_directory(dir / "events-000008-20261121T204112Z.ndjson");

  std::vector<std::string> names;
  for (const RotatedFile& file : list_rotated(dir / "events.ndjson"))
    names.push_back(std::filesystem::path(file.path).filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{ours[1], ours[2], ours[3], ours[0]}));
  EXPECT_EQ(list_unfinished(dir / "events.ndjson").size(), 1u);
  EXPECT_TRUE(list_rotated(dir / "no/events.ndjson").empty());
}

}  // namespace
}  // namespace sessionlogd
