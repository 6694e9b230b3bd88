#pragma once

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "device/backend.hpp"
#include "device/metric_table.hpp"

namespace gpukeeper {

/// What every backend promises (device/backend.hpp), checked on one that stands ready. Run by the tests of each backend
/// over several machines, the fakes included, so that no fake drifts from what it stands for.
inline void check_backend_contract(Backend& backend) {
  ASSERT_FALSE(backend.name().empty());
  const auto before = backend.cost();
  const auto devices = backend.list();
  ASSERT_TRUE(devices) << devices.error().message;

  std::set<std::string> ids;
  std::optional<PciAddress> last;
  std::optional<DeviceId> physical;
  for (const Device& device : *devices) {
    SCOPED_TRACE(device.id.text);
    EXPECT_FALSE(device.id.text.empty());
    EXPECT_TRUE(ids.insert(device.id.text).second) << "listed twice";
    EXPECT_FALSE(device.name.empty());
    EXPECT_EQ(device.source, backend.name());
    if (device.parent) {
      EXPECT_EQ(device.parent, physical) << "a partition follows its device";
      EXPECT_TRUE(device.partition && !device.partition->empty());
    } else {
      EXPECT_FALSE(last && device.pci && *device.pci < *last) << "not in PCI order";
      physical = device.id;
      if (device.pci) last = device.pci;
    }

    const auto reading = backend.read(device.id);
    if (!reading) {
      EXPECT_FALSE(reading.error().message.empty());
      continue;
    }
    for (const MetricRow& row : metric_table()) {
      const auto number = to_number(row.value(device, *reading));
      if (!number) continue;
      EXPECT_TRUE(std::isfinite(*number)) << row.name;
      if (row.unit == "percent") {
        EXPECT_TRUE(*number >= 0 && *number <= 100) << row.name << " is " << *number;
      }
      if (row.unit == "watts" || row.unit == "megahertz") {
        EXPECT_GE(*number, 0) << row.name;
      }
    }
    if (reading->attention == Attention::asleep) {
      EXPECT_EQ(reading->temperature, Metric<Celsius>(missing(Missing::asleep)));
    }
    if (reading->memory_used && reading->memory_total) {
      EXPECT_LE(*reading->memory_used, *reading->memory_total);
    }
    for (const Sensor& sensor : reading->sensors) {
      EXPECT_FALSE(sensor.name.empty());
      EXPECT_FALSE(sensor.unit.empty());
      EXPECT_TRUE(std::isfinite(sensor.value));
    }

    if (device.parent) continue;
    const auto processes = backend.processes(device.id);
    if (!processes) {
      EXPECT_FALSE(processes.error().message.empty());
      continue;
    }
    std::int64_t pid = 0;
    for (const GpuProcess& process : *processes) {
      EXPECT_GT(process.pid, pid) << "every pid once, in order";
      pid = process.pid;
      if (process.utilization) {
        EXPECT_TRUE(process.utilization->value() >= 0 && process.utilization->value() <= 100);
      }
    }
  }

  const auto unknown = backend.read(DeviceId{"no-such-device"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  EXPECT_NE(unknown.error().message.find("no-such-device"), std::string::npos) << unknown.error().message;
  const auto no_processes = backend.processes(DeviceId{"no-such-device"});
  EXPECT_TRUE(!no_processes && no_processes.error().code != Errc::internal);

  const auto again = backend.list();
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_EQ(again->size(), devices->size());
  for (std::size_t i = 0; i < again->size(); ++i)
    EXPECT_EQ((*again)[i].id, (*devices)[i].id) << "identity must be stable";
  EXPECT_GE(backend.cost().calls, before.calls);
}

}  // namespace gpukeeper
