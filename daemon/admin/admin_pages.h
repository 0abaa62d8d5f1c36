// What stands at the admin address: which path is what. Knows nothing of sockets.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "core/async/task.h"
#include "daemon/admin/observatory.h"
#include "daemon/admin/recent_trouble.h"

namespace sessionlogd {

struct AdminResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;
  std::string policy;  // Content-Security-Policy, "" = nothing may be loaded or run
};

class AdminPages {
 public:
  // `trouble` must outlive this.
  AdminPages(boost::asio::io_context& io, Observed observed, const RecentTrouble& trouble)
      : observatory_(io, std::move(observed)), trouble_(trouble) {}

  // `path` without its query.
  Task<AdminResponse> get(std::string path);

  Task<void> keep_history() { return observatory_.keep_history(); }

 private:
  // A text made from a view: made once, however many ask, since for a large fleet it is large.
  struct Made {
    std::shared_ptr<const FleetView> from;
    std::shared_ptr<const std::string> text;
  };
  static std::shared_ptr<const std::string> make(Made& made, const std::shared_ptr<const FleetView>& view,
                                                 std::string (*text_of)(const FleetView&));

  Observatory observatory_;
  const RecentTrouble& trouble_;
  Made metrics_, status_;
};

// What is not there, or not allowed.
AdminResponse refusal(int status, std::string text);

}  // namespace sessionlogd
