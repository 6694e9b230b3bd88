#pragma once

#include <string>

#include "fakes/memory_files.hpp"

namespace gpukeeper {

/// A machine's PCI tree in memory: functions with their class, driver and the ports above them.
struct PciTree {
  MemoryFiles files;

  PciTree() { files.write("/proc/sys/kernel/random/boot_id", "0f00ba11-0000-4000-8000-000000000001\n"); }

  /// `above`: "0000:00:01.0/0000:01:00.0/", the bridges from the root port on.
  void add(const std::string& address, const std::string& driver, const std::string& above = "",
           const std::string& kind = "0x030000") {
    const std::string folder = "/sys/bus/pci/devices/" + address;
    files.write(folder + "/vendor", "0x1002\n");
    files.write(folder + "/device", "0x744c\n");
    files.write(folder + "/class", kind + "\n");
    files.link(folder + "/driver", "../../../../bus/pci/drivers/" + driver);
    files.link(folder, "../../../devices/pci0000:00/" + above + address);
  }
};

}  // namespace gpukeeper
