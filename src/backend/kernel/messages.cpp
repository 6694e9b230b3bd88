#include "backend/kernel/messages.hpp"

#include <algorithm>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

std::string shown(std::string_view text, std::size_t width) {
  constexpr std::size_t kMostBytes = 2048;  // of a text that a printk may hold, so that nothing here takes long
  return fit(harmless(printable(trim(text.substr(0, kMostBytes)))), width);
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// "GT0: ", "Tile1: ": xe says which part of the device speaks.
bool skip_part(std::string_view& text, std::string_view name) {
  std::string_view rest = text;
  if (!skip(rest, name) || !take_number(rest) || !skip(rest, ": ")) return false;
  text = rest;
  return true;
}

// "[drm] ", "[drm:amdgpu_job_timedout [amdgpu]] ": the module within the inner brackets is who speaks.
bool skip_drm(std::string_view& text, std::string_view& module) {
  std::string_view rest = text;
  if (skip(rest, "[drm] ")) {
    text = rest;
    return true;
  }
  if (!skip(rest, "[drm:")) return false;
  const auto end = rest.find("] ");
  if (end == std::string_view::npos) return false;
  const auto inner = after(rest.substr(0, end), " [");
  if (inner) module = inner->substr(0, inner->find(']'));
  text = rest.substr(end + 2);
  return true;
}

void skip_marks(KernelLine& line) {
  std::string_view module;
  while (skip(line.text, "amdgpu: ") || skip_drm(line.text, module) || skip(line.text, "*ERROR* ") ||
         skip_part(line.text, "Tile") || skip_part(line.text, "GT") || skip(line.text, "GUC: ")) {
  }
  if (line.driver == "drm" && is_word(module)) line.driver = module;
}

// "[drm] Initialized amdgpu 3.54.0 20150101 for 0000:08:00.0 on minor 1": a driver begins to drive a device.
std::optional<KernelMessage> read_initialized(const KernelLine& line) {
  std::string_view rest = line.text;
  if (!skip(rest, "Initialized ")) return std::nullopt;
  for (const std::string_view driver : {"amdgpu", "i915", "xe", "nouveau"}) {
    if (!rest.starts_with(driver) || !rest.substr(driver.size()).starts_with(' ')) continue;
    KernelMessage found = message(line, EventKind::driver_reload);
    found.driver = driver;
    if (const auto address = after(rest, " for "); address && !found.event.pci) {
      found.event.pci = PciAddress::parse(address->substr(0, address->find(' ')));
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> after(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + mark.size());
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_u64(text.substr(0, digits));
  if (number) text.remove_prefix(digits);
  return number;
}

KernelMessage message(const KernelLine& line, EventKind kind) {
  KernelMessage result;
  result.driver = line.driver;
  result.event.kind = kind;
  result.event.pci = line.pci;
  result.event.detail = shown(line.text, kMaxDetail);
  return result;
}

void blame(DeviceEvent& event, std::string_view name, std::optional<std::uint64_t> pid) {
  constexpr std::uint64_t kMostPid = 1 << 22;  // PID_MAX_LIMIT
  if (!pid || *pid == 0 || *pid > kMostPid) return;
  event.pid = static_cast<std::int64_t>(*pid);
  event.process = shown(name, kMaxProcessName);
}

std::optional<KernelLine> split_line(std::string_view text) {
  KernelLine line;
  if (skip(text, "NVRM: ")) return KernelLine{"NVRM", std::nullopt, text};
  if (text.starts_with("[drm")) {
    line = {"drm", std::nullopt, text};
    skip_marks(line);
    return line;
  }
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos || !is_word(text.substr(0, blank))) return std::nullopt;
  const auto colon = text.find(": ", blank);
  if (colon == std::string_view::npos) return std::nullopt;
  line.driver = text.substr(0, blank);
  line.pci = PciAddress::parse(text.substr(blank + 1, colon - blank - 1));
  if (!line.pci) return std::nullopt;
  line.text = text.substr(colon + 2);
  skip_marks(line);
  return line;
}

std::optional<KernelMessage> read_message(std::string_view text, std::optional<PciAddress> device) {
  auto line = split_line(text);
  if (!line) return std::nullopt;
  if (!line->pci) line->pci = device;
  if (line->driver == "NVRM") return read_nvidia(*line);
  if (line->pci) {
    if (auto found = read_pci(*line)) return found;
  }
  if (auto found = read_initialized(*line)) return found;
  if (line->driver == "amdgpu") return read_amd(*line);
  if (line->driver == "nouveau") return read_nouveau(*line);
  if (line->driver == "i915" || line->driver == "xe" || line->driver == "drm") return read_intel(*line);
  return std::nullopt;
}

}  // namespace gpukeeper
