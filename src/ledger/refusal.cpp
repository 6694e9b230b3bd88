#include "ledger/refusal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"

namespace gpukeeper {
namespace {

constexpr std::array<std::string_view, 15> kBars = {
    "none",    "unavailable", "closed", "not_allowed", "not_required", "name_taken", "exclusive", "occupied",
    "foreign", "unknown",     "never",  "burst",       "documented",   "no_room",    "reserved"};
constexpr std::array<std::string_view, 8> kCauses = {"closed",    "invalid", "misused_id", "quota",
                                                     "no_device", "never",   "no_room",    "queue_full"};

std::string duration(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 59) / 60);
}

std::string holder(const Owner& owner) {
  if (const auto* process = std::get_if<ProcessOwner>(&owner)) return fmt::format(" (process {})", process->pid);
  return {};
}

std::string describe(const InTheWay& lease) {
  std::string text = fmt::format("lease {} of {}{} ", number(lease.id), harmless(lease.service), holder(lease.owner));
  text += lease.state == LeaseState::draining ? "is giving back " : "has ";
  text += mib(lease.charge);
  if (lease.ends_in && lease.state != LeaseState::draining) {
    text += fmt::format(" and expires in {}", duration(*lease.ends_in));
  }
  return text;
}

std::string describe(const ForeignProcess& process) {
  const std::string name = process.name.empty() ? "" : fmt::format(" ({})", harmless(process.name));
  if (!process.memory) return fmt::format("process {}{} uses it without a lease", process.pid, name);
  return fmt::format("process {}{} uses {} without a lease", process.pid, name, mib(*process.memory));
}

// What is in the way, joined; empty when nothing is.
std::string obstacles(const DeviceRefusal& device) {
  std::vector<std::string> parts;
  for (const InTheWay& lease : device.leases) parts.push_back(describe(lease));
  if (device.more_leases > 0) parts.push_back(fmt::format("{} smaller leases have the rest", device.more_leases));
  Bytes known{0};
  for (const ForeignProcess& process : device.foreign) {
    parts.push_back(describe(process));
    known = known + process.memory.value_or(Bytes(0));
  }
  if (const Bytes rest = remaining(device.unmanaged, known); rest >= 1_MiB) {
    parts.push_back(fmt::format("{} more are used by nobody known", mib(rest)));
  }
  if (device.reclaimable > Bytes(0)) {
    parts.push_back(
        fmt::format("{} are used beyond what is guaranteed and could be asked back", mib(device.reclaimable)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string reason(const DeviceRefusal& device) {
  switch (device.bar) {
    case Bar::none: return "has room, but the request needs more devices";
    case Bar::unavailable: return "is not available: " + device.detail;
    case Bar::closed: return device.detail;
    case Bar::not_allowed: return "is not one that the service may use";
    case Bar::not_required: return "is not the one that is required";
    case Bar::name_taken: return "has a lease of that name already";
    case Bar::exclusive: return "is taken by one lease alone";
    case Bar::occupied: return "is not empty, and it is wanted alone";
    case Bar::foreign: return "is used by processes without a lease, and it is wanted alone";
    case Bar::unknown: return "cannot say what it has free: " + device.detail;
    case Bar::never: return fmt::format("could give {} at most, when it is empty", mib(device.capacity));
    case Bar::burst: return fmt::format("has promised too much at most to others: {} short", mib(device.short_by));
    case Bar::documented:
      return fmt::format("has {} left within memory_limit_mb and memory_reserve_mb, {} short", mib(device.available),
                         mib(device.short_by));
    case Bar::no_room: return fmt::format("has {} available, {} short", mib(device.available), mib(device.short_by));
    case Bar::reserved:
      return fmt::format("has {} available, but lease {} waits for it and came before", mib(device.available),
                         number(device.behind));
  }
  return {};
}

}  // namespace

std::string_view to_string(Bar bar) {
  return kBars[static_cast<std::size_t>(bar)];
}

std::string_view to_string(RefusalCause cause) {
  return kCauses[static_cast<std::size_t>(cause)];
}

std::vector<std::string> Refusal::sentences() const {
  std::vector<std::string> all = {error.message};
  for (const DeviceRefusal& device : devices) {
    const std::string in_the_way = obstacles(device);
    all.push_back(fmt::format("GPU {} ({}) {}{}{}", device.index, harmless(device.device), reason(device),
                              in_the_way.empty() ? "" : ": ", in_the_way));
  }
  return all;
}

std::string Refusal::text() const {
  return fmt::format("{}", fmt::join(sentences(), "\n"));
}

}  // namespace gpukeeper
