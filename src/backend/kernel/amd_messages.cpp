#include "backend/kernel/messages.hpp"
#include "core/text.hpp"

/// amdgpu's lines: drivers/gpu/drm/amd/amdgpu/{amdgpu_job,amdgpu_device,amdgpu_ras,gmc_v*}.c of kernels 5.4 to 7.0.
namespace gpukeeper {
namespace {

// "GPU reset begin!" and "GPU reset succeeded, trying to resume" are steps on the way to one of these results.
constexpr MessageRow kRows[] = {
    {"ring ", " timeout, but soft recovered", EventKind::engine_reset},
    {"ring ", " timeout", EventKind::gpu_hang},
    {"Ring ", " reset succe", EventKind::engine_reset},
    {"Ring ", " reset fail", EventKind::engine_reset},
    {"GPU reset(", ") succeeded", EventKind::gpu_reset},
    {"GPU reset(", ") failed", EventKind::gpu_reset},
    {"GPU reset end with ret = -", "", EventKind::gpu_reset},
    {"GPU Recovery Failed", "", EventKind::gpu_reset},
    {"device wedged, needs recovery", "", EventKind::wedged},
    {"device lost from bus", "", EventKind::lost},
    {"Fatal error during GPU init", "", EventKind::driver},
    {"", "page fault (src_id", EventKind::driver},
    {"GPU fault detected", "", EventKind::driver},
};

bool awaits_process(std::string_view text) {
  return text.find(" timeout") != std::string_view::npos || text.find("fault") != std::string_view::npos;
}

// "Process information: process NAME pid 1 thread NAME pid 1", " Process NAME pid 1 thread …", "…, for process NAME pid
// 1 thread …". A name may hold anything, " pid " too; the first that a number follows is taken.
bool read_process(DeviceEvent& event, std::string_view text) {
  auto rest = after(text, "process ");
  if (!rest) rest = after(text, "Process ");
  if (!rest) return false;
  for (auto at = rest->find(" pid "); at != std::string_view::npos; at = rest->find(" pid ", at + 1)) {
    std::string_view number = rest->substr(at + 5);
    const auto pid = take_number(number);
    if (!pid || !(number.empty() || number.starts_with(' ') || number.starts_with(')'))) continue;
    blame(event, rest->substr(0, at), pid);
    return true;
  }
  return false;
}

// "socket: 0, die: 1, 3 new uncorrectable hardware errors detected in umc block". Sums ("in total") repeat what was
// told, and a zero is no news.
std::optional<KernelMessage> read_ras(const KernelLine& line) {
  const auto at = line.text.find("correctable hardware error");
  if (at == std::string_view::npos || line.text.find(" in total ") != std::string_view::npos) return std::nullopt;
  KernelMessage found = message(line, EventKind::ras);
  std::string_view before = trim(line.text.substr(0, line.text.substr(0, at).ends_with("un") ? at - 2 : at));
  if (before.ends_with(" new")) before = trim(before.substr(0, before.size() - 4));
  const auto number = parse_u64(before.substr(before.find_last_of(' ') + 1));
  if (number == 0u) return std::nullopt;
  found.event.count = number.value_or(1);
  return found;
}

// "RAS poison consumption …", "Poison is consumed by client gfx". That the card knows poison is said at its start.
bool tells_of_poison(std::string_view text) {
  const std::string words = to_lower(text.substr(0, 512));
  return words.find("poison") != std::string::npos &&
         (words.find("consum") != std::string::npos || words.find("created") != std::string::npos);
}

}  // namespace

std::optional<KernelMessage> read_amd(const KernelLine& line) {
  const std::string_view text = trim(line.text);
  if (text.starts_with("Process ")) {
    KernelMessage found = message(line, EventKind::driver);
    found.names_process = true;
    return read_process(found.event, text) ? std::optional(found) : std::nullopt;
  }
  if (auto ras = read_ras(line)) return ras;
  if (tells_of_poison(text)) return message(line, EventKind::ras);
  for (const MessageRow& row : kRows) {
    if (!text.starts_with(row.start) || text.find(row.words) == std::string_view::npos) continue;
    KernelMessage found = message(line, row.kind);
    found.awaits_process = awaits_process(text) && !read_process(found.event, text);
    return found;
  }
  return std::nullopt;
}

}  // namespace gpukeeper
