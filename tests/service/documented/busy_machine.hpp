#pragma once

#include "fakes/snapshots.hpp"
#include "machine/machine_reader.hpp"

namespace gpukeeper {

/// A computer on which something happens: two threads of one core, a disk, an interface, a training.
inline MachineFacts busy_machine() {
  MachineFacts facts;
  facts.taken_at = kThen;
  facts.processors = {.usage = Percent(42.25),
                      .each = {Percent(84.5), std::nullopt},
                      .frequency = Megahertz(3200.5),
                      .frequency_max = Megahertz(5000),
                      .temperature = Celsius(61),
                      .load_average = std::array{1.5, 1.25, 1.0},
                      .cores = 1,
                      .threads = 2};
  facts.memory = MemoryFacts{.total = from_mib(16'000),
                             .available = from_mib(4'000),
                             .free = from_mib(1'000),
                             .cached = from_mib(2'000),
                             .buffers = from_mib(100),
                             .swap_total = from_mib(2'000),
                             .swap_free = from_mib(1'500)};
  facts.disks = {
      {.mount = {"8:1", "/dev/sda1", "/", "ext4"},
       .space = {from_mib(1'000), from_mib(300), from_mib(600)},
       .read_bytes_per_second = 4096.0,
       .written_bytes_per_second = 0.0,
       .reads_per_second = 1.0,
       .writes_per_second = 0.0},
      {.mount = {"0:35", "/dev/sdb", "/data", "btrfs"}, .space = {from_mib(2'000), from_mib(1'800), from_mib(200)}}};
  facts.network.connections = 12;
  facts.network.interfaces = {{.name = "eth0",
                               .counters = {5'000, 40, 7'000, 60},
                               .received_bytes_per_second = 100.5,
                               .sent_bytes_per_second = 200.0,
                               .is_up = true,
                               .addresses = {"192.168.1.7", "fe80::1"}},
                              {.name = "wlan0", .counters = {1, 1, 1, 1}, .is_up = false}};
  BusyProcess training;
  training.stat.pid = 4242;
  training.stat.name = "python3";
  training.stat.state = 'R';
  training.cpu = Percent(118.04);
  training.resident = from_mib(6'144);
  training.memory = Percent(38.4);
  training.facts = mara_trains(4242);
  facts.processes = {.count = 99, .intensive = 1, .by_cpu = {training}, .by_memory = {training}};
  return facts;
}

}  // namespace gpukeeper
