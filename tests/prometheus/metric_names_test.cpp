#include "prometheus/metric_names.hpp"

#include <cctype>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

std::string name_of(std::string_view row) {
  return std::string(metric_name(*find_metric(row)));
}

TEST(MetricNamesTest, NamesEndInBaseUnitsAndCountersInTotal) {
  EXPECT_EQ(name_of("temperature_celsius"), "gpukeeper_temperature_celsius");
  EXPECT_EQ(name_of("fan_percent"), "gpukeeper_fan_ratio");
  EXPECT_EQ(name_of("clock_graphics_mhz"), "gpukeeper_clock_graphics_hertz");
  EXPECT_EQ(name_of("energy_joules"), "gpukeeper_energy_joules_total");
  EXPECT_EQ(name_of("pcie_replays"), "gpukeeper_pcie_replays_total");
  EXPECT_EQ(name_of("pcie_rx_bytes_per_second"), "gpukeeper_pcie_rx_bytes_per_second");
  EXPECT_EQ(name_of("ecc_enabled"), "gpukeeper_ecc_enabled");
  EXPECT_EQ(name_of("performance_state"), "gpukeeper_performance_state_info");
  EXPECT_EQ(name_of("driver_version"), "gpukeeper_gpu_info");
}

// A row whose unit is not known here would come out under a wrong name, and with a wrong UNIT.
TEST(MetricNamesTest, EveryUnitOfTheTableIsKnown) {
  for (const DeviceMetric& metric : device_metrics()) {
    if (metric.form == DeviceMetric::Form::fact || metric.row->unit.empty()) continue;
    EXPECT_NE(metric.family.head(Syntax::openmetrics).find("# UNIT "), std::string::npos) << metric.row->name;
  }
}

TEST(MetricNamesTest, NamesAreValidAndStandOnce) {
  std::set<std::string> seen;
  for (const DeviceMetric& metric : device_metrics()) {
    if (metric.form == DeviceMetric::Form::fact) continue;
    const std::string& name = metric.family.name();
    EXPECT_TRUE(seen.insert(name).second) << name;
    for (const char c : name) EXPECT_TRUE(std::islower(c) || std::isdigit(c) || c == '_') << name;
  }
}

}  // namespace
}  // namespace gpukeeper::prometheus
