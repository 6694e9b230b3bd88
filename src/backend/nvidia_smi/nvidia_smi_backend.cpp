#include "backend/nvidia_smi/nvidia_smi_backend.hpp"

#include <utility>

#include <fmt/format.h>

#include "backend/nvidia_smi/parse.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

struct Remedy {
  std::string_view words;  // in what nvidia-smi printed
  std::string_view advice;
};

constexpr Remedy kRemedies[] = {
    {"version mismatch",
     "the loaded kernel module and the installed library are of different versions: reload the nvidia modules, or "
     "reboot"},
    {"couldn't communicate with the NVIDIA driver",
     "the kernel module is not loaded: install the NVIDIA driver, or load it with: modprobe nvidia"},
    {"Driver Not Loaded", "load the kernel module with: modprobe nvidia"},
    {"Insufficient Permissions", "this user may not open /dev/nvidia*: add it to the group that owns them"},
    {"Unable to determine the device handle",
     "one GPU keeps nvidia-smi from reading any: look for Xid errors in the kernel log (dmesg), then reset it or "
     "reboot"},
    {"libnvidia-ml.so", "install the driver's NVML library (Debian: libnvidia-ml1), of the same version as the driver"},
};

// What it said, in one line.
std::string said(const ProgramOutput& output) {
  std::string text;
  for (const std::string* stream : {&output.out, &output.err}) {
    for (const auto line : lines(*stream)) {
      if (trim(line).starts_with('<')) break;  // XML is no message
      if (trim(line).empty() || text.size() > 400) continue;
      if (!text.empty()) text += ' ';
      text += printable(trim(line).substr(0, 300));
    }
  }
  return text;
}

}  // namespace

Result<ToolDocument> understand_nvidia_smi(const ProgramOutput& output) {
  const auto words = said(output);
  // Exit status 6 (NVML_ERROR_NOT_FOUND) and these words: a driver without a GPU.
  if (words.starts_with("No devices were found")) return ToolDocument{};
  const bool has_document = output.out.find("<nvidia_smi_log") != std::string::npos;
  if (has_document) {
    auto document = parse_nvidia_smi(output.out);
    // With some GPUs lost, the exit status is not zero and the document is there all the same.
    if (document) return document;
    if (output.exit_status == 0) return fail(Errc::unavailable, document.error().message);
  }
  std::string message = output.exit_status == 0
                            ? "nvidia-smi -q -x printed no XML"
                            : fmt::format("nvidia-smi -q -x ended with exit status {}", output.exit_status);
  if (!words.empty()) message += fmt::format(": {}", words);
  for (const Remedy& remedy : kRemedies) {
    if (words.find(remedy.words) == std::string::npos) continue;
    message += fmt::format("; {}", remedy.advice);
    break;
  }
  return fail(Errc::unavailable, std::move(message));
}

Result<std::unique_ptr<Backend>> open_nvidia_smi(NvidiaSmiOptions options, ToolWorld world) {
  Tool tool;
  tool.name = "nvidia-smi";
  tool.program = std::move(options.program);
  tool.also_in = {"/usr/lib/wsl/lib", "/usr/local/nvidia/bin"};  // WSL 2; where GKE mounts the driver
  tool.arguments = {"-q", "-x"};
  tool.remedy = "install the NVIDIA driver's tools (Debian: nvidia-smi; Ubuntu: nvidia-utils), or put them into PATH";
  tool.vendor = Vendor::nvidia;
  tool.pci_vendor = 0x10de;
  tool.driver = "nvidia";
  tool.parse = parse_nvidia_smi;
  tool.understand = understand_nvidia_smi;
  return ToolBackend::open(std::move(tool), std::move(options.tool), world);
}

}  // namespace gpukeeper
