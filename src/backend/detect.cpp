#include "backend/detect.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>

#include "backend/amdgpu/amdgpu_backend.hpp"
#include "backend/basic/basic_backend.hpp"
#include "backend/intel/intel_backend.hpp"
#include "backend/kernel/dev_coredumps.hpp"
#include "backend/kernel/kernel_log.hpp"
#include "backend/kernel/kmsg_file.hpp"
#include "backend/kernel/pci_errors.hpp"
#include "backend/nvidia_smi/nvidia_smi_backend.hpp"
#include "backend/nvml/nvml_backend.hpp"
#include "backend/replay/replay.hpp"
#include "backend/rocm_smi/rocm_smi_backend.hpp"
#include "backend/simulated/simulated_backend.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/pci_bus.hpp"
#include "backend/sysfs/sysfs_source.hpp"
#include "core/program.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::uint16_t kNvidia = 0x10de;

/// What a vendor's GPUs need on this machine.
struct VendorNeeds {
  std::string_view name;
  std::uint16_t pci_vendor;
  std::vector<std::string_view> drivers;  // of the kernel, any of them
  std::string_view remedy;                // when a GPU has no driver
};

const VendorNeeds kNeeds[] = {
    {"NVIDIA",
     0x10de,
     {"nvidia", "nouveau"},
     "install NVIDIA's driver and reboot (Debian: apt install nvidia-driver; Ubuntu: ubuntu-drivers install)"},
    {"AMD",
     0x1002,
     {"amdgpu", "radeon"},
     "load its driver (modprobe amdgpu) and its firmware (Debian: apt install firmware-amd-graphics; Ubuntu: "
     "linux-firmware)"},
    {"Intel",
     0x8086,
     {"i915", "xe"},
     "load its driver (modprobe xe, or i915) and its firmware (Debian: apt install firmware-misc-nonfree; Ubuntu: "
     "linux-firmware)"},
};

/// What was found of a vendor's GPUs, as a sentence, and what to do about it.
Finding look_for(const VendorNeeds& needs, PciBus& bus, bool sysfs) {
  Finding finding{std::string(needs.name), "", ""};
  if (!sysfs) {
    finding.looked = "/sys/bus/pci/devices cannot be read, so it is not known whether there is one";
    finding.remedy = "mount sysfs; in a container, mount the host's /sys";
    return finding;
  }
  const auto gpus = bus.gpus(needs.pci_vendor);
  if (gpus.empty()) {
    finding.looked = fmt::format("no GPU of {}'s is on the PCI bus", needs.name);
    return finding;
  }
  for (const PciGpu& gpu : gpus) {
    const auto address = gpu.address.to_string();
    if (!gpu.driver) continue;
    if (gpu.driver->empty()) {
      finding.looked = fmt::format("the GPU at {} has no kernel driver", address);
      finding.remedy = needs.remedy;
      return finding;
    }
    if (std::ranges::find(needs.drivers, *gpu.driver) == needs.drivers.end()) {
      finding.looked = fmt::format("the GPU at {} is bound to the driver {}", address, *gpu.driver);
      finding.remedy = gpu.driver == "vfio-pci" ? "it is given to a virtual machine: look at it from there"
                                                : std::string(needs.remedy);
      return finding;
    }
  }
  finding.looked =
      fmt::format("{} of {}'s on the PCI bus, with {} driving {}", gpus.size() == 1 ? "a GPU" : "GPUs", needs.name,
                  gpus.front().driver.value_or("an unknown driver"), gpus.size() == 1 ? "it" : "them");
  return finding;
}

/// What the backends of one call look at. Shared by all of them, so that one whose thread hangs in a driver while the
/// program ends finds it still there.
struct World {
  World(std::shared_ptr<Clock> c, const DetectOptions& options) : clock(std::move(c)), machine(options.machine_root) {}

  /// A tree of the kernel's files and who has its GPUs open; one for all backends over it.
  struct Tree {
    // What stands still in a recording needs no thread that watches it, and none of its pids is ours.
    Tree(const std::string& root, const std::shared_ptr<Clock>& clock, bool recorded)
        : files(std::make_shared<const RealFiles>(root)) {
      DrmProcesses::Options options;
      if (recorded) {
        processes = std::make_unique<DrmProcesses>(*files, *clock, options);
      } else {
        options.sweep.holders.own_pid = ::getpid();
        processes = std::make_unique<DrmProcesses>(files, clock, options);
      }
    }
    const std::shared_ptr<const RealFiles> files;  // shared with the thread of `processes`
    std::unique_ptr<DrmProcesses> processes;
  };

  const std::shared_ptr<Clock> clock;
  const RealFiles machine;
  RealPrograms programs;
  std::deque<Tree> trees;  // a deque: backends refer to them
};

class Opener {
 public:
  Opener(std::shared_ptr<Clock> clock, const DetectOptions& options)
      : options_(options), world_(std::make_shared<World>(std::move(clock), options)) {}

  Result<void> open(std::string_view specification);
  Sources take();

 private:
  // What follows the colon; nothing when there is no colon.
  using Argument = std::optional<std::string>;
  struct Kind {
    std::string_view name;
    bool needs_argument;
    std::string_view example;
    Result<void> (Opener::*open)(const Argument&);
  };
  static const std::array<Kind, 7> kKinds;

  Result<void> open_auto(const Argument&);
  Result<void> open_nvml(const Argument& library);
  Result<void> open_nvidia_smi(const Argument& file);
  void add_nvidia(Finding& finding);
  Result<void> open_rocm_smi(const Argument& file);
  Result<void> open_sysfs(const Argument& root);
  Result<void> open_simulated(const Argument& file);
  Result<void> open_replay(const Argument& file);
  void add_sysfs(const std::string& root, bool recorded);

  /// A living machine is looked at: its processes can be asked who they are, and its kernel what happened. `root` is
  /// where its files are.
  void looks_at(const Files& machine, const std::string& root) {
    if (sources_.machine) return;
    sources_.machine = std::shared_ptr<const Files>(world_, &machine);
    machine_root_ = root;
  }

  /// Adds a source of events that keeps its world alive.
  template <class Source, class... Args>
  void add_events(Args&&... args) {
    sources_.events.push_back(std::shared_ptr<EventSource>(new Source(std::forward<Args>(args)...),
                                                           [world = world_](EventSource* source) { delete source; }));
  }

  ToolWorld tool_world() { return {world_->programs, world_->machine, *world_->clock}; }

  /// Adds a backend that keeps its world alive.
  void add(std::unique_ptr<Backend> backend) {
    const auto& kept = sources_.backends.emplace_back(backend.release(), [world = world_](Backend* b) { delete b; });
    if (auto events = std::dynamic_pointer_cast<EventSource>(kept)) sources_.events.push_back(std::move(events));
  }
  Result<void> add(Result<std::unique_ptr<Backend>> backend) {
    if (!backend) {
      // The specification was right; what it names is not (a damaged file). To a caller that is no wrong usage.
      Error error = backend.error();
      if (error.code == Errc::invalid_argument) error.code = Errc::unavailable;
      return tl::make_unexpected(std::move(error));
    }
    add(std::move(*backend));
    return {};
  }

  const DetectOptions& options_;
  const std::shared_ptr<World> world_;
  Sources sources_;
  std::string machine_root_;
};

Sources Opener::take() {
  if (sources_.machine) {
    const Files& machine = *sources_.machine;
    add_events<KernelLog>(std::make_unique<KmsgFile>(machine_root_ + "/dev/kmsg"), machine, *world_->clock);
    add_events<PciErrors>(machine, *world_->clock);
    add_events<DevCoredumps>(machine, *world_->clock);
  }
  return std::move(sources_);
}

const std::array<Opener::Kind, 7> Opener::kKinds = {{
    {"auto", false, "auto", &Opener::open_auto},
    {"nvml", false, "nvml or nvml:LIBRARY", &Opener::open_nvml},
    {"nvidia-smi", false, "nvidia-smi or nvidia-smi:FILE.xml", &Opener::open_nvidia_smi},
    {"rocm-smi", false, "rocm-smi or rocm-smi:FILE.json", &Opener::open_rocm_smi},
    {"sysfs", false, "sysfs or sysfs:FOLDER", &Opener::open_sysfs},
    {"simulated", true, "simulated:FILE.yaml", &Opener::open_simulated},
    {"replay", true, "replay:FILE.gkr", &Opener::open_replay},
}};

Result<void> Opener::open(std::string_view specification) {
  const auto colon = specification.find(':');
  const auto name = specification.substr(0, colon);
  const auto argument = colon == std::string_view::npos ? Argument() : Argument(specification.substr(colon + 1));
  for (const Kind& kind : kKinds) {
    if (kind.name != name) continue;
    if ((kind.needs_argument && !argument) || (argument && argument->empty())) {
      return fail(Errc::invalid_argument, fmt::format("source '{}' lacks its file: {}", specification, kind.example));
    }
    return (this->*kind.open)(argument);
  }
  std::string known;
  for (const Kind& kind : kKinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.example);
  return fail(Errc::invalid_argument, fmt::format("there is no source '{}'; there are: {}", specification, known));
}

Result<void> Opener::open_auto(const Argument& argument) {
  if (argument) return fail(Errc::invalid_argument, "source 'auto' takes no argument");
  looks_at(world_->machine, options_.machine_root);
  PciBus bus(world_->machine);
  const bool sysfs = world_->machine.list("/sys/bus/pci/devices").has_value();
  for (const VendorNeeds& needs : kNeeds) {
    Finding finding = look_for(needs, bus, sysfs);
    if (needs.pci_vendor == kNvidia) add_nvidia(finding);
    sources_.findings.push_back(std::move(finding));
  }
  add_sysfs(options_.machine_root, false);
  // Where the kernel's files are hidden AMD's tool may still see the cards. That it is not there either is no news.
  if (!world_->machine.list("/sys/class/drm")) {
    if (auto tool = gpukeeper::open_rocm_smi({.tool = {.wake = options_.wake}}, tool_world())) add(std::move(*tool));
  }
  return {};
}

// NVML, or the program that comes with it. That neither is there matters only where there is a GPU to read.
void Opener::add_nvidia(Finding& finding) {
  auto library = open_nvml({});
  if (library) return;
  if (auto tool = gpukeeper::open_nvidia_smi({.tool = {.wake = options_.wake}}, tool_world())) {
    add(std::move(*tool));
  } else if (finding.remedy.empty() && !PciBus(world_->machine).gpus(kNvidia).empty()) {
    finding.remedy = library.error().message;
  }
}

Result<void> Opener::open_nvml(const Argument& library) {
  looks_at(world_->machine, options_.machine_root);
  return add(nvml::open(
      {.library = library.value_or(""), .files = world_->machine, .clock = *world_->clock, .wake = options_.wake}));
}

Result<void> Opener::open_nvidia_smi(const Argument& file) {
  if (!file) looks_at(world_->machine, options_.machine_root);
  return add(gpukeeper::open_nvidia_smi({.tool = {.file = file.value_or(""), .wake = options_.wake}}, tool_world()));
}

Result<void> Opener::open_rocm_smi(const Argument& file) {
  if (!file) looks_at(world_->machine, options_.machine_root);
  return add(gpukeeper::open_rocm_smi({.tool = {.file = file.value_or(""), .wake = options_.wake}}, tool_world()));
}

Result<void> Opener::open_sysfs(const Argument& root) {
  if (root) {
    if (const auto listed = RealFiles(*root).list("/sys"); !listed) {
      return fail(listed.error().code,
                  fmt::format("source 'sysfs:{}': {}; the folder must hold a machine's sys/ folder", *root,
                              listed.error().message));
    }
  }
  // A root that has this very process in its /proc is the living machine under another path (a container's /host).
  const bool recorded = root && !RealFiles(*root).read("/proc/self/stat");
  add_sysfs(root.value_or(options_.machine_root), recorded);
  return {};
}

void Opener::add_sysfs(const std::string& root, bool recorded) {
  World::Tree& tree = world_->trees.emplace_back(root, world_->clock, recorded);
  if (!recorded) looks_at(*tree.files, root);
  const SysfsSource source{.machine = *tree.files,
                           .system = world_->machine,
                           .clock = *world_->clock,
                           .processes = *tree.processes,
                           .wake = options_.wake,
                           .recorded = recorded};
  add(make_amdgpu_backend(source));
  add(make_intel_backend(source));
  add(make_basic_backend(source));  // last: what nobody else reads
}

Result<void> Opener::open_simulated(const Argument& file) {
  return add(simulated::open(*file, *world_->clock));
}

Result<void> Opener::open_replay(const Argument& file) {
  auto replay = Replay::open(*file, world_->clock);
  if (!replay) {
    const Error& error = replay.error();
    return fail(error.code == Errc::invalid_argument ? Errc::unavailable : error.code, error.message);
  }
  sources_.backends = Replay::backends(*replay);
  sources_.events = Replay::event_sources(*replay);
  sources_.replay = std::move(*replay);
  return {};
}

}  // namespace

Result<Sources> open_sources(std::span<const std::string> specifications, std::shared_ptr<Clock> clock,
                             const DetectOptions& options) {
  Opener opener(std::move(clock), options);
  const std::string fallback = "auto";
  if (specifications.empty()) specifications = std::span(&fallback, 1);
  const auto recording = std::ranges::find_if(specifications, [](const auto& s) { return s.starts_with("replay:"); });
  if (recording != specifications.end() && specifications.size() > 1) {
    // Its time is another one: nothing that lives now can stand beside it.
    return fail(Errc::invalid_argument,
                fmt::format("source '{}' is a recording, which is played alone: name no other source", *recording));
  }
  for (const std::string& specification : specifications) {
    if (auto opened = opener.open(specification); !opened) return tl::make_unexpected(opened.error());
  }
  return opener.take();
}

}  // namespace gpukeeper
