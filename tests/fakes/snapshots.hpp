#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Hand-made snapshots for what renders them. 2026-05-28 20:26:40 UTC.
inline const WallTime kThen{std::chrono::seconds(1'780'000'000)};

inline DeviceSnapshot device(std::uint32_t index, Device facts, Reading reading, State state = State::optimal) {
  DeviceSnapshot d;
  d.index = index;
  facts.driver_version = std::string("580.105.08");
  if (facts.source.empty()) facts.source = "nvml";
  d.device = std::make_shared<const Device>(std::move(facts));
  d.reading = std::move(reading);
  d.read_at = kThen;
  d.available = true;
  d.state = state;
  return d;
}

inline Device facts(std::string uuid, std::string name, std::string pci, Vendor vendor = Vendor::nvidia) {
  Device result;
  result.id.text = std::move(uuid);
  result.name = std::move(name);
  result.vendor = vendor;
  result.pci = PciAddress::parse(pci);
  return result;
}

inline Reading busy() {
  Reading r{Missing::not_supported};
  r.temperature = Celsius(64);
  r.fan = Percent(45);
  r.utilization = Percent(97.4);
  r.memory_used = from_mib(62'000);
  r.memory_total = from_mib(81'559);
  r.memory_free = from_mib(19'559);
  r.power = Watts(612.345678);
  r.power_limit = Watts(700);
  r.clock_graphics = Megahertz(1980);
  r.throttle_reasons = ThrottleReasons();
  return r;
}

inline GpuProcess process(std::int64_t pid, std::string name, std::uint64_t mib) {
  GpuProcess p;
  p.pid = pid;
  p.name = std::move(name);
  p.type.compute = true;
  p.memory = from_mib(mib);
  return p;
}

/// The process with what is known of who it is: an ML training of mara's, in a terminal, for two hours.
inline ProcessFacts mara_trains(std::int64_t pid) {
  ProcessFacts facts;
  facts.pid = pid;
  facts.user = "mara";
  facts.uid = 1000u;
  facts.command = "python3";
  facts.command_line = "/usr/bin/python3 train.py --epochs 90";
  facts.executable = "/usr/bin/python3.11";
  facts.started = kThen - std::chrono::hours(2);
  facts.cpu = Percent(118);
  facts.resident = from_mib(6'144);
  facts.place = ProcessPlace{.unit = "session-4.scope"};
  facts.root = std::optional(InteractiveRoot{4100, "bash", "pts/2"});
  facts.classification = {ProcessClass::ml_training, "training-script", "it runs train.py", 0.9};
  return facts;
}

inline GpuProcess told(GpuProcess process, ProcessFacts facts) {
  facts.pid = process.pid;
  process.facts = std::make_shared<const ProcessFacts>(std::move(facts));
  return process;
}

inline void set_processes(DeviceSnapshot& d, std::vector<GpuProcess> list) {
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(list));
}

inline Snapshot machine(std::vector<DeviceSnapshot> devices) {
  Snapshot snapshot;
  snapshot.sequence = 7;
  snapshot.taken_at = kThen + std::chrono::milliseconds(250);
  snapshot.host = "gpu-box";
  snapshot.sources = {{"nvml", true, "", devices.size()}};
  snapshot.devices = std::move(devices);
  return snapshot;
}

/// A busy GPU, one that is held back and nearly full, one asleep, one that does not answer.
inline Snapshot four_gpus() {
  auto busy_one = device(0, facts("GPU-aaaa", "NVIDIA H100 80GB HBM3", "0000:01:00.0"), busy());
  set_processes(busy_one, {process(4242, "python3", 12'000), process(5000, "vllm", 50'000)});

  Reading held = busy();
  held.temperature = Celsius(83);
  held.memory_used = from_mib(79'000);
  held.throttle_reasons = ThrottleReasons(Throttle::software_power_cap);
  auto held_one = device(1, facts("GPU-bbbb", "NVIDIA H100 80GB HBM3", "0000:02:00.0"), held, State::critical);

  Reading sleeping{Missing::asleep};
  sleeping.attention = Attention::asleep;
  auto sleeper = device(2, facts("AMD-cccc", "Navi 48 [Radeon RX 9070]", "0000:03:00.0", Vendor::amd), sleeping,
                        State::unavailable);
  sleeper.available = false;
  sleeper.reason = "asleep (runtime-suspended); it is not woken to be looked at";

  auto silent = device(3, facts("GPU-dddd", "NVIDIA H100 80GB HBM3", "0000:04:00.0"), Reading{Missing::failed},
                       State::unavailable);
  silent.available = false;
  silent.reason = "driver did not answer";
  return machine({busy_one, held_one, sleeper, silent});
}

/// One physical device split in two.
inline Snapshot split_gpu() {
  Reading whole = busy();
  whole.utilization = missing(Missing::not_supported);
  whole.mig_mode = true;
  auto parent = device(0, facts("GPU-aaaa", "NVIDIA A100-SXM4-80GB", "0000:01:00.0"), whole);
  for (std::uint32_t i = 0; i < 2; ++i) {
    Device part = facts("MIG-" + std::to_string(i), "NVIDIA A100-SXM4-80GB MIG 3g.40gb", "0000:01:00.0");
    part.parent = DeviceId{"GPU-aaaa"};
    part.partition = "3g.40gb (GPU instance " + std::to_string(i + 1) + ")";
    Reading r{Missing::not_supported};
    r.memory_used = from_mib(1'000 * (i + 1));
    r.memory_total = from_mib(40'192);
    parent.partitions.push_back(device(i, part, r));
    parent.partitions.back().parent_index = parent.index;
  }
  auto inside = process(77, "trainer", 900);
  inside.partition = DeviceId{"MIG-1"};
  set_processes(parent, {inside});
  return machine({parent});
}

inline Snapshot simulated_gpu() {
  Device made_up = facts("GPU-sim", "NVIDIA GeForce RTX 4090", "0000:01:00.0");
  made_up.simulated = true;
  made_up.source = "simulated";
  auto d = device(0, made_up, busy());
  set_processes(d, {process(10'001, "python3", 2'048)});
  return machine({d});
}

}  // namespace gpukeeper
