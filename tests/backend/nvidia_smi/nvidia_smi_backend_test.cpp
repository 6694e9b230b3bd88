#include "backend/nvidia_smi/nvidia_smi_backend.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "contract/backend_contract.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kFolder = "/sys/bus/pci/devices/";

std::string fixture_path(const std::string& name) {
  return std::string(GPUKEEPER_SOURCE_DIR) + "/tests/fixtures/nvidia_smi/" + name;
}
std::string fixture(const std::string& name) {
  return file_content(fixture_path(name));
}

// A live backend over a program that a test answers for. Reads run the program themselves, so nothing happens by
// chance.
class NvidiaSmiBackendTest : public ::testing::Test {
 protected:
  void pci_gpu(const std::string& address, const std::string& device, const std::string& vendor = "0x10de",
               const std::string& driver = "nvidia") {
    files_.write(kFolder + address + "/vendor", vendor + "\n");
    files_.write(kFolder + address + "/class", "0x030000\n");
    files_.write(kFolder + address + "/device", device + "\n");
    status(address, "active");
    files_.write(kFolder + address + "/power/control", "auto\n");
    files_.link(kFolder + address + "/driver", "../../../../bus/pci/drivers/" + driver);
  }
  void status(const std::string& address, const std::string& word) {
    files_.write(kFolder + address + "/power/runtime_status", word + "\n");
  }
  void prints(const std::string& document, int exit_status = 0) { programs_.answer({exit_status, document, ""}); }

  Result<std::unique_ptr<Backend>> open() { return open_nvidia_smi(options_, {programs_, files_, clock_}); }
  std::unique_ptr<Backend> opened() {
    auto backend = open();
    EXPECT_TRUE(backend) << (backend ? "" : backend.error().message);
    return backend ? std::move(*backend) : nullptr;
  }
  std::string refusal() {
    const auto backend = open();
    if (backend) return "opened";
    EXPECT_EQ(backend.error().code, Errc::unavailable);
    return backend.error().message;
  }

  FakePrograms programs_;
  MemoryFiles files_;
  FakeClock clock_;
  NvidiaSmiOptions options_{.tool = {.background = false}};
  const DeviceId p100_{"GPU-bbbbbbbb-0000-0000-0000-000000000001"};
  const DeviceId other_{"GPU-bbbbbbbb-0000-0000-0000-000000000002"};
};

TEST_F(NvidiaSmiBackendTest, EveryFixtureKeepsTheContractLiveAndRecorded) {
  for (const auto* name : {"v2-fermi.xml", "v5-kepler-geforce.xml", "v9-pascal-x2.xml", "v10-windows-laptop.xml",
                           "v12-mig.xml", "v13-lost-and-well.xml", "v13-unified-memory.xml"}) {
    SCOPED_TRACE(name);
    options_.tool.file.clear();
    prints(fixture(name));
    if (const auto live = opened()) check_backend_contract(*live);
    options_.tool.file = fixture_path(name);
    if (const auto recorded = opened()) check_backend_contract(*recorded);
  }
}

TEST_F(NvidiaSmiBackendTest, OneRunServesAllDevicesForASecond) {
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(backend->list());
    EXPECT_TRUE(backend->read(p100_));
    EXPECT_TRUE(backend->read(other_));
    EXPECT_TRUE(backend->processes(other_));
  }
  EXPECT_THAT(programs_.take_runs(), ElementsAre("/usr/bin/nvidia-smi -q -x"));
  clock_.advance(1s);
  EXPECT_TRUE(backend->read(p100_));
  EXPECT_TRUE(backend->read(other_));
  EXPECT_THAT(programs_.take_runs(), SizeIs(1));
  EXPECT_EQ(backend->cost().calls, 2u);
}

TEST_F(NvidiaSmiBackendTest, DevicesStandInPciOrder) {
  prints(fixture("v9-pascal-x2.xml"));
  const auto devices = opened()->list();
  ASSERT_TRUE(devices);
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].id, p100_);
  EXPECT_EQ((*devices)[1].id, other_);
  EXPECT_FALSE((*devices)[0].recorded);
}

TEST_F(NvidiaSmiBackendTest, ARecordingIsLabelledAndNeverRunsAnything) {
  options_.tool.file = fixture_path("v12-mig.xml");
  const auto backend = opened();
  ASSERT_TRUE(backend);
  const auto devices = backend->list();
  ASSERT_TRUE(devices);
  ASSERT_THAT(*devices, SizeIs(3));
  for (const auto& device : *devices) EXPECT_TRUE(device.recorded);
  clock_.advance(1h);
  EXPECT_TRUE(backend->read(devices->front().id));
  EXPECT_THAT(programs_.take_runs(), IsEmpty());
  EXPECT_THAT(files_.take_accesses(), IsEmpty());
}

TEST_F(NvidiaSmiBackendTest, ProcessesOfAPartitionAreThoseInsideIt) {
  options_.tool.file = fixture_path("v12-mig.xml");
  const auto processes = opened()->processes({"MIG-GPU-dddddddd-0000-0000-0000-000000000100/1/0"});
  ASSERT_TRUE(processes);
  ASSERT_THAT(*processes, SizeIs(1));
  EXPECT_EQ(processes->front().pid, 3001);
}

TEST_F(NvidiaSmiBackendTest, ARecordingThatCannotBeReadIsNamedWithItsPlace) {
  options_.tool.file = "/no/such/recording.xml";
  const auto missing = open();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), (Error{Errc::not_found, "open /no/such/recording.xml: No such file or directory"}));

  options_.tool.file = fixture_path("");
  const auto folder = open();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Errc::invalid_argument);

  const auto path = std::filesystem::temp_directory_path() / ("gpukeeper-cut-" + std::to_string(::getpid()) + ".xml");
  std::ofstream(path) << "<nvidia_smi_log>\n<gpu>\n";
  options_.tool.file = path;
  const auto cut = open();
  std::filesystem::remove(path);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error(),
            (Error{Errc::invalid_argument,
                   path.string() + ": nvidia-smi XML: line 2, column 6: Start-end tags mismatch; the document "
                                   "may have been cut off"}));
}

TEST_F(NvidiaSmiBackendTest, WhatKeepsTheProgramFromAnsweringIsSaidWithItsRemedy) {
  programs_.answer(
      {18, "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95\n", ""});
  EXPECT_EQ(
      refusal(),
      "nvidia-smi -q -x ended with exit status 18: Failed to initialize NVML: Driver/library version mismatch NVML "
      "library version: 580.95; the loaded kernel module and the installed library are of different versions: reload "
      "the nvidia modules, or reboot");
  programs_.answer({9,
                    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the "
                    "latest NVIDIA driver is installed and running.\n",
                    ""});
  EXPECT_EQ(
      refusal(),
      "nvidia-smi -q -x ended with exit status 9: NVIDIA-SMI has failed because it couldn't communicate with the "
      "NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.; the kernel module is not "
      "loaded: install the NVIDIA driver, or load it with: modprobe nvidia");
  programs_.answer({4, "Failed to initialize NVML: Insufficient Permissions\n", ""});
  EXPECT_EQ(
      refusal(),
      "nvidia-smi -q -x ended with exit status 4: Failed to initialize NVML: Insufficient Permissions; this user may "
      "not open /dev/nvidia*: add it to the group that owns them");
  programs_.answer({1, "", "something else\n"});
  EXPECT_EQ(refusal(), "nvidia-smi -q -x ended with exit status 1: something else");
  programs_.answer({0, "", ""});
  EXPECT_EQ(refusal(), "nvidia-smi -q -x printed no XML");
  programs_.answer({0, "<nvidia_smi_log>", ""});
  EXPECT_EQ(refusal(),
            "nvidia-smi XML: line 1, column 16: Start-end tags mismatch; the document may have been cut off");
  programs_.fail(Errc::deadline_exceeded, "nvidia-smi -q -x did not end within 10 s and was killed");
  EXPECT_EQ(refusal(), "nvidia-smi -q -x did not end within 10 s and was killed");
  programs_.uninstall();
  EXPECT_EQ(
      refusal(),
      "the program nvidia-smi was not found in PATH; install the NVIDIA driver's tools (Debian: nvidia-smi; Ubuntu: "
      "nvidia-utils), or put them into PATH");
}

TEST_F(NvidiaSmiBackendTest, ADriverWithoutAGpuHasNoDevices) {
  programs_.answer({6, "No devices were found\n", ""});
  const auto devices = opened()->list();
  ASSERT_TRUE(devices);
  EXPECT_THAT(*devices, IsEmpty());
}

TEST_F(NvidiaSmiBackendTest, ADocumentCountsWhateverTheExitStatus) {
  prints(fixture("v13-lost-and-well.xml"), 15);
  const auto backend = opened();
  ASSERT_TRUE(backend);
  EXPECT_TRUE(backend->read({"GPU-eeeeeeee-0000-0000-0000-000000000001"}));
  const auto lost = backend->read({"GPU-eeeeeeee-0000-0000-0000-000000000002"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(
      lost.error(),
      (Error{Errc::unavailable,
             "read GPU-eeeeeeee-0000-0000-0000-000000000002: nvidia-smi says \"GPU is lost\": look for Xid errors in "
             "the kernel log (dmesg), then reset the GPU (nvidia-smi --gpu-reset) or reboot"}));
  EXPECT_FALSE(backend->processes({"GPU-eeeeeeee-0000-0000-0000-000000000002"}));
}

TEST_F(NvidiaSmiBackendTest, AFailureIsToldByEveryDeviceAndPassesWhenTheDriverIsBack) {
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  programs_.answer({18, "Failed to initialize NVML: Driver/library version mismatch\n", ""});
  clock_.advance(1s);
  const auto reading = backend->read(p100_);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::unavailable);
  EXPECT_EQ(
      reading.error().message,
      "read GPU-bbbbbbbb-0000-0000-0000-000000000001: nvidia-smi -q -x ended with exit status 18: Failed to "
      "initialize NVML: Driver/library version mismatch; the loaded kernel module and the installed library are of "
      "different versions: reload the nvidia modules, or reboot");
  EXPECT_EQ(backend->processes(other_).error().code, Errc::unavailable);
  const auto devices = backend->list();
  ASSERT_TRUE(devices) << "known devices stay listed";
  EXPECT_THAT(*devices, SizeIs(2));
  prints(fixture("v9-pascal-x2.xml"));
  clock_.advance(2s);
  EXPECT_TRUE(backend->read(p100_));
}

TEST_F(NvidiaSmiBackendTest, AFailingProgramIsRunLessAndLess) {
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  programs_.take_runs();
  programs_.fail(Errc::deadline_exceeded, "nvidia-smi -q -x did not end within 10 s and was killed");
  for (int second = 0; second < 300; ++second) {
    clock_.advance(1s);
    EXPECT_FALSE(backend->read(p100_));
  }
  // After pauses of 1, 2, 4, 8, 16 and 32 s, and then every 60 s.
  EXPECT_THAT(programs_.take_runs(), SizeIs(6 + 3));
}

TEST_F(NvidiaSmiBackendTest, AGpuThatLeavesTheDocumentIsNotFound) {
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  prints(fixture("v2-fermi.xml"));
  clock_.advance(1s);
  const auto reading = backend->read(p100_);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error(), (Error{Errc::not_found, "read " + p100_.text + ": nvidia-smi shows no such device"}));
}

TEST_F(NvidiaSmiBackendTest, WithAnyGpuAsleepNothingIsRunAndNothingButPowerFilesIsRead) {
  pci_gpu("0000:04:00.0", "0x15f8");
  pci_gpu("0000:82:00.0", "0x15f8");
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  ASSERT_TRUE(backend->read(p100_));
  EXPECT_EQ(backend->read(p100_)->runtime_power_state, "active");

  status("0000:04:00.0", "suspended");
  clock_.advance(1s);
  programs_.take_runs();
  files_.take_accesses();
  for (int i = 0; i < 100; ++i) {
    clock_.advance(1s);
    const auto asleep = backend->read(p100_);
    ASSERT_TRUE(asleep) << asleep.error().message;
    EXPECT_EQ(asleep->attention, Attention::asleep);
    EXPECT_EQ(asleep->temperature, Metric<Celsius>(missing(Missing::asleep)));
    EXPECT_EQ(asleep->runtime_power_state, "suspended");
    const auto awake = backend->read(other_);
    ASSERT_TRUE(awake);
    EXPECT_EQ(awake->attention, Attention::resting);
    EXPECT_FALSE(backend->processes(p100_));
    const auto devices = backend->list();
    ASSERT_TRUE(devices);
    EXPECT_THAT(*devices, SizeIs(2));
    EXPECT_EQ(devices->front().name, "Tesla P100-PCIE-16GB");
  }
  EXPECT_THAT(programs_.take_runs(), IsEmpty());
  for (const auto& access : files_.take_accesses()) {
    EXPECT_TRUE(access == "/sys/bus/pci/devices" || access.ends_with("/driver") ||
                access.find("/power") != std::string::npos)
        << access;
  }

  status("0000:04:00.0", "active");
  clock_.advance(1s);
  EXPECT_EQ(backend->read(p100_)->attention, Attention::awake);
  EXPECT_THAT(programs_.take_runs(), SizeIs(1));
}

TEST_F(NvidiaSmiBackendTest, AGpuThatSleepsFromTheStartIsListedFromPci) {
  pci_gpu("0000:01:00.0", "0x2684");
  pci_gpu("0000:00:02.0", "0x9a49", "0x8086");  // the processor's own
  files_.write(kFolder + "0000:01:00.1/vendor", "0x10de\n");
  files_.write(kFolder + "0000:01:00.1/class", "0x040300\n");  // the card's sound
  status("0000:01:00.0", "suspended");
  const auto backend = opened();
  ASSERT_TRUE(backend);
  const auto devices = backend->list();
  ASSERT_TRUE(devices);
  ASSERT_THAT(*devices, SizeIs(1));
  EXPECT_EQ(devices->front().id.text, "PCI-0000:01:00.0");
  EXPECT_EQ(devices->front().name, "NVIDIA GPU [10de:2684]");
  EXPECT_EQ(backend->read(devices->front().id)->attention, Attention::asleep);
  check_backend_contract(*backend);
  EXPECT_THAT(programs_.take_runs(), IsEmpty());
}

TEST_F(NvidiaSmiBackendTest, AnIdleGpuIsLeftAloneSoThatItCanFallAsleep) {
  pci_gpu("0000:04:00.0", "0x15f8");
  pci_gpu("0000:82:00.0", "0x15f8");
  prints(fixture("v9-pascal-x2.xml"));  // 04:00.0 has nothing to do
  const auto backend = opened();
  ASSERT_TRUE(backend);
  clock_.advance(1s);
  programs_.take_runs();
  const auto reading = backend->read(p100_);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->attention, Attention::resting);
  EXPECT_THAT(programs_.take_runs(), IsEmpty());
  clock_.advance(10s);
  EXPECT_EQ(backend->read(p100_)->attention, Attention::awake);
  EXPECT_THAT(programs_.take_runs(), SizeIs(1));
}

TEST_F(NvidiaSmiBackendTest, AGpuThatAnotherDriverHoldsMaySleepForEver) {
  pci_gpu("0000:05:00.0", "0x15f8", "0x10de", "vfio-pci");
  pci_gpu("0000:06:00.0", "0x15f8");
  files_.remove(kFolder + "0000:06:00.0/driver");
  files_.write(kFolder + "0000:06:00.0/uevent", "PCI_ID=10DE:15F8\n");
  status("0000:05:00.0", "suspended");
  status("0000:06:00.0", "suspended");
  prints(fixture("v9-pascal-x2.xml"));
  const auto backend = opened();
  ASSERT_TRUE(backend);
  EXPECT_EQ(backend->read(p100_)->attention, Attention::awake);
  EXPECT_THAT(*backend->list(), SizeIs(2));
}

TEST_F(NvidiaSmiBackendTest, AWarningBeforeTheDocumentIsNoError) {
  prints("WARNING: infoROM is corrupted at gpu 0000:04:00.0\n" + fixture("v9-pascal-x2.xml"), 14);
  EXPECT_TRUE(opened()->read(p100_));
}

TEST_F(NvidiaSmiBackendTest, WakeReadsSleepingGpusToo) {
  pci_gpu("0000:04:00.0", "0x15f8");
  status("0000:04:00.0", "suspended");
  prints(fixture("v9-pascal-x2.xml"));
  options_.tool.wake = true;
  EXPECT_EQ(opened()->read(p100_)->attention, Attention::awake);
}

TEST_F(NvidiaSmiBackendTest, NoSingleFailureOfAFileIsACrashOrARunOverASleepingGpu) {
  for (int n = 1; n <= 60; ++n) {
    SCOPED_TRACE(n);
    MemoryFiles fresh;
    for (const auto* address : {"0000:04:00.0", "0000:82:00.0"}) {
      for (const auto& [file, text] : {std::pair("/vendor", "0x10de"),
                                       {"/class", "0x030200"},
                                       {"/device", "0x15f8"},
                                       {"/power/runtime_status", "active"},
                                       {"/power/control", "on"}}) {
        fresh.write(kFolder + address + file, std::string(text) + "\n");
      }
      fresh.link(kFolder + address + "/driver", "../../../../bus/pci/drivers/nvidia");
    }
    prints(fixture("v9-pascal-x2.xml"));
    fresh.fail_nth(n);
    const auto backend = open_nvidia_smi(options_, {programs_, fresh, clock_});
    ASSERT_TRUE(backend) << backend.error().message;
    for (int tick = 0; tick < 3; ++tick) {
      clock_.advance(1s);
      check_backend_contract(**backend);
    }
  }
}

TEST_F(NvidiaSmiBackendTest, NoSingleFailureOfTheProgramLosesADevice) {
  const auto document = fixture("v9-pascal-x2.xml");
  for (int n = 2; n <= 8; ++n) {
    SCOPED_TRACE(n);
    auto runs = std::make_shared<std::atomic<int>>(0);
    programs_.answer_with([=](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> {
      if (++*runs == n) return fail(Errc::internal, "injected");
      return ProgramOutput{0, document, ""};
    });
    const auto backend = opened();
    ASSERT_TRUE(backend);
    int failures = 0;
    for (int tick = 0; tick < 12; ++tick) {
      clock_.advance(1s);
      ASSERT_TRUE(backend->list());
      EXPECT_THAT(*backend->list(), SizeIs(2));
      failures += backend->read(p100_) ? 0 : 1;
    }
    EXPECT_EQ(failures, 2) << "until the next attempt, two seconds later";
    EXPECT_TRUE(backend->read(p100_));
  }
}

// ---- With a thread of its own, as a watch has it ------------------------------------------------------------------

TEST_F(NvidiaSmiBackendTest, AReadNeverWaitsForTheProgram) {
  options_.tool.background = true;
  const auto document = fixture("v9-pascal-x2.xml");
  prints(document);
  auto backend = opened();
  ASSERT_TRUE(backend);
  std::latch started(1);
  std::latch finish(1);
  programs_.answer_with([&](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> {
    started.count_down();
    finish.wait();
    return ProgramOutput{0, document, ""};
  });
  clock_.advance(1s);
  EXPECT_TRUE(backend->read(p100_)) << "the last document";
  started.wait();
  EXPECT_TRUE(backend->read(p100_));
  clock_.advance(5s);
  const auto stale = backend->read(p100_);
  ASSERT_FALSE(stale) << "an old document must not pass for the present";
  EXPECT_EQ(stale.error(),
            (Error{Errc::unavailable, "read " + p100_.text +
                                          ": nvidia-smi has not answered for 6 s: the driver hangs. Look "
                                          "for GPU errors in the kernel log (dmesg)"}));
  finish.count_down();
  backend.reset();  // joins the thread that still looks at the latches
}

TEST_F(NvidiaSmiBackendTest, AfterALongPauseAllDevicesWaitForOneRun) {
  options_.tool.background = true;
  const auto document = fixture("v9-pascal-x2.xml");
  prints(document);
  auto backend = opened();
  ASSERT_TRUE(backend);
  (void)programs_.take_runs();
  std::latch started(1);
  std::latch finish(1);
  programs_.answer_with([&](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> {
    started.count_down();
    finish.wait();
    return ProgramOutput{0, document, ""};
  });
  clock_.advance(10s);  // as with a watch of 10 s
  bool first = false;
  bool second = false;
  std::atomic<bool> second_answered{false};
  std::thread one([&] { first = backend->read(p100_).has_value(); });
  started.wait();
  std::latch asking(1);
  std::thread two([&] {
    asking.count_down();
    second = backend->read(other_).has_value();
    second_answered = true;
  });
  asking.wait();
  // A moment for a wrong answer to come; the right one cannot come before the end of the run.
  for (int i = 0; i < 10'000 && !second_answered; ++i) std::this_thread::yield();
  finish.count_down();
  one.join();
  two.join();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second) << "the program has only just begun: it does not hang";
  EXPECT_THAT(programs_.take_runs(), SizeIs(1));
  backend.reset();
}

TEST_F(NvidiaSmiBackendTest, EndingStopsARunOfTheProgram) {
  options_.tool.background = true;
  prints(fixture("v9-pascal-x2.xml"));
  auto backend = opened();
  ASSERT_TRUE(backend);
  std::latch started(1);
  programs_.answer_with([&](const ProgramCall&, const std::stop_token& stop) -> Result<ProgramOutput> {
    started.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    return fail(Errc::unavailable, "nvidia-smi was stopped");
  });
  clock_.advance(1s);
  EXPECT_TRUE(backend->read(p100_));
  started.wait();
  backend.reset();
}

// ---- With the machine's own programs ------------------------------------------------------------------------------

TEST(NvidiaSmiProgramTest, AScriptInPlaceOfTheProgramIsReadWhole) {
  std::string name = (std::filesystem::temp_directory_path() / "gpukeeper-smi-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto script = folder / "nvidia-smi";
  std::ofstream(script) << "#!/bin/sh\n[ \"$*\" = '-q -x' ] || exit 2\ncat '" << fixture_path("v13-lost-and-well.xml")
                        << "'\nexit 15\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  RealPrograms programs;
  MemoryFiles files;
  FakeClock clock;
  const auto backend = open_nvidia_smi({.tool = {}, .program = script}, {programs, files, clock});
  EXPECT_TRUE(backend) << backend.error().message;
  if (backend) {
    const auto devices = (*backend)->list();
    EXPECT_TRUE(devices && devices->size() == 3);
    check_backend_contract(**backend);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gpukeeper
