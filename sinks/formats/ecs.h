// Events as Elastic Common Schema 8.11, one JSON object a line.
//
// Field reference: https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html; everything that is ours alone
// stands under `sessionlog`. tests/pipeline/ecs_test.cpp judges the lines by the schema's own field list.
#pragma once

#include <string>

#include "config/settings.h"
#include "core/entries/event.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

extern const Format kEcsFormat;

class EcsEncoder : public Encoder {
 public:
  // `agent_name` is this host's name.
  EcsEncoder(const SourceSettings& source, std::string_view agent_name, std::string_view agent_version);
  void append(const Event& event, LineBuffer& out) override;

 private:
  std::string before_event_;  // ecs, agent: what stands between the level and the event
  std::string event_origin_;  // module and dataset
  std::string after_event_;   // observer and the beginning of sessionlog
  std::string labels_;        // to the end of the line

  WrittenTime timestamp_, created_, start_, end_;

  // What stands of its session in an event is kept: the next is of the same one, mostly.
  class WrittenSession {
   public:
    void of(const SessionInfo& session);
    std::string_view action() const { return action_; }
    std::string_view fields() const { return fields_; }

   private:
    KeptSession kept_;
    std::string action_, fields_;
  };
  WrittenSession session_;
};

}  // namespace sessionlogd
