#include "bench/kafka_batches.h"

#include <fmt/format.h>

namespace sessionlogd {

std::string id_of_source(int number) { return fmt::format("aws-{:04}", number); }

std::vector<Batch> make_batches(int batches, int sources) {
  std::vector<Batch> made;
  for (int b = 0; b < batches; ++b) {
    Batch batch;
    batch.source_id = id_of_source(b % sources);
    batch.session_id = fmt::format("90faa259-fbf6-493a-b492-{:012x}", b);
    batch.session_key = 0x9e37'79b9'7f4a'7c15u * static_cast<unsigned>(b + 1);
    for (int e = 0; e < kEventsPerBatch; ++e) {
      const std::uint64_t key = batch.session_key ^ (0xbf58'476d'1ce4'e5b9u * static_cast<unsigned>(e));
      const std::string line = fmt::format(
          R"({{"@timestamp":"2020-06-20T19:22:13.{:06}Z","message":"Creating snapshot snap-{:016x} of volume vol-0a1b2c3d4e5f","ecs":{{"version":"8.11.0"}},"log":{{"level":"info"}},"agent":{{"type":"sessionlogd","version":"0.1.0","name":"host-1"}},"event":{{"id":"{:016x}{:016x}","hash":"{:08x}","kind":"event","module":"veeam","dataset":"veeam.aws.session_log","action":"Policy","outcome":"success","created":"2026-11-21T20:41:12.123456Z","start":"2020-06-20T19:12:04.161597Z","end":"2020-06-20T19:22:13.849335Z","duration":609687738000}},"observer":{{"vendor":"Veeam","product":"Backup for AWS","name":"{}","hostname":"10.0.0.5"}},"sessionlog":{{"record":"entry","source":"{}","session_id":"{}","session_type":"Policy","session_name":"nightly","log_time":"2020-06-20T19:22:13.849335","status":"Success","duration":"687","change":"new"}}}})"
          "\n",
          e, key, batch.session_key, key, e, batch.source_id, batch.source_id, batch.session_id);
      batch.events += line;
      batch.index.push_back({static_cast<std::uint32_t>(line.size()), key, static_cast<std::uint32_t>(e)});
    }
    batch.records.push_back({batch.session_key, StateRecord::kSessionPart, std::string(140, 's')});
    batch.records.push_back({batch.session_key, 0, std::string(64 * 13, 'k')});
    batch.records.push_back({batch.session_key, 1, std::string(36 * 13, 'k')});
    made.push_back(std::move(batch));
  }
  return made;
}

}  // namespace sessionlogd
