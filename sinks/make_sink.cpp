#include "sinks/make_sink.h"

#include "sinks/file_sink.h"
#include "sinks/stdout_sink.h"

namespace sessionlogd {

std::unique_ptr<Sink> make_sink(const Settings& settings) {
  if (settings.sink.file.path == "-") return std::make_unique<StdoutSink>();
  return std::make_unique<FileSink>(settings.daemon.state_dir, settings.sink.file);
}

}  // namespace sessionlogd
