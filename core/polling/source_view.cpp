#include "core/polling/source_view.h"

namespace sessionlogd {

SourceIdentity SourceIdentity::of(const SourceSettings& settings) {
  return {settings.name, settings.id, settings.dialect->name, settings.url,
          std::chrono::duration_cast<std::chrono::seconds>(settings.poll.retention)};
}

SourceView view_of_waiting(const SourceSettings& settings) {
  SourceView view;
  view.identity = std::make_shared<const SourceIdentity>(SourceIdentity::of(settings));
  return view;
}

SourceView view_of_unusable(const SourceSettings& settings, const std::string& why) {
  SourceView view = view_of_waiting(settings);
  view.condition = SourceCondition::kParked;
  view.error = why;
  return view;
}

}  // namespace sessionlogd
