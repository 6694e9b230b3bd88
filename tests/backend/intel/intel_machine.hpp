#pragma once

#include <memory>
#include <string>

#include "backend/intel/intel_backend.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {

/// A machine with Intel GPUs, as their drivers show it. The numbers are made up.
class IntelMachine {
 public:
  IntelMachine() { files.write("/proc/sys/kernel/osrelease", "6.19.0\n"); }

  /// A discrete card with graphics and media GT under xe, behind the switch on the card.
  void add_xe_card() {
    card("card1",
         "DRIVER=xe\nPCI_CLASS=30000\nPCI_ID=8086:E20B\nPCI_SUBSYS_ID=8086:1100\nPCI_SLOT_NAME=0000:03:00.0\n");
    files.link("/sys/class/drm/card1",
               "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:03:00.0/drm/card1");
    port("0000:02:01.0", "0x8086", "2.5 GT/s PCIe", "1");
    port("0000:01:00.0", "0x8086", "16.0 GT/s PCIe", "8");
    port("0000:00:01.0", "0x8086", "16.0 GT/s PCIe", "16");
    write(kXe, "current_link_speed", "2.5 GT/s PCIe");
    write(kXe, "current_link_width", "1");
    power(kXe, "active", "auto");
    const std::string monitor = kXe + "/hwmon/hwmon3";
    write(monitor, "name", "xe");
    channel(monitor, "temp2", "pkg", "51000");
    write(monitor, "temp2_crit", "100000");
    write(monitor, "temp2_emergency", "125000");
    write(monitor, "temp2_max", "60000");
    channel(monitor, "temp3", "vram", "58000");
    channel(monitor, "temp4", "mctrl", "49500");
    channel(monitor, "energy1", "card", "1000000000");
    channel(monitor, "energy2", "pkg", "700000000");
    write(monitor, "power1_label", "card");
    write(monitor, "power1_cap", "190000000");
    write(monitor, "power1_rated_max", "0");
    write(monitor, "fan1_input", "1080");
    write(monitor, "fan1_max", "2160");
    write(monitor, "fan2_input", "0");
    write(monitor, "pwm1", "0");
    write(monitor, "in1_input", "750");
    write(monitor, "in1_label", "pkg");
    xe_gt(kXe, 0, 0, "gt0-rc", "1700", "2850", "300000");
    xe_gt(kXe, 0, 1, "gt1-mc", "0", "1500", "310000");
  }

  /// A discrete card under i915, in a slot of its own.
  void add_i915_card() {
    card("card2", "DRIVER=i915\nPCI_CLASS=30000\nPCI_ID=8086:56A5\nPCI_SLOT_NAME=0000:0b:00.0\n");
    power(kI915, "active", "on");
    write(kI915, "current_link_speed", "2.5 GT/s PCIe");
    write(kI915, "current_link_width", "1");
    const std::string monitor = kI915 + "/hwmon/hwmon1";
    write(monitor, "name", "i915");
    write(monitor, "energy1_input", "25000000000");
    write(monitor, "fan1_input", "0");
    write(monitor, "in0_input", "603");
    write(monitor, "power1_max", "55000000");
    write(monitor, "power1_rated_max", "75000000");
    write(monitor, "temp1_input", "45000");
    const std::string gt = "/sys/class/drm/card2/gt/gt0";
    write(gt, "rps_act_freq_mhz", "600");
    write(gt, "rps_cur_freq_mhz", "900");
    write(gt, "rps_RP0_freq_mhz", "2450");
    write(gt, "rc6_enable", "1");
    write(gt, "rc6_residency_ms", "5000");
    for (const auto* reason :
         {"status", "pl1", "pl2", "pl4", "thermal", "prochot", "ratl", "vr_tdc", "vr_thermalert"}) {
      write(gt, std::string("throttle_reason_") + reason, "0");
    }
  }

  /// The graphics of a processor, with an older kernel that shows clocks only.
  void add_processor_graphics() {
    card("card0", "DRIVER=i915\nPCI_CLASS=30000\nPCI_ID=8086:9B41\nPCI_SLOT_NAME=0000:00:02.0\n");
    files.link("/sys/class/drm/card0", "../../devices/pci0000:00/0000:00:02.0/drm/card0");
    write("/sys/class/drm/card0", "gt_act_freq_mhz", "300");
    write("/sys/class/drm/card0", "gt_RP0_freq_mhz", "1150");
    write(kProcessor, "current_link_speed", "Unknown");
    write(kProcessor, "current_link_width", "0");
  }

  void xe_gt(const std::string& device, int tile, int number, const std::string& name, const std::string& megahertz,
             const std::string& highest, const std::string& idle_ms) {
    const auto gt = device + "/tile" + std::to_string(tile) + "/gt" + std::to_string(number);
    write(gt, "freq0/act_freq", megahertz);
    write(gt, "freq0/cur_freq", "400");
    write(gt, "freq0/max_freq", highest);
    write(gt, "freq0/rp0_freq", highest);
    write(gt, "freq0/power_profile", "[base]    power_saving");
    write(gt, "freq0/throttle/status", "0");
    write(gt, "freq0/throttle/reasons", "none");
    write(gt, "freq0/throttle/reason_pl1", "0");
    write(gt, "gtidle/name", name);
    write(gt, "gtidle/idle_residency_ms", idle_ms);
  }
  void card(const std::string& name, const std::string& uevent) {
    files.write("/sys/class/drm/" + name + "/device/uevent", uevent);
    files.write("/sys/class/drm/" + name + "/device/numa_node", "-1\n");
  }
  void power(const std::string& device, const std::string& status, const std::string& control) {
    write(device, "power/runtime_status", status);
    write(device, "power/control", control);
  }
  void write(const std::string& folder, const std::string& name, const std::string& value) {
    files.write(folder + "/" + name, value + "\n");
  }

  std::unique_ptr<Backend> backend(bool wake = false) {
    return make_intel_backend(SysfsSource{files, files, clock, processes, wake, false});
  }

  const std::string kXe = "/sys/class/drm/card1/device";
  const std::string kI915 = "/sys/class/drm/card2/device";
  const std::string kProcessor = "/sys/class/drm/card0/device";
  MemoryFiles files;
  FakeClock clock;
  DrmProcesses processes{files, clock, {}};

 private:
  void channel(const std::string& monitor, const std::string& name, const std::string& label,
               const std::string& value) {
    write(monitor, name + "_input", value);
    write(monitor, name + "_label", label);
  }
  void port(const std::string& address, const std::string& vendor, const std::string& speed, const std::string& width) {
    const auto folder = "/sys/bus/pci/devices/" + address;
    write(folder, "vendor", vendor);
    for (const auto* when : {"current", "max"}) {
      write(folder, std::string(when) + "_link_speed", speed);
      write(folder, std::string(when) + "_link_width", width);
    }
  }
};

inline const DeviceId kXeId{"PCI-0000:03:00.0"};
inline const DeviceId kI915Id{"PCI-0000:0b:00.0"};
inline const DeviceId kProcessorId{"PCI-0000:00:02.0"};

}  // namespace gpukeeper
