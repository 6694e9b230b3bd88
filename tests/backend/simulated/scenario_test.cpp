#include "backend/simulated/scenario.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "yaml/tree.hpp"

namespace gpukeeper::simulated {
namespace {

using namespace yaml;

std::string message(std::string_view text) {
  const auto scenario = parse_scenario(text, "s.yaml");
  if (scenario) return "accepted";
  EXPECT_EQ(scenario.error().code, Errc::invalid_argument);
  return scenario.error().message;
}

struct Case {
  std::string_view text;
  std::string_view message;  // after "s.yaml:"
};

// A whole scenario that is wrong, and what is said of it.
TEST(ScenarioTest, AMistakeInTheScenarioIsRefusedWithItsPlace) {
  const Case cases[] = {
      {"", "1:1: a scenario must be a mapping such as 'name: Two GPUs' and 'devices:' with a list, not nothing"},
      {"- a", "1:1: a scenario must be a mapping such as 'name: Two GPUs' and 'devices:' with a list, not a list"},
      {"devices: []", "1:1: a scenario needs 'name', such as 'name: Two GPUs'"},
      {"name: t",
       "1:1: a scenario needs 'devices', such as 'devices: [{name: NVIDIA H200, vendor: nvidia, memory: 141GiB}]'"},
      {"name: t\ndevices: none", "2:10: 'devices' must be a list, not 'none'"},
      {"name: t\ndevises: []", "2:1: unknown key 'devises' in a scenario: did you mean 'devices'?"},
      {"name: t\nxyzzy: 1",
       "2:1: unknown key 'xyzzy' in a scenario: known are: name, description, seed, devices, faults"},
      {"name: ''\ndevices: []", "1:7: 'name' must not be empty"},
      {"name: \"a\\nb\"\ndevices: []", "1:7: 'name' must be one line without control characters"},
      {"name: t\nseed: -1\ndevices: []", "2:7: 'seed' must be a whole number, not '-1'"},
      {"name: t\ndevices: [3]",
       "2:11: a device must be a mapping such as {name: NVIDIA H200, vendor: nvidia, memory: 141GiB}, not '3'"},
      {"name: t\nname: u\ndevices: []", "2:1: 'name' is given twice: first in line 1"},
      {"name: [t\ndevices: []", "2:8: not YAML: end of sequence flow not found"},
      {"name: t\ndevices: []\n---\nname: u", "3:1: there must be one YAML document, and here a second one begins"},
      {"? [a]\n: b", "1:3: a key must be a word"},
      {"name: t\ndevices: [*card]", "2:11: not YAML: the referenced anchor is not defined"},
      {"name: &a [*a]\ndevices: []", "1:11: this alias stands inside what it refers to"},
      {"name: t\ndevices:\n- {<<: 3}", "3:8: '<<' takes a mapping to merge, such as an alias '*name'"},
  };
  for (const Case& c : cases) EXPECT_EQ(message(c.text), fmt::format("s.yaml:{}", c.message)) << c.text;
}

// What is wrong in one device, which begins in line 3.
TEST(ScenarioTest, AMistakeInADeviceIsRefusedWithItsPlace) {
  const Case cases[] = {
      {"vendor: nvidia", "3:3: a device needs 'name', such as 'name: NVIDIA H200'"},
      {"name: A", "3:3: a device needs 'vendor', such as 'vendor: nvidia'"},
      {"name: A\n  vendor: nvidea", "4:11: 'vendor' must be one of nvidia, amd, intel, other, not 'nvidea'"},
      {"name: A\n  vender: amd", "4:3: unknown key 'vender' in a device: did you mean 'vendor'?"},
      {"name: A\n  vendor: amd\n  temperature_celsius: 4",
       "5:3: 'temperature_celsius' is a metric: write it under 'metrics'"},
      {"name: A\n  vendor: amd\n  metrics: {serial: x}",
       "5:13: 'serial' is a fact of the device: write it beside 'name', not under 'metrics'"},
      {"name: A\n  vendor: amd\n  metrics: {temperature: 4}",
       "5:13: unknown metric 'temperature': did you mean 'temperature_celsius'?"},
      {"name: A\n  vendor: amd\n  metrics: {power_wats: 4}",
       "5:13: unknown metric 'power_wats': did you mean 'power_watts'?"},
      {"name: A\n  vendor: amd\n  metrics: {beauty: 4}",
       "5:13: unknown metric 'beauty': 'gpukeeper metrics' lists all"},
      {"name: A\n  vendor: amd\n  metrics: [a]",
       "5:12: 'metrics' must be a mapping such as 'temperature_celsius: 62', not a list"},
      {"name: A\n  vendor: amd\n  pci_address: 1.2",
       "5:16: 'pci_address' must be an address such as 0000:01:00.0, not '1.2'"},
      {"name: A\n  vendor: amd\n  pci_address: '01:00.0'\n- name: B\n  vendor: amd\n  pci_address: 0000:01:00.0",
       "8:16: pci_address 0000:01:00.0 is given twice: first in line 5"},
      {"name: A\n  vendor: amd\n  uuid: u\n- name: B\n  vendor: amd\n  uuid: u",
       "8:9: uuid 'u' is given twice: first in line 5"},
      {"name: A\n  vendor: amd\n  uuid: u\n  partitions: [{profile: p, uuid: u}]",
       "6:35: uuid 'u' is given twice: first in line 5"},
      {"name: A\n  vendor: amd\n  memory: lots",
       "5:11: 'memory' must be a size such as 80GiB, 512MiB or a number of bytes, not 'lots'"},
      {"name: A\n  vendor: amd\n  memory: -1GiB",
       "5:11: 'memory' must be a size such as 80GiB, 512MiB or a number of bytes, not '-1GiB'"},
      {"name: A\n  vendor: amd\n  memory: -1", "5:11: 'memory' must not be negative, but is -1"},
      {"name: A\n  vendor: amd\n  memory: 1GiB\n  metrics: {memory_total_bytes: 1}",
       "5:11: 'memory' is short for the metric 'memory_total_bytes', which is given too: keep one"},
      {"name: A\n  vendor: amd\n  memory: 1GiB\n  metrics: {memory_used_bytes: 2GiB}",
       "6:32: 'memory_used_bytes' is 2147483648, more than the memory of 1073741824"},
      {"name: A\n  vendor: amd\n  numa_node: -1", "5:14: 'numa_node' must be a whole number, not '-1'"},
      {"name: A\n  vendor: amd\n  links: [{kind: nvlink}]", "5:11: a link needs 'peer', such as 'peer: 0000:02:00.0'"},
      {"name: A\n  vendor: amd\n  links: [{kind: wire, peer: x}]",
       "5:18: 'kind' must be one of nvlink, xgmi, pcie, not 'wire'"},
      {"name: A\n  vendor: amd\n  partitions: [{}]", "5:16: a partition needs 'profile', such as 'profile: 1g.18gb'"},
      {"name: A\n  vendor: amd\n  partitions: [{profile: p, faults: []}]",
       "5:29: unknown key 'faults' in a partition: known are: profile, place, name, uuid, memory, memory_base, "
       "metrics"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(message(fmt::format("name: t\ndevices:\n- {}\n", c.text)), fmt::format("s.yaml:{}", c.message)) << c.text;
  }
}

// What is wrong in a metric, in line 5 from column 14.
TEST(ScenarioTest, AMistakeInAMetricIsRefusedWithItsPlace) {
  const Case cases[] = {
      {"utilization_percent: 120", "5:35: 'utilization_percent' must be from 0 to 100, not 120"},
      {"utilization_percent: -3", "5:35: 'utilization_percent' must not be negative, but is -3"},
      {"utilization_percent: much", "5:35: 'utilization_percent' must be a number, not 'much'"},
      {"utilization_percent: nan", "5:35: 'utilization_percent' must be a number, not 'nan'"},
      {"temperature_celsius: 4000", "5:35: 'temperature_celsius' must be from -273.15 to 1000, not 4000"},
      {"pcie_width: 1.5", "5:26: 'pcie_width' must be a whole number, not '1.5'"},
      {"mig_mode: perhaps", "5:24: 'mig_mode' must be true or false, not 'perhaps'"},
      {"throttle_power_seconds: long",
       "5:38: 'throttle_power_seconds' must be a number of seconds or a duration such as 90s, not 'long'"},
      {"throttle_reasons: hot",
       "5:32: 'throttle_reasons' must be none or, comma-separated, some of: idle, application clocks, display clocks, "
       "sync boost, software power cap, software thermal slowdown, hardware thermal slowdown, hardware power brake, "
       "hardware slowdown, power limit, current limit, voltage limit, thermal limit, memory thermal limit, voltage "
       "regulator thermal limit, external processor-hot signal, reliability voltage limit, other; not 'hot'"},
      {"fan_percent: []", "5:27: 'fan_percent' must have at least one [time, value]"},
      {"fan_percent: [5]", "5:28: a point of 'fan_percent' must be [time, value], such as [60s, 85]"},
      {"fan_percent: [[5, 3]]", "5:29: 'time' must be a duration such as 90s, 5m or 1h30m, not '5'"},
      {"fan_percent: [[5s, 3], [5s, 4]]", "5:38: the times of 'fan_percent' must rise: 5s comes after 5s"},
      {"fan_percent: [[5s, ~]]", "5:33: 'fan_percent' must be a number, not nothing"},
      {"fan_percent: [[5s, 3], [9s, 101]]", "5:42: 'fan_percent' must be from 0 to 100, not 101"},
      {"fan_percent: {}",
       "5:27: the curve of 'fan_percent' needs one of value, points, steps, ramp, sine, noise, missing"},
      {"fan_percent: {value: 3, sine: {}}", "5:38: the curve of 'fan_percent' has a second shape, 'sine': give one"},
      {"fan_percent: {sinus: {}}", "5:28: unknown key 'sinus' in the curve of 'fan_percent': did you mean 'sine'?"},
      {"fan_percent: {sine: {mean: 50, amplitude: 60, period: 60s}}",
       "5:34: a sine around 50 with amplitude 60 goes from -10 to 110, but 'fan_percent' must be from 0 to 100"},
      {"fan_percent: {sine: {mean: 50, amplitude: 10}}", "5:34: a sine needs 'period', such as 'period: 60s'"},
      {"fan_percent: {sine: {mean: 50, amplitude: 10, period: 0s}}", "5:68: 'period' must be longer than nothing"},
      {"fan_percent: {sine: 3}",
       "5:34: a sine must be a mapping such as {mean: 50, amplitude: 20, period: 60s}, not '3'"},
      {"fan_percent: {noise: {around: 50, sigma: -1}}", "5:55: 'sigma' must not be negative, but is -1"},
      {"fan_percent: {noise: {around: 50, sigma: 1}, jitter: 2}",
       "5:67: a noise has its 'sigma' and cannot have 'jitter' too"},
      {"fan_percent: {ramp: {from: 0, to: 100}}", "5:34: a ramp needs 'over', such as 'over: 60s'"},
      {"fan_percent: {points: [[0s, 1], [60s, 2]], repeat: 30s}",
       "5:65: 'repeat' must not be shorter than the last time of the curve, 60s"},
      {"fan_percent: {missing: because}",
       "5:37: 'missing' must be one of not_supported, not_permitted, not_yet_read, asleep, failed, not 'because'"},
      {"performance_state: {sine: {mean: 1, amplitude: 1, period: 1s}}",
       "5:34: 'performance_state' is no number: of curves it takes only 'value', 'steps' and 'missing'"},
      {"performance_state: {value: P0, jitter: 1}", "5:53: 'performance_state' is no number and cannot have 'jitter'"},
  };
  for (const Case& c : cases) {
    const auto text = fmt::format("name: t\ndevices:\n- name: A\n  vendor: nvidia\n  metrics: {{ {} }}\n", c.text);
    EXPECT_EQ(message(text), fmt::format("s.yaml:{}", c.message)) << c.text;
  }
}

// What is wrong in a process, in line 5 from column 15.
TEST(ScenarioTest, AMistakeInAProcessIsRefusedWithItsPlace) {
  const Case cases[] = {
      {"{pid: 3}", "5:15: a process needs 'name', such as 'name: python3'"},
      {"{name: p, pid: 0}", "5:30: 'pid' must be from 1 to 4194304, not 0"},
      {"{name: p, pid: me}", "5:30: 'pid' must be a whole number, not 'me'"},
      {"{name: p, type: cuda}", "5:31: 'type' must be one of compute, graphics, compute+graphics, mps, not 'cuda'"},
      {"{name: p, memory: -5}", "5:33: 'memory' must not be negative, but is -5"},
      {"{name: p, utilization: 101}", "5:38: 'utilization' must be from 0 to 100, not 101"},
      {"{name: p, from: 60s, until: 60s}", "5:43: 'until' must be later than 'from'"},
      {"{name: p, repeat: 60s}", "5:33: a process that repeats needs 'until'"},
      {"{name: p, until: 90s, repeat: 60s}", "5:45: 'repeat' must not be shorter than the process runs, 90s"},
      {"{name: p, partition: 0}", "5:36: 'partition' is given, but the device has no 'partitions'"},
      {"{name: p, pid: 3}, {name: q, pid: 3}", "5:49: pid 3 is given twice on this device for the same time"},
      {"{name: p, start: 3s}",
       "5:25: unknown key 'start' in a process: known are: pid, name, type, memory, utilization, from, until, repeat, "
       "partition, user, command_line, executable, container, pod_uid, pod, unit, slurm_job, root, age, cpu, "
       "resident"},
      {"{name: p, user: [a]}", "5:31: 'user' must be a text, not a list"},
      {"{name: p, user: {reason: asleep}}", "5:32: unknown key 'reason' in user: known are: missing"},
      {"{name: p, executable: {missing: no}}",
       "5:47: 'missing' must be one of not_supported, not_permitted, not_yet_read, asleep, failed, not 'no'"},
      {"{name: p, container: 4f1c09}",
       "5:36: 'container' must be a runtime and an id such as docker:4f1c09aa37de, not '4f1c09'"},
      {"{name: p, container: 'docker:'}",
       "5:36: 'container' must be a runtime and an id such as docker:4f1c09aa37de, not 'docker:'"},
      {"{name: p, container: {id: 4f}}", "5:36: a container needs 'runtime', such as 'runtime: docker'"},
      {"{name: p, root: bash}",
       "5:31: a root must be a mapping such as {name: bash, pid: 4100, terminal: pts/3}, not 'bash'"},
      {"{name: p, root: {name: bash}}", "5:31: a root needs 'pid', such as 'pid: 4100'"},
      {"{name: p, age: 3}", "5:30: 'age' must be a duration such as 90s, 5m or 1h30m, not '3'"},
      {"{name: p, cpu: -1}", "5:30: 'cpu' must not be negative, but is -1"},
      {"{name: p, resident: much}",
       "5:35: 'resident' must be a size such as 80GiB, 512MiB or a number of bytes, not 'much'"},
  };
  for (const Case& c : cases) {
    const auto text = fmt::format("name: t\ndevices:\n- name: A\n  vendor: nvidia\n  processes: [{}]\n", c.text);
    EXPECT_EQ(message(text), fmt::format("s.yaml:{}", c.message)) << c.text;
  }
}

// What is wrong in a fault, in line 5 from column 12.
TEST(ScenarioTest, AMistakeInAFaultIsRefusedWithItsPlace) {
  const Case cases[] = {
      {"{start: 5s}", "5:12: a fault needs 'kind', such as 'kind: hang'"},
      {"{kind: hung}", "5:19: unknown kind of fault 'hung': did you mean 'hang'?"},
      {"{kind: fire}",
       "5:19: unknown kind of fault 'fire': known are: hang, lost, driver_mismatch, error, flapping, missing, asleep, "
       "appear, disappear, xid, ecc, pcie_error, engine_reset, gpu_reset, wedged, driver_reload"},
      {"{kind: hang, start: 5}", "5:32: 'start' must be a duration such as 90s, 5m or 1h30m, not '5'"},
      {"{kind: hang, duration: 0s}", "5:35: 'duration' must be longer than nothing"},
      {"{kind: hang, repeat: 5s}", "5:33: what repeats needs a 'duration'"},
      {"{kind: hang, duration: 9s, repeat: 5s}", "5:47: 'repeat' must not be shorter than the 'duration' of 9s"},
      {"{kind: hang, period: 5s}",
       "5:25: unknown key 'period' in a fault of kind hang: known are: kind, start, duration, repeat"},
      {"{kind: flapping}", "5:12: a fault of kind flapping needs 'metrics', such as 'metrics: [fan_rpm]'"},
      {"{kind: missing, metrics: fan}", "5:37: unknown metric 'fan': did you mean 'fan_percent'?"},
      {"{kind: missing, metrics: []}", "5:37: 'metrics' must name at least one metric"},
      {"{kind: error, code: bad}",
       "5:32: 'code' must be one of not_found, resource_exhausted, not_permitted, not_supported, deadline_exceeded, "
       "unavailable, internal, not 'bad'"},
      {"{kind: xid}", "5:12: a fault of kind xid needs 'xid', such as 'xid: 79'"},
      {"{kind: xid, xid: 0}", "5:29: 'xid' must be from 1 to 1000, not 0"},
      {"{kind: ecc}", "5:12: a fault of kind ecc needs 'corrected' or 'uncorrected', such as 'corrected: 1'"},
      {"{kind: ecc, corrected: -1}", "5:35: 'corrected' must be a whole number, not '-1'"},
      {"{kind: pcie_error, severity: bad}", "5:41: 'severity' must be one of correctable, non-fatal, fatal, not 'bad'"},
      {"{kind: pcie_error, count: 0}", "5:38: 'count' must be from 1 to 1000000000, not 0"},
      {"{kind: wedged, duration: 5s}",
       "5:27: unknown key 'duration' in a fault of kind wedged: known are: kind, start, repeat, message"},
      {"{kind: gpu_reset, repeat: 0s}", "5:38: 'repeat' must be longer than nothing"},
      {"{kind: appear}", "5:12: a fault of kind appear needs a 'start' after 0s"},
      {"{kind: driver_reload, duration: 5s}",
       "5:12: a fault of kind driver_reload is one of the whole machine: write it under the scenario's 'faults'"},
  };
  for (const Case& c : cases) {
    const auto text = fmt::format("name: t\ndevices:\n- name: A\n  vendor: nvidia\n  faults: [{}]\n", c.text);
    EXPECT_EQ(message(text), fmt::format("s.yaml:{}", c.message)) << c.text;
  }
  EXPECT_EQ(message("name: t\ndevices: []\nfaults: [{kind: driver_reload}]"),
            "s.yaml:3:10: a fault of kind driver_reload needs 'duration', such as 'duration: 5s'");
}

TEST(ScenarioTest, DevicesComeInPciOrderAndGetFreeAddressesAndPids) {
  const auto scenario = parse_scenario(R"(name: t
devices:
- {name: C, vendor: amd, pci_address: '0000:02:00.0', processes: [{name: p, pid: 10001}, {name: q}]}
- {name: A, vendor: intel, processes: [{name: r}]}
- {name: B, vendor: other}
)",
                                       "s.yaml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  std::string seen;
  for (const DeviceSpec& device : scenario->devices) {
    seen += fmt::format("{} {};", device.device.name, device.device.pci->to_string());
    for (const ProcessSpec& process : device.processes) seen += fmt::format(" {} {};", process.name, process.pid);
    seen += '\n';
  }
  EXPECT_EQ(seen, "A 0000:01:00.0; r 10003;\nC 0000:02:00.0; p 10001; q 10002;\nB 0000:03:00.0;\n");
  EXPECT_EQ(scenario->devices[0].device.id.text, "PCI-0000:01:00.0");
  EXPECT_EQ(scenario->devices[1].device.id.text.substr(0, 4), "AMD-");
  EXPECT_EQ(scenario->devices[2].device.minor_number, 2u);
}

TEST(ScenarioTest, OnePidMayServeTwoDevicesAndReturnLater) {
  EXPECT_EQ(message(R"(name: t
devices:
- {name: A, vendor: amd, processes: [{name: p, pid: 7, until: 60s}, {name: q, pid: 7, from: 60s}]}
- {name: B, vendor: amd, processes: [{name: p, pid: 7}]}
)"),
            "accepted");
}

TEST(ScenarioTest, MergedKeysGiveWayToTheMappingsOwn) {
  const auto scenario = parse_scenario(R"(name: t
devices:
- &a {name: A, vendor: amd, driver_version: '6.12', serial: x}
- {<<: *a, name: B}
)",
                                       "s.yaml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->devices[1].device.name, "B");
  EXPECT_EQ(scenario->devices[1].device.driver_version, "6.12");
  EXPECT_EQ(scenario->devices[1].device.serial, "x");
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(YamlTreeTest, HostileInputIsStopped) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const char last = static_cast<char>(c - 1);
    bomb += fmt::format("{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n", c, last);
  }
  EXPECT_EQ(parse_yaml(bomb, "b").error().message,
            "b:5:32: too large: more than 100000 values, counting what aliases repeat");
  EXPECT_EQ(parse_yaml(nested(33), "b").error().message, "b:1:33: nested more than 32 deep");
  EXPECT_EQ(parse_yaml(std::string(600'000, 'x'), "b").error().message, "b:1:1: too large: more than 524288 bytes");
  EXPECT_TRUE(parse_yaml(nested(32), "b"));
  EXPECT_FALSE(parse_yaml(std::string(100'000, '['), "b"));
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) chain += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  EXPECT_EQ(parse_yaml(chain, "b").error().message, "b:31:12: nested more than 32 deep");
}

}  // namespace
}  // namespace gpukeeper::simulated
