#include "cli/monitoring.hpp"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "client/daemon.hpp"
#include "client/exchange.hpp"
#include "core/display_text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::string_view kRoute = "/api/v1/monitoring";

// "monitoring is on: GPUs are looked at every 1 s", and when they were last.
Result<std::string> sentence(const std::string& answer, bool asked_only) {
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object() || !document.value("monitoring", Json()).is_boolean()) {
    return fail(Errc::internal, "the daemon's answer says nothing of monitoring: is it of another version?");
  }
  const bool on = document["monitoring"].get<bool>();
  const Json changed = document.value("changed", Json());
  const Json interval = document.value("sample_interval_seconds", Json());
  const Json taken = document.value("taken_at", Json());
  const std::string_view already = !asked_only && changed == Json(false) ? "already " : "";
  std::string text =
      on ? fmt::format("monitoring is {}on: every {:g} s", already, interval.is_number() ? interval.get<double>() : 0.0)
         : fmt::format("monitoring is {}off: the GPUs are looked at when somebody asks", already);
  if (taken.is_string()) text += fmt::format("; last at {}", harmless(taken.get<std::string>()));
  return text + "\n";
}

// Why it is as it is: "degraded: source nvml: …".
std::string state_of(const Json& document) {
  std::vector<std::string> reasons;
  for (const Json& reason : document.value("reasons", Json::array())) {
    if (reason.is_string()) reasons.push_back(harmless(reason.get<std::string>()));
  }
  return fmt::format("{}{}{}", harmless(document["status"].get<std::string>()), reasons.empty() ? "" : ": ",
                     fmt::join(reasons, "; "));
}

// For who restarts what has died (HEALTHCHECK in a container without a shell): fails where /health says 503, which is
// only where nothing is looked at any more.
Exit health(const client::Daemon& daemon, bool as_json, Context& context) {
  const auto reply = client::exchange(
      daemon.address(),
      {.method = "GET", .target = "/health", .json = {}, .token = daemon.token(), .trust = daemon.trust().get()}, {});
  if (!reply) return tl::make_unexpected(reply.error());
  const Json document = Json::parse(reply->body, nullptr, false);
  if (!document.is_object() || !document.value("status", Json()).is_string()) {
    return fail(Errc::internal, "the daemon's answer says nothing of its health: is it of another version?");
  }
  if (reply->status != 200) return fail(client::code_of(reply->status), state_of(document));
  return print(context, as_json ? reply->body : state_of(document) + "\n");
}

}  // namespace

Exit monitoring(const MonitoringOptions& options, Context& context) {
  const auto daemon = client::Daemon::find(options.daemon, context.environment);
  if (!daemon) return tl::make_unexpected(daemon.error());
  if (options.action == "health") return health(*daemon, options.json, context);
  const bool asks = options.action == "status";
  const auto answer =
      asks ? daemon->ask("GET", kRoute) : daemon->ask("POST", fmt::format("{}/{}", kRoute, options.action));
  if (!answer) return tl::make_unexpected(answer.error());
  if (options.json) return print(context, *answer);
  const auto text = sentence(*answer, asks);
  if (!text) return tl::make_unexpected(text.error());
  return print(context, *text);
}

}  // namespace gpukeeper::cli
