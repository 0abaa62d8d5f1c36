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

}  // namespace
}  // namespace sessionlogd
