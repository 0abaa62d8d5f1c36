// What a file sink has delivered: its output, rotated files included, and the rows of its state.
#pragma once

#include <string>

#include "config/settings.h"
#include "core/state/delivered_reader.h"

namespace sessionlogd {

class FileDelivered : public DeliveredReader {
 public:
  FileDelivered(const std::string& state_dir, const FileSinkSettings& settings);

  void read_state(StateVisitor& into) override;

  // All of them: when a line was written stands nowhere.
  ReadBack read_events(Instant since, const std::function<void(const Delivered&)>& take) override;

 private:
  const std::string state_, output_;
};

}  // namespace sessionlogd
