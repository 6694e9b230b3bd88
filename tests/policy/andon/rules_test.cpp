#include "policy/andon/rules.hpp"

#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/andon/andon_world.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class RulesTest : public AndonTest {
 protected:
  std::string first() { return last.alerts->empty() ? "" : last.alerts->front().message; }
  void add_fault(FaultRecord record) {
    record.id = static_cast<std::uint64_t>(faults.records.size()) + 1;
    if (record.count == 0) record.count = 1;
    if (record.last == WallTime{}) record.last = kThen;
    fill_explanation(record);
    faults.records.push_back(std::make_shared<const FaultRecord>(std::move(record)));
    inputs.faults = std::make_shared<const FaultList>(faults);
  }
  FaultList faults;
};

// A value at, just below, and above each border of each rule that has borders: what fires, and what it says.
TEST_F(RulesTest, FireAtTheirBordersAndNotBelow) {
  struct Case {
    std::string rule;
    std::function<void(Reading&)> spoil;
    std::vector<std::string> alerts;
    std::string message;
  };
  const auto fan_stands = [](double temperature) {
    return [=](Reading& r) {
      r.fan = Percent(0);
      r.temperature = Celsius(temperature);
    };
  };
  const auto memory = [](std::uint64_t mib) { return [=](Reading& r) { r.memory_used = from_mib(mib); }; };
  const auto power = [](double watts) { return [=](Reading& r) { r.power = Watts(watts); }; };
  const Case cases[] = {
      {"thermal", [](Reading& r) { r.temperature = Celsius(79.9); }, {}, ""},
      {"thermal",
       [](Reading& r) { r.temperature = Celsius(80); },
       {"thermal firing warning 50"},
       "GPU 0 thermal throttling: 80°C exceeds 80°C threshold"},
      {"thermal",
       [](Reading& r) { r.temperature = Celsius(89.9); },
       {"thermal firing warning 59"},
       "GPU 0 thermal throttling: 89°C exceeds 80°C threshold"},
      {"thermal",
       [](Reading& r) { r.temperature = Celsius(90); },
       {"thermal firing critical 80"},  // the formula alone says 60
       "GPU 0 thermal throttling: 90°C exceeds 80°C threshold"},
      {"thermal",
       [](Reading& r) {
         r.temperature = Celsius(81);
         r.throttle_reasons = ThrottleReasons(Throttle::hardware_thermal);
       },
       {"thermal firing critical 80"},  // the driver itself reports the slowdown
       "GPU 0 thermal throttling: 81°C exceeds 80°C threshold"},
      {"thermal",
       [](Reading& r) {  // no edge at all: the hotspot guards
         r.temperature = missing(Missing::not_supported);
         r.temperature_hotspot = Celsius(85);
       },
       {"thermal firing warning 55"},
       "GPU 0 thermal throttling: 85°C exceeds 80°C threshold"},
      {"hotspot", [](Reading& r) { r.temperature_hotspot = Celsius(99.9); }, {}, ""},
      {"hotspot",
       [](Reading& r) { r.temperature_hotspot = Celsius(100); },
       {"hotspot firing warning 60"},
       "GPU 0 hotspot is at 100 °C (100 °C is too much)"},
      {"hotspot",
       [](Reading& r) { r.temperature_hotspot = Celsius(105); },
       {"hotspot firing critical 80"},
       "GPU 0 hotspot is at 105 °C (105 °C is too much)"},
      {"memory_temperature", [](Reading& r) { r.temperature_memory = Celsius(94.9); }, {}, ""},
      {"memory_temperature",
       [](Reading& r) { r.temperature_memory = Celsius(95); },
       {"memory_temperature firing warning 60"},
       "GPU 0 memory is at 95 °C (95 °C is too much)"},
      {"memory_temperature",
       [](Reading& r) { r.temperature_memory = Celsius(105); },
       {"memory_temperature firing critical 80"},
       "GPU 0 memory is at 105 °C (105 °C is too much)"},
      {"memory_pressure", memory(8'999), {}, ""},
      {"memory_pressure",
       memory(9'000),
       {"memory_pressure firing warning 60"},
       "GPU 0 memory pressure: 90% exceeds 90% threshold"},
      {"memory_pressure",
       memory(9'500),
       {"memory_pressure firing critical 80"},
       "GPU 0 memory pressure: 95% exceeds 90% threshold"},
      {"memory_pressure",
       memory(9'999),
       {"memory_pressure firing critical 100"},
       "GPU 0 memory pressure: 99% exceeds 90% threshold"},
      {"power_limit", power(379.9), {}, ""},
      {"power_limit", power(380), {"power_limit firing info 50"}, "GPU 0 power limit: 95% exceeds 95% threshold"},
      {"power_limit", power(400), {"power_limit firing info 70"}, "GPU 0 power limit: 100% exceeds 95% threshold"},
      {"utilization_high", [](Reading& r) { r.utilization = Percent(50); }, {}, ""},  // above it, as documented
      {"utilization_high",
       [](Reading& r) { r.utilization = Percent(51); },
       {"utilization_high firing info 20"},
       "GPU 0 is busy for more than 50% of the time: 51%"},
      {"fan_stopped", fan_stands(69.9), {}, ""},
      {"fan_stopped", fan_stands(70), {"fan_stopped firing warning 60"}, "GPU 0 is at 70 °C and its fan stands still"},
      {"fan_stopped", fan_stands(80), {"fan_stopped firing critical 80"}, "GPU 0 is at 80 °C and its fan stands still"},
      {"fan_stopped", [](Reading& r) { r.temperature = Celsius(95); }, {}, ""},  // it turns
      {"fan_stopped",
       [](Reading& r) {  // a card without a fan
         r.fan = missing(Missing::not_supported);
         r.temperature = Celsius(95);
       },
       {},
       ""},
      {"fan_stopped",
       [](Reading& r) {
         r.fan = missing(Missing::not_supported);
         r.fan_speed = Rpm(0);
         r.temperature = Celsius(75);
       },
       {"fan_stopped firing warning 60"},
       "GPU 0 is at 75 °C and its fan stands still"},
      {"fan_stopped",
       [](Reading& r) {  // 60 % is what it was told; that it does not turn is what it does
         r.fan = Percent(60);
         r.fan_speed = Rpm(0);
         r.temperature = Celsius(75);
       },
       {"fan_stopped firing warning 60"},
       "GPU 0 is at 75 °C and its fan stands still, though it is set to 60 %"},
      {"fan_stopped",
       [](Reading& r) {
         r.fan = Percent(0);
         r.fan_speed = Rpm(900);
         r.temperature = Celsius(75);
       },
       {},
       ""},
      {"ecc", [](Reading& r) { r.ecc_uncorrected_volatile = Count(0); }, {}, ""},
      {"ecc",
       [](Reading& r) { r.ecc_uncorrected_volatile = Count(1); },
       {"ecc firing critical 90"},
       "GPU 0 has had 1 memory error that could not be corrected since its driver was loaded"},
      {"ecc",
       [](Reading& r) { r.ecc_uncorrected_volatile = Count(3); },
       {"ecc firing critical 90"},
       "GPU 0 has had 3 memory errors that could not be corrected since its driver was loaded"},
      {"row_remap",
       [](Reading& r) { r.remapped_rows_pending = true; },
       {"row_remap/rows pending firing warning 60"},
       "GPU 0: bad memory rows wait for a reset to be replaced"},
      {"row_remap",
       [](Reading& r) { r.retired_pages_pending = true; },
       {"row_remap/pages pending firing warning 60"},
       "GPU 0: bad memory pages wait for a reset to be taken out of use"},
      {"row_remap",
       [](Reading& r) { r.remapped_rows_failed = true; },
       {"row_remap/failed firing critical 90"},
       "GPU 0: bad memory rows could not be replaced"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.rule + " " + each.message);
    remake_for(each.rule);
    reading() = healthy();
    each.spoil(reading());
    look();
    EXPECT_EQ(alerts(), each.alerts);
    EXPECT_EQ(first(), each.message);
  }
}

TEST_F(RulesTest, AHealthyMachineHasNoAlert) {
  look();
  after(10min);
  EXPECT_THAT(alerts(), IsEmpty());
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
  EXPECT_EQ(last.lamp, Lamp::green);
}

TEST_F(RulesTest, HardwareThrottlingHasAnAlertForEachReasonThatIsTrouble) {
  remake_for("hardware_throttling");
  ThrottleReasons reasons(Throttle::software_power_cap);
  for (const auto fine : {Throttle::idle, Throttle::application_clocks, Throttle::power, Throttle::current,
                          Throttle::voltage, Throttle::reliability, Throttle::sync_boost}) {
    reasons.add(fine);
  }
  reading().throttle_reasons = reasons;
  look();
  EXPECT_THAT(alerts(), IsEmpty());

  reasons.add(Throttle::hardware_slowdown);
  reading().throttle_reasons = reasons;
  look();
  EXPECT_THAT(alerts(), ElementsAre("hardware_throttling/hardware slowdown firing critical 85"));
  EXPECT_EQ(first(), "GPU 0 is slowed down: hardware slowdown");

  reasons.add(Throttle::hardware_power_brake);  // now the driver says which slowdown it is
  reasons.add(Throttle::thermal_memory);
  reading().throttle_reasons = reasons;
  after(31s);
  EXPECT_THAT(alerts(), ElementsAre("hardware_throttling/hardware power brake firing critical 85",
                                    "hardware_throttling/memory thermal limit firing warning 60",
                                    "hardware_throttling/hardware slowdown resolved critical 85"));
}

TEST_F(RulesTest, APcieLinkIsJudgedUnderLoadOnly) {
  remake_for("pcie_degraded");
  reading().pcie_generation = Count(1);
  look();
  EXPECT_THAT(alerts(), IsEmpty());  // 30 % busy: it rests
  reading().utilization = Percent(50);
  look();
  EXPECT_THAT(alerts(), ElementsAre("pcie_degraded firing warning 50"));
  EXPECT_EQ(first(), "GPU 0: the PCIe link runs at generation 1 x16 instead of 4 x16, 12% of what it could carry");
  reading().utilization = Percent(10);
  after(1h);
  EXPECT_TRUE(fires("pcie_degraded"));  // nobody can tell now
  EXPECT_EQ(alert("pcie_degraded").unknown_since, last.taken_at);
  reading() = healthy();
  reading().utilization = Percent(90);
  after(1h);
  EXPECT_FALSE(fires("pcie_degraded"));
  reading().pcie_width = Count(8);
  look();
  EXPECT_EQ(first(), "GPU 0: the PCIe link runs at generation 4 x8 instead of 4 x16, 50% of what it could carry");
}

TEST_F(RulesTest, AnIdleGpuNeedsAProcessThatHoldsItsMemory) {
  reading().utilization = Percent(0);
  look();
  after(1h);
  EXPECT_THAT(alerts(), IsEmpty());  // nobody there

  set_processes(devices[0], {process(42, "python3", 2'000)});
  look();
  after(299s);
  EXPECT_THAT(alerts(), IsEmpty());
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("idle firing warning 70"));  // by its formula 90: capped
  EXPECT_EQ(first(), "GPU 0 idle for 300 seconds (possible hang)");

  reading().utilization = Percent(1);
  after(1s);
  EXPECT_FALSE(fires("idle"));
}

TEST_F(RulesTest, TheCapOfIdlenessIsSetByTheOperator) {
  remake({.idle_severity_cap = 100});
  reading().utilization = Percent(0);
  set_processes(devices[0], {process(42, "python3", 2'000)});
  look();
  after(300s);
  EXPECT_THAT(alerts(), ElementsAre("idle firing critical 90"));
}

TEST_F(RulesTest, WhoHoldsMemoryForHoursWithoutUsingTheGpuHoardsIt) {
  GpuProcess forgotten = process(42, "python3", 6'000);
  forgotten.utilization = Percent(0);
  GpuProcess works = process(43, "train", 3'000);
  works.utilization = Percent(30);
  GpuProcess small = process(44, "monitor", 900);  // of 10,000 MiB
  small.utilization = Percent(0);
  set_processes(devices[0], {forgotten, works, small});
  look();
  after(4h - 1s);
  EXPECT_THAT(alerts(), IsEmpty());
  after(1s);
  ASSERT_THAT(alerts(), ElementsAre("hoarding/42 firing warning 50"));
  EXPECT_EQ(first(), "GPU 0: process 42 (python3) has held 5.9 GiB, 60 % of the memory, for 4 h without using the GPU");
  EXPECT_EQ(alert("hoarding").value, 4 * 3600);
  after(2h);
  EXPECT_EQ(first(), "GPU 0: process 42 (python3) has held 5.9 GiB, 60 % of the memory, for 6 h without using the GPU");

  forgotten.utilization = Percent(1);
  set_processes(devices[0], {forgotten, works, small});
  look();
  after(1min);
  EXPECT_FALSE(fires("hoarding"));
}

TEST_F(RulesTest, WhetherAPidIsStillTheSameProcessSaysItsStart) {
  ProcessFacts facts;
  facts.user = "mara";
  facts.start_ticks = 1'000;
  GpuProcess holds = process(42, "python3", 6'000);
  holds.utilization = Percent(0);
  set_processes(devices[0], {told(holds, facts)});
  look();
  after(3h);
  facts.start_ticks = 2'000;
  set_processes(devices[0], {told(holds, facts)});
  look();
  after(3h);
  EXPECT_THAT(alerts(), IsEmpty());
  after(1h);
  EXPECT_EQ(first(),
            "GPU 0: process 42 (python3) of mara has held 5.9 GiB, 60 % of the memory, for 4 h without using "
            "the GPU");
}

TEST_F(RulesTest, WhereTheUseOfAProcessIsNotToldTheWholeGpuMustBeIdle) {
  set_processes(devices[0], {process(42, "python3", 6'000)});
  remake_for("hoarding", {.warning = 3600});
  look();
  after(2h);
  EXPECT_THAT(alerts(), IsEmpty());  // the GPU is busy with something
  reading().utilization = Percent(0);
  look();
  after(1h);
  EXPECT_THAT(alerts(), ElementsAre("hoarding/42 firing warning 50"));
  devices[0].processes_reason = "nobody may list them";
  after(1h);
  EXPECT_TRUE(fires("hoarding"));  // nobody can tell now
}

TEST_F(RulesTest, HowMuchIsHoardingIsSetByTheOperator) {
  remake({.hoarding_memory = Percent(70)});
  GpuProcess holds = process(42, "python3", 6'000);
  holds.utilization = Percent(0);
  set_processes(devices[0], {holds});
  look();
  after(9h);
  EXPECT_THAT(alerts(), IsEmpty());
}

TEST_F(RulesTest, AProcessOverAnOperatorsLimitIsToldOnceAnEpisode) {
  remake({.user_rules = {{.id = "hungry",
                          .metric = "memory_used_bytes",
                          .process = "jupyter*",
                          .threshold = 4'000 * 0x1p20,
                          .duration = 1min,
                          .clear = 500 * 0x1p20}}});
  set_processes(devices[0],
                {process(42, "jupyter-lab", 5'000), process(43, "jupyter-lab", 1'000), process(44, "train", 9'000)});
  look();
  EXPECT_THAT(alerts(), ElementsAre("hungry/42 pending warning 60"));
  after(1min);
  ASSERT_THAT(alerts(), ElementsAre("hungry/42 firing warning 60"));
  EXPECT_EQ(first(), "GPU 0: process 42 (jupyter-lab): memory_used_bytes 4.9 GiB > 3.9 GiB");
  EXPECT_THAT(listener.take(), ElementsAre("fired hungry"));
  set_processes(devices[0], {process(42, "jupyter-lab", 3'800)});
  after(1min);
  EXPECT_TRUE(fires("hungry")) << "it is not clearly below";
  set_processes(devices[0], {process(42, "jupyter-lab", 3'000)});
  after(1min);
  EXPECT_FALSE(fires("hungry"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved hungry"));
}

TEST_F(RulesTest, WhatADriverDoesNotTellOfAProcessCrossesNothing) {
  remake({.user_rules = {{.id = "busy", .metric = "utilization_percent", .process = "*", .threshold = 50}}});
  GpuProcess works = process(42, "train", 3'000);
  set_processes(devices[0], {works});
  look();
  EXPECT_THAT(alerts(), IsEmpty());
  works.utilization = Percent(80);
  ProcessFacts facts;
  facts.command = "python3";
  set_processes(devices[0], {told(works, facts)});
  look();
  EXPECT_THAT(alerts(), ElementsAre("busy/42 firing warning 60"));
  set_processes(devices[0], {});
  devices[0].processes_reason = "permission denied";
  look();
  EXPECT_TRUE(fires("busy")) << "what cannot be looked at stays as it was";
}

// Two MIG instances of a GPU that tells neither its utilization nor anything of theirs but what is set here.
class PartitionRulesTest : public RulesTest {
 protected:
  PartitionRulesTest() {
    reading().utilization = missing(Missing::not_supported);
    for (std::uint32_t i = 0; i < 2; ++i) {
      Device facts = gpukeeper::facts(i == 0 ? "MIG-1" : "MIG-2", "NVIDIA H100 80GB HBM3", "0000:01:00.0");
      facts.parent = DeviceId{"GPU-a"};
      facts.partition = "3g.40gb";
      Reading r{Missing::not_supported};
      r.memory_used = from_mib(1'000);
      r.memory_total = from_mib(40'000);
      auto part = device(i, facts, r);
      part.parent_index = 0;
      devices[0].partitions.push_back(part);
    }
  }
  DeviceSnapshot& part(std::size_t i) { return devices[0].partitions[i]; }
};

TEST_F(PartitionRulesTest, TheirMemoryIsWatched) {
  part(1).reading.memory_used = from_mib(38'000);
  look();
  after(1min);
  ASSERT_THAT(alerts(), ElementsAre("memory_pressure firing critical 80"));
  EXPECT_EQ(first(), "GPU 0:1 memory pressure: 95% exceeds 90% threshold");
  EXPECT_EQ(alert("memory_pressure").device, DeviceId{"MIG-2"});
  EXPECT_EQ(alert("memory_pressure").device_index, 0U);
  EXPECT_EQ(last.devices[0].partitions[0].lamp, Lamp::green) << "a neighbour's memory is none of its business";
  EXPECT_EQ(last.devices[0].partitions[1].lamp, Lamp::red);
  EXPECT_EQ(last.devices[0].lamp, Lamp::red);
  EXPECT_EQ(last.lamp, Lamp::red);

  part(1).reading.memory_used = from_mib(1'000);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("memory_pressure resolved critical 80"));
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
}

TEST_F(PartitionRulesTest, AnIdleOneNeedsAProcessOfItsOwnThatHoldsItsMemory) {
  part(0).reading.utilization = part(1).reading.utilization = Percent(0);
  GpuProcess holds = process(42, "python3", 2'000);
  holds.partition = DeviceId{"MIG-1"};
  set_processes(devices[0], {holds});
  look();
  after(300s);
  EXPECT_THAT(alerts(), ElementsAre("idle firing warning 70"));
  EXPECT_EQ(first(), "GPU 0:0 idle for 300 seconds (possible hang)");
  EXPECT_EQ(alert("idle").device, DeviceId{"MIG-1"});
}

TEST_F(PartitionRulesTest, WhatIsHoardedOfAPartitionIsSaidOfItAlone) {
  part(0).reading.utilization = part(1).reading.utilization = Percent(0);
  GpuProcess holds = process(42, "python3", 20'000);
  holds.partition = DeviceId{"MIG-1"};
  set_processes(devices[0], {holds});
  remake_for("hoarding");
  look();
  after(4h);
  EXPECT_THAT(alerts(), ElementsAre("hoarding/42 firing warning 50"));
  EXPECT_EQ(alert("hoarding").device, DeviceId{"MIG-1"});
}

TEST_F(PartitionRulesTest, TheirUseIsForTheRecordAndWhatTheyDoNotTellRaisesNothing) {
  part(1).reading.utilization = Percent(80);
  look();
  after(10s);
  EXPECT_THAT(alerts(), ElementsAre("utilization_high firing info 20"));
  EXPECT_EQ(first(), "GPU 0:1 is busy for more than 50% of the time: 80%");
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
}

TEST_F(PartitionRulesTest, HeatIsTheWholeDevicesAndShowsOnAll) {
  for (const int i : {0, 1}) part(static_cast<std::size_t>(i)).reading.temperature = Celsius(95);
  reading().temperature = Celsius(95);
  look();
  EXPECT_THAT(alerts(), ElementsAre("thermal firing critical 80")) << "once, not once a partition";
  EXPECT_EQ(last.devices[0].partitions[0].lamp, Lamp::red);
}

TEST_F(PartitionRulesTest, TheirAlertsEndWithThemAndAreKeptWhileTheirDeviceIsLost) {
  part(1).reading.memory_used = from_mib(38'000);
  look();
  after(1min);
  const auto before = devices[0].partitions;
  lose(0);
  for (DeviceSnapshot& each : devices[0].partitions) {
    each.available = false;
    each.reading = Reading{Missing::failed};
  }
  after(1min);
  EXPECT_TRUE(fires("memory_pressure"));
  recover(0);
  devices[0].partitions = before;
  after(1min);
  EXPECT_TRUE(fires("memory_pressure"));
  devices[0].partitions.clear();  // somebody has taken it apart
  after(1s);
  EXPECT_FALSE(fires("memory_pressure"));
}

TEST_F(PartitionRulesTest, ASleepingDevicesPartitionsSleepToo) {
  part(1).reading.memory_used = from_mib(38'000);
  look();
  after(1min);
  EXPECT_TRUE(fires("memory_pressure"));
  sleep(0);
  after(1s);
  EXPECT_FALSE(fires("memory_pressure"));
}

TEST_F(RulesTest, DesktopsAndServersOfModelsMayWait) {
  reading().utilization = Percent(0);
  GpuProcess screen = process(40, "Xorg", 200);
  screen.type = {.graphics = true};
  ProcessFacts server;
  server.classification = {ProcessClass::ml_inference, "ollama", "it serves models", 0.9};
  GpuProcess nothing = process(43, "nvidia-smi", 0);
  set_processes(devices[0], {screen, told(process(41, "ollama", 9'000), server), nothing});
  look();
  after(1h);
  EXPECT_THAT(alerts(), IsEmpty());
}

TEST_F(RulesTest, AProcessOfUnknownMemoryHoldsSome) {
  reading().utilization = Percent(0);
  GpuProcess unknown = process(44, "train", 0);
  unknown.memory = missing(Missing::not_permitted);
  set_processes(devices[0], {unknown});
  look();
  after(300s);
  EXPECT_TRUE(fires("idle"));
}

TEST_F(RulesTest, AProcessWhoseMemoryOnlyGrowsIsNamed) {
  LeakSuspect suspect{.device = DeviceId{"GPU-a"},
                      .pid = 77,
                      .name = "train",
                      .now = from_mib(9'000),
                      .grown = from_mib(600),
                      .full_in = 90min};
  LeakSuspect elsewhere = suspect;
  elsewhere.device = DeviceId{"GPU-b"};
  inputs.leaks = std::make_shared<const std::vector<LeakSuspect>>(std::vector{suspect, elsewhere});
  look();
  EXPECT_THAT(alerts(), ElementsAre("memory_leak/77 firing warning 60"));
  EXPECT_EQ(first(),
            "GPU 0: the memory of process 77 (train) grows steadily, by 600 MiB lately to 9000 MiB; at this pace "
            "the GPU is full in 90 min");
  inputs.leaks = std::make_shared<const std::vector<LeakSuspect>>();
  after(30s);
  EXPECT_TRUE(fires("memory_leak"));
  after(30s);
  EXPECT_FALSE(fires("memory_leak"));
}

TEST_F(RulesTest, ALeaseThatIsOverusedIsNamedWithWhoUsesIt) {
  remake_for("lease_overuse");
  Booked now;
  now.overused = {
      {.id = 7, .service = "em\nbed", .device = {"GPU-a"}, .observed = 5000_MiB, .most = 4000_MiB, .pids = {10, 11}},
      {.id = 8, .service = "elsewhere", .device = {"GPU-b"}, .observed = 5000_MiB, .most = 4000_MiB}};
  booked = std::make_shared<const Booked>(now);
  look();
  EXPECT_THAT(alerts(), ElementsAre("lease_overuse/7 firing warning 60"));
  EXPECT_EQ(first(),
            R"(GPU 0: lease 7 of em?bed holds 5000 MiB, but may hold no more than 4000 MiB (processes 10, 11))");
  booked = std::make_shared<const Booked>();
  look();
  after(5s);
  EXPECT_FALSE(fires("lease_overuse"));
}

TEST_F(RulesTest, ALeaseThatIsNotGivenBackIsALeak) {
  remake_for("lease_leak");
  Booked now;
  now.leaked = {{.id = 7, .service = "training", .device = {"GPU-a"}, .observed = 4000_MiB}};
  for (std::int64_t pid = 1; pid <= 10; ++pid) now.leaked[0].pids.push_back(pid);
  booked = std::make_shared<const Booked>(now);
  look();
  EXPECT_THAT(alerts(), ElementsAre("lease_leak/7 firing warning 70"));
  EXPECT_EQ(first(),
            "GPU 0: lease 7 of training is over, but 4000 MiB of it are still in use "
            "(processes 1, 2, 3, 4, 5, 6, 7, 8 and 2 more)");
  booked = nullptr;  // as after a restart, before the ledger has looked
  after(1h);
  EXPECT_TRUE(fires("lease_leak"));
  booked = std::make_shared<const Booked>();
  look();
  after(5s);
  EXPECT_FALSE(fires("lease_leak"));
}

TEST_F(RulesTest, AMinerIsNamedWithTheRuleThatSaysSo) {
  remake_for("miner");
  ProcessFacts facts = mara_trains(77);
  facts.classification = {ProcessClass::mining, "miner-names", "its executable is 'xmrig'", 0.95};
  set_processes(devices[0], {told(process(77, "xmrig", 500), facts), process(78, "python3", 500)});
  look();
  EXPECT_THAT(alerts(), ElementsAre("miner/77 firing critical 85"));
  EXPECT_EQ(first(),
            "GPU 0: process 77 (xmrig) of mara looks like a miner: its executable is 'xmrig' "
            "(rule miner-names)");
  facts.classification.confidence = 0.5;
  set_processes(devices[0], {told(process(79, "", 500), facts)});
  look();
  after(10s);
  EXPECT_THAT(alerts(), ElementsAre("miner/79 firing warning 60", "miner/77 resolved critical 85"));
  EXPECT_EQ(first(),
            "GPU 0: process 79 (python3) of mara looks like a miner: its executable is 'xmrig' "
            "(rule miner-names)");
}

TEST_F(RulesTest, WhenTheProcessesCannotBeToldTheVerdictsOnThemStand) {
  ProcessFacts facts = mara_trains(77);
  facts.classification = {ProcessClass::mining, "miner-names", "its executable is 'xmrig'", 0.95};
  set_processes(devices[0], {told(process(77, "xmrig", 500), facts)});
  inputs.leaks = std::make_shared<const std::vector<LeakSuspect>>(
      std::vector{LeakSuspect{.device = DeviceId{"GPU-a"}, .pid = 77, .name = "xmrig"}});
  look();
  after(10s);
  listener.take();
  ASSERT_TRUE(fires("miner") && fires("memory_leak"));

  set_processes(devices[0], {});
  devices[0].processes_reason = "the driver answered with an error";
  inputs.leaks = std::make_shared<const std::vector<LeakSuspect>>();
  look();
  after(1h);
  EXPECT_TRUE(fires("miner") && fires("memory_leak"));
  EXPECT_THAT(listener.take(), testing::Each(testing::StartsWith("repeated"))) << "neither resolved nor raised anew";

  devices[0].processes_reason.clear();
  look();
  after(1min);
  EXPECT_FALSE(fires("miner") || fires("memory_leak"));
}

TEST_F(RulesTest, BadMemoryThatCannotBeToldForAMomentStaysAsItWas) {
  remake_for("row_remap");
  reading().remapped_rows_failed = true;
  look();
  ASSERT_TRUE(fires("row_remap"));
  reading().remapped_rows_failed = missing(Missing::failed);
  after(1min);
  EXPECT_THAT(alerts(), ElementsAre("row_remap/failed firing critical 90"));
  reading().retired_pages_pending = missing(Missing::not_supported);  // as on cards that remap rows
  reading().remapped_rows_failed = false;
  after(1min);
  EXPECT_FALSE(fires("row_remap"));
}

TEST_F(RulesTest, ValuesBeyondAllBoundsAreTheLargestNumber) {
  remake_for("power_limit");
  reading().power = Watts(1e12);
  reading().power_limit = Watts(1e-3);
  look();
  EXPECT_EQ(first(), "GPU 0 power limit: 4294967295% exceeds 95% threshold");
}

TEST_F(RulesTest, AMinerIsKnownByWhatTheAttributorFound) {
  remake_for("miner");
  set_processes(devices[0], {process(77, "a.out", 500)});
  look();
  EXPECT_THAT(alerts(), IsEmpty());
  auto facts = std::make_shared<ProcessFacts>();
  facts->classification = {ProcessClass::mining, "pool", "it is given a pool", 0.9};
  auto table = std::make_shared<ProcessTable>();
  table->add(DeviceId{"GPU-a"}, 77, facts);
  who = table;
  look();
  EXPECT_THAT(alerts(), ElementsAre("miner/77 firing critical 85"));
}

TEST_F(RulesTest, ALostGpuIsOneThatWasThere) {
  lose(0);
  look();
  after(59s);
  EXPECT_THAT(alerts(), IsEmpty());  // it may still be starting
  after(1s);
  after(5s);
  EXPECT_THAT(alerts(), ElementsAre("gpu_lost firing critical 95"));
  EXPECT_EQ(first(), "GPU 0 cannot be read any more: it fell off the bus");

  remake();
  recover(0);
  look();
  lose(0);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("gpu_lost pending critical 95"));
  after(5s);
  EXPECT_THAT(alerts(), ElementsAre("gpu_lost firing critical 95"));
}

TEST_F(RulesTest, ADriverMismatchIsNoLostGpu) {
  look();
  lose(0, "Driver/library version mismatch: the driver was updated");
  after(1min);
  EXPECT_THAT(alerts(), ElementsAre("driver_mismatch firing critical 90"));
  EXPECT_EQ(first(), "GPU 0: Driver/library version mismatch: the driver was updated");
}

TEST_F(RulesTest, AMismatchThatHidesAllDevicesIsTheMachines) {
  devices.clear();
  look();
  Snapshot none = machine({});
  none.sources = {{"nvml", false, "nvmlInit: Driver/library version mismatch; restart the machine", 0}};
  andon->look(none);
  EXPECT_EQ(none.alerts->at(0).message, "nvml: nvmlInit: Driver/library version mismatch; restart the machine");
  EXPECT_EQ(none.alerts->at(0).device, std::nullopt);
  EXPECT_EQ(none.lamp, Lamp::red);
}

TEST_F(RulesTest, AReadingThatGrowsOldIsSaid) {
  look();
  devices[0].read_at = last.taken_at;
  devices[0].reason = "the driver takes long";
  frozen = true;
  after(9s);
  EXPECT_THAT(alerts(), IsEmpty());
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("sampling_stalled firing warning 60"));
  EXPECT_EQ(first(), "GPU 0 was not read anew for 10 seconds: the driver takes long");
  after(50s);
  EXPECT_THAT(alerts(), ElementsAre("sampling_stalled firing critical 80"));
  devices[0].reading.attention = Attention::resting;  // left alone on purpose
  after(1s);
  EXPECT_FALSE(fires("sampling_stalled"));
}

TEST_F(RulesTest, WhatFailsInGpukeeperItselfIsCriticalAtOnce) {
  inputs.trouble = "the governor: broken";
  look();
  EXPECT_THAT(alerts(), ElementsAre("sampling_stalled firing critical 85"));
  EXPECT_EQ(first(), "gpukeeper itself fails: the governor: broken");
  inputs.trouble.clear();
  after(1s);
  EXPECT_FALSE(fires("sampling_stalled"));
}

TEST_F(RulesTest, SettingTheDateMakesNoReadingOldAndNoneNew) {
  look();
  devices[0].read_at = last.taken_at;
  frozen = true;
  wall_shift = 1h;
  after(1s);
  EXPECT_FALSE(fires("sampling_stalled"));
  wall_shift = -1h;
  after(9s);
  EXPECT_TRUE(fires("sampling_stalled"));
}

TEST_F(RulesTest, AnXidIsExplainedAndKeptForAnHour) {
  add_fault({.kind = EventKind::xid,
             .code = 79,
             .device = {"GPU-a"},
             .last = kThen,
             .count = 2,
             .severity = Severity::critical});
  look();
  EXPECT_THAT(alerts(), ElementsAre("xid/79 firing critical 90"));
  EXPECT_EQ(first(), "GPU 0: XID 79: the GPU has fallen off the bus (2 times)");
  EXPECT_EQ(last.alerts->at(0).remedy, faults.records[0]->action);
  EXPECT_EQ(last.alerts->at(0).value, 2);
  after(1h - 1s);
  EXPECT_TRUE(fires("xid"));
  after(1s);
  EXPECT_FALSE(fires("xid"));
}

TEST_F(RulesTest, FaultsOfTheRecordOnlyOldOnesAndThoseOfOthersRaiseNothing) {
  add_fault({.kind = EventKind::ecc_corrected, .device = {"GPU-a"}, .severity = Severity::info});
  add_fault(
      {.kind = EventKind::xid, .code = 48, .device = {"GPU-a"}, .last = kThen - 1h, .severity = Severity::critical});
  add_fault({.kind = EventKind::xid, .code = 48, .device = {"GPU-other"}, .severity = Severity::critical});
  add_fault({.kind = EventKind::lost, .device = {"GPU-a"}, .severity = Severity::critical});  // gpu_lost sees it
  look();
  EXPECT_THAT(alerts(), IsEmpty());
}

TEST_F(RulesTest, OtherFaultsHaveAnAlertForEachKindAndThoseOfTheMachineToo) {
  add_fault({.kind = EventKind::engine_reset, .device = {"GPU-a"}, .severity = Severity::warning});
  add_fault({.kind = EventKind::engine_reset, .device = {"GPU-a"}, .last = kThen - 5s, .severity = Severity::warning});
  add_fault({.kind = EventKind::gpu_reset, .device = {"GPU-a"}, .severity = Severity::error});
  add_fault({.kind = EventKind::driver, .detail = "records were lost", .severity = Severity::warning});
  look();
  EXPECT_THAT(alerts(), ElementsAre("device_fault/the GPU was reset firing warning 70",
                                    testing::StartsWith("device_fault/"), testing::StartsWith("device_fault/")));
  std::vector<std::string> messages;
  for (const Alert& a : *last.alerts) messages.push_back(a.message);
  EXPECT_THAT(messages,
              testing::UnorderedElementsAre("GPU 0: the GPU was reset", "GPU 0: an engine hung and was reset (2 times)",
                                            "this machine: messages of the kernel were lost"));
}

TEST_F(RulesTest, TheHostIsJudgedWhereItIsTheMachineOfTheseDevices) {
  look();
  EXPECT_THAT(alerts(), IsEmpty());
  inputs.host = {.cpu = Percent(90), .memory_used = Percent(90)};
  look();
  after(10min);
  EXPECT_THAT(alerts(), IsEmpty());  // above it, as documented
  inputs.host = {.cpu = Percent(91), .memory_used = Percent(97.6)};
  look();
  after(2min);
  EXPECT_THAT(alerts(), testing::UnorderedElementsAre("host_cpu firing warning 60", "host_memory firing warning 60"));
  EXPECT_EQ(alert("host_cpu").message, "the machine's processors are 91% busy");
  EXPECT_EQ(alert("host_memory").message, "98% of the machine's memory is in use");
  EXPECT_EQ(alert("host_cpu").device, std::nullopt);
  EXPECT_EQ(last.lamp, Lamp::yellow);
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
}

TEST_F(RulesTest, AMissingSensorIsWhatTheGovernorHolds) {
  devices[0].throttling.requests = {{.cause = ThrottleCause::thermal, .reason = "hot"},
                                    {.cause = ThrottleCause::missing_sensor, .reason = "no temperature for 12 s"}};
  look();
  EXPECT_THAT(alerts(), ElementsAre("missing_sensor firing warning 60"));
  EXPECT_EQ(first(), "GPU 0 stopped telling its temperature: no temperature for 12 s");
}

TEST_F(RulesTest, ARuleOfAnOperatorsOwnCrossesItsBorderForSomeTime) {
  remake({.user_rules = {{.id = "hungry",
                          .metric = "power_watts",
                          .threshold = 300,
                          .critical = 350,
                          .duration = 10s,
                          .clear = 20,
                          .message = "{name} ({gpu}) draws {value} W, not {threshold} {x}",
                          .remedy = "Turn it down."}}});
  reading().power = Watts(300);
  look();
  EXPECT_THAT(alerts(), IsEmpty());
  reading().power = Watts(310.5);
  look();
  after(9s);
  EXPECT_THAT(alerts(), ElementsAre("hungry pending warning 60"));
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("hungry firing warning 60"));
  EXPECT_EQ(first(), "NVIDIA H100 80GB HBM3 (0) draws 310.5 W, not 300 {x}");
  EXPECT_EQ(last.alerts->at(0).remedy, "Turn it down.");
  reading().power = Watts(351);
  after(1s);
  after(10s);
  EXPECT_THAT(alerts(), ElementsAre("hungry firing critical 80"));
  reading().power = Watts(281);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("hungry firing warning 60"));  // near it is enough to last
  reading().power = Watts(280);
  after(1s);
  EXPECT_FALSE(fires("hungry"));
}

TEST_F(RulesTest, ARuleOfAnOperatorsOwnMayLookDownward) {
  remake({.user_rules = {{.id = "slow",
                          .metric = "pcie_width",
                          .comparison = Comparison::at_most,
                          .threshold = 8,
                          .clear = 2,
                          .severity = 30,
                          .devices = {"GPU-a"}}}});
  reading().pcie_width = Count(9);
  look();
  EXPECT_THAT(alerts(), IsEmpty());
  reading().pcie_width = Count(8);
  look();
  EXPECT_THAT(alerts(), ElementsAre("slow firing info 30"));
  EXPECT_EQ(first(), "GPU 0: pcie_width 8 <= 8");
  reading().pcie_width = Count(9);
  look();
  EXPECT_TRUE(fires("slow"));
  reading().pcie_width = Count(10);
  look();
  EXPECT_FALSE(fires("slow"));
}

TEST_F(RulesTest, WhatIsNotReportedRaisesNothing) {
  devices[0].reading = Reading{Missing::not_supported};
  look();
  after(1h);
  EXPECT_THAT(alerts(), IsEmpty());
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
}

TEST(RuleTableTest, EveryRowIsWhole) {
  std::set<std::string_view> ids;
  for (const Rule& rule : rule_table()) {
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
    EXPECT_TRUE(rule.of_device || rule.of_machine) << rule.id;
    EXPECT_FALSE(rule.title.empty() || rule.condition.empty() || rule.remedy.empty()) << rule.id;
    EXPECT_LE(rule.limits.sustain_critical, rule.limits.sustain) << rule.id;
    EXPECT_GT(rule.limits.critical.value_or(std::numeric_limits<double>::infinity()), rule.limits.warning.value_or(0))
        << rule.id;
    EXPECT_EQ(find_rule(rule.id), &rule);
  }
  EXPECT_EQ(find_rule("none"), nullptr);
}

}  // namespace
}  // namespace gpukeeper
