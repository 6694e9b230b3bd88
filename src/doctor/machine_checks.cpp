#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/text.hpp"
#include "doctor/doctor.hpp"
#include "proc/pid_namespace.hpp"

// Every check reads small files or asks the Machine; none opens a device node or writes anything, so that nothing is
// woken and nothing changes. What a check cannot find out it leaves out: silence is not "all is well", and it is not a
// problem either.

namespace gpukeeper::doctor {
namespace {

using enum Check::Mark;

constexpr unsigned kCapSysPtrace = 19;  // linux/capability.h
constexpr unsigned kCapSysAdmin = 21;
constexpr unsigned kCapSyslog = 34;
constexpr unsigned kCapPerfmon = 38;

struct PciGpu {
  std::string address;
  Vendor vendor = Vendor::other;
  std::string driver;  // the kernel driver bound to it; empty for none
};

class Doctor {
 public:
  Doctor(const Files& files, const Machine& machine, const Snapshot& snapshot)
      : files_(files), machine_(machine), snapshot_(snapshot) {}

  std::vector<Check> examine() {
    find_gpus();
    gpus_as_read();
    nvidia();
    amd();
    intel();
    render_nodes();
    power_management();
    processes();
    kernel();
    surroundings();
    return std::move(checks_);
  }

 private:
  void say(Check::Mark mark, std::string area, std::string text, std::string remedy = {}) {
    checks_.push_back({mark, std::move(area), std::move(text), std::move(remedy)});
  }

  std::string text_of(std::string_view path) const {
    const auto content = files_.read(path);
    return content ? std::string(trim(*content)) : std::string();
  }

  bool exists(std::string_view path) const { return files_.read(path) || files_.list(path); }

  bool module_loaded(std::string_view name) const {
    return files_.list(fmt::format("/sys/module/{}", name)).has_value();
  }

  // "Uid:	1000	1000	1000	1000" of /proc/self/status.
  std::string own_status(std::string_view key) const {
    const std::string status = text_of("/proc/self/status");
    for (const auto line : lines(status)) {
      if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
        return std::string(trim(line.substr(key.size() + 1)));
      }
    }
    return {};
  }

  bool root() const { return leading_number(own_status("Uid")) == 0.0; }

  bool capable(unsigned capability) const {
    const auto effective = parse_u64(own_status("CapEff"), 16);
    return effective && (*effective >> capability & 1u) != 0;
  }

  std::string group_name(std::uint32_t gid) const {
    const std::string groups = text_of("/etc/group");
    for (const auto line : lines(groups)) {
      const auto fields = split(line, ':');
      if (fields.size() >= 3 && parse_u64(fields[2]) == gid) return std::string(fields[0]);
    }
    return {};
  }

  // What lets this user use a node that he may not use now.
  std::string node_remedy(const std::string& path, const Machine::Node& node) const {
    const std::string group = group_name(node.gid);
    const bool group_may = (node.mode & 060u) == 060u;
    if (group_may && node.gid != 0 && !group.empty()) {
      return fmt::format("sudo usermod -aG {} $USER   (then log in again)", group);
    }
    return fmt::format("sudo chmod a+rw {}   (until the next boot; a udev rule keeps it)", path);
  }

  std::string container() const {
    if (exists("/.dockerenv")) return "Docker";
    if (exists("/run/.containerenv")) return "Podman";
    const std::string named = text_of("/run/systemd/container");
    if (!named.empty()) return named;
    if (exists("/var/run/secrets/kubernetes.io/serviceaccount") ||
        exists("/run/secrets/kubernetes.io/serviceaccount")) {
      return "Kubernetes";
    }
    const std::string groups = text_of("/proc/1/cgroup");
    for (const auto* word : {"kubepods", "docker", "containerd", "lxc"}) {
      if (groups.find(word) != std::string::npos) return word;
    }
    return {};
  }

  void find_gpus() {
    const auto functions = files_.list("/sys/bus/pci/devices");
    if (!functions) return;
    for (const std::string& address : *functions) {
      const std::string folder = "/sys/bus/pci/devices/" + address;
      if (!text_of(folder + "/class").starts_with("0x03")) continue;  // PCI class 3: display controllers
      const auto vendor = parse_u64(text_of(folder + "/vendor"), 16);
      const auto driver = files_.read_link(folder + "/driver");
      gpus_.push_back({address, vendor_from_pci(static_cast<std::uint32_t>(vendor.value_or(0))),
                       driver ? driver->substr(driver->rfind('/') + 1) : std::string()});
    }
  }

  bool has(Vendor vendor) const {
    return std::ranges::any_of(gpus_, [&](const PciGpu& gpu) { return gpu.vendor == vendor; });
  }

  void gpus_as_read() {
    const std::string area = "GPUs";
    bool own = true;  // whether the snapshot is of this machine
    std::set<std::string> seen;
    for (const DeviceSnapshot& d : snapshot_.devices) {
      const Device& device = *d.device;
      own = own && !device.simulated && !device.recorded;
      if (device.pci) seen.insert(device.pci->to_string());
      const std::string label = device.simulated ? " (simulated)" : device.recorded ? " (recorded)" : "";
      const std::string who = fmt::format("GPU {}, {}{}", d.index, device.name, label);
      if (d.reading.attention == Attention::asleep) {
        say(note, area, fmt::format("{}: asleep, and left so", who));
      } else if (!d.available) {
        say(problem, area, fmt::format("{}: {}", who, d.reason.empty() ? "cannot be read" : d.reason));
      } else {
        say(good, area, fmt::format("{}: read by {}", who, device.source));
      }
    }
    if (snapshot_.devices.empty() && gpus_.empty()) say(note, area, "no GPU is on this machine's PCI bus");
    for (const PciGpu& gpu : gpus_) {
      if (!own || gpu.vendor == Vendor::other || seen.contains(gpu.address)) continue;
      const bool driven = !gpu.driver.empty();
      say(problem, area,
          fmt::format("the {} GPU at {} is on the PCI bus, but no source sees it{}", to_string(gpu.vendor), gpu.address,
                      driven ? fmt::format(" (driver {})", gpu.driver) : "; no driver is bound to it"),
          driven && gpu.driver.starts_with("vfio")
              ? "it is set aside for a virtual machine: watch it there"
              : "dmesg | grep -iE 'nvidia|amdgpu|i915|xe'   (what the driver says; further checks follow below)");
    }
    for (const SourceStatus& source : snapshot_.sources) {
      if (!source.message.empty()) say(note, area, fmt::format("{}: {}", source.name, source.message));
    }
  }

  void nvidia() {
    const std::string area = "NVIDIA";
    const bool present = has(Vendor::nvidia);
    const bool loaded = module_loaded("nvidia");
    const auto library = machine_.library("libnvidia-ml.so.1");
    if (!present && !loaded && !library) return;

    std::string module_version = text_of("/sys/module/nvidia/version");
    if (loaded) {
      say(good, area, fmt::format("the kernel module nvidia {} is loaded", module_version));
    } else if (present && module_loaded("nouveau")) {
      say(hint, area, "the free driver nouveau runs the GPU: it shows temperatures, but not use, memory and processes",
          "sudo apt install nvidia-driver   (Debian; Ubuntu: sudo ubuntu-drivers install), then reboot");
    } else if (present) {
      say(problem, area, "the kernel module nvidia is not loaded",
          "sudo modprobe nvidia   (or, where it is not installed: sudo apt install nvidia-driver, then reboot)");
    }

    if (library) {
      const auto at = library->find(".so.");
      const std::string version = at == std::string::npos ? "" : library->substr(at + 4);
      say(good, area, fmt::format("the library libnvidia-ml.so.1 is {}", *library));
      // The file carries the driver's version; a plain ".so.1" (a stub, a container's) says nothing.
      if (!module_version.empty() && version.find('.') != std::string::npos && version != module_version) {
        say(problem, area,
            fmt::format(
                "the library is of version {}, the loaded kernel module of {}: every call answers 'driver/library "
                "version mismatch'",
                version, module_version),
            "sudo reboot   (or, with no program on the GPUs: sudo rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia && "
            "sudo modprobe nvidia)");
      }
    } else if (present || loaded) {
      const bool inside = !container().empty();
      say(loaded ? problem : hint, area,
          fmt::format("the library libnvidia-ml.so.1 cannot be loaded: {}", library.error().message),
          inside ? "start the container with the NVIDIA runtime: docker run --gpus all ..."
                 : "sudo apt install libnvidia-ml1   (Ubuntu: libnvidia-compute-<version of the driver>)");
    }
    if (const auto program = machine_.program("nvidia-smi")) {
      say(good, area, fmt::format("nvidia-smi is {}", *program));
    } else {
      say(note, area, "nvidia-smi is not in PATH; it is only needed where the library cannot be loaded");
    }
    if (loaded) device_nodes(area);
  }

  void device_nodes(const std::string& area) {
    std::vector<std::string> paths{"/dev/nvidiactl"};
    const auto names = files_.list("/dev").value_or(std::vector<std::string>());
    for (const std::string& name : names) {
      if (name.starts_with("nvidia") && name.size() > 6 && parse_u64(name.substr(6))) paths.push_back("/dev/" + name);
    }
    std::size_t usable = 0;
    for (const std::string& path : paths) {
      const auto node = machine_.node(path);
      if (!node) {
        say(hint, area, fmt::format("{} is not there", path),
            container().empty() ? "sudo nvidia-modprobe -c 0 -u" : "start the container with --gpus all");
      } else if (!node->readable || !node->writable) {
        say(problem, area, fmt::format("{} may not be used by this user (mode {:04o})", path, node->mode),
            node_remedy(path, *node));
      } else {
        ++usable;
      }
    }
    if (usable == paths.size() && usable > 1) say(good, area, fmt::format("all {} device nodes may be used", usable));
  }

  void amd() {
    const std::string area = "AMD";
    if (!has(Vendor::amd)) return;
    if (module_loaded("amdgpu")) {
      const std::string version = text_of("/sys/module/amdgpu/version");
      say(good, area,
          version.empty() ? "the kernel module amdgpu is loaded"
                          : fmt::format("the kernel module amdgpu {} is loaded", version));
    } else if (module_loaded("radeon")) {
      say(note, area, "the old driver radeon runs the GPU: it shows little more than a temperature");
    } else {
      say(problem, area, "the kernel module amdgpu is not loaded", "sudo modprobe amdgpu");
    }
    if (const auto kfd = machine_.node("/dev/kfd")) {
      if (kfd->readable && kfd->writable) {
        say(good, area, "/dev/kfd may be used");
      } else {
        say(note, area,
            fmt::format("/dev/kfd may not be used by this user: gpukeeper does not need it, ROCm programs do; {}",
                        node_remedy("/dev/kfd", *kfd)));
      }
    }
    if (const auto program = machine_.program("rocm-smi")) say(good, area, fmt::format("rocm-smi is {}", *program));
  }

  void intel() {
    const std::string area = "Intel";
    if (!has(Vendor::intel)) return;
    bool any = false;
    for (const auto* name : {"i915", "xe"}) {
      if (!module_loaded(name)) continue;
      any = true;
      say(good, area, fmt::format("the kernel module {} is loaded", name));
    }
    if (!any)
      say(problem, area, "neither of the kernel modules i915 and xe is loaded",
          "sudo modprobe xe || sudo modprobe i915");
    const auto paranoid = parse_i64(text_of("/proc/sys/kernel/perf_event_paranoid"));
    if (paranoid && *paranoid > 0 && !capable(kCapPerfmon) && !capable(kCapSysAdmin)) {
      say(note, area,
          fmt::format(
              "perf_event_paranoid is {}: engine use is taken from the processes instead of the kernel's counters",
              *paranoid));
    }
  }

  void render_nodes() {
    const auto names = files_.list("/dev/dri").value_or(std::vector<std::string>());
    for (const std::string& name : names) {
      if (!name.starts_with("renderD")) continue;
      const std::string path = "/dev/dri/" + name;
      const auto node = machine_.node(path);
      if (!node) continue;
      if (node->readable && node->writable) {
        say(good, "Device nodes", fmt::format("{} may be used", path));
      } else {
        say(note, "Device nodes",
            fmt::format(
                "{} may not be used by this user: gpukeeper does not need it, programs that compute or draw do; {}",
                path, node_remedy(path, *node)));
      }
    }
  }

  void power_management() {
    for (const PciGpu& gpu : gpus_) {
      const std::string folder = "/sys/bus/pci/devices/" + gpu.address + "/power";
      const std::string control = text_of(folder + "/control");
      const std::string status = text_of(folder + "/runtime_status");
      if (control != "auto") continue;
      say(note, "Power",
          fmt::format("the GPU at {} may fall asleep when idle; now it is {}", gpu.address,
                      status.empty() ? "in a state that is not known" : status));
    }
  }

  void processes() {
    const std::string area = "Processes";
    const std::string mounts = text_of("/proc/self/mounts");
    for (const auto line : lines(mounts)) {
      const auto fields = split(line, ' ');
      if (fields.size() < 4 || fields[1] != "/proc") continue;
      for (const auto option : split(fields[3], ',')) {
        if (!option.starts_with("hidepid=") || option == "hidepid=0" || option == "hidepid=off" || root()) continue;
        say(hint, area, fmt::format("/proc hides other users' processes ({}): their names are not seen", option),
            "run as root, or join the group that the mount option gid= names");
      }
    }
    if (!pids_are_the_hosts(files_)) {
      say(hint, area, "this is not the host's pid namespace: drivers report the host's pids, which mean nothing here",
          "start the container with --pid=host (hostPID: true in a pod)");
    } else if (!in_the_hosts_pid_namespace(files_)) {
      say(hint, area,
          "/proc is the host's, but this is not its pid namespace: NVIDIA's driver names only the processes that are "
          "seen "
          "from here, and who asks at the socket has no pid",
          "start the container with --pid=host (hostPID: true in a pod)");
    }
    if (own_status("Uid").empty()) return;
    if (root() || capable(kCapSysPtrace)) {
      say(good, area, "the processes of every user are seen");
    } else {
      say(hint, area, "what other users' processes do on AMD and Intel GPUs is not seen",
          "sudo setcap cap_sys_ptrace,cap_perfmon,cap_syslog+ep \"$(readlink -f \"$(command -v gpukeeper)\")\"   (or "
          "run as root)");
    }
  }

  void kernel() {
    const std::string area = "Kernel";
    const std::string release = text_of("/proc/sys/kernel/osrelease");
    if (!release.empty()) say(good, area, fmt::format("Linux {}", release));
    const auto messages = machine_.node("/dev/kmsg");
    const bool restricted = parse_u64(text_of("/proc/sys/kernel/dmesg_restrict")).value_or(0) != 0;
    if (!messages) return;
    if (messages->readable && (!restricted || root() || capable(kCapSyslog))) {
      say(good, area, "the kernel's messages (XID errors, resets) may be read");
    } else {
      say(hint, area, "the kernel's messages (XID errors, resets) may not be read by this user",
          "sudo setcap cap_sys_ptrace,cap_perfmon,cap_syslog+ep \"$(readlink -f \"$(command -v gpukeeper)\")\"   (or "
          "run as root)");
    }
  }

  // /proc/self/mountinfo, not a fixed path: a hybrid system has version 2 at /sys/fs/cgroup/unified.
  void surroundings() {
    const std::string area = "Surroundings";
    if (const auto inside = container(); !inside.empty()) {
      say(note, area, fmt::format("this is a container ({}): only what was given to it is seen", inside));
    }
    std::string unified;
    std::size_t controllers = 0;
    const std::string mounts = text_of("/proc/self/mountinfo");
    if (mounts.empty()) return;
    for (const auto line : lines(mounts)) {
      // "24 29 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw": what follows " - " is the type.
      const auto dash = line.find(" - ");
      if (dash == std::string_view::npos) continue;
      const auto type = line.substr(dash + 3, line.find(' ', dash + 3) - dash - 3);
      const auto fields = split(line.substr(0, dash), ' ');
      if (fields.size() < 5) continue;
      if (type == "cgroup2" && unified.empty()) unified = fields[4];
      if (type == "cgroup") ++controllers;
    }
    if (!unified.empty() && controllers == 0) {
      say(good, area, fmt::format("cgroup version 2 at {}", unified));
    } else if (!unified.empty()) {
      say(note, area,
          fmt::format("cgroups are mixed: version 2 at {}, {} controllers of version 1", unified, controllers));
    } else if (controllers > 0) {
      say(hint, area, "cgroups are of version 1: a process cannot be frozen by its cgroup",
          "boot with systemd.unified_cgroup_hierarchy=1");
    } else {
      say(note, area, "no cgroup file system is mounted here");
    }
  }

  const Files& files_;
  const Machine& machine_;
  const Snapshot& snapshot_;
  std::vector<PciGpu> gpus_;
  std::vector<Check> checks_;
};

}  // namespace

std::vector<Check> examine(const Files& files, const Machine& machine, const Snapshot& snapshot) {
  return Doctor(files, machine, snapshot).examine();
}

}  // namespace gpukeeper::doctor
