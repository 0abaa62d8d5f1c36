#include "daemon/admin/admin_pages.h"

#include <fmt/core.h>

#include <random>

#include "core/async/task.h"
#include "daemon/admin/metrics_text.h"
#include "daemon/admin/status_json.h"
#include "daemon/page/page.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kJson = "application/json";

AdminResponse response(std::string_view content_type, std::string body, int status = 200) {
  return {.status = status,
          .content_type = content_type,
          .body = std::make_shared<const std::string>(std::move(body)),
          .policy = {}};
}

AdminResponse verdict(std::string_view name, const std::vector<std::string>& reasons) {
  return response(kJson, reasons_json(name, reasons), reasons.empty() ? 200 : 503);
}

// Only the page's own script and style run, which carry a number that nobody else knows.
AdminResponse page() {
  std::random_device entropy;
  const std::string nonce = fmt::format("{:08x}{:08x}{:08x}{:08x}", entropy(), entropy(), entropy(), entropy());
  AdminResponse answered = response("text/html; charset=utf-8", page_html(nonce));
  answered.policy =
      fmt::format("script-src 'nonce-{0}'; style-src 'nonce-{0}'; connect-src 'self'; img-src data:", nonce);
  return answered;
}

}  // namespace

AdminResponse refusal(int status, std::string text) {
  return response("text/plain; charset=utf-8", std::move(text) + "\n", status);
}

Task<AdminResponse> AdminPages::get(std::string path) {
  if (path == "/") co_return page();
  const bool known =
      path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/status" || path == "/recent";
  if (!known) co_return refusal(404, "there is /, /healthz, /readyz, /metrics, /status and /recent");
  if (path == "/healthz") co_return verdict("healthy", observatory_.not_healthy());
  const std::shared_ptr<const FleetView> view = co_await observatory_.look();
  if (path == "/readyz") co_return verdict("ready", not_ready(*view));
  if (path == "/recent") co_return response(kJson, recent_json(observatory_.history(), trouble_.latest()));
  AdminResponse answered;
  const bool metrics = path == "/metrics";
  answered.content_type = metrics ? "text/plain; version=0.0.4; charset=utf-8" : kJson;
  answered.body = metrics ? make(metrics_, view, metrics_text) : make(status_, view, status_json);
  co_return answered;
}

std::shared_ptr<const std::string> AdminPages::make(Made& made, const std::shared_ptr<const FleetView>& view,
                                                    std::string (*text_of)(const FleetView&)) {
  if (made.from != view) made = {view, std::make_shared<const std::string>(text_of(*view))};
  return made.text;
}

}  // namespace sessionlogd
