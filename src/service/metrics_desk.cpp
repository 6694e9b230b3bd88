#include "service/metrics_desk.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gpukeeper::service {
namespace {

// The whole GPU's, also of a partition; "none" of one that is not in the snapshot.
std::string index_of(const Snapshot& snapshot, const std::string& id) {
  for (const DeviceSnapshot& device : snapshot.devices) {
    const bool has_it = std::ranges::any_of(device.partitions, [&](const auto& p) { return p.device->id.text == id; });
    if (has_it || device.device->id.text == id) return fmt::format("{}", device.index);
  }
  return "none";
}

// Our own are few: there is always room.
void note(const MetricsDesk& desk, const std::vector<prometheus::Operation>& operations) {
  static_cast<void>(desk.operations->note(operations));
}

}  // namespace

void note_step(const MetricsDesk& desk, const Snapshot& snapshot, const StepCost& cost) {
  desk.self->ticked(snapshot, cost.took, cost.late);
  const std::string service = desk.settings()->service_name;
  std::vector<prometheus::Operation> operations;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (!device.available) continue;
    operations.push_back(
        {.device = fmt::format("{}", device.index), .service = service, .operation = "sample", .took = cost.took});
  }
  note(desk, operations);
}

void note_served(const MetricsDesk& desk, const Bookkeeper::Served& served) {
  using Kind = Bookkeeper::Served::Kind;
  const auto snapshot = desk.latest->read();
  std::vector<std::string> devices;
  for (const std::string& id : served.devices) devices.push_back(index_of(*snapshot, id));
  if (devices.empty()) devices.emplace_back("none");
  std::vector<prometheus::Operation> operations;
  for (const std::string& device : devices) {
    if (served.kind != Kind::released) {
      desk.operations->note(prometheus::Allocation{device, served.service, served.kind == Kind::granted, served.took});
    }
    if (served.kind == Kind::refused) continue;
    operations.push_back({.device = device,
                          .service = desk.settings()->service_name,
                          .operation = served.kind == Kind::granted ? "allocate" : "deallocate",
                          .took = served.took});
  }
  note(desk, operations);
}

void note_own(const MetricsDesk& desk, std::string operation, std::chrono::nanoseconds took) {
  note(desk,
       {{.device = "none", .service = desk.settings()->service_name, .operation = std::move(operation), .took = took}});
}

}  // namespace gpukeeper::service
