#include <algorithm>

#include "core/rfc3339.hpp"
#include "recording/metric_json.hpp"

namespace gpukeeper::recording {
namespace {

constexpr EventKind kKinds[] = {EventKind::xid,          EventKind::ecc_corrected,   EventKind::ecc_uncorrected,
                                EventKind::row_remap,    EventKind::page_retirement, EventKind::ras,
                                EventKind::engine_reset, EventKind::gpu_hang,        EventKind::gpu_reset,
                                EventKind::wedged,       EventKind::devcoredump,     EventKind::pcie_error,
                                EventKind::lost,         EventKind::returned,        EventKind::driver_reload,
                                EventKind::driver};

}  // namespace

Json to_json(const DeviceEvent& event) {
  Json json = {{"kind", to_string(event.kind)},
               {"at", rfc3339(event.at)},
               {"count", event.count},
               {"detail", event.detail},
               {"source", event.source}};
  if (event.id) json["device"] = event.id->text;
  if (event.pci) json["pci"] = event.pci->to_string();
  if (event.code != 0) json["code"] = event.code;
  if (event.pid) json["pid"] = *event.pid;
  if (!event.process.empty()) json["process"] = event.process;
  if (!event.key.empty()) json["key"] = event.key;
  return json;
}

DeviceEvent event_from(const Json& json) {
  DeviceEvent event;
  const auto word = text_member(json, "kind").value_or("");
  const auto* kind = std::ranges::find(kKinds, word, [](EventKind k) { return to_string(k); });
  if (kind != std::end(kKinds)) event.kind = *kind;
  event.at = parse_rfc3339(text_member(json, "at").value_or("")).value_or(WallTime());
  if (auto device = text_member(json, "device")) event.id = DeviceId{std::move(*device)};
  if (const auto pci = text_member(json, "pci")) event.pci = PciAddress::parse(*pci);
  event.code = whole_member(json, "code").value_or(0);
  event.count = whole_member(json, "count").value_or(1);
  event.detail = text_member(json, "detail").value_or("");
  const Json* pid = member(json, "pid");
  if (std::int64_t value = 0; pid != nullptr && Plain<std::int64_t>::read(*pid, value)) event.pid = value;
  event.process = text_member(json, "process").value_or("");
  event.source = text_member(json, "source").value_or("");
  event.key = text_member(json, "key").value_or("");
  return event;
}

}  // namespace gpukeeper::recording
