#include "backend/basic/basic_backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/sysfs/drm_processes.hpp"
#include "contract/backend_contract.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

template <class T>
Metric<T> absent(Missing reason = Missing::not_supported) {
  return missing(reason);
}

/// A machine with the cards that no other backend reads. The numbers are made up.
struct Machine {
  Machine() { files.write("/proc/sys/kernel/osrelease", "6.12.0\n"); }

  void card(int minor, const std::string& uevent) { write(folder(minor), "uevent", uevent); }
  void write(const std::string& where, const std::string& name, const std::string& value) {
    files.write(where + "/" + name, value + "\n");
  }
  static std::string folder(int minor) { return "/sys/class/drm/card" + std::to_string(minor) + "/device"; }
  static std::string monitor(int minor) { return folder(minor) + "/hwmon/hwmon2"; }

  void add_radeon() {
    card(0, "DRIVER=radeon\nPCI_CLASS=30000\nPCI_ID=1002:6818\nPCI_SUBSYS_ID=174B:E217\nPCI_SLOT_NAME=0000:01:00.0");
    write(folder(0), "current_link_speed", "8.0 GT/s PCIe");
    write(folder(0), "current_link_width", "16");
    write(monitor(0), "name", "radeon");
    write(monitor(0), "temp1_input", "27000");
    write(monitor(0), "temp1_crit", "120000");
    write(monitor(0), "pwm1", "51");
    write(monitor(0), "pwm1_max", "255");
    write(monitor(0), "freq1_input", "300000000");
  }
  void add_nouveau() {
    card(1, "DRIVER=nouveau\nPCI_CLASS=30000\nPCI_ID=10DE:1381\nPCI_SLOT_NAME=0000:04:00.0");
    write(folder(1), "power/runtime_status", "active");
    write(folder(1), "power/control", "auto");
    write(monitor(1), "name", "nouveau");
    write(monitor(1), "temp1_input", "38000");
    write(monitor(1), "temp1_max", "95000");
    write(monitor(1), "temp1_crit", "105000");
    write(monitor(1), "temp1_emergency", "135000");
    write(monitor(1), "fan1_input", "1200");
    write(monitor(1), "pwm1", "40");
    write(monitor(1), "pwm1_max", "100");
    write(monitor(1), "power1_input", "8500000");
    write(monitor(1), "power1_max", "60000000");
    write(monitor(1), "in0_input", "850");
    write(monitor(1), "in0_label", "GPU core");
  }
  void add_virtual_machine_card() {
    files.link("/sys/class/drm/card2", "../../devices/pci0000:00/0000:00:02.0/virtio1/drm/card2");
    card(2, "DRIVER=virtio_gpu\nMODALIAS=virtio:d00000010v00001AF4");
    write("/sys/bus/pci/devices/0000:00:02.0", "vendor", "0x1af4");
    write("/sys/bus/pci/devices/0000:00:02.0", "device", "0x1050");
  }
  void add_board_gpu() { card(3, "DRIVER=v3d\nOF_NAME=v3d\nOF_COMPATIBLE_0=brcm,2712-v3d\nOF_COMPATIBLE_N=1"); }
  void add_nvidia() {
    card(4, "DRIVER=nvidia\nPCI_CLASS=30000\nPCI_ID=10DE:2704\nPCI_SLOT_NAME=0000:09:00.0");
    write(folder(4), "current_link_speed", "16.0 GT/s PCIe");
    write(folder(4), "current_link_width", "16");
  }
  void add_all() {
    add_radeon();
    add_nouveau();
    add_virtual_machine_card();
    add_board_gpu();
    add_nvidia();
  }

  std::unique_ptr<Backend> backend(bool recorded = false) {
    return make_basic_backend(SysfsSource{files, files, clock, processes, false, recorded});
  }

  MemoryFiles files;
  FakeClock clock;
  DrmProcesses processes{files, clock, {}};
};

const DeviceId kRadeon{"PCI-0000:01:00.0"};
const DeviceId kNouveau{"PCI-0000:04:00.0"};
const DeviceId kNvidia{"PCI-0000:09:00.0"};
const DeviceId kBoard{"DRM-card3"};

class BasicBackendTest : public ::testing::Test {
 protected:
  void open() {
    backend_ = machine_.backend();
    ASSERT_TRUE(backend_->list());
  }
  Reading read(const DeviceId& id) {
    auto reading = backend_->read(id);
    EXPECT_TRUE(reading) << reading.error().message;
    return reading ? *reading : Reading{};
  }

  Machine machine_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(BasicBackendTest, ListsTheCardsThatNoOtherBackendReads) {
  machine_.add_all();
  machine_.card(10, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0a:00.0");
  machine_.card(11, "DRIVER=i915\nPCI_SLOT_NAME=0000:0b:00.0");
  machine_.card(12, "DRIVER=xe\nPCI_SLOT_NAME=0000:0c:00.0");
  machine_.card(13, "DRIVER=amdgpu_xcp_drv\nMODALIAS=platform:amdgpu_xcp");
  open();
  std::vector<std::string> ids;
  const auto devices = backend_->list().value();
  for (const auto& device : devices) ids.push_back(device.id.text);
  EXPECT_THAT(ids,
              ElementsAre("PCI-0000:00:02.0", "PCI-0000:01:00.0", "PCI-0000:04:00.0", "PCI-0000:09:00.0", "DRM-card3"));
}

TEST_F(BasicBackendTest, FrameBuffersAndMadeUpDisplaysAreNoGpus) {
  int minor = 0;
  for (const auto* driver :
       {"vgem", "vkms", "simpledrm", "simple-framebuffer", "efidrm", "vesadrm", "ofdrm", "evdi", "udl"}) {
    machine_.card(minor++, std::string("DRIVER=") + driver);
  }
  open();
  EXPECT_THAT(*backend_->list(), IsEmpty());
}

TEST_F(BasicBackendTest, DevicesAreNamedFromWhatIsKnownOfThem) {
  machine_.add_all();
  machine_.files.write("/usr/share/misc/pci.ids", "1af4  Red Hat, Inc.\n\t1050  Virtio 1.0 GPU\n");
  open();
  const auto devices = backend_->list().value();
  EXPECT_EQ(devices[0].name, "Virtio 1.0 GPU");
  EXPECT_EQ(devices[0].vendor, Vendor::other);
  EXPECT_EQ(devices[1].name, "AMD GPU 1002:6818");
  EXPECT_EQ(devices[1].vendor, Vendor::amd);
  EXPECT_EQ(devices[1].driver_version, "6.12.0");
  EXPECT_EQ(devices[3].name, "NVIDIA GPU 10de:2704");
  EXPECT_EQ(devices[3].vendor, Vendor::nvidia);
  EXPECT_EQ(devices[4].name, "v3d GPU (brcm,2712-v3d)");
  EXPECT_EQ(devices[4].pci, std::nullopt);
  EXPECT_EQ(devices[4].pci_id, absent<std::string>());
}

TEST_F(BasicBackendTest, KeepsItsContractOnEveryMachine) {
  check_backend_contract(*Machine().backend());
  Machine all;
  all.add_all();
  check_backend_contract(*all.backend());
  check_backend_contract(*all.backend(true));
  all.write(Machine::folder(1), "power/runtime_status", "suspended");
  check_backend_contract(*all.backend());
}

TEST_F(BasicBackendTest, ReadsACardUnderRadeon) {
  machine_.add_radeon();
  open();
  const auto reading = read(kRadeon);
  EXPECT_EQ(reading.temperature, Celsius(27));
  EXPECT_EQ(reading.temperature_slowdown, Celsius(120));
  EXPECT_EQ(reading.temperature_shutdown, absent<Celsius>());
  EXPECT_EQ(reading.fan, Percent(20));
  EXPECT_EQ(reading.fan_speed, absent<Rpm>()) << "it drives the fan but does not hear from it";
  EXPECT_EQ(reading.clock_graphics, Megahertz(300));
  EXPECT_EQ(reading.power, absent<Watts>());
  EXPECT_EQ(reading.power_limit, absent<Watts>());
  EXPECT_EQ(reading.memory_total, absent<Bytes>());
  EXPECT_EQ(reading.utilization, absent<Percent>());
  EXPECT_EQ(reading.pcie_generation, Count(3));
  EXPECT_EQ(reading.pcie_width, Count(16));
  EXPECT_THAT(reading.sensors, IsEmpty());
}

TEST_F(BasicBackendTest, ReadsACardUnderNouveau) {
  machine_.add_nouveau();
  open();
  const auto reading = read(kNouveau);
  EXPECT_EQ(reading.temperature, Celsius(38));
  EXPECT_EQ(reading.temperature_slowdown, Celsius(105));
  EXPECT_EQ(reading.temperature_shutdown, Celsius(135));
  EXPECT_EQ(reading.fan_speed, Rpm(1200));
  EXPECT_EQ(reading.fan, Percent(40));
  EXPECT_EQ(reading.power, Watts(8.5));
  EXPECT_EQ(reading.power_limit, Watts(60));
  EXPECT_EQ(reading.runtime_power_state, "active");
  EXPECT_THAT(reading.sensors, ElementsAre(Sensor{"GPU core", "volts", 0.85}));
}

TEST_F(BasicBackendTest, ACardUnderNvidiasDriverIsNamedAndTheRestIsNvmls) {
  machine_.add_nvidia();
  open();
  const auto reading = read(kNvidia);
  EXPECT_EQ(reading.temperature, absent<Celsius>());
  EXPECT_EQ(reading.memory_used, absent<Bytes>());
  EXPECT_EQ(reading.power, absent<Watts>());
  EXPECT_EQ(reading.pcie_generation, Count(4));
  const auto processes = backend_->processes(kNvidia);
  ASSERT_FALSE(processes);
  EXPECT_EQ(processes.error().code, Errc::not_supported);
  EXPECT_THAT(processes.error().message, HasSubstr("NVML"));
}

TEST_F(BasicBackendTest, ACardWithoutAnySensorIsThereAllTheSame) {
  machine_.add_board_gpu();
  open();
  const auto reading = read(kBoard);
  EXPECT_EQ(reading.attention, Attention::awake);
  EXPECT_EQ(reading.temperature, absent<Celsius>());
  EXPECT_EQ(backend_->processes(kBoard).error().code, Errc::not_supported);
}

TEST_F(BasicBackendTest, ProcessesAreListedWhereTheDriverTellsItsClients) {
  machine_.add_nouveau();
  machine_.files.write("/proc/50/comm", "glxgears\n");
  machine_.files.link("/proc/50/fd/4", "/dev/dri/renderD129");
  open();
  EXPECT_EQ(backend_->processes(kNouveau).error().code, Errc::not_supported) << "nobody seen is not nobody there";
  machine_.files.write("/proc/50/fdinfo/4", "drm-driver:\tnouveau\ndrm-client-id:\t7\ndrm-pdev:\t0000:04:00.0\n");
  machine_.clock.advance(10s);
  const auto processes = backend_->processes(kNouveau);
  ASSERT_TRUE(processes) << processes.error().message;
  ASSERT_EQ(processes->size(), 1u);
  EXPECT_EQ(processes->front().name, "glxgears");
}

TEST_F(BasicBackendTest, PowerComesFromAnEnergyCounterWhereThereIsNothingElse) {
  machine_.card(5, "DRIVER=newdriver\nPCI_ID=1234:5678\nPCI_SLOT_NAME=0000:0d:00.0");
  machine_.write(Machine::monitor(5), "energy1_input", "5000000");
  open();
  const DeviceId id{"PCI-0000:0d:00.0"};
  EXPECT_EQ(read(id).power, absent<Watts>(Missing::not_yet_read));
  machine_.clock.advance(2s);
  machine_.write(Machine::monitor(5), "energy1_input", "45000000");
  EXPECT_EQ(read(id).power, Watts(20));
}

TEST_F(BasicBackendTest, AnAverageThatSaysNothingLeavesTheMomentaryPower) {
  machine_.add_nouveau();
  machine_.write(Machine::monitor(1), "power1_average", "");
  machine_.write(Machine::monitor(1), "power1_cap", "");
  open();
  const auto reading = read(kNouveau);
  EXPECT_EQ(reading.power, Watts(8.5));
  EXPECT_EQ(reading.power_limit, Watts(60));
}

TEST_F(BasicBackendTest, OfASleepingCardOnlyTheKernelsPowerFilesAreTouched) {
  machine_.add_nouveau();
  open();
  machine_.write(Machine::folder(1), "power/runtime_status", "suspended");
  machine_.files.take_accesses();
  const auto reading = read(kNouveau);
  EXPECT_EQ(reading.attention, Attention::asleep);
  EXPECT_EQ(reading.temperature, absent<Celsius>(Missing::asleep));
  EXPECT_THAT(machine_.files.take_accesses(),
              Each(AnyOf(StartsWith(Machine::folder(1) + "/power/"), Machine::folder(1) + "/power_state")));
}

TEST_F(BasicBackendTest, ARecordedCardIsReadInFullWhateverItsPowerStateWas) {
  machine_.add_nouveau();
  machine_.write(Machine::folder(1), "power/runtime_status", "suspended");
  backend_ = machine_.backend(true);
  ASSERT_TRUE(backend_->list());
  const auto reading = read(kNouveau);
  EXPECT_EQ(reading.attention, Attention::awake);
  EXPECT_EQ(reading.temperature, Celsius(38));
  EXPECT_EQ(reading.runtime_power_state, "suspended");
}

TEST_F(BasicBackendTest, ACardThatLeavesTheBusIsAnErrorThatSaysSo) {
  machine_.add_radeon();
  machine_.add_board_gpu();
  open();
  read(kRadeon);
  read(kBoard);
  machine_.files.remove("/sys/class/drm/card0");
  machine_.files.remove("/sys/class/drm/card3");
  for (const auto& id : {kRadeon, kBoard}) {
    const auto reading = backend_->read(id);
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code, Errc::not_found);
    EXPECT_THAT(reading.error().message, HasSubstr(id.text));
  }
}

TEST_F(BasicBackendTest, AnyFailedAccessCostsAtMostTheValueBehindIt) {
  const auto run = [](Machine& machine) {
    const auto backend = machine.backend();
    const auto devices = backend->list();
    if (!devices) {
      EXPECT_FALSE(devices.error().message.empty());
      return;
    }
    for (const auto& device : *devices) {
      EXPECT_TRUE(backend->read(device.id));
      const auto processes = backend->processes(device.id);
      EXPECT_TRUE(processes || !processes.error().message.empty());
    }
    machine.files.fail_nth(0);
    check_backend_contract(*backend);
  };
  Machine whole;
  whole.add_all();
  run(whole);
  const auto accesses = whole.files.take_accesses().size();
  ASSERT_GT(accesses, 40u);
  for (std::size_t n = 1; n <= accesses; ++n) {
    SCOPED_TRACE(n);
    Machine machine;
    machine.add_all();
    machine.files.fail_nth(static_cast<int>(n));
    run(machine);
  }
}

}  // namespace
}  // namespace gpukeeper
