#include "backend/rocm_smi/rocm_smi_backend.hpp"

#include <utility>

#include <fmt/format.h>

#include "backend/rocm_smi/parse.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

struct Remedy {
  std::string_view words;  // in what rocm-smi printed
  std::string_view advice;
};

constexpr Remedy kRemedies[] = {
    {"Driver not initialized", "the kernel module is not loaded: load it with: modprobe amdgpu"},
    {"librocm_smi64", "install the ROCm SMI library (Debian: librocm-smi64-1) beside the program"},
    {"Permission denied", "this user may not open /dev/kfd: add it to the groups render and video"},
};

// What it said, in one line.
std::string said(const ProgramOutput& output) {
  std::string text;
  for (const std::string* stream : {&output.err, &output.out}) {
    for (const auto line : lines(*stream)) {
      const auto words = trim(line);
      if (words.empty() || words.starts_with('{') || words.starts_with("Traceback") || text.size() > 400) continue;
      if (!text.empty()) text += ' ';
      text += printable(words.substr(0, 300));
    }
  }
  return text;
}

}  // namespace

Result<ToolDocument> understand_rocm_smi(const ProgramOutput& output) {
  auto document = parse_rocm_smi(output.out);
  // It ends with status 1 or 2 when one of its many questions failed on one card; what it did print is good.
  if (document) return document;
  if (output.exit_status == 0 && !trim(output.out).empty()) {
    return fail(Errc::unavailable, document.error().message);
  }
  std::string message = output.exit_status == 0 ? "rocm-smi --showallinfo --json printed nothing"
                                                : fmt::format("rocm-smi --showallinfo --json ended with exit status {}",
                                                              output.exit_status);
  const auto words = said(output);
  if (!words.empty()) message += fmt::format(": {}", words);
  for (const Remedy& remedy : kRemedies) {
    if (words.find(remedy.words) == std::string::npos) continue;
    message += fmt::format("; {}", remedy.advice);
    break;
  }
  return fail(Errc::unavailable, std::move(message));
}

Result<std::unique_ptr<Backend>> open_rocm_smi(RocmSmiOptions options, ToolWorld world) {
  Tool tool;
  tool.name = "rocm-smi";
  tool.program = std::move(options.program);
  tool.also_in = {"/opt/rocm/bin"};
  // One option that every release has. Naming single questions would cost less, but one unknown name ends the program.
  tool.arguments = {"--showallinfo", "--json"};
  tool.remedy = "install it (Debian: rocm-smi; AMD's packages: rocm-smi-lib), or put it into PATH";
  tool.vendor = Vendor::amd;
  tool.pci_vendor = 0x1002;
  tool.driver = "amdgpu";
  tool.parse = parse_rocm_smi;
  tool.understand = understand_rocm_smi;
  return ToolBackend::open(std::move(tool), std::move(options.tool), world);
}

}  // namespace gpukeeper
