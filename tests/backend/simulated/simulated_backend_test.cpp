#include "backend/simulated/simulated_backend.hpp"

#include <thread>

#include <gmock/gmock.h>

#include "contract/backend_contract.hpp"
#include "device/metric_fields.hpp"
#include "fakes/fail_after_backend.hpp"
#include "fakes/fake_clock.hpp"

namespace gpukeeper::simulated {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFiveLines = R"(name: Small
devices:
  - name: NVIDIA H200
    vendor: nvidia
    memory: 141GiB
)";

class SimulatedBackendTest : public testing::Test {
 protected:
  void play(std::string_view text) {
    auto scenario = parse_scenario(text, "test.yaml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    backend_ = std::make_unique<SimulatedBackend>(*std::move(scenario), clock_);
    id_ = backend_->scenario().devices.at(0).device.id;
  }
  // One NVIDIA card at a known place, with these faults.
  void play_faults(const std::string& faults) {
    play(
        "name: t\ndevices:\n"
        "- {name: A, vendor: nvidia, uuid: GPU-a, pci_address: '0000:01:00.0', memory: 8GiB, faults: [" +
        faults +
        "]}\n"
        "- {name: B, vendor: nvidia, uuid: GPU-b, pci_address: '0000:02:00.0', memory: 8GiB}\n");
  }
  Reading read() {
    auto reading = backend_->read(id_);
    EXPECT_TRUE(reading) << reading.error().message;
    return reading ? *reading : Reading();
  }
  Error read_error() {
    const auto reading = backend_->read(id_);
    EXPECT_FALSE(reading);
    return reading ? Error{} : reading.error();
  }

  FakeClock clock_;
  std::unique_ptr<SimulatedBackend> backend_;
  DeviceId id_;
};

TEST_F(SimulatedBackendTest, FiveLinesMakeAFullLookingDevice) {
  play(kFiveLines);
  check_backend_contract(*backend_);
  const Device device = (*backend_->list())[0];
  EXPECT_TRUE(device.simulated);
  EXPECT_EQ(device.source, "simulated");
  EXPECT_THAT(device.id.text, testing::MatchesRegex("GPU-[0-9a-f-]{36}"));
  EXPECT_EQ(device.pci->to_string(), "0000:01:00.0");
  const Reading reading = read();
  int present = 0;
  for (const MetricRow& row : metric_table()) present += row.value(device, reading) ? 1 : 0;
  EXPECT_GE(present, 50);
  EXPECT_EQ(reading.memory_total, Bytes(141ull << 30));
  EXPECT_EQ(reading.memory_used, Bytes(0));
  EXPECT_EQ(reading.utilization, Percent(0));
  EXPECT_TRUE(reading.throttle_reasons->has(Throttle::idle));
}

TEST_F(SimulatedBackendTest, FiguresOfOneDeviceAgree) {
  play(R"(name: t
devices:
  - name: A
    vendor: nvidia
    memory: 80GiB
    memory_base: 1GiB
    power_limit: 400
    processes:
      - {pid: 20, name: late, memory: 10GiB, utilization: 30, from: 60s, until: 120s}
      - {pid: 10, name: always, memory: 20GiB, utilization: 60}
)");
  EXPECT_EQ(read().memory_used, Bytes(21ull << 30));
  EXPECT_EQ(read().utilization, Percent(60));
  const double cool = read().temperature->value();
  clock_.advance(100s);
  const Reading busy = read();
  EXPECT_EQ(busy.memory_used, Bytes(31ull << 30));
  EXPECT_EQ(busy.utilization, Percent(90));
  EXPECT_NEAR(busy.power->value(), 400 * (0.12 + 0.83 * 0.9), 10);
  EXPECT_GT(busy.temperature->value(), cool + 5);
  const auto processes = *backend_->processes(id_);
  ASSERT_EQ(processes.size(), 2u);
  EXPECT_EQ(processes[0].pid, 10);
  EXPECT_EQ(processes[1].name, "late");
  EXPECT_EQ(processes[1].memory, Bytes(10ull << 30));
  clock_.advance(20s);
  EXPECT_EQ(backend_->processes(id_)->size(), 1u);
}

TEST_F(SimulatedBackendTest, AProcessSaysWhoItIsAndWhatIsNotGivenIsAbsent) {
  const WallTime begin = clock_.wall();
  play(R"(name: t
devices:
  - name: A
    vendor: nvidia
    processes:
      - pid: 7
        name: a-name-longer-than-the-kernel-keeps
        user: mara
        command_line: python3 train.py
        executable: /usr/bin/python3
        container: docker:4f1c
        pod_uid: ~
        root: {name: bash, pid: 4100, terminal: pts/3}
        age: 1h
        cpu: {steps: [[0s, 90], [60s, 250]]}
        resident: [[0s, 1GiB], [60s, 2GiB]]
      - {pid: 8, name: silent}
      - {pid: 9, name: hidden, user: {missing: not_permitted}, root: ~, pod: {namespace: ml, name: trainer-0}, from: 10s, until: 40s, repeat: 60s}
)");
  clock_.advance(90s);
  const auto processes = *backend_->processes(id_);
  ASSERT_EQ(processes.size(), 3u);
  const ProcessFacts& told = *processes[0].facts;
  EXPECT_EQ(told.pid, 7);
  EXPECT_EQ(told.user, "mara");
  EXPECT_EQ(told.command, "a-name-longer-t");
  EXPECT_EQ(told.command_line, "python3 train.py");
  EXPECT_EQ(told.executable, "/usr/bin/python3");
  EXPECT_EQ(told.place->container, (Container{"docker", "4f1c"}));
  EXPECT_EQ(told.place->pod_uid, std::nullopt);
  EXPECT_EQ(told.place->pod, std::nullopt);
  EXPECT_EQ(processes[2].facts->place->pod, (PodNames{"ml", "trainer-0", ""}));
  EXPECT_EQ(told.place->unit, std::nullopt);
  EXPECT_EQ(*told.root, (InteractiveRoot{4100, "bash", "pts/3"}));
  EXPECT_EQ(told.started, begin - 1h);
  EXPECT_EQ(told.cpu, Percent(250));
  EXPECT_EQ(told.resident, Bytes(2ull << 30));

  const ProcessFacts& silent = *processes[1].facts;
  EXPECT_EQ(silent.command, "silent");
  EXPECT_EQ(silent.started, begin);
  const auto absent = missing(Missing::not_supported);
  EXPECT_EQ(silent.user, absent);
  EXPECT_EQ(silent.command_line, absent);
  EXPECT_EQ(silent.place, absent);
  EXPECT_EQ(silent.root, absent);
  EXPECT_EQ(silent.cpu, absent);
  EXPECT_EQ(silent.resident, absent);

  const ProcessFacts& hidden = *processes[2].facts;
  EXPECT_EQ(hidden.user, missing(Missing::not_permitted));
  ASSERT_TRUE(hidden.root);
  EXPECT_FALSE(*hidden.root) << "known to be none";
  EXPECT_EQ(hidden.started, begin + 70s) << "its second run";
}

TEST_F(SimulatedBackendTest, EnergyIsTheSumOfPower) {
  play("name: t\ndevices: [{name: A, vendor: nvidia, metrics: {power_watts: 200}}]\n");
  EXPECT_EQ(read().energy, Joules(0));
  clock_.advance(90500ms);
  EXPECT_EQ(read().energy, Joules(18100));
}

TEST_F(SimulatedBackendTest, ALimitReachedThrottlesAndSaysSo) {
  play(R"(name: t
devices:
  - name: A
    vendor: nvidia
    power_limit: 300
    metrics: {temperature_celsius: 93, power_watts: 299, utilization_percent: 100}
)");
  const Reading reading = read();
  EXPECT_EQ(reading.throttle_reasons->to_string(), "software power cap, hardware thermal slowdown");
  EXPECT_LT(*reading.clock_graphics, *reading.clock_graphics_max);
}

TEST_F(SimulatedBackendTest, TimeSpentThrottledAddsUp) {
  play(R"(name: t
devices:
  - name: A
    vendor: nvidia
    power_limit: 300
    metrics: {temperature_celsius: {steps: [[0s, 70], [10s, 95], [25s, 70]]}, power_watts: {steps: [[0s, 100], [30s, 299]]}}
)");
  clock_.advance(35500ms);
  EXPECT_EQ(read().throttle_thermal_time, 15s);
  EXPECT_EQ(read().throttle_power_time, 5500ms);
}

TEST_F(SimulatedBackendTest, WhatTheScenarioSaysNothingOfIsAbsentNotZero) {
  play("name: t\ndevices: [{name: A, vendor: nvidia, metrics: {ecc_enabled: ~}, processes: [{name: p}]}]\n");
  EXPECT_FALSE(read().memory_used);
  EXPECT_FALSE(read().memory_total);
  EXPECT_FALSE(read().ecc_corrected_volatile);
  const auto processes = *backend_->processes(id_);
  EXPECT_FALSE(processes[0].memory);
  EXPECT_FALSE(processes[0].utilization);
}

TEST_F(SimulatedBackendTest, SameSeedSameReadingsInAnyOrderOfCalls) {
  constexpr std::string_view kText = R"(name: t
seed: 99
devices:
  - &a
    name: A
    vendor: nvidia
    memory: 8GiB
    metrics: {fan_percent: {noise: {around: 50, sigma: 5}}}
    processes: [{name: p, memory: {noise: {around: 1GiB, sigma: 64MiB}}, utilization: {noise: {around: 50, sigma: 9}}}]
  - {<<: *a, vendor: amd}
)";
  const auto prints = [](SimulatedBackend& backend, std::size_t i) {
    const Device& device = backend.scenario().devices[i].device;
    const auto reading = backend.read(device.id);
    std::string text = device.id.text;
    for (const MetricRow& row : metric_table()) {
      const auto value = row.value(device, *reading);
      text += ' ' + (value ? to_string(*value) : "-");
    }
    return text;
  };
  FakeClock forth;
  SimulatedBackend one(*parse_scenario(kText, ""), forth);
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i, forth.advance(1s)) {
    expected.push_back(prints(one, 0));
    expected.push_back(prints(one, 1));
  }
  EXPECT_NE(expected[0], expected[2]) << "nothing moves";

  // Another backend, the second device first, every fifth second alone, and one instant asked twice.
  FakeClock late;
  SimulatedBackend two(*parse_scenario(kText, ""), late);
  for (std::size_t i = 0; i < 50; i += 5, late.advance(5s)) {
    EXPECT_EQ(prints(two, 1), expected[2 * i + 1]);
    EXPECT_EQ(prints(two, 0), expected[2 * i]);
    EXPECT_EQ(prints(two, 1), expected[2 * i + 1]);
  }

  auto reseeded = *parse_scenario(kText, "");
  reseeded.seed = 100;
  FakeClock clock;
  SimulatedBackend three(std::move(reseeded), clock);
  EXPECT_NE(prints(three, 0), expected[0]);
}

TEST_F(SimulatedBackendTest, AHangingReadReturnsWhenTheClockPassesTheFaultAndHindersNothingElse) {
  play_faults("{kind: hang, start: 10s, duration: 30s}");
  read();
  clock_.advance(10s);
  std::atomic<bool> back = false;
  std::jthread reader([&] {
    EXPECT_TRUE(backend_->read(DeviceId{"GPU-a"}));
    back = true;
  });
  while (backend_->hanging() == 0) std::this_thread::yield();
  EXPECT_TRUE(backend_->read(DeviceId{"GPU-b"}));
  EXPECT_TRUE(backend_->processes(DeviceId{"GPU-a"}));
  clock_.advance(29s);
  EXPECT_FALSE(back);
  clock_.advance(1s);
  reader.join();
  EXPECT_TRUE(back);
  EXPECT_EQ(backend_->hanging(), 0u);
  EXPECT_EQ(backend_->cost().time, 30s) << "the hang shows in the driver's time";
}

TEST_F(SimulatedBackendTest, ItsEndReleasesAHangingRead) {
  play_faults("{kind: hang}");
  std::jthread reader([backend = backend_.get()] {
    const auto reading = backend->read(DeviceId{"GPU-a"});
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error(), (Error{Errc::unavailable, "read GPU-a: the simulation ended while the driver hung"}));
  });
  while (backend_->hanging() == 0) std::this_thread::yield();
  backend_.reset();
}

TEST_F(SimulatedBackendTest, ALostDeviceIsListedButNotFound) {
  play_faults("{kind: lost, start: 10s, duration: 10s}");
  read();
  clock_.advance(10s);
  EXPECT_EQ(
      read_error(),
      (Error{Errc::not_found, "read GPU-a: the device has fallen off the bus; restart the machine to bring it back"}));
  EXPECT_EQ(backend_->processes(id_).error().code, Errc::not_found);
  EXPECT_EQ(backend_->list()->size(), 2u);
  clock_.advance(10s);
  read();
}

TEST_F(SimulatedBackendTest, ADriverMismatchSaysWhatToDo) {
  play_faults("{kind: driver_mismatch}");
  EXPECT_EQ(read_error(),
            (Error{Errc::unavailable,
                   "read GPU-a: the NVIDIA library and the loaded kernel driver are of different versions; "
                   "restart the machine, or unload and load the nvidia kernel modules"}));
  EXPECT_EQ(backend_->processes(id_).error().code, Errc::unavailable);
}

TEST_F(SimulatedBackendTest, AnErrorIsReturnedAsGiven) {
  play_faults("{kind: error, code: not_permitted, message: 'no such luck'}, {kind: error, start: 10s}");
  EXPECT_EQ(read_error(), (Error{Errc::not_permitted, "read GPU-a: no such luck"}));
}

TEST_F(SimulatedBackendTest, AnErrorWithoutWordsIsInternal) {
  play_faults("{kind: error}");
  EXPECT_EQ(read_error(), (Error{Errc::internal, "read GPU-a: the driver answered with an error"}));
}

TEST_F(SimulatedBackendTest, AFlappingSensorIsAbsentInTheFirstHalfOfEachPeriod) {
  play_faults("{kind: flapping, metrics: fan_percent, start: 5s, period: 4s}");
  std::string seen;
  for (int i = 0; i < 14; ++i, clock_.advance(1s)) {
    const auto fan = read().fan;
    seen += fan ? 'x' : '-';
    if (!fan) {
      EXPECT_EQ(fan.error(), Missing::failed);
    }
  }
  EXPECT_EQ(seen, "xxxxx--xx--xx-");
}

TEST_F(SimulatedBackendTest, AMissingMetricHasItsReason) {
  play_faults("{kind: missing, metrics: [power_watts, energy_joules], reason: not_permitted}");
  EXPECT_EQ(read().power, Metric<Watts>(missing(Missing::not_permitted)));
  EXPECT_EQ(read().energy, Metric<Joules>(missing(Missing::not_permitted)));
  EXPECT_TRUE(read().temperature);
}

TEST_F(SimulatedBackendTest, ASleepingDeviceTellsItsPowerStateAlone) {
  play_faults("{kind: asleep}");
  const Reading reading = read();
  EXPECT_EQ(reading.attention, Attention::asleep);
  EXPECT_EQ(reading.runtime_power_state, "suspended");
  for (const MetricRow& row : metric_table()) {
    if (row.name == "runtime_power_state" || !find_metric_field(row.name)) continue;
    EXPECT_EQ(row.value(Device(), reading), Metric<MetricValue>(missing(Missing::asleep))) << row.name;
  }
  EXPECT_TRUE(backend_->processes(id_)->empty());
}

TEST_F(SimulatedBackendTest, DevicesAreUnpluggedAndPluggedIn) {
  play_faults("{kind: appear, start: 10s}, {kind: disappear, start: 20s, duration: 5s}");
  std::string seen;
  for (int i = 0; i < 6; ++i, clock_.advance(5s)) {
    const auto listed = backend_->list()->size();
    const auto reading = backend_->read(id_);
    EXPECT_EQ(listed == 2, reading.has_value());
    if (!reading) {
      EXPECT_EQ(reading.error(), (Error{Errc::not_found, "read GPU-a: the device is not in the machine"}));
    }
    seen += listed == 2 ? 'x' : '-';
  }
  EXPECT_EQ(seen, "--xx-x");
}

TEST_F(SimulatedBackendTest, WhileTheDriverIsReloadedNoDeviceIsThere) {
  play(R"(name: t
devices: [{name: A, vendor: amd, uuid: AMD-1, memory: 8GiB}]
faults: [{kind: driver_reload, start: 10s, duration: 5s}]
)");
  read();
  clock_.advance(12s);
  EXPECT_TRUE(backend_->list()->empty());
  EXPECT_EQ(read_error(),
            (Error{Errc::unavailable, "read AMD-1: the driver is being reloaded; the device comes back with it"}));
  clock_.advance(3s);
  EXPECT_EQ(backend_->list()->size(), 1u);
  read();
}

TEST_F(SimulatedBackendTest, TheLatestXidStands) {
  play_faults("{kind: xid, start: 20s, xid: 79}, {kind: xid, start: 10s, xid: 31}");
  EXPECT_FALSE(read().xid_last);
  clock_.advance(10s);
  EXPECT_EQ(read().xid_last, Count(31));
  clock_.advance(10s);
  EXPECT_EQ(read().xid_last, Count(79));
}

TEST_F(SimulatedBackendTest, AFaultOfTheMachineIsEveryDevices) {
  play(R"(name: t
devices: [{name: A, vendor: nvidia}, {name: B, vendor: nvidia}]
faults: [{kind: driver_mismatch, start: 1s}]
)");
  clock_.advance(1s);
  for (const auto& device : backend_->scenario().devices) EXPECT_FALSE(backend_->read(device.device.id));
}

TEST_F(SimulatedBackendTest, PartitionsHaveTheirOwnMemoryAndShareTheFateOfTheirDevice) {
  play(R"(name: t
devices:
  - name: H100
    vendor: nvidia
    memory: 80GiB
    partitions:
      - {profile: 3g.40gb, memory: 39GiB}
      - {profile: 1g.10gb, memory: 9GiB, name: Slice, uuid: MIG-x, place: GPU instance 9}
    processes:
      - {pid: 5, name: a, memory: 4GiB, partition: 1}
      - {pid: 6, name: b, memory: 8GiB, utilization: 50, partition: 0}
    faults: [{kind: lost, start: 10s}]
)");
  check_backend_contract(*backend_);
  const auto devices = *backend_->list();
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[1].name, "H100 MIG 3g.40gb");
  EXPECT_EQ(devices[1].partition, "3g.40gb (GPU instance 0)");
  EXPECT_THAT(devices[1].id.text, testing::StartsWith("MIG-"));
  EXPECT_EQ(devices[2].partition, "1g.10gb (GPU instance 9)");
  EXPECT_EQ(backend_->read(DeviceId{"MIG-x"})->memory_used, Bytes(4ull << 30));
  EXPECT_EQ(read().memory_used, Bytes(12ull << 30));
  EXPECT_EQ(read().mig_mode, true);
  EXPECT_FALSE(read().utilization);
  EXPECT_FALSE((*backend_->processes(id_))[1].utilization) << "NVML does not tell it under MIG";
  EXPECT_EQ(read().performance_state, "P0") << "but the work is done";
  EXPECT_EQ((*backend_->processes(id_))[0].partition, DeviceId{"MIG-x"});
  EXPECT_EQ(backend_->processes(DeviceId{"MIG-x"})->size(), 1u);
  clock_.advance(10s);
  EXPECT_FALSE(backend_->read(DeviceId{"MIG-x"}));
  check_backend_contract(*backend_);
}

TEST_F(SimulatedBackendTest, MemoryInUseNeverExceedsWhatThereIs) {
  play("name: t\ndevices: [{name: A, vendor: amd, memory: 8GiB, processes: [{name: p, memory: 9GiB}]}]\n");
  EXPECT_EQ(read().memory_used, Bytes(8ull << 30));
}

TEST_F(SimulatedBackendTest, EveryCallCounts) {
  play(kFiveLines);
  (void)backend_->list();
  (void)backend_->read(id_);
  (void)backend_->processes(id_);
  (void)backend_->read(DeviceId{"GPU-none"});
  EXPECT_EQ(backend_->cost().calls, 4u);
}

TEST_F(SimulatedBackendTest, AnyCallMayFailWithoutHarmToTheNext) {
  play(kFiveLines);
  for (std::uint64_t n = 1;; ++n) {
    FailAfter failing(*backend_, n);
    const auto devices = failing.list();
    (void)failing.read(id_);
    (void)failing.processes(id_);
    EXPECT_TRUE(devices || n == 1);
    if (!failing.failed()) break;
  }
  check_backend_contract(*backend_);
}

TEST(OpenTest, AFileThatIsNotThereIsRefusedByName) {
  FakeClock clock;
  const auto backend = open("/no/such/scenario.yaml", clock);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error(),
            (Error{Errc::not_found, "open the scenario: open /no/such/scenario.yaml: No such file or directory"}));
}

TEST_F(SimulatedBackendTest, MemoryErrorsMakeTheCountersGrowAndStay) {
  play_faults("{kind: ecc, start: 10s, corrected: 2}, {kind: ecc, start: 20s, uncorrected: 1, repeat: 5s}");
  EXPECT_EQ(read().ecc_corrected_volatile, Count(0));
  clock_.advance(10s);
  EXPECT_EQ(read().ecc_corrected_volatile, Count(2));
  EXPECT_EQ(read().ecc_corrected_aggregate, Count(2));
  EXPECT_EQ(read().ecc_uncorrected_volatile, Count(0));
  clock_.advance(20s);
  EXPECT_EQ(read().ecc_corrected_volatile, Count(2));
  EXPECT_EQ(read().ecc_uncorrected_volatile, Count(3));
  EXPECT_EQ(read().ecc_uncorrected_aggregate, Count(3));
}

TEST_F(SimulatedBackendTest, MemoryErrorsWithoutEndStayWithinWhatADoubleCounts) {
  play_faults("{kind: ecc, corrected: 1000000000, repeat: 1ms}");
  clock_.advance(24h);
  EXPECT_EQ(read().ecc_corrected_volatile, Count(std::uint64_t{1} << 53));
}

TEST_F(SimulatedBackendTest, EachEventIsTakenOnce) {
  play_faults("{kind: xid, start: 10s, xid: 31}, {kind: gpu_reset}");
  const auto begin = clock_.wall();
  auto events = backend_->take_events();
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1u);  // what is reported at the very start, too
  EXPECT_EQ(events->front().kind, EventKind::gpu_reset);
  EXPECT_EQ(events->front().at, begin);
  clock_.advance(30s);
  events = backend_->take_events();
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().kind, EventKind::xid);
  EXPECT_EQ(events->front().code, 31u);
  EXPECT_EQ(events->front().at, begin + 10s);
  EXPECT_EQ(events->front().id, id_);
  clock_.advance(30s);
  EXPECT_TRUE(backend_->take_events()->empty());
}

}  // namespace
}  // namespace gpukeeper::simulated
