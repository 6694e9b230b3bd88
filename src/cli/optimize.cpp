#include "cli/optimize.hpp"

#include <utility>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "cli/memory_size.hpp"
#include "cli/reclaim_page.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kReclaim = "/api/v1/reclaim";
constexpr std::string_view kPlan = "/api/v1/plan";
constexpr auto kPatience = 6min;  // a run has five; the daemon answers soon after
constexpr auto kLook = 1s;

Result<std::string> only_device(std::string_view command, const std::vector<std::string>& devices) {
  if (devices.size() > 1) return fail(Errc::invalid_argument, fmt::format("{} takes one --device", command));
  return devices.empty() ? std::string() : devices.front();
}

Result<Json> room(const std::string& memory, std::uint64_t gpus) {
  Json body = Json::object();
  if (memory.empty()) return body;
  const auto bytes = parse_memory(memory);
  if (!bytes) return tl::make_unexpected(bytes.error());
  body["min_bytes"] = bytes->value();
  if (gpus != 1) body["devices"] = gpus;
  return body;
}

// The latest report, once its run is over.
Result<std::string> wait_for_report(LeaseDesk& desk, Context& context) {
  const auto until = context.clock.now() + kPatience;
  for (;;) {
    const auto answer = ask(desk, {.method = "GET", .target = std::string(kReclaim)}, context);
    if (!answer) return tl::make_unexpected(answer.error());
    const Json all = parse_document(*answer);
    const Json& reports = list_in(all, "reports");
    if (!flag_in(all, "running") && !reports.empty()) return dump(reports.front(), false);
    if (context.clock.now() >= until) {
      return fail(Errc::deadline_exceeded,
                  "the daemon is still at it: gpukeeper serve's /api/v1/reclaim tells its state");
    }
    context.clock.sleep_until(context.clock.now() + kLook, {});
  }
}

}  // namespace

Result<std::string> reclaim(LeaseDesk& desk, const std::string& body, Context& context) {
  auto reply = desk.ask({.method = "POST", .target = std::string(kReclaim), .body = body, .patience = kPatience});
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->good()) return std::move(reply->body);
  if (text_in(parse_document(reply->body), "code") == "no_answer_yet") return wait_for_report(desk, context);
  const RenderOptions page = render_options(context);
  return tl::make_unexpected(refusal_of(*reply, page.width, page.utf8));
}

Exit optimize(const OptimizeOptions& options, Context& context) {
  const auto device = only_device("optimize", options.devices);
  if (!device) return tl::make_unexpected(device.error());
  auto body = room(options.memory, options.gpus);
  if (!body) return tl::make_unexpected(body.error());
  if (!options.service.empty()) (*body)["service"] = options.service;
  if (!device->empty()) (*body)["device"] = *device;
  if (options.scrub) (*body)["scrub"] = true;
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto report = reclaim(**desk, dump(*body, false), context);
  if (!report) return tl::make_unexpected(report.error());
  if (options.json) return print(context, dump(parse_document(*report), true) + "\n");
  return print(context, render_reclaim(*report, render_options(context)));
}

Exit plan(const PlanOptions& options, Context& context) {
  const auto device = only_device("plan", options.devices);
  if (!device) return tl::make_unexpected(device.error());
  auto body = room(options.memory, options.gpus);
  if (!body) return tl::make_unexpected(body.error());
  if (!device->empty()) (*body)["device"] = *device;
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto answer =
      ask(**desk, {.method = "POST", .target = std::string(kPlan), .body = dump(*body, false)}, context);
  if (!answer) return tl::make_unexpected(answer.error());
  const Json document = parse_document(*answer);
  const int status = text_in(document, "verdict") == "never" ? 1 : 0;
  if (options.json) return print(context, dump(document, true) + "\n", status);
  return print(context, render_plan(*answer, render_options(context)), status);
}

Exit loop(const LoopOptions& options, Context& context) {
  const auto interrupts = context.interrupts();  // before the desk, whose threads inherit what is blocked
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  for (auto due = context.clock.now();;) {
    const auto report = reclaim(**desk, "{}", context);
    if (report) {
      const std::string line = options.json ? dump(parse_document(*report), false) + "\n"
                                            : render_reclaim_line(*report, render_options(context));
      if (auto printed = print(context, line); !printed) return printed;
    } else if (report.error().code == Errc::resource_exhausted) {
      context.remark(report.error().message);  // somebody else has memory given back at the moment
    } else {
      return tl::make_unexpected(report.error());
    }
    due = std::max(due + options.interval, context.clock.now());
    if (!wait_until_due(*interrupts, due)) return 0;
  }
}

}  // namespace gpukeeper::cli
