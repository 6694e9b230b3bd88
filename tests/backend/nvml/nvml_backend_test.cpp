#include "backend/nvml/nvml_backend.hpp"

#include "machine.hpp"

namespace gpukeeper::nvml {
namespace {

using NvmlBackendTest = NvmlMachine;

TEST_F(NvmlBackendTest, KeepsTheContractWithAnyNumberOfGpus) {
  for (const int more : {1, 1, 6}) {
    add_gpus(more);
    const auto backend = open();
    check_backend_contract(*backend);
    clock_.advance(1s);
    check_backend_contract(*backend);
  }
}

TEST_F(NvmlBackendTest, KeepsTheContractOverLibrariesOfEveryAge) {
  add_gpus(2);
  nvml_.set_processes(0, {{.pid = 4711, .memory_bytes = 1 << 30}});
  for (const int branch : {340, 470, 590}) {
    SCOPED_TRACE(branch);
    const auto backend = open(FakeNvml::library_path(branch).string());
    check_backend_contract(*backend);
    const auto reading = read_first(*backend);
    EXPECT_EQ(reading.temperature, Celsius(40));
    EXPECT_EQ(reading.memory_total, Bytes(85520809984));
    EXPECT_EQ(reading.power, Watts(70));
    EXPECT_EQ(reading.power_limit, Watts(700));
    EXPECT_EQ(reading.ecc_enabled, true);
    const auto processes = backend->processes(devices(*backend).front().id);
    ASSERT_TRUE(processes) << processes.error().message;
    ASSERT_EQ(processes->size(), 1u);
    EXPECT_EQ(processes->front().pid, 4711);
    EXPECT_EQ(processes->front().memory, 1_GiB);
  }
}

TEST_F(NvmlBackendTest, AMachineWithoutGpusHasNone) {
  const auto backend = open();
  EXPECT_TRUE(devices(*backend).empty());
}

TEST_F(NvmlBackendTest, ALibraryThatIsNotThereSaysSo) {
  const auto missing = nvml::open({.library = "/nowhere/libnvidia-ml.so.1", .files = files_, .clock = clock_});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::unavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("cannot load /nowhere/libnvidia-ml.so.1: "));
}

TEST_F(NvmlBackendTest, AnotherLibraryIsRefused) {
  const auto other = nvml::open({.library = "libm.so.6", .files = files_, .clock = clock_});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message,
            "libm.so.6 is not NVIDIA's management library, or an unusable one: it lacks nvmlInit");
}

TEST_F(NvmlBackendTest, LoadingTheLibraryOpensNoDriver) {
  add_gpus(1);
  const auto backend = open();
  EXPECT_EQ(nvml_.open_sessions(), 0u);
  EXPECT_EQ(backend->cost().calls, 0u);
}

TEST_F(NvmlBackendTest, ADeviceSaysWhoItIs) {
  add_gpus(2);
  const auto backend = open();
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  const Device& device = listed[1];
  EXPECT_EQ(device.id.text, nvml_.gpu(1).uuid);
  EXPECT_EQ(device.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(device.vendor, Vendor::nvidia);
  EXPECT_EQ(device.source, "nvml");
  EXPECT_FALSE(device.simulated || device.recorded || device.parent);
  EXPECT_EQ(device.pci, PciAddress::parse("0000:11:00.0"));
  EXPECT_EQ(device.driver, "nvidia");
  EXPECT_EQ(device.driver_version, "590.48.01");
  EXPECT_EQ(device.library_version, "NVML 13.590.48.01");
  EXPECT_EQ(device.cuda_version, "13.1");
  EXPECT_EQ(device.vbios_version, "96.00.74.00.01");
  EXPECT_EQ(device.serial, "1650023000001");
  EXPECT_EQ(device.board_part_number, "692-2G520-0200-000");
  EXPECT_EQ(device.architecture, "Hopper");
  EXPECT_EQ(device.compute_capability, "9.0");
  EXPECT_EQ(device.pci_id, "10de:2330");
  EXPECT_EQ(device.pci_subsystem_id, "10de:16c1");
  EXPECT_EQ(device.numa_node, 1u);
  EXPECT_EQ(device.cpu_affinity, "0-31,64-95");
  EXPECT_EQ(device.minor_number, 1u);
}

TEST_F(NvmlBackendTest, TheDriverTellsWhichCpusAreNearWhereTheKernelDoesNot) {
  nvml_.add_gpu();
  nvml_.gpu(0).cpu_affinity[0] = 0x8001;
  nvml_.gpu(0).cpu_affinity[1] = 0x7;
  const auto backend = open();
  EXPECT_EQ(devices(*backend).front().cpu_affinity, "0,15,64-66");
}

TEST_F(NvmlBackendTest, AReadingHasEveryMetric) {
  add_gpus(1);
  auto& gpu = nvml_.gpu(0);
  gpu.temperature = 71;
  gpu.memory_temperature = 85;
  gpu.fans = 1;
  gpu.fan_percent[0] = 104;
  gpu.fan_rpm[0] = 2100;
  gpu.utilization_gpu = 97;
  gpu.utilization_memory = 41;
  gpu.utilization_encoder = 3;
  gpu.utilization_decoder = 4;
  gpu.utilization_jpeg = 5;
  gpu.utilization_ofa = 6;
  gpu.memory_used = (1ull << 30);
  gpu.power_mw = 655321;
  gpu.power_instant_mw = 660000;
  gpu.event_reasons = 0x4 | 0x40;
  gpu.violation_ns[0] = 5'000'000'000;
  gpu.slowdown_ns[0] = 2'000'000'000;
  gpu.slowdown_ns[1] = 3'000'000'000;
  gpu.pcie_generation = 4;
  gpu.pcie_width = 8;
  gpu.pcie_replays = 12;
  gpu.ecc[0][0][2] = 11;
  gpu.ecc[1][1][2] = 2;
  gpu.remapped[0] = 1;
  gpu.remapped[1] = 2;
  gpu.remapped[2] = 1;
  gpu.performance_state = 2;
  gpu.compute_mode = 3;
  gpu.mig_mode = 0;
  nvml_.run_counters(0, false);
  gpu.energy_mj = 123'456;
  const auto backend = open();
  const auto r = read_first(*backend);
  EXPECT_EQ(r.attention, Attention::awake);
  EXPECT_EQ(r.temperature, Celsius(71));
  EXPECT_EQ(r.temperature_memory, Celsius(85));
  EXPECT_EQ(r.temperature_slowdown, Celsius(89));
  EXPECT_EQ(r.temperature_shutdown, Celsius(92));
  EXPECT_EQ(r.temperature_max_operating, Celsius(87));
  EXPECT_EQ(r.fan, Percent(100)) << "a fan above its nominal speed";
  EXPECT_EQ(r.fan_speed, Rpm(2100));
  EXPECT_EQ(r.utilization, Percent(97));
  EXPECT_EQ(r.utilization_memory, Percent(41));
  EXPECT_EQ(r.utilization_encoder, Percent(3));
  EXPECT_EQ(r.utilization_decoder, Percent(4));
  EXPECT_EQ(r.utilization_jpeg, Percent(5));
  EXPECT_EQ(r.utilization_ofa, Percent(6));
  EXPECT_EQ(r.memory_total, Bytes(85520809984));
  EXPECT_EQ(r.memory_used, 1_GiB) << "without what is reserved";
  EXPECT_EQ(r.memory_reserved, Bytes(683671552));
  EXPECT_EQ(r.memory_free, Bytes(85520809984 - 683671552 - (1ull << 30)));
  EXPECT_EQ(r.memory_unified, false);
  EXPECT_EQ(r.memory_bar1_total, Bytes(137438953472));
  EXPECT_EQ(r.memory_bar1_used, 1_MiB);
  EXPECT_EQ(r.power, Watts(655.321));
  EXPECT_EQ(r.power_instant, Watts(660));
  EXPECT_EQ(r.power_limit, Watts(700));
  EXPECT_EQ(r.power_limit_default, Watts(700));
  EXPECT_EQ(r.power_limit_min, Watts(200));
  EXPECT_EQ(r.power_limit_max, Watts(700));
  EXPECT_EQ(r.energy, Joules(123.456));
  EXPECT_EQ(r.clock_graphics, Megahertz(345));
  EXPECT_EQ(r.clock_sm, Megahertz(345));
  EXPECT_EQ(r.clock_memory, Megahertz(2619));
  EXPECT_EQ(r.clock_video, Megahertz(765));
  EXPECT_EQ(r.clock_graphics_max, Megahertz(1980));
  EXPECT_EQ(r.clock_sm_max, Megahertz(1980));
  EXPECT_EQ(r.clock_memory_max, Megahertz(2619));
  EXPECT_EQ(r.clock_video_max, Megahertz(1545));
  EXPECT_EQ(r.performance_state, "P2");
  ASSERT_TRUE(r.throttle_reasons);
  EXPECT_EQ(r.throttle_reasons->to_string(), "software power cap, hardware thermal slowdown");
  EXPECT_EQ(r.throttle_power_time, 5s);
  EXPECT_EQ(r.throttle_thermal_time, 3s);
  EXPECT_EQ(r.pcie_generation, Count(4));
  EXPECT_EQ(r.pcie_generation_max, Count(5));
  EXPECT_EQ(r.pcie_width, Count(8));
  EXPECT_EQ(r.pcie_width_max, Count(16));
  EXPECT_EQ(r.pcie_replays, Count(12));
  EXPECT_EQ(r.pcie_rx, Metric<BytesPerSecond>(missing(Missing::not_yet_read)));
  EXPECT_EQ(r.interconnect_links, Metric<Count>(missing(Missing::not_supported)));
  EXPECT_EQ(r.ecc_enabled, true);
  EXPECT_EQ(r.ecc_corrected_volatile, Count(11));
  EXPECT_EQ(r.ecc_uncorrected_volatile, Count(0));
  EXPECT_EQ(r.ecc_uncorrected_aggregate, Count(2));
  EXPECT_EQ(r.retired_pages_corrected, Metric<Count>(missing(Missing::not_supported)));
  EXPECT_EQ(r.remapped_rows_corrected, Count(1));
  EXPECT_EQ(r.remapped_rows_uncorrected, Count(2));
  EXPECT_EQ(r.remapped_rows_pending, true);
  EXPECT_EQ(r.remapped_rows_failed, false);
  EXPECT_EQ(r.xid_last, Metric<Count>(missing(Missing::not_yet_read))) << "none was seen";
  EXPECT_EQ(r.compute_mode, "exclusive_process");
  EXPECT_EQ(r.persistence_mode, true);
  EXPECT_EQ(r.mig_mode, false);
  EXPECT_EQ(r.runtime_power_state, "active");
}

TEST_F(NvmlBackendTest, WhatTheDeviceLacksIsAbsent) {
  add_gpus(1);
  auto& gpu = nvml_.gpu(0);
  gpu.temperature = fake_nvml::kAbsent;
  gpu.utilization_gpu = gpu.utilization_memory = fake_nvml::kAbsent;
  gpu.power_mw = gpu.power_instant_mw = fake_nvml::kAbsent;
  gpu.ecc_mode = fake_nvml::kAbsent;
  gpu.serial[0] = '\0';
  const auto backend = open();
  const auto listed = devices(*backend);
  EXPECT_EQ(listed.front().serial, Device::Text(missing(Missing::not_supported)));
  const auto r = read_first(*backend);
  EXPECT_EQ(r.temperature, Metric<Celsius>(missing(Missing::not_supported)));
  EXPECT_EQ(r.utilization, Metric<Percent>(missing(Missing::not_supported)));
  EXPECT_EQ(r.power, Metric<Watts>(missing(Missing::not_supported)));
  EXPECT_EQ(r.fan, Metric<Percent>(missing(Missing::not_supported)));
  EXPECT_EQ(r.ecc_corrected_volatile, Metric<Count>(missing(Missing::not_supported)));
  EXPECT_EQ(r.mig_mode, Metric<bool>(missing(Missing::not_supported)));
}

TEST_F(NvmlBackendTest, ErrorCountsAreAbsentWhileEccIsOff) {
  add_gpus(1);
  nvml_.gpu(0).ecc_mode = 0;
  const auto backend = open();
  const auto r = read_first(*backend);
  EXPECT_EQ(r.ecc_enabled, false);
  EXPECT_EQ(r.ecc_corrected_volatile, Metric<Count>(missing(Missing::not_supported)));
}

TEST_F(NvmlBackendTest, AMemoryTemperatureLabelledAsDoubleIsRead) {
  add_gpus(1);
  nvml_.gpu(0).field_mislabelled[82] = 1;
  const auto backend = open();
  EXPECT_EQ(read_first(*backend).temperature_memory, Celsius(45));
}

TEST_F(NvmlBackendTest, AnImpossibleTemperatureIsNotShown) {
  add_gpus(1);
  nvml_.gpu(0).memory_temperature = 4000;
  const auto backend = open();
  EXPECT_EQ(read_first(*backend).temperature_memory, Metric<Celsius>(missing(Missing::failed)));
}

TEST_F(NvmlBackendTest, TheDistanceToTheSlowdownStandsInForItsTemperature) {
  add_gpus(1);
  for (auto& threshold : nvml_.gpu(0).thresholds) threshold = fake_nvml::kAbsent;
  const auto backend = open();
  const auto r = read_first(*backend);
  EXPECT_EQ(r.temperature_slowdown, Metric<Celsius>(missing(Missing::not_supported)));
  EXPECT_EQ(r.temperature_margin, Celsius(47));
  EXPECT_THAT(r.sensors, ::testing::Contains(Sensor{"tlimit_shutdown", "celsius", -8}));
  EXPECT_THAT(r.sensors, ::testing::Contains(Sensor{"tlimit_slowdown", "celsius", -2}));
}

TEST_F(NvmlBackendTest, UnifiedMemoryIsTheSystems) {
  files_.write("/proc/meminfo", "MemTotal:       128000000 kB\nMemFree: 1 kB\nMemAvailable:   100000000 kB\n");
  for (const std::uint64_t total : {fake_nvml::kAbsent64, std::uint64_t{0}}) {
    SCOPED_TRACE(total);
    FakeNvml machine;
    const int slot = machine.add_gpu("NVIDIA GB10");
    machine.gpu(slot).memory_total = total;
    machine.gpu(slot).memory_reserved = machine.gpu(slot).memory_used = 0;
    const auto backend = open();
    const auto r = read_first(*backend);
    EXPECT_EQ(r.memory_unified, true);
    EXPECT_EQ(r.memory_total, from_kib(128000000));
    EXPECT_EQ(r.memory_free, from_kib(100000000));
    EXPECT_EQ(r.memory_used, from_kib(28000000));
  }
}

TEST_F(NvmlBackendTest, TheOlderMemoryCallCountsWhatIsReservedAsUsed) {
  add_gpus(1);
  nvml_.gpu(0).memory_used = (1ull << 30);
  nvml_.refuse_versions(Symbol::nvmlDeviceGetMemoryInfo_v2);
  const auto backend = open();
  const auto r = read_first(*backend);
  EXPECT_EQ(r.memory_used, Bytes((1ull << 30) + 683671552));
  EXPECT_EQ(r.memory_reserved, Metric<Bytes>(missing(Missing::not_supported)));
  nvml_.reset_counters();
  clock_.advance(1s);
  (void)read_first(*backend);
  EXPECT_EQ(nvml_.calls(Symbol::nvmlDeviceGetMemoryInfo_v2), 0u) << "refused once, it is not asked again";
}

TEST_F(NvmlBackendTest, LinksAndTheirPeersAreKnown) {
  add_gpus(2);
  nvml_.gpu(0).links = 3;
  for (unsigned i = 0; i < 3; ++i) {
    auto& link = nvml_.gpu(0).link[i];
    link.active = i < 2;
    link.remote_type = i < 2 ? 0 : 2;
    link.remote_gpu = 1;
  }
  const auto backend = open();
  const auto listed = devices(*backend);
  EXPECT_THAT(listed.front().links, ::testing::Contains(Link{Link::Kind::nvlink, "0000:11:00.0", 2}));
  const auto r = read_first(*backend);
  EXPECT_EQ(r.interconnect_links, Count(3));
  EXPECT_EQ(r.interconnect_links_active, Count(2));
}

TEST_F(NvmlBackendTest, TrafficIsTheDifferenceBetweenTwoReadings) {
  add_gpus(1);
  nvml_.run_counters(0, false);
  auto& gpu = nvml_.gpu(0);
  gpu.links = 2;
  gpu.link[0].active = gpu.link[1].active = 1;
  const auto backend = open();
  (void)read_first(*backend);
  gpu.pcie_rx_bytes += 8'000'000;
  gpu.pcie_tx_bytes += 6'000'000;
  gpu.link[0].rx_kib += 1024;
  gpu.link[1].rx_kib += 1024;
  gpu.link[1].tx_kib += 512;
  clock_.advance(2s);
  const auto r = read_first(*backend);
  EXPECT_EQ(r.pcie_rx, BytesPerSecond(4'000'000));
  EXPECT_EQ(r.pcie_tx, BytesPerSecond(3'000'000));
  EXPECT_EQ(r.interconnect_rx, BytesPerSecond(1024 * 1024));
  EXPECT_EQ(r.interconnect_tx, BytesPerSecond(256 * 1024));
  EXPECT_EQ(nvml_.calls(Symbol::nvmlDeviceGetPcieThroughput), 0u) << "it sleeps 20 ms a direction";
}

TEST_F(NvmlBackendTest, LinksCountedOneByOneAreSummedAndALinkThatFailsIsNoTraffic) {
  add_gpus(1);
  nvml_.run_counters(0, false);
  auto& gpu = nvml_.gpu(0);
  gpu.links = 2;
  gpu.link[0].active = gpu.link[1].active = 1;
  gpu.link[1].rx_kib = 1024;
  for (const int field : {138, 139}) nvml_.fail_field(0, field, 3);
  const auto backend = open();
  (void)read_first(*backend);
  gpu.link[0].rx_kib += 1024;
  gpu.link[1].rx_kib += 1024;
  clock_.advance(2s);
  EXPECT_EQ(read_first(*backend).interconnect_rx, BytesPerSecond(1024 * 1024));
  gpu.links = 1;
  gpu.link[0].rx_kib += 8192;
  clock_.advance(2s);
  EXPECT_EQ(read_first(*backend).interconnect_rx, Metric<BytesPerSecond>(missing(Missing::not_yet_read)))
      << "the sum lacks what the other link carried";
  gpu.link[0].rx_kib += 2048;
  clock_.advance(2s);
  EXPECT_EQ(read_first(*backend).interconnect_rx, BytesPerSecond(1024 * 1024));
  nvml_.fail_field(0, 204, 999);
  clock_.advance(2s);
  EXPECT_EQ(read_first(*backend).interconnect_rx, Metric<BytesPerSecond>(missing(Missing::failed)));
}

TEST_F(NvmlBackendTest, AGpuSplitByMigThatHidesItsMemoryHasNotTheSystems) {
  add_gpus(1);
  nvml_.add_mig(0, {.gpu_instance = 1, .memory_total = 1 << 30});
  files_.write("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n");
  const auto backend = open();
  (void)devices(*backend);
  nvml_.fail(Symbol::nvmlDeviceGetMemoryInfo_v2, 3, 0);
  nvml_.fail(Symbol::nvmlDeviceGetMemoryInfo, 3, 0);
  const Reading reading = read_first(*backend);
  EXPECT_EQ(reading.memory_total, Metric<Bytes>(missing(Missing::not_supported)));
  EXPECT_NE(reading.memory_unified, true);
}

TEST_F(NvmlBackendTest, NarrowTrafficCountersAreTrustedOnlyOnSlowLinks) {
  add_gpus(2);
  for (int slot : {0, 1}) {
    nvml_.run_counters(slot, false);
    nvml_.gpu(slot).pcie_counter_bits = 32;
    nvml_.gpu(slot).pcie_rx_bytes = 0xfffffff0;
  }
  nvml_.gpu(1).pcie_generation_max = nvml_.gpu(1).pcie_width_max = 1;
  const auto backend = open();
  const auto listed = devices(*backend);
  for (const auto& device : listed) (void)backend->read(device.id);
  for (int slot : {0, 1}) nvml_.gpu(slot).pcie_rx_bytes += 0x1000;
  clock_.advance(1s);
  EXPECT_EQ(backend->read(listed[0].id)->pcie_rx, Metric<BytesPerSecond>(missing(Missing::not_supported)));
  EXPECT_EQ(backend->read(listed[1].id)->pcie_rx, BytesPerSecond(0x1000));
}

TEST_F(NvmlBackendTest, AnXidIsShownOnTheDeviceThatHadIt) {
  add_gpus(2);
  const auto backend = open();
  const auto listed = devices(*backend);
  nvml_.post_event(1, 8, 63);
  nvml_.post_event(1, 8, 79);
  clock_.advance(5s);
  (void)devices(*backend);
  EXPECT_EQ(backend->read(listed[0].id)->xid_last, Metric<Count>(missing(Missing::not_yet_read)));
  EXPECT_EQ(backend->read(listed[1].id)->xid_last, Count(79));
}

TEST_F(NvmlBackendTest, MigInstancesArePartitionsWithTheirOwnMemory) {
  add_gpus(1);
  fake_nvml::MigInstance instance;
  instance.gpu_instance = 9;
  instance.memory_total = (10ull << 30);
  instance.memory_used = (2ull << 30);
  std::snprintf(instance.profile_name, sizeof instance.profile_name, "1g.10gb");
  nvml_.add_mig(0, instance);
  instance.gpu_instance = 2;
  nvml_.add_mig(0, instance);
  const auto backend = open();
  check_backend_contract(*backend);
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[1].parent, listed[0].id);
  EXPECT_EQ(listed[1].partition, "1g.10gb (GPU instance 9)");
  EXPECT_EQ(listed[2].partition, "1g.10gb (GPU instance 2)");
  EXPECT_THAT(listed[1].id.text, ::testing::StartsWith("MIG-"));
  EXPECT_THAT(listed[1].name, HasSubstr("MIG 1g.10gb"));
  const auto parent = backend->read(listed[0].id);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->mig_mode, true);
  EXPECT_EQ(parent->utilization, Metric<Percent>(missing(Missing::not_supported))) << "not 0";
  const auto part = backend->read(listed[1].id);
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_EQ(part->memory_total, 10_GiB);
  EXPECT_EQ(part->memory_used, 2_GiB);
  EXPECT_EQ(part->utilization, Metric<Percent>(missing(Missing::not_supported)));
}

TEST_F(NvmlBackendTest, ChangedMigInstancesAreListedAnew) {
  add_gpus(1);
  nvml_.gpu(0).mig_mode = 0;
  const auto backend = open();
  EXPECT_EQ(devices(*backend).size(), 1u);
  nvml_.add_mig(0, {.gpu_instance = 1, .memory_total = 1 << 30});
  clock_.advance(10s);
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_TRUE(backend->read(listed[0].id)->mig_mode == true);
  nvml_.remove_mig(0, 0);
  clock_.advance(3s);
  const auto gone = backend->read(listed[1].id);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::unavailable);
  EXPECT_EQ(devices(*backend).size(), 1u) << "noticed by the failed reading, not by waiting";
}

// The budget: 8 calls a second for each GPU at 1 Hz, its process list every 3 s and the rest of a minute's work
// included, after attaching as well as with it.
TEST_F(NvmlBackendTest, EightGpusWithProcessesStayWithinTheirCalls) {
  for (const int branch : {470, 590}) {
    SCOPED_TRACE(branch);
    FakeNvml machine;
    for (int slot = 0; slot < 8; ++slot) {
      put_on_bus(machine.add_gpu());
      machine.gpu(slot).fans = 1;
      machine.gpu(slot).mig_mode = 0;
      std::vector<FakeNvml::Process> processes;
      for (unsigned i = 0; i < 32; ++i) processes.push_back({.pid = 1000 + i, .memory_bytes = 1 << 20, .sm = 3});
      machine.set_processes(slot, processes);
    }
    const auto backend = open(FakeNvml::library_path(branch).string());
    const auto minute = [&] {
      const auto before = backend->cost().calls;
      for (int second = 0; second < 60; ++second) {
        if (second % 5 == 0) (void)devices(*backend);
        for (const auto& device : devices_) (void)backend->read(device.id);
        if (second % 3 == 0) {
          for (const auto& device : devices_) EXPECT_EQ(backend->processes(device.id)->size(), 32u);
        }
        clock_.advance(1s);
      }
      return static_cast<double>(backend->cost().calls - before) / 60 / 8;
    };
    devices_ = devices(*backend);
    const auto first = minute();
    const auto steady = minute();
    RecordProperty(fmt::format("calls_per_second_{}", branch), fmt::format("{:.2f} {:.2f}", first, steady));
    EXPECT_LE(first, 8.0);
    EXPECT_LE(steady, 8.0);
    const auto r = backend->read(devices_[3].id);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->temperature, Celsius(40));
  }
}

TEST_F(NvmlBackendTest, WhatCanWaitIsStillRefreshed) {
  add_gpus(1);
  nvml_.gpu(0).fans = 1;
  nvml_.gpu(0).fan_percent[0] = 30;
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  (void)backend->read(id);
  nvml_.gpu(0).fan_percent[0] = 80;
  nvml_.gpu(0).clocks[0] = 1980;
  nvml_.gpu(0).performance_state = 0;
  nvml_.gpu(0).ecc[1][0][2] = 5;
  Reading r;
  for (int i = 0; i < 30; ++i) {
    clock_.advance(1s);
    r = *backend->read(id);
  }
  EXPECT_EQ(r.fan, Percent(80));
  EXPECT_EQ(r.clock_graphics, Megahertz(1980));
  EXPECT_EQ(r.ecc_uncorrected_volatile, Count(5));
}

TEST_F(NvmlBackendTest, ASmallBudgetStretchesWhatCanWaitButStarvesNothing) {
  add_gpus(1);
  nvml_.gpu(0).fans = 1;
  auto backend = nvml::open(
      {.library = FakeNvml::library_path().string(), .files = files_, .clock = clock_, .calls_per_second = 1});
  ASSERT_TRUE(backend);
  const auto id = devices(**backend).front().id;
  (void)(*backend)->read(id);
  nvml_.gpu(0).fan_percent[0] = 80;
  nvml_.gpu(0).temperature = 90;
  const auto before = (*backend)->cost().calls;
  Reading r;
  for (int i = 0; i < 120; ++i) {
    clock_.advance(1s);
    r = *(*backend)->read(id);
    EXPECT_EQ(r.temperature, Celsius(90)) << "what matters is never put off";
  }
  EXPECT_EQ(r.fan, Percent(80));
  EXPECT_LE((*backend)->cost().calls - before, 120u * 46 / 10);
}

}  // namespace
}  // namespace gpukeeper::nvml
