// The kernel's files about a computer, or whatever a container puts in their place: what is taken from them is bounded
// and makes sense.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "machine/disks.hpp"
#include "machine/memory.hpp"
#include "machine/network.hpp"
#include "machine/processors.hpp"
#include "machine/rate.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto memory = parse_meminfo(text)) {
    require(memory->used() <= memory->total);
    require(memory->used_share() >= Percent(0) && memory->used_share() <= Percent(100));
  }
  const auto mounts = parse_mounts(text, "\text4\n\txfs\n");
  require(mounts.size() <= 256);
  for (const Mount& mount : mounts) require(!mount.number.empty() && !mount.file_system.empty());
  for (const auto& [number, counters] : parse_disk_counters(text)) require(number.find(':') != number.npos);
  const auto network = parse_network(text);
  require(network.size() <= 1024);
  for (const auto& [name, counters] : network) {
    require(!name.empty() && name.find('/') == name.npos);
    const auto grown = rate(counters.sent_bytes, counters.received_bytes, std::chrono::seconds(1));
    require(!grown || *grown >= 0);
  }
  static_cast<void>(parse_connections(text));
  const auto times = parse_processor_times(text);
  require(times.each.size() <= 8192);
  if (times.all) require(times.all->busy <= times.all->total);
  if (const auto load = parse_load_average(text)) {
    for (const double each : *load) require(each >= 0);
  }
  return 0;
}
