#include "reclaim/reclaim_json.hpp"

#include <optional>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::reclaim {
namespace {

Json bytes(const Metric<Bytes>& metric) {
  return metric ? Json(metric->value()) : Json();
}
Json bytes(const std::optional<Bytes>& value) {
  return value ? Json(value->value()) : Json();
}
Json lease_id(LeaseId id) {
  return id == LeaseId{} ? Json() : Json(std::to_string(number(id)));
}
Json pid_or_null(std::int64_t pid) {
  return pid == 0 ? Json() : Json(pid);
}
Json seconds(std::chrono::nanoseconds time) {
  return to_json(MetricValue(std::chrono::duration<double>(time).count()));
}

Json index_of(const Ledger& ledger, const std::string& id) {
  const DeviceAccount* device = ledger.device(id);
  return device ? Json(device->facts().index) : Json();
}

Json step_of(const PlanStep& step, const Ledger& ledger) {
  return {{"kind", std::string(to_string(step.kind))},
          {"lease", lease_id(step.lease)},
          {"service", text_or_null(step.service)},
          {"priority", step.lease == LeaseId{} ? Json() : Json(step.priority)},
          {"pid", pid_or_null(step.pid)},
          {"name", text_or_null(step.name)},
          {"from", step.from},
          {"from_index", index_of(ledger, step.from)},
          {"to", text_or_null(step.to)},
          {"to_index", index_of(ledger, step.to)},
          {"bytes", step.bytes.value()}};
}

Json deed_json(const Deed& deed) {
  return {{"lease", lease_id(deed.lease)},
          {"service", text_or_null(deed.service)},
          {"pid", pid_or_null(deed.pid)},
          {"name", text_or_null(deed.name)},
          {"device", deed.device},
          {"what", deed.what},
          {"promised_bytes", bytes(deed.promised)},
          {"before_bytes", bytes(deed.before)},
          {"after_bytes", bytes(deed.after)},
          {"returned_bytes", bytes(deed.returned())},
          {"unbooked_bytes", deed.unbooked.value()},
          {"scrubbed", or_null(deed.scrubbed)},
          {"note", text_or_null(deed.note)},
          {"problem", text_or_null(deed.problem)},
          {"took_seconds", seconds(deed.took)}};
}

Json report_object(const ReclaimReport& report) {
  Json devices = Json::array();
  for (const DeviceReport& device : report.devices) {
    devices.push_back({{"id", device.id},
                       {"index", device.index},
                       {"total_bytes", bytes(device.total)},
                       {"used_before_bytes", bytes(device.used_before)},
                       {"used_after_bytes", bytes(device.used_after)},
                       {"wanted_bytes", bytes(device.wanted)},
                       {"still_wanted_bytes", bytes(device.still_wanted)}});
  }
  Json steps = Json::array();
  for (const StepReport& step : report.steps) {
    Json holders = Json::array();
    for (const Deed& deed : step.deeds) holders.push_back(deed_json(deed));
    steps.push_back({{"step", std::string(to_string(step.stage))},
                     {"type", text_or_null(std::string(documented_type(step.stage)))},
                     {"returned_bytes", step.returned().value()},
                     {"skipped", text_or_null(step.skipped)},
                     {"holders", std::move(holders)}});
  }
  Json advice = Json::array();
  for (const Advice& each : report.advice) {
    advice.push_back({{"lease", lease_id(each.lease)},
                      {"service", text_or_null(each.service)},
                      {"pid", pid_or_null(each.pid)},
                      {"name", text_or_null(each.name)},
                      {"user", text_or_null(each.user)},
                      {"device", each.device},
                      {"memory_bytes", bytes(each.memory)},
                      {"idle_seconds", each.idle ? seconds(*each.idle) : Json()},
                      {"recommendation", each.recommendation}});
  }
  return {{"schema", "gpukeeper.reclaim/1"},
          {"number", report.number},
          {"why", report.why},
          {"started", rfc3339(report.started)},
          {"took_seconds", seconds(report.took)},
          {"finished", report.finished},
          {"problem", text_or_null(report.problem)},
          {"returned_bytes", report.returned().value()},
          {"devices", std::move(devices)},
          {"steps", std::move(steps)},
          {"advice", std::move(advice)}};
}

}  // namespace

std::string plan_json(const Plan& plan, const PlanRequest& request, const Ledger& ledger) {
  Json steps = Json::array();
  for (const PlanStep& step : plan.steps) steps.push_back(step_of(step, ledger));
  using Kind = PlanStep::Kind;
  Json indices = Json::array();
  for (const std::string& id : plan.devices) indices.push_back(index_of(ledger, id));
  const Json document = {{"schema", "gpukeeper.plan/1"},
                         {"min_bytes", request.min.value()},
                         {"devices_wanted", request.devices},
                         {"verdict", std::string(to_string(plan.verdict))},
                         {"exact", plan.exact},
                         {"devices", plan.devices},
                         {"indices", std::move(indices)},
                         {"waited_bytes", plan.sum(Kind::wait).value()},
                         {"asked_bytes", plan.sum(Kind::ask).value()},
                         {"moved_bytes", plan.sum(Kind::move).value()},
                         {"ended_bytes", plan.sum(Kind::end).value()},
                         {"stopped_bytes", plan.sum(Kind::stop).value()},
                         {"steps", std::move(steps)},
                         {"reasons", plan.reasons}};
  return dump(document, false) + "\n";
}

std::string report_json(const ReclaimReport& report) {
  return dump(report_object(report), false) + "\n";
}

std::string reports_json(const std::vector<ReclaimReport>& reports, bool by_itself) {
  Json list = Json::array();
  for (auto report = reports.rbegin(); report != reports.rend(); ++report) list.push_back(report_object(*report));
  return dump({{"schema", "gpukeeper.reclaims/1"},
               {"running", !reports.empty() && !reports.back().finished},
               {"by_itself", by_itself},
               {"reports", std::move(list)}},
              false) +
         "\n";
}

}  // namespace gpukeeper::reclaim
