#include "prometheus/family_prefix.hpp"

#include <fmt/format.h>

#include "prometheus/labels.hpp"

namespace gpukeeper::prometheus {

const std::vector<FamilyByPrefix::Row>& FamilyByPrefix::rows() {
  constexpr auto busy = [](const Reading& r) -> Metric<double> { return r.utilization.map(&Percent::value); };
  static const std::vector<Row> all = {
      {"gpu_utilization_percent", "percent", "GPU utilization, 0 to 100.", busy},
      {"gpu_utilization", "", "GPU utilization, 0 to 100.", busy},
      {"gpu_memory_used_bytes", "bytes", "GPU memory in use.",
       [](const Reading& r) -> Metric<double> {
         return r.memory_used.map([](Bytes used) { return static_cast<double>(used.value()); });
       }},
      {"gpu_temperature_celsius", "celsius", "GPU temperature.",
       [](const Reading& r) -> Metric<double> { return guarding_temperature(r).map(&Celsius::value); }},
      {"gpu_power_watts", "watts", "GPU power draw.",
       [](const Reading& r) -> Metric<double> { return r.power.map(&Watts::value); }},
  };
  return all;
}

FamilyByPrefix::FamilyByPrefix(const std::string& prefix) {
  for (const Row& row : rows()) {
    families_.emplace_back(fmt::format("{}_{}", prefix, row.name), FamilyType::gauge, row.unit, row.help);
  }
}

void FamilyByPrefix::write(Exposition& out, const Snapshot& snapshot, std::string_view labels) const {
  std::vector<std::string> of_device;
  for (const DeviceSnapshot& device : snapshot.devices) {
    of_device.push_back(plain_label("device", fmt::format("{}", device.index)));
  }
  for (std::size_t row = 0; row < families_.size(); ++row) {
    out.begin(families_[row]);
    for (std::size_t i = 0; i < of_device.size(); ++i) {
      if (const auto value = rows()[row].value(snapshot.devices[i].reading)) out.add(labels, of_device[i], *value);
    }
  }
}

}  // namespace gpukeeper::prometheus
