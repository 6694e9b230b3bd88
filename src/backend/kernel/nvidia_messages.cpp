#include "backend/kernel/messages.hpp"

/// NVIDIA's driver, by the lines that it writes as of branches 340 to 590 (open-gpu-kernel-modules, and reports of
/// users for the older forms), and nouveau's.
namespace gpukeeper {
namespace {

// "PCI:0000:01:00", "0000:01:00.0": older lines lack the word, and most the function.
std::optional<PciAddress> address_of(std::string_view text) {
  skip(text, "PCI:");
  if (const auto whole = PciAddress::parse(text); whole && text.find('.') != std::string_view::npos) return whole;
  return PciAddress::parse(std::string(text.substr(0, 24)) + ".0");
}

// "pid=1234, name=python3, ", "pid='<unknown>', name=<unknown>, ", or nothing of it.
void read_process(DeviceEvent& event, std::string_view text) {
  const auto number = after(text, " pid=");
  if (!number) return;
  std::string_view rest = *number;
  skip(rest, "'");
  const auto pid = take_number(rest);
  if (!pid) return;
  skip(rest, "'");
  std::string_view name;
  if (skip(rest, ", name=")) name = rest.substr(0, rest.find(", "));
  blame(event, name, pid);
}

// "Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
// "Xid (PCI:0000:41:00 GPU-I:05): 13, …" is one of a MIG instance.
std::optional<KernelMessage> read_xid(const KernelLine& line) {
  std::string_view rest = line.text;
  if (!skip(rest, "Xid (")) return std::nullopt;
  const auto end = rest.find("): ");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view place = rest.substr(0, end);
  const auto address = address_of(place.substr(0, place.find(' ')));
  rest.remove_prefix(end + 3);
  const auto number = take_number(rest);
  if (!address || !number || !(rest.empty() || rest.starts_with(','))) return std::nullopt;
  KernelMessage found = message(line, EventKind::xid);
  found.event.pci = address;
  found.event.code = *number;
  read_process(found.event, rest);
  return found;
}

constexpr MessageRow kNvidia[] = {
    {"GPU ", "has fallen off the bus", EventKind::lost},
    {"loading NVIDIA UNIX ", "Kernel Module", EventKind::driver_reload},
    {"API mismatch", "", EventKind::driver},
    {"GPU ", "RmInitAdapter failed", EventKind::driver},
};

constexpr MessageRow kNouveau[] = {
    {"fifo: fault ", "", EventKind::driver},
    {"fifo: ", "SCHED_ERROR", EventKind::gpu_hang},
    {"", " killed!", EventKind::engine_reset},
};

}  // namespace

std::optional<KernelMessage> read_nvidia(const KernelLine& line) {
  if (auto xid = read_xid(line)) return xid;
  for (const MessageRow& row : kNvidia) {
    if (!line.text.starts_with(row.start) || line.text.find(row.words) == std::string_view::npos) continue;
    KernelMessage found = message(line, row.kind);
    std::string_view place = line.text;
    if (skip(place, "GPU at ") || skip(place, "GPU ")) {
      place = place.substr(0, place.find(' '));
      while (place.ends_with(':')) place.remove_suffix(1);
      found.event.pci = address_of(place);
    }
    return found;
  }
  return std::nullopt;
}

std::optional<KernelMessage> read_nouveau(const KernelLine& line) {
  for (const MessageRow& row : kNouveau) {
    if (line.text.starts_with(row.start) && line.text.find(row.words) != std::string_view::npos) {
      return message(line, row.kind);
    }
  }
  return std::nullopt;
}

}  // namespace gpukeeper
