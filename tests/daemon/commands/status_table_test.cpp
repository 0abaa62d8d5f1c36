#include "daemon/commands/status_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using ::testing::HasSubstr;

std::string table_of(const std::string& source) {
  const std::string status = R"({"process":{"version":"1","uptime_seconds":1,"shards":1,"memory_bytes":1,"config":"c",)"
                             R"("config_loaded":"","waits_for_restart":[],"not_ready":[]},)"
                             R"("sink":{"name":"file","state":"ok"},"sources":[{"name":"aws-eu","state":"ok",)" +
                             source + "}]}";
  const auto table = status_table(status, Instant{}, Colour::kNone);
  EXPECT_TRUE(table.has_value());
  return table.has_value() ? table->text : "";
}

TEST(StatusTable, SaysWhyEntriesAreOlderThanTheAim) {
  EXPECT_THAT(table_of(R"("error":"","pace":"mean age 14 s, aim 5 s: rate 20/s is used up")"),
              HasSubstr("  mean age 14 s, aim 5 s: rate 20/s is used up\n"));
}

TEST(StatusTable, SaysAllThatIsWrongWithASource) {
  EXPECT_THAT(table_of(R"("error":"e","waiting_until":"t","waiting_for":"w","pace":"p")"),
              HasSubstr("  e; not asked before t (w); p\n"));
}

Result<StatusTable> table_with_group(const std::string& partitions) {
  return status_table(R"({"process":{"not_ready":[]},"sink":{"state":"ok"},"sources":[],"group":{"name":"fra",)"
                      R"("members":[{"host":"a","partitions":[0,2]},{"host":"b","partitions":[1]}],"partitions":[)" +
                          partitions + "]}}",
                      Instant{}, Colour::kNone);
}

TEST(StatusTable, ShowsWhoHasThePartitionsOfAGroup) {
  const auto table = table_with_group(R"({"partition":0,"state":"owned"},{"partition":1,"state":"elsewhere"})");
  EXPECT_THAT(table->text, HasSubstr("\ngroup fra  1 of 2 partitions here; partitions by host: a 2, b 1\n"));
  EXPECT_TRUE(table->well);
}

TEST(StatusTable, IsNotWellWhileAPartitionIsNotPolled) {
  const auto table = table_with_group(R"({"partition":3,"state":"unowned","sources":7},)"
                                      R"({"partition":4,"state":"refused","sources":1,"error":"damaged"},)"
                                      R"({"partition":5,"state":"in_doubt","sources":2,"error":"cut off"})");
  EXPECT_THAT(table->text, HasSubstr("\nPARTITION 3 unowned: 7 sources are not polled\n"
                                     "PARTITION 4 refused: 1 sources are not polled: damaged\n"
                                     "PARTITION 5 in_doubt: 2 sources are not polled: cut off\n"));
  EXPECT_FALSE(table->well);
}

}  // namespace
}  // namespace sessionlogd
