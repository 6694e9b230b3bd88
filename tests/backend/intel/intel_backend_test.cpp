#include "backend/intel/intel_backend.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/intel/intel_machine.hpp"
#include "contract/backend_contract.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

template <class T>
Metric<T> absent(Missing reason = Missing::not_supported) {
  return missing(reason);
}

class IntelBackendTest : public ::testing::Test {
 protected:
  Backend& open(bool wake = false) {
    backend_ = machine_.backend(wake);
    EXPECT_TRUE(backend_->list());
    return *backend_;
  }
  Reading read(const DeviceId& id) {
    auto reading = backend_->read(id);
    EXPECT_TRUE(reading) << reading.error().message;
    return reading ? *reading : Reading{};
  }

  IntelMachine machine_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(IntelBackendTest, ListsIntelCardsInPciOrderAndNoOthers) {
  machine_.add_xe_card();
  machine_.add_i915_card();
  machine_.add_processor_graphics();
  machine_.card("card7", "DRIVER=amdgpu\nPCI_ID=1002:7550\nPCI_SLOT_NAME=0000:05:00.0\n");
  const auto devices = open().list().value();
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].id, kProcessorId);
  EXPECT_EQ(devices[1].id, kXeId);
  EXPECT_EQ(devices[2].id, kI915Id);
  EXPECT_EQ(devices[1].name, "Battlemage G21 [Arc B580]");
  EXPECT_EQ(devices[1].vendor, Vendor::intel);
  EXPECT_EQ(devices[1].source, "intel");
  EXPECT_EQ(devices[1].driver, "xe");
  EXPECT_EQ(devices[1].driver_version, "6.19.0");
  EXPECT_EQ(devices[1].numa_node, absent<std::uint32_t>());
  EXPECT_FALSE(devices[1].recorded);
}

TEST_F(IntelBackendTest, KeepsItsContractOnEveryMachine) {
  check_backend_contract(*IntelMachine().backend());
  IntelMachine one;
  one.add_processor_graphics();
  check_backend_contract(*one.backend());
  IntelMachine all;
  all.add_xe_card();
  all.add_i915_card();
  all.add_processor_graphics();
  check_backend_contract(*all.backend());
  all.power(all.kXe, "suspended", "auto");
  check_backend_contract(*all.backend());
}

TEST_F(IntelBackendTest, ReadsSensorsOfACardUnderXe) {
  machine_.add_xe_card();
  open();
  const auto reading = read(kXeId);
  EXPECT_EQ(reading.temperature, Celsius(51));
  EXPECT_EQ(reading.temperature_memory, Celsius(58));
  EXPECT_EQ(reading.temperature_slowdown, Celsius(100));
  EXPECT_EQ(reading.temperature_shutdown, Celsius(125));
  EXPECT_EQ(reading.temperature_hotspot, absent<Celsius>());
  EXPECT_EQ(reading.fan_speed, Rpm(1080));
  EXPECT_EQ(reading.fan, Percent(50));
  EXPECT_EQ(reading.energy, Joules(1000));
  EXPECT_EQ(reading.power_limit, Watts(190));
  EXPECT_EQ(reading.power_limit_default, absent<Watts>()) << "a rating of 0 is none";
  EXPECT_EQ(reading.memory_total, absent<Bytes>()) << "sysfs does not tell, and 0 would be a lie";
  EXPECT_EQ(reading.memory_unified, false);
  EXPECT_EQ(reading.performance_state, "base");
  EXPECT_EQ(reading.runtime_power_state, "active");
  EXPECT_THAT(reading.sensors,
              ElementsAre(Sensor{"mctrl", "celsius", 49.5}, Sensor{"fan2", "rpm", 0}, Sensor{"pkg", "volts", 0.75}));
}

TEST_F(IntelBackendTest, ClocksOfGraphicsAndMediaAreToldApart) {
  machine_.add_xe_card();
  open();
  const auto reading = read(kXeId);
  EXPECT_EQ(reading.clock_graphics, Megahertz(1700));
  EXPECT_EQ(reading.clock_graphics_max, Megahertz(2850));
  EXPECT_EQ(reading.clock_video, Megahertz(0)) << "powered down";
  EXPECT_EQ(reading.clock_video_max, Megahertz(1500));
}

TEST_F(IntelBackendTest, AMediaGtIsKnownByItsEnginesWhereItsNameSaysNothing) {
  machine_.add_xe_card();
  machine_.files.remove(machine_.kXe + "/tile0/gt0/gtidle/name");
  machine_.files.remove(machine_.kXe + "/tile0/gt1/gtidle/name");
  machine_.write(machine_.kXe + "/tile0/gt0", "engines/rcs/job_timeout_ms", "5000");
  machine_.write(machine_.kXe + "/tile0/gt1", "engines/vcs/job_timeout_ms", "5000");
  open();
  EXPECT_EQ(read(kXeId).clock_graphics_max, Megahertz(2850));
  EXPECT_EQ(read(kXeId).clock_video_max, Megahertz(1500));
}

TEST_F(IntelBackendTest, PowerComesFromTheSecondReadingOn) {
  machine_.add_xe_card();
  open();
  EXPECT_EQ(read(kXeId).power, absent<Watts>(Missing::not_yet_read));
  machine_.clock.advance(2s);
  machine_.write(machine_.kXe + "/hwmon/hwmon3", "energy1_input", "1100000000");
  EXPECT_EQ(read(kXeId).power, Watts(50));
  machine_.clock.advance(1s);
  EXPECT_EQ(read(kXeId).power, absent<Watts>(Missing::not_yet_read)) << "the counter stood still";
}

TEST_F(IntelBackendTest, UtilizationIsTheTimeThatWasNotIdle) {
  machine_.add_xe_card();
  open();
  EXPECT_EQ(read(kXeId).utilization, absent<Percent>(Missing::not_yet_read));
  machine_.clock.advance(1s);
  machine_.write(machine_.kXe + "/tile0/gt0", "gtidle/idle_residency_ms", "300250");
  machine_.write(machine_.kXe + "/tile0/gt1", "gtidle/idle_residency_ms", "311000");
  const auto reading = read(kXeId);
  EXPECT_EQ(reading.utilization, Percent(75));
  EXPECT_EQ(reading.utilization_video, Percent(0));
}

TEST_F(IntelBackendTest, ARecordedCardIsNotTakenForABusyOneAsItsCountersStandStill) {
  machine_.add_xe_card();
  const auto backend =
      make_intel_backend(SysfsSource{machine_.files, machine_.files, machine_.clock, machine_.processes, false, true});
  ASSERT_TRUE(backend->list());
  EXPECT_TRUE(backend->list()->front().recorded);
  for (int i = 0; i < 3; ++i) {
    const auto reading = backend->read(kXeId).value();
    EXPECT_EQ(reading.utilization, absent<Percent>(Missing::not_yet_read));
    EXPECT_EQ(reading.power, absent<Watts>(Missing::not_yet_read));
    machine_.clock.advance(1s);
  }
}

TEST_F(IntelBackendTest, ARecordedCardIsReadInFullWhateverItsPowerStateWas) {
  machine_.add_xe_card();
  machine_.power(machine_.kXe, "suspended", "auto");
  const auto backend =
      make_intel_backend(SysfsSource{machine_.files, machine_.files, machine_.clock, machine_.processes, false, true});
  ASSERT_TRUE(backend->list());
  const auto reading = backend->read(kXeId).value();
  EXPECT_EQ(reading.attention, Attention::awake);
  EXPECT_EQ(reading.temperature, Celsius(51));
  EXPECT_EQ(reading.fan_speed, Rpm(1080));
  EXPECT_EQ(reading.runtime_power_state, "suspended");
}

TEST_F(IntelBackendTest, TheLinkIsReadAboveTheSwitchOnTheCard) {
  machine_.add_xe_card();
  machine_.add_i915_card();
  open();
  EXPECT_EQ(read(kXeId).pcie_generation, Count(4));
  EXPECT_EQ(read(kXeId).pcie_width, Count(8));
  EXPECT_EQ(read(kXeId).pcie_width_max, Count(8));
  EXPECT_EQ(read(kI915Id).pcie_width, absent<Count>()) << "its own file shows the inside of the card";
}

TEST_F(IntelBackendTest, ReadsACardUnderI915) {
  machine_.add_i915_card();
  open();
  const auto first = read(kI915Id);
  EXPECT_EQ(first.temperature, Celsius(45)) << "its one temperature has no label";
  EXPECT_EQ(first.temperature_memory, absent<Celsius>());
  EXPECT_EQ(first.fan_speed, Rpm(0));
  EXPECT_EQ(first.fan, absent<Percent>()) << "no highest speed is told";
  EXPECT_EQ(first.power_limit, Watts(55));
  EXPECT_EQ(first.power_limit_default, Watts(75));
  EXPECT_EQ(first.clock_graphics, Megahertz(600));
  EXPECT_EQ(first.clock_graphics_max, Megahertz(2450));
  EXPECT_EQ(first.clock_video, absent<Megahertz>());
  EXPECT_EQ(first.throttle_reasons, ThrottleReasons());
  EXPECT_THAT(first.sensors, ElementsAre(Sensor{"in0", "volts", 0.603}));
  machine_.clock.advance(1s);
  machine_.write("/sys/class/drm/card2/gt/gt0", "rc6_residency_ms", "5900");
  machine_.write(machine_.kI915 + "/hwmon/hwmon1", "energy1_input", "25012000000");
  const auto second = read(kI915Id);
  EXPECT_EQ(second.power, Watts(12));
  EXPECT_NEAR(second.utilization.value().value(), 10, 1e-9);
}

TEST_F(IntelBackendTest, AnIdleStateThatIsSwitchedOffSaysNothingOfUtilization) {
  machine_.add_i915_card();
  machine_.write("/sys/class/drm/card2/gt/gt0", "rc6_enable", "0");
  open();
  read(kI915Id);
  machine_.clock.advance(1s);
  EXPECT_FALSE(read(kI915Id).utilization);
}

TEST_F(IntelBackendTest, OlderKernelsKeepTheIdleTimeAtTheCard) {
  machine_.add_processor_graphics();
  machine_.write("/sys/class/drm/card0/power", "rc6_enable", "1");
  machine_.write("/sys/class/drm/card0/power", "rc6_residency_ms", "7000");
  open();
  read(kProcessorId);
  machine_.clock.advance(2s);
  machine_.write("/sys/class/drm/card0/power", "rc6_residency_ms", "8000");
  EXPECT_EQ(read(kProcessorId).utilization, Percent(50));
}

TEST_F(IntelBackendTest, TheSecondGtOfAProcessorIsItsMedia) {
  machine_.add_processor_graphics();
  machine_.write("/sys/class/drm/card0/gt/gt0", "rps_act_freq_mhz", "1200");
  machine_.write("/sys/class/drm/card0/gt/gt0", "rps_RP0_freq_mhz", "2200");
  machine_.write("/sys/class/drm/card0/gt/gt1", "rps_act_freq_mhz", "400");
  machine_.write("/sys/class/drm/card0/gt/gt1", "rps_RP0_freq_mhz", "1300");
  open();
  EXPECT_EQ(read(kProcessorId).clock_graphics, Megahertz(1200));
  EXPECT_EQ(read(kProcessorId).clock_graphics_max, Megahertz(2200));
  EXPECT_EQ(read(kProcessorId).clock_video, Megahertz(400));
  EXPECT_EQ(read(kProcessorId).clock_video_max, Megahertz(1300));
}

TEST_F(IntelBackendTest, ACardInAVirtualMachineIsKnownByItsMonitorWhereverItStands) {
  machine_.card("card0", "DRIVER=i915\nPCI_ID=8086:56A5\nPCI_SLOT_NAME=0000:00:02.0\n");
  machine_.write(machine_.kProcessor + "/hwmon/hwmon0", "name", "i915");
  machine_.write(machine_.kProcessor + "/hwmon/hwmon0", "temp1_input", "40000");
  open();
  EXPECT_EQ(read(kProcessorId).memory_unified, false);
  EXPECT_EQ(read(kProcessorId).temperature, Celsius(40));
}

TEST_F(IntelBackendTest, APowerLimitOfZeroIsSwitchedOffAndTheNextOneCounts) {
  machine_.add_xe_card();
  const auto monitor = machine_.kXe + "/hwmon/hwmon3";
  machine_.write(monitor, "power1_cap", "0");
  machine_.write(monitor, "power1_max", "0");
  machine_.write(monitor, "power2_max", "120000000");
  open();
  EXPECT_EQ(read(kXeId).power_limit, Watts(120));
  machine_.write(monitor, "power2_max", "0");
  EXPECT_EQ(read(kXeId).power_limit, absent<Watts>());
}

TEST_F(IntelBackendTest, TheSustainedLimitOfTheChipComesBeforeItsBurst) {
  machine_.add_xe_card();
  const auto monitor = machine_.kXe + "/hwmon/hwmon3";
  machine_.files.remove(monitor + "/power1_cap");
  machine_.write(monitor, "power2_cap", "150000000");
  machine_.write(monitor, "power2_max", "120000000");
  open();
  EXPECT_EQ(read(kXeId).power_limit, Watts(120));
}

TEST_F(IntelBackendTest, ProcessorGraphicsWithoutSensorsHasAReasonForEveryAbsentValue) {
  machine_.add_processor_graphics();
  open();
  const auto reading = read(kProcessorId);
  EXPECT_EQ(reading.clock_graphics, Megahertz(300));
  EXPECT_EQ(reading.clock_graphics_max, Megahertz(1150));
  EXPECT_EQ(reading.memory_unified, true);
  EXPECT_EQ(reading.temperature, absent<Celsius>());
  EXPECT_EQ(reading.power, absent<Watts>());
  EXPECT_EQ(reading.power_limit, absent<Watts>());
  EXPECT_EQ(reading.fan_speed, absent<Rpm>());
  EXPECT_EQ(reading.pcie_generation, absent<Count>());
  EXPECT_EQ(reading.pcie_width, absent<Count>());
  EXPECT_EQ(reading.memory_total, absent<Bytes>());
  EXPECT_EQ(reading.throttle_reasons, absent<ThrottleReasons>());
  EXPECT_THAT(reading.sensors, IsEmpty());
}

TEST_F(IntelBackendTest, ProcessorGraphicsTakeTheirPowerFromTheProcessorsMeter) {
  machine_.add_processor_graphics();
  machine_.add_i915_card();
  const std::string meter = "/sys/class/powercap/intel-rapl:0:1";
  machine_.write("/sys/class/powercap/intel-rapl:0:0", "name", "core");
  machine_.write("/sys/class/powercap/intel-rapl:0:0", "energy_uj", "1");
  machine_.write(meter, "name", "uncore");
  machine_.write(meter, "energy_uj", "1000000");
  open();
  EXPECT_EQ(read(kProcessorId).power, absent<Watts>(Missing::not_yet_read));
  machine_.clock.advance(2s);
  machine_.write(meter, "energy_uj", "9000000");
  EXPECT_EQ(read(kProcessorId).power, Watts(4));
  EXPECT_EQ(read(kI915Id).energy, Joules(25000)) << "a card has its own";
  machine_.files.fail(meter + "/energy_uj", Errc::not_permitted);
  EXPECT_EQ(read(kProcessorId).power, absent<Watts>(Missing::not_permitted)) << "which only root may read";
}

TEST_F(IntelBackendTest, ThrottleReasonsAreToldInOurWords) {
  machine_.add_xe_card();
  machine_.add_i915_card();
  open();
  EXPECT_EQ(read(kXeId).throttle_reasons, ThrottleReasons());
  machine_.write(machine_.kXe + "/tile0/gt0", "freq0/throttle/reasons", "pl1 mem_thermal");
  machine_.write(machine_.kXe + "/tile0/gt1", "freq0/throttle/reasons", "something_new");
  EXPECT_EQ(read(kXeId).throttle_reasons.value().to_string(), [] {
    ThrottleReasons all(Throttle::power);
    all.add(Throttle::thermal_memory);
    all.add(Throttle::other);
    return all.to_string();
  }());

  const std::string gt = "/sys/class/drm/card2/gt/gt0";
  machine_.write(gt, "throttle_reason_vr_tdc", "1");
  EXPECT_EQ(read(kI915Id).throttle_reasons, ThrottleReasons()) << "the status says that there is none";
  machine_.write(gt, "throttle_reason_status", "1");
  EXPECT_EQ(read(kI915Id).throttle_reasons, ThrottleReasons(Throttle::current));
  machine_.write(gt, "throttle_reason_vr_tdc", "0");
  EXPECT_EQ(read(kI915Id).throttle_reasons, ThrottleReasons(Throttle::other)) << "a reason that no file names";
}

TEST_F(IntelBackendTest, ACardOfTwoTilesIsOneDeviceWithARowForEachTile) {
  machine_.card("card1", "DRIVER=xe\nPCI_ID=8086:0BD5\nPCI_SLOT_NAME=0000:3a:00.0\n");
  machine_.xe_gt(machine_.kXe, 0, 0, "gt0-rc", "900", "1550", "0");
  machine_.xe_gt(machine_.kXe, 1, 1, "gt1-rc", "1400", "1600", "0");
  machine_.write(machine_.kXe + "/tile0", "physical_vram_size_bytes", "0x1000000000");
  machine_.write(machine_.kXe + "/tile1", "physical_vram_size_bytes", "0x1000000000");
  open();
  EXPECT_EQ(backend_->list()->size(), 1u);
  const auto reading = read(DeviceId{"PCI-0000:3a:00.0"});
  EXPECT_EQ(reading.clock_graphics, Megahertz(1400));
  EXPECT_EQ(reading.clock_graphics_max, Megahertz(1600));
  EXPECT_EQ(reading.clock_video, absent<Megahertz>());
  EXPECT_EQ(reading.memory_total, Bytes(std::uint64_t{128} << 30));
  EXPECT_THAT(reading.sensors, AllOf(Contains(Sensor{"tile0 graphics", "megahertz", 900}),
                                     Contains(Sensor{"tile1 graphics", "megahertz", 1400})));
}

TEST_F(IntelBackendTest, AFrequencyInHertzIsUnderstood) {
  machine_.add_processor_graphics();
  machine_.write("/sys/class/drm/card0", "gt_act_freq_mhz", "300000000");
  open();
  EXPECT_EQ(read(kProcessorId).clock_graphics, Megahertz(300));
}

TEST_F(IntelBackendTest, OfASleepingCardOnlyTheKernelsPowerFilesAreTouched) {
  machine_.add_xe_card();
  open();
  machine_.clock.advance(10s);
  machine_.power(machine_.kXe, "suspended", "auto");
  machine_.files.take_accesses();
  const auto reading = read(kXeId);
  EXPECT_EQ(reading.attention, Attention::asleep);
  EXPECT_EQ(reading.temperature, absent<Celsius>(Missing::asleep));
  EXPECT_EQ(reading.power, absent<Watts>(Missing::asleep));
  EXPECT_EQ(reading.runtime_power_state, "suspended");
  EXPECT_THAT(machine_.files.take_accesses(),
              Each(::testing::AnyOf(StartsWith(machine_.kXe + "/power/"), machine_.kXe + "/power_state")));
}

TEST_F(IntelBackendTest, ListingASleepingCardTouchesNothingThatWakesIt) {
  machine_.add_xe_card();
  machine_.power(machine_.kXe, "suspended", "auto");
  backend_ = machine_.backend();
  machine_.files.take_accesses();
  ASSERT_EQ(backend_->list()->size(), 1u);
  for (const auto& path : machine_.files.take_accesses()) {
    EXPECT_THAT(path, Not(HasSubstr("hwmon")));
    EXPECT_THAT(path, Not(HasSubstr("tile")));
    EXPECT_THAT(path, Not(HasSubstr("link_")));
  }
}

TEST_F(IntelBackendTest, AnIdleCardIsLeftAloneSoThatItCanFallAsleep) {
  machine_.add_xe_card();
  open();
  read(kXeId);
  machine_.clock.advance(1s);
  machine_.write(machine_.kXe + "/tile0/gt0", "gtidle/idle_residency_ms", "301000");
  EXPECT_EQ(read(kXeId).attention, Attention::awake);
  machine_.clock.advance(1s);
  machine_.files.take_accesses();
  EXPECT_EQ(read(kXeId).attention, Attention::resting);
  EXPECT_THAT(machine_.files.take_accesses(),
              Each(::testing::AnyOf(StartsWith(machine_.kXe + "/power/"), machine_.kXe + "/power_state")));
}

TEST_F(IntelBackendTest, WhoAsksForItGetsASleepingCardRead) {
  machine_.add_xe_card();
  machine_.power(machine_.kXe, "suspended", "auto");
  open(true);
  EXPECT_EQ(read(kXeId).temperature, Celsius(51));
}

TEST_F(IntelBackendTest, PowerAfterASleepIsNotAveragedOverIt) {
  machine_.add_xe_card();
  open();
  read(kXeId);
  machine_.power(machine_.kXe, "suspended", "auto");
  machine_.clock.advance(100s);
  read(kXeId);
  machine_.power(machine_.kXe, "active", "auto");
  machine_.write(machine_.kXe + "/hwmon/hwmon3", "energy1_input", "1001000000");
  EXPECT_EQ(read(kXeId).power, absent<Watts>(Missing::not_yet_read));
}

TEST_F(IntelBackendTest, ATickReadsFewFiles) {
  machine_.add_xe_card();
  open();
  read(kXeId);
  machine_.clock.advance(1s);
  const auto before = backend_->cost().calls;
  read(kXeId);
  EXPECT_LE(backend_->cost().calls - before, 18u);
}

TEST_F(IntelBackendTest, ACardThatLeavesTheBusIsAnErrorThatSaysSo) {
  machine_.add_xe_card();
  open();
  read(kXeId);
  machine_.files.remove("/sys/class/drm/card1");
  machine_.clock.advance(1s);
  const auto reading = backend_->read(kXeId);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::not_found);
  EXPECT_THAT(reading.error().message, HasSubstr("PCI-0000:03:00.0"));
  EXPECT_THAT(*backend_->list(), IsEmpty());
  EXPECT_EQ(backend_->read(kXeId).error().code, Errc::not_found);
}

TEST_F(IntelBackendTest, AMonitorThatComesBackUnderAnotherNumberIsFound) {
  machine_.add_xe_card();
  open();
  EXPECT_EQ(read(kXeId).temperature, Celsius(51));
  machine_.files.remove(machine_.kXe + "/hwmon/hwmon3");
  const auto monitor = machine_.kXe + "/hwmon/hwmon9";
  machine_.write(monitor, "name", "xe");
  machine_.write(monitor, "temp2_input", "44000");
  machine_.write(monitor, "temp2_label", "pkg");
  read(kXeId);
  EXPECT_EQ(read(kXeId).temperature, Celsius(44));
}

TEST_F(IntelBackendTest, AFileThatMayNotBeReadIsNotPermitted) {
  machine_.add_xe_card();
  machine_.files.fail(machine_.kXe + "/hwmon/hwmon3/energy1_input", Errc::not_permitted);
  open();
  EXPECT_EQ(read(kXeId).power, absent<Watts>(Missing::not_permitted));
  EXPECT_EQ(read(kXeId).energy, absent<Joules>(Missing::not_permitted));
  EXPECT_EQ(read(kXeId).temperature, Celsius(51));
}

TEST_F(IntelBackendTest, EnginesAndProcessesComeFromTheClientsOfTheCard) {
  machine_.add_xe_card();
  auto& files = machine_.files;
  const auto client = [&](const std::string& rcs, const std::string& vcs, const std::string& total) {
    files.write("/proc/77/fdinfo/5",
                "pos:\t0\ndrm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t0000:03:00.0\n"
                "drm-total-vram0:\t2048 KiB\ndrm-resident-vram0:\t2048 KiB\n"
                "drm-cycles-rcs:\t" +
                    rcs + "\ndrm-total-cycles-rcs:\t" + total + "\ndrm-cycles-vcs:\t" + vcs +
                    "\ndrm-total-cycles-vcs:\t" + total + "\n");
  };
  files.write("/proc/77/comm", "blender\n");
  files.write("/proc/77/stat", "77 (blender) S 1\n");
  files.link("/proc/77/fd/5", "/dev/dri/renderD128");
  client("100", "0", "1000");
  open();
  EXPECT_EQ(read(kXeId).utilization_render, absent<Percent>(Missing::not_yet_read)) << "no process list was made yet";
  ASSERT_TRUE(backend_->processes(kXeId));
  machine_.clock.advance(3s);
  client("600", "100", "2000");
  const auto processes = backend_->processes(kXeId).value();
  ASSERT_EQ(processes.size(), 1u);
  EXPECT_EQ(processes[0].pid, 77);
  EXPECT_EQ(processes[0].name, "blender");
  EXPECT_EQ(processes[0].memory, 2_MiB);
  const auto reading = read(kXeId);
  EXPECT_EQ(reading.utilization_render, Percent(50));
  EXPECT_EQ(reading.memory_used, 2_MiB);
  machine_.clock.advance(60s);
  EXPECT_EQ(read(kXeId).utilization_render, absent<Percent>(Missing::not_yet_read)) << "the list has grown old";
}

TEST_F(IntelBackendTest, WhatOtherUsersDoIsNotCountedAsNothing) {
  machine_.add_xe_card();
  machine_.files.write("/proc/1/comm", "init\n");
  machine_.files.fail("/proc/1/fd", Errc::not_permitted);
  open();
  const auto processes = backend_->processes(kXeId);
  ASSERT_FALSE(processes);
  EXPECT_EQ(processes.error().code, Errc::not_permitted);
  EXPECT_EQ(read(kXeId).utilization_render, absent<Percent>(Missing::not_permitted));
  EXPECT_EQ(read(kXeId).memory_used, absent<Bytes>(Missing::not_permitted));
}

TEST_F(IntelBackendTest, ListingAndProcessListsMayRunBesideReadings) {
  machine_.add_xe_card();
  machine_.add_i915_card();
  open();
  const auto read_often = [&](const DeviceId& id) {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(backend_->read(id));
  };
  std::jthread first([&] { read_often(kXeId); });
  std::jthread second([&] { read_often(kI915Id); });
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(backend_->list());
    static_cast<void>(backend_->processes(kXeId));
    machine_.clock.advance(1s);
  }
}

TEST_F(IntelBackendTest, AnyFailedAccessCostsAtMostTheValueBehindIt) {
  const auto run = [](IntelMachine& machine) {
    const auto backend = machine.backend();
    const auto devices = backend->list();
    if (!devices) {
      EXPECT_FALSE(devices.error().message.empty());
      return;
    }
    for (const auto& device : *devices) {
      const auto reading = backend->read(device.id);
      EXPECT_TRUE(reading) << reading.error().message;
      machine.clock.advance(1s);
      EXPECT_TRUE(backend->read(device.id));
      const auto processes = backend->processes(device.id);
      if (!processes) {
        EXPECT_FALSE(processes.error().message.empty());
      }
    }
    machine.files.fail_nth(0);
    check_backend_contract(*backend);
  };
  IntelMachine whole;
  whole.add_xe_card();
  whole.add_i915_card();
  whole.add_processor_graphics();
  whole.files.take_accesses();
  run(whole);
  const auto accesses = whole.files.take_accesses().size();
  ASSERT_GT(accesses, 50u);
  for (std::size_t n = 1; n <= accesses; ++n) {
    SCOPED_TRACE(n);
    IntelMachine machine;
    machine.add_xe_card();
    machine.add_i915_card();
    machine.add_processor_graphics();
    machine.files.fail_nth(static_cast<int>(n));
    run(machine);
  }
}

}  // namespace
}  // namespace gpukeeper
