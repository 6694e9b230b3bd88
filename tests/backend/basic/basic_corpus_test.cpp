// Recorded machines whose card no other backend reads, against the table of facts beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/basic/basic_backend.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "contract/backend_contract.hpp"
#include "core/text.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

using ::testing::HasSubstr;

template <class T>
void expect_fact(const CorpusRow& row, std::string_view column, const Metric<T>& metric) {
  const auto fact = leading_number(row.find(column)->second);
  EXPECT_EQ(fact.has_value(), metric.has_value()) << column;
  if (fact && metric) {
    EXPECT_NEAR(static_cast<double>(metric->value()), *fact, 1e-6) << column;
  }
}

TEST(BasicCorpusTest, EveryRecordedMachineGivesTheFactsOfItsTable) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "the recorded machines are not there: set GPUKEEPER_CORPUS";
  int machines = 0;
  for (const auto& row : corpus_table(*folder, "file,vendor,name")) {
    const auto& file = row.find("file")->second;
    const auto& quirk = row.find("quirk")->second;
    if (!quirk.starts_with("driver radeon;") && !quirk.starts_with("driver nouveau;")) continue;
    SCOPED_TRACE(file);
    ++machines;
    const RealFiles machine((*folder / file).string());
    const RealFiles system;
    FakeClock clock;
    DrmProcesses processes(machine, clock, {});
    const auto backend = make_basic_backend(SysfsSource{machine, system, clock, processes, false, true});
    check_backend_contract(*backend);
    const auto devices = backend->list();
    ASSERT_TRUE(devices);
    ASSERT_EQ(devices->size(), 1u);
    const Device& device = devices->front();
    EXPECT_TRUE(device.recorded);
    EXPECT_THAT(quirk, HasSubstr("pci " + *device.pci_id));
    if (system.read("/usr/share/misc/pci.ids")) {
      EXPECT_EQ(device.name, row.find("name")->second);
    }
    const auto reading = backend->read(device.id);
    ASSERT_TRUE(reading) << reading.error().message;
    expect_fact(row, "temp_c", reading->temperature);
    expect_fact(row, "mem_used", reading->memory_used);
    expect_fact(row, "mem_total", reading->memory_total);
    expect_fact(row, "util", reading->utilization);
    expect_fact(row, "power_w", reading->power);
    expect_fact(row, "power_limit_w", reading->power_limit);
    expect_fact(row, "fan", reading->fan_speed);
  }
  EXPECT_GT(machines, 0);
}

TEST(BasicCorpusTest, ACardUnderNvidiasDriverIsNamedAndHasNoValuesOfItsOwn) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "the recorded machines are not there: set GPUKEEPER_CORPUS";
  const RealFiles machine((*folder / "other/nvidia-sysfs/rtx4080").string());
  const RealFiles system;
  FakeClock clock;
  DrmProcesses processes(machine, clock, {});
  const auto backend = make_basic_backend(SysfsSource{machine, system, clock, processes, false, true});
  check_backend_contract(*backend);
  const auto devices = backend->list().value();
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].vendor, Vendor::nvidia);
  EXPECT_EQ(devices[0].driver, "nvidia");
  EXPECT_EQ(devices[0].pci_id, "10de:2704");
  const auto reading = backend->read(devices[0].id);
  ASSERT_TRUE(reading);
  EXPECT_FALSE(reading->temperature);
  EXPECT_FALSE(reading->memory_total);
  EXPECT_EQ(reading->pcie_width, Count(16));
}

}  // namespace
}  // namespace gpukeeper
