#include "backend/simulated/scenario_events.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace gpukeeper::simulated {
namespace {

using namespace std::chrono_literals;

const WallTime kBegin{std::chrono::seconds(1'780'000'000)};

Scenario parsed(const std::string& faults, const std::string& of_machine = "") {
  auto scenario = parse_scenario(
      "name: t\ndevices:\n"
      "- {name: A, vendor: nvidia, uuid: GPU-a, pci_address: '0000:01:00.0', processes: [{name: python3, pid: 7, from: "
      "1m},"
      " {name: python3, pid: 9}], faults: [" +
          faults + "]}\n- {name: B, vendor: amd, uuid: AMD-b, pci_address: '0000:02:00.0'}\nfaults: [" + of_machine +
          "]\n",
      "t.yaml");
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? *std::move(scenario) : Scenario{};
}

std::string shown(const std::vector<DeviceEvent>& events) {
  std::string result;
  for (const DeviceEvent& event : events) {
    result += fmt::format("{} s {} {}", std::chrono::duration<double>(event.at - kBegin).count(),
                          event.id ? event.id->text : "machine", to_string(event.kind));
    if (event.code) result += fmt::format(" code {}", event.code);
    if (event.count != 1) result += fmt::format(" count {}", event.count);
    if (event.pid) result += fmt::format(" pid {}", *event.pid);
    if (!event.process.empty()) result += ' ' + event.process;
    result += fmt::format(": {}\n", event.detail);
  }
  return result;
}

std::string between(const Scenario& scenario, double after, double until) {
  return shown(events_between(scenario, after, until, kBegin));
}

TEST(ScenarioEventsTest, EveryKindThatADriverReportsIsAnEventAtItsStart) {
  const auto scenario = parsed(
      "{kind: wedged, start: 6s}, {kind: xid, start: 1s, xid: 79}, {kind: pcie_error, start: 3s, severity: non-fatal, "
      "count: 4}, {kind: engine_reset, start: 4s}, {kind: gpu_reset, start: 5s, message: GPU reset(1) succeeded!}, "
      "{kind: ecc, start: 2s, corrected: 1}, {kind: hang, start: 1s}",
      "{kind: driver_reload, start: 7s, duration: 2s}");
  EXPECT_EQ(between(scenario, -1, 60),
            "1 s GPU-a xid code 79: XID 79\n"
            "3 s GPU-a pcie_error count 4: non-fatal errors\n"
            "4 s GPU-a engine_reset: an engine made no progress and was reset\n"
            "5 s GPU-a gpu_reset: GPU reset(1) succeeded!\n"
            "6 s GPU-a wedged: the device is wedged and needs recovery\n"
            "9 s machine driver_reload: the driver was loaded\n");
}

TEST(ScenarioEventsTest, AnIntervalLeavesOutItsBeginningAndHoldsItsEnd) {
  const auto scenario = parsed("{kind: gpu_reset, start: 10s, repeat: 10s}");
  EXPECT_EQ(between(scenario, 10, 20), "20 s GPU-a gpu_reset: the GPU was reset\n");
  EXPECT_EQ(between(scenario, 20, 29), "");
  EXPECT_EQ(between(scenario, 29, 45),
            "30 s GPU-a gpu_reset: the GPU was reset\n40 s GPU-a gpu_reset: the GPU was reset\n");
}

TEST(ScenarioEventsTest, AFaultOfTheMachineHappensToEveryDevice) {
  EXPECT_EQ(between(parsed("", "{kind: gpu_reset, start: 1s}"), 0, 2),
            "1 s GPU-a gpu_reset: the GPU was reset\n1 s AMD-b gpu_reset: the GPU was reset\n");
}

TEST(ScenarioEventsTest, TheDriverBlamesTheProcessOfThatNameWhichRuns) {
  const auto scenario = parsed("{kind: xid, xid: 31, start: 5s, duration: 1s, repeat: 70s, process: python3}");
  EXPECT_EQ(between(scenario, 0, 80),
            "5 s GPU-a xid code 31 pid 9 python3: XID 31\n"
            "75 s GPU-a xid code 31 pid 7 python3: XID 31\n");
  EXPECT_EQ(between(parsed("{kind: engine_reset, start: 5s, process: gone}"), 0, 6),
            "5 s GPU-a engine_reset gone: an engine made no progress and was reset\n");
}

TEST(ScenarioEventsTest, WhatHappensTooOftenIsOneEventWithItsCount) {
  const auto scenario = parsed("{kind: pcie_error, repeat: 1ms, count: 2}");
  EXPECT_EQ(events_between(scenario, 0, 0.0995, kBegin).size(), 99u);
  EXPECT_EQ(between(scenario, 0, 1000.0005), "1000 s GPU-a pcie_error count 2000000: correctable errors\n");
}

}  // namespace
}  // namespace gpukeeper::simulated
