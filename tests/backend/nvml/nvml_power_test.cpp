#include "machine.hpp"

namespace gpukeeper::nvml {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::Not;

class NvmlPowerTest : public NvmlMachine {
 protected:
  void information(int slot, const std::string& uuid) {
    files_.write("/proc/driver/nvidia/gpus/" + pci_of(slot) + "/information",
                 "Model: \t\t NVIDIA GeForce RTX 4070\nIRQ:   \t\t 150\nGPU UUID: \t " + uuid +
                     "\nVideo BIOS: \t ??.??.??.??.??\nBus Type: \t PCIe\nDevice Minor: \t 0\n");
  }
};

TEST_F(NvmlPowerTest, ASleepingGpuIsListedFromTheKernelsFilesAndNoNvmlCallIsMade) {
  add_gpus(1);
  control(0, "auto");
  status(0, "suspended");
  information(0, "GPU-12345678-0000-0000-0000-000000000001");
  files_.write(folder_of(0) + "/power_state", "D3cold\n");
  const auto backend = open();
  for (int second = 0; second < 600; second += 5) {
    const auto listed = devices(*backend);
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed.front().id.text, "GPU-12345678-0000-0000-0000-000000000001");
    EXPECT_EQ(listed.front().name, "NVIDIA GeForce RTX 4070");
    EXPECT_EQ(listed.front().vbios_version, Device::Text(missing(Missing::not_supported)))
        << "it is only question marks";
    EXPECT_EQ(listed.front().minor_number, 0u);
    const auto reading = backend->read(listed.front().id);
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->attention, Attention::asleep);
    EXPECT_EQ(reading->temperature, Metric<Celsius>(missing(Missing::asleep)));
    EXPECT_EQ(reading->runtime_power_state, "D3cold");
    EXPECT_FALSE(backend->processes(listed.front().id));
    clock_.advance(5s);
  }
  EXPECT_EQ(backend->cost().calls, 0u);
  EXPECT_EQ(nvml_.total_calls(), 0u);
  EXPECT_EQ(nvml_.open_sessions(), 0u);
}

TEST_F(NvmlPowerTest, NothingThatWakesIsReadOfASleepingGpu) {
  add_gpus(1);
  control(0, "auto");
  status(0, "suspended");
  const auto backend = open();
  const auto listed = devices(*backend);
  (void)backend->read(listed.front().id);
  (void)backend->processes(listed.front().id);
  for (const auto& path : files_.take_accesses()) {
    EXPECT_THAT(path, Not(AnyOf(EndsWith("/config"), EndsWith("/rom"), HasSubstr("hwmon"), HasSubstr("/resource"),
                                EndsWith("current_link_speed"), EndsWith("current_link_width"))));
  }
}

TEST_F(NvmlPowerTest, TheContractHoldsWhileAsleep) {
  add_gpus(2);
  for (int slot : {0, 1}) {
    control(slot, "auto");
    status(slot, "suspended");
  }
  const auto backend = open();
  check_backend_contract(*backend);
}

TEST_F(NvmlPowerTest, AnAwakeGpuBesideASleepingOneIsNotReadAsThatWouldWakeTheOther) {
  add_gpus(2);
  control(1, "auto");
  status(1, "suspended");
  const auto backend = open();
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  const auto awake = backend->read(listed[0].id);
  ASSERT_FALSE(awake);
  EXPECT_EQ(awake.error().code, Errc::unavailable);
  EXPECT_EQ(awake.error().message, "not read: opening the driver would wake GPU 0000:11:00.0; use --wake to do so");
  EXPECT_EQ(backend->read(listed[1].id)->attention, Attention::asleep);
  EXPECT_EQ(backend->cost().calls, 0u);

  status(1, "active");
  EXPECT_EQ(devices(*backend).size(), 2u);
  EXPECT_TRUE(backend->read(devices(*backend)[0].id));
}

TEST_F(NvmlPowerTest, WakeReadsASleepingGpu) {
  add_gpus(1);
  control(0, "auto");
  status(0, "suspended");
  const auto backend = open(FakeNvml::library_path().string(), true);
  EXPECT_EQ(read_first(*backend).temperature, Celsius(40));
}

TEST_F(NvmlPowerTest, GpusOfOtherDriversNeitherCountAsAsleepNorAreListed) {
  add_gpus(1);
  const int other = nvml_.add_gpu();
  nvml_.unplug(other);
  put_on_bus(other, "vfio-pci");
  control(other, "auto");
  status(other, "suspended");
  const auto backend = open();
  ASSERT_EQ(devices(*backend).size(), 1u);
  EXPECT_EQ(read_first(*backend).temperature, Celsius(40));
}

TEST_F(NvmlPowerTest, AnIdleGpuIsLetGoOfSoThatItCanFallAsleep) {
  add_gpus(1);
  control(0, "auto");
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  EXPECT_EQ(backend->read(id)->attention, Attention::awake);
  EXPECT_TRUE(backend->processes(id)->empty());
  EXPECT_EQ(nvml_.open_sessions(), 1u);
  clock_.advance(1s);
  EXPECT_EQ(backend->read(id)->attention, Attention::awake) << "found idle by this reading";
  EXPECT_EQ(nvml_.open_sessions(), 0u) << "nothing is held open any more";
  const auto calls = backend->cost().calls;

  for (int second = 1; second < 9; ++second) {
    clock_.advance(1s);
    if (second % 5 == 0) {
      EXPECT_EQ(devices(*backend).size(), 1u);
    }
    EXPECT_EQ(backend->read(id)->attention, Attention::resting);
  }
  status(0, "suspended");
  for (int second = 0; second < 60; ++second) {
    clock_.advance(1s);
    if (second % 5 == 0) {
      EXPECT_EQ(devices(*backend).front().id, id) << "still called as before";
    }
    EXPECT_EQ(backend->read(id)->attention, Attention::asleep);
  }
  EXPECT_EQ(backend->cost().calls, calls);

  status(0, "active");  // someone uses it
  nvml_.gpu(0).utilization_gpu = 50;
  EXPECT_EQ(devices(*backend).front().id, id);
  EXPECT_EQ(backend->read(id)->utilization, Percent(50));
}

TEST_F(NvmlPowerTest, AGpuThatDoesNotFallAsleepIsReadAgain) {
  add_gpus(1);
  control(0, "auto");
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  (void)backend->processes(id);
  (void)backend->read(id);
  EXPECT_EQ(nvml_.open_sessions(), 0u);
  clock_.advance(11s);
  EXPECT_EQ(backend->read(id)->attention, Attention::resting) << "until the list opens the driver again";
  (void)devices(*backend);
  EXPECT_EQ(backend->read(id)->temperature, Celsius(40));
}

TEST_F(NvmlPowerTest, AComputingProcessKeepsTheDriverOpen) {
  add_gpus(1);
  control(0, "auto");
  nvml_.set_processes(0, {{.pid = 4711}});
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  for (int i = 0; i < 100; ++i) {
    if (i % 3 == 0) {
      EXPECT_EQ(backend->processes(id)->size(), 1u);
    }
    EXPECT_EQ(backend->read(id)->attention, Attention::awake);
    clock_.advance(1s);
  }
  EXPECT_EQ(nvml_.open_sessions(), 1u);
}

TEST_F(NvmlPowerTest, ADisplayServerAloneDoesNotKeepItOpen) {
  add_gpus(1);
  control(0, "auto");
  nvml_.set_processes(0, {{.pid = 900, .kinds = fake_nvml::kGraphics}});
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  EXPECT_EQ(backend->processes(id)->size(), 1u);
  (void)backend->read(id);
  EXPECT_EQ(nvml_.open_sessions(), 0u);
}

TEST_F(NvmlPowerTest, ASleeperBesideABusyOneIsNotTouched) {
  add_gpus(2);
  for (int slot : {0, 1}) control(slot, "auto");
  nvml_.gpu(0).utilization_gpu = 90;
  const auto backend = open();
  const auto listed = devices(*backend);
  for (const auto& device : listed) (void)backend->read(device.id);
  status(1, "suspended");
  nvml_.reset_counters();
  for (int second = 0; second < 60; ++second) {
    clock_.advance(1s);
    if (second % 5 == 0) {
      EXPECT_EQ(devices(*backend).size(), 2u);
    }
    EXPECT_EQ(backend->read(listed[0].id)->utilization, Percent(90));
    EXPECT_EQ(backend->read(listed[1].id)->attention, Attention::asleep);
    EXPECT_FALSE(backend->processes(listed[1].id));
  }
  EXPECT_EQ(nvml_.calls_of_gpu(1), 0u);
}

TEST_F(NvmlPowerTest, AServersGpusThatNeverSleepCostNoFileReadsBetweenLists) {
  add_gpus(8);
  const auto backend = open();
  const auto listed = devices(*backend);
  for (const auto& device : listed) (void)backend->read(device.id);
  files_.take_accesses();
  clock_.advance(1s);
  for (const auto& device : listed) (void)backend->read(device.id);
  EXPECT_TRUE(files_.take_accesses().empty());
}

}  // namespace
}  // namespace gpukeeper::nvml
