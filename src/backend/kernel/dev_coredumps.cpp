#include "backend/kernel/dev_coredumps.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kFolder = "/sys/class/devcoredump";

}  // namespace

Result<std::vector<DeviceEvent>> DevCoredumps::take_events() {
  std::vector<DeviceEvent> events;
  std::set<std::string> present;
  const auto names = files_.list(kFolder);
  if (!names) return events;
  for (const std::string& name : *names) {
    std::string_view number = name;
    if (!name.starts_with("devcd") || !parse_u64(number.substr(5))) continue;
    present.insert(name);
    if (seen_.contains(name)) continue;
    const auto folder = fmt::format("{}/{}", kFolder, name);
    const auto link = files_.read_link(folder + "/failing_device");
    const auto address = link ? PciAddress::parse(link->substr(link->find_last_of('/') + 1)) : std::nullopt;
    const auto gpu = address ? places_.gpu_of(*address) : std::nullopt;
    if (!gpu) continue;
    DeviceEvent event;
    event.kind = EventKind::devcoredump;
    event.at = clock_.wall();
    event.pci = gpu;
    event.detail = fmt::format("save it with `sudo cp {}/data FILE` before the kernel deletes it", folder);
    event.source = this->name();
    // The kernel numbers dumps from boot on and uses no number twice.
    const auto boot = files_.read("/proc/sys/kernel/random/boot_id");
    event.key = fmt::format("{}/{}", boot ? trim(*boot) : "unknown", name);
    events.push_back(std::move(event));
  }
  seen_ = std::move(present);
  return events;
}

}  // namespace gpukeeper
