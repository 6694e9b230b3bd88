#include "backend/kernel/pci_errors.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr auto kPeriod = std::chrono::seconds(10);
constexpr std::size_t kMostRows = 64;  // the kernel knows 16 and 27 kinds

struct Kind {
  std::string_view file;
  std::string_view word;  // as the catalogue of faults tells them apart
};
constexpr Kind kKinds[] = {
    {"aer_dev_correctable", "correctable"}, {"aer_dev_nonfatal", "non-fatal"}, {"aer_dev_fatal", "fatal"}};

}  // namespace

std::map<std::string, std::uint64_t, std::less<>> parse_aer_counters(std::string_view text) {
  std::map<std::string, std::uint64_t, std::less<>> result;
  for (const auto line : lines(text)) {
    const auto blank = line.rfind(' ');
    if (blank == std::string_view::npos || line.starts_with("TOTAL_") || result.size() >= kMostRows) continue;
    const auto count = parse_u64(line.substr(blank + 1));
    if (count) result.emplace(harmless(trim(line.substr(0, blank)), false), *count);
  }
  return result;
}

Result<std::vector<DeviceEvent>> PciErrors::take_events() {
  std::vector<DeviceEvent> events;
  const auto now = clock_.now();
  const bool due = !looked_ || now - *looked_ >= kPeriod;
  if (due) {
    looked_ = now;
    counted_ = false;
    for (const auto& place : std::vector(places_.all())) {
      counted_ |= look(place.gpu.address, place.gpu.address, events);
      for (const PciAddress& port : place.ports) {
        if (places_.gpu_of(port) == place.gpu.address) look(port, place.gpu.address, events);
      }
    }
  }
  if (!counted_ && !places_.all().empty()) {
    return fail(Errc::not_supported,
                "the kernel counts no PCIe errors of the GPUs: it was built without CONFIG_PCIEAER, or the machine's "
                "firmware or hypervisor keeps them to itself");
  }
  return events;
}

// Whether the kernel counts for that function.
bool PciErrors::look(const PciAddress& function, const PciAddress& gpu, std::vector<DeviceEvent>& events) {
  for (const Kind& kind : kKinds) {
    const auto path = fmt::format("/sys/bus/pci/devices/{}/{}", function.to_string(), kind.file);
    const auto text = files_.read(path);
    if (!text) {
      known_.erase(path);  // it has left: what comes back counts from zero
      if (&kind == std::begin(kKinds)) return false;
      continue;
    }
    Counters now = parse_aer_counters(*text);
    const auto known = known_.find(path);
    if (known != known_.end()) {
      std::string rows;
      std::uint64_t more = 0;
      for (const auto& [row, count] : now) {
        const auto before = known->second.find(row);
        const std::uint64_t had = before == known->second.end() ? 0 : before->second;
        if (count <= had) continue;
        more += count - had;
        rows += fmt::format("{}{} {}", rows.empty() ? "" : ", ", count - had, row);
      }
      if (more > 0) {
        DeviceEvent event;
        event.kind = EventKind::pcie_error;
        event.at = clock_.wall();
        event.pci = gpu;
        event.count = more;
        event.detail = function == gpu ? fmt::format("{}: {}", kind.word, rows)
                                       : fmt::format("{}, at port {}: {}", kind.word, function.to_string(), rows);
        event.source = name();
        events.push_back(std::move(event));
      }
    }
    known_[path] = std::move(now);
  }
  return true;
}

}  // namespace gpukeeper
