#include "backend/detect.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/published.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/nvml/fake_nvml.hpp"
#include "fakes/temporary_folder.hpp"
#include "telemetry/runner.hpp"
#include "telemetry/sampler.hpp"

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DetectTest : public ::testing::Test {
 protected:
  DetectTest() { std::filesystem::create_directories(root_ / "sys/bus/pci/devices"); }

  void write(const std::string& path, const std::string& content) const {
    const auto file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  void card(int number, const std::string& driver, const std::string& address, const std::string& id) const {
    const auto folder = "sys/class/drm/card" + std::to_string(number) + "/device/";
    write(folder + "uevent", "DRIVER=" + driver + "\nPCI_ID=" + id + "\nPCI_SLOT_NAME=" + address + "\n");
  }
  void function(const std::string& address, const std::string& vendor, const std::string& driver) const {
    const auto folder = "sys/bus/pci/devices/" + address + "/";
    write(folder + "vendor", vendor + "\n");
    write(folder + "device", "0x1234\n");
    write(folder + "class", "0x030000\n");
    write(folder + "uevent", driver.empty() ? "PCI_ID=x\n" : "DRIVER=" + driver + "\n");
  }
  Result<Sources> open(const std::vector<std::string>& specifications) const {
    return open_sources(specifications, clock_, {.machine_root = root_.string()});
  }
  std::shared_ptr<const Snapshot> look(const std::vector<std::string>& specifications) const {
    auto sources = open(specifications);
    EXPECT_TRUE(sources) << sources.error().message;
    ThreadRunner runner;
    Published<Snapshot> out;
    Sampler(std::move(sources->backends), *clock_, runner, out).tick();
    return out.read();
  }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
};

TEST_F(DetectTest, AnUnknownSourceIsRefusedWithTheKnownOnes) {
  const auto sources = open({"nvlm"});
  ASSERT_FALSE(sources);
  EXPECT_EQ(sources.error().code, Errc::invalid_argument);
  EXPECT_EQ(sources.error().message,
            "there is no source 'nvlm'; there are: auto, nvml or nvml:LIBRARY, nvidia-smi or nvidia-smi:FILE.xml, "
            "rocm-smi or rocm-smi:FILE.json, sysfs or sysfs:FOLDER, simulated:FILE.yaml, replay:FILE.gkr");
}

TEST_F(DetectTest, ASourceThatNeedsAFileSaysSo) {
  EXPECT_EQ(open({"simulated"}).error().message, "source 'simulated' lacks its file: simulated:FILE.yaml");
  EXPECT_EQ(open({"nvidia-smi:"}).error().message,
            "source 'nvidia-smi:' lacks its file: nvidia-smi or nvidia-smi:FILE.xml");
  EXPECT_EQ(open({"auto:x"}).error().message, "source 'auto' takes no argument");
}

TEST_F(DetectTest, WhatANamedSourceHoldsWrongIsAFailureNotWrongUsage) {
  write("damaged.xml", "<nvidia_smi_log><gpu>");
  write("damaged.yaml", "devices: [");
  for (const std::string& specification :
       {"nvidia-smi:" + (root_ / "damaged.xml").string(), "simulated:" + (root_ / "damaged.yaml").string(),
        "simulated:" + (root_ / "none.yaml").string(), std::string("nvml:/no/such/library.so"),
        "sysfs:" + (root_ / "none").string()}) {
    const auto sources = open({specification});
    ASSERT_FALSE(sources) << specification;
    EXPECT_NE(sources.error().code, Errc::invalid_argument) << specification;
    EXPECT_FALSE(sources.error().message.empty());
  }
}

TEST_F(DetectTest, AFolderThatIsNoMachineSaysWhatItMustHold) {
  EXPECT_THAT(open({"sysfs:" + (root_ / "none").string()}).error().message,
              HasSubstr("the folder must hold a machine's sys/ folder"));
}

TEST_F(DetectTest, AutoOnAMachineWithoutGpusFindsNothingAndSaysWhatItLookedFor) {
  const auto sources = open({});
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->findings.size(), 3u);
  EXPECT_EQ(sources->findings[0].looked, "no GPU of NVIDIA's is on the PCI bus");
  EXPECT_EQ(sources->findings[1].looked, "no GPU of AMD's is on the PCI bus");
  EXPECT_EQ(sources->findings[2].looked, "no GPU of Intel's is on the PCI bus");
  for (const Finding& finding : sources->findings) EXPECT_EQ(finding.remedy, "");
  EXPECT_TRUE(look({})->devices.empty());
}

TEST_F(DetectTest, AutoSaysWhatAGpuWithoutADriverNeeds) {
  function("0000:01:00.0", "0x10de", "");
  function("0000:02:00.0", "0x1002", "vfio-pci");
  function("0000:03:00.0", "0x8086", "xe");
  const auto sources = open({"auto"});
  ASSERT_TRUE(sources);
  EXPECT_EQ(sources->findings[0].looked, "the GPU at 0000:01:00.0 has no kernel driver");
  EXPECT_THAT(sources->findings[0].remedy, StartsWith("install NVIDIA's driver"));
  EXPECT_EQ(sources->findings[1].looked, "the GPU at 0000:02:00.0 is bound to the driver vfio-pci");
  EXPECT_THAT(sources->findings[1].remedy, HasSubstr("virtual machine"));
  EXPECT_EQ(sources->findings[2].looked, "a GPU of Intel's on the PCI bus, with xe driving it");
}

TEST_F(DetectTest, WithoutSysfsNothingIsClaimed) {
  std::filesystem::remove_all(root_ / "sys");
  EXPECT_THAT(open({"auto"})->findings[1].looked, HasSubstr("it is not known"));
}

TEST_F(DetectTest, AllVendorsStandInOneSnapshotInPciOrder) {
  FakeNvml nvml;  // its first GPU is at 0000:10:00.0
  nvml.add_gpu("NVIDIA H200");
  card(0, "amdgpu", "0000:03:00.0", "1002:744C");
  card(1, "xe", "0000:04:00.0", "8086:E20B");
  card(2, "virtio_gpu", "0000:05:00.0", "1AF4:1050");
  card(3, "nvidia", "0000:10:00.0", "10DE:2335");
  const auto snapshot = look({"nvml:" + FakeNvml::library_path().string(), "sysfs:" + root_.string()});
  std::vector<std::string> seen;
  for (const DeviceSnapshot& device : snapshot->devices) {
    seen.push_back(device.device->pci->to_string() + " " + device.device->source);
  }
  EXPECT_THAT(seen,
              ElementsAre("0000:03:00.0 amdgpu", "0000:04:00.0 intel", "0000:05:00.0 basic", "0000:10:00.0 nvml"));
}

TEST_F(DetectTest, AFolderIsARecordingUnlessThisProcessLivesInIt) {
  card(0, "xe", "0000:04:00.0", "8086:E20B");
  EXPECT_TRUE(look({"sysfs:" + root_.string()})->devices.at(0).device->recorded);
  std::filesystem::create_symlink("/proc", root_ / "proc");
  EXPECT_FALSE(look({"sysfs:" + root_.string()})->devices.at(0).device->recorded);
}

std::vector<std::string> event_sources(const Sources& sources) {
  std::vector<std::string> names;
  for (const auto& source : sources.events) names.emplace_back(source->name());
  return names;
}

TEST_F(DetectTest, TheKernelOfALivingMachineIsAskedForEventsOnce) {
  const auto sources = open({"auto", "sysfs"});
  ASSERT_TRUE(sources) << sources.error().message;
  EXPECT_THAT(event_sources(*sources), testing::IsSupersetOf({"kernel log", "pcie counters", "device core dumps"}));
  EXPECT_EQ(std::ranges::count(event_sources(*sources), "kernel log"), 1);
  for (const auto& source : sources->events) {
    if (source->name() != "kernel log") continue;
    const auto events = source->take_events();
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().message,
              "open the kernel's log " + root_.string() +
                  "/dev/kmsg: No such file or directory; in a container, give it the host's: `--device /dev/kmsg "
                  "--cap-add SYSLOG`");
  }
}

TEST_F(DetectTest, ThisMachinesKernelSaysNothingOfSimulatedAndRecordedDevices) {
  const auto simulated = open({"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/faults.yaml"});
  ASSERT_TRUE(simulated) << simulated.error().message;
  EXPECT_THAT(event_sources(*simulated), ElementsAre("simulated"));
  write("recorded/sys/class/drm/version", "drm 1.1.0\n");
  const auto recorded = open({"sysfs:" + (root_ / "recorded").string()});
  ASSERT_TRUE(recorded) << recorded.error().message;
  EXPECT_THAT(event_sources(*recorded), ElementsAre());
}

}  // namespace
}  // namespace gpukeeper
