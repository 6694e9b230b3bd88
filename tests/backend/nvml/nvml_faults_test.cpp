#include <atomic>
#include <thread>

#include "machine.hpp"

namespace gpukeeper::nvml {
namespace {

using ::testing::StartsWith;

using NvmlFaultsTest = NvmlMachine;

struct Refusal {
  int code;
  const char* says;
};
constexpr Refusal kRefusals[] = {
    {9, "the NVIDIA kernel driver is not loaded; load it with `sudo modprobe nvidia`"},
    {18, "the NVIDIA library and the loaded kernel module have different versions (kernel module 580.105.08)"},
    {4, "this user may not open the NVIDIA device files"},
    {17, "the operating system blocks /dev/nvidiactl"},
    {999, "the NVIDIA driver cannot be opened: nvmlInit: unknown error inside the driver (code 999)"},
};

TEST_F(NvmlFaultsTest, WhenTheDriverRefusesItsGpusAreListedWithTheReasonUntilItAccepts) {
  add_gpus(2);
  files_.write("/sys/module/nvidia/version", "580.105.08\n");
  for (const auto& [code, says] : kRefusals) {
    SCOPED_TRACE(code);
    nvml_.refuse_init(code);
    const auto backend = open();
    check_backend_contract(*backend);
    const auto listed = devices(*backend);
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed.front().id.text, "PCI-0000:10:00.0");
    EXPECT_EQ(listed.front().driver_version, "580.105.08");
    const auto reading = backend->read(listed.front().id);
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code, Errc::unavailable);
    EXPECT_THAT(reading.error().message, StartsWith(says));
    nvml_.accept_init();
    clock_.advance(60s);
    EXPECT_EQ(devices(*backend).front().id.text, nvml_.gpu(0).uuid);
    EXPECT_EQ(read_first(*backend).temperature, Celsius(40));
  }
}

TEST_F(NvmlFaultsTest, WithNoGpuOnTheBusTheListSaysWhy) {
  nvml_.refuse_init(9);
  const auto backend = open();
  const auto listed = backend->list();
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Errc::unavailable);
  EXPECT_THAT(listed.error().message, StartsWith("the NVIDIA kernel driver is not loaded"));
}

TEST_F(NvmlFaultsTest, ARefusingDriverIsTriedAgainWithGrowingPauses) {
  add_gpus(1);
  nvml_.refuse_init(999);
  const auto backend = open();
  int attempts = 0;
  for (int second = 0; second < 600; ++second) {
    const auto before = backend->cost().calls;
    (void)devices(*backend);
    attempts += backend->cost().calls > before;
    clock_.advance(1s);
  }
  EXPECT_GE(attempts, 10);
  EXPECT_LE(attempts, 18) << "once a minute in the end";
}

TEST_F(NvmlFaultsTest, AReloadedDriverIsOpenedAgain) {
  add_gpus(2);
  for (const int code : {999, 1, 9, 18, 2}) {
    SCOPED_TRACE(code);
    const auto backend = open();
    const auto id = devices(*backend)[1].id;
    EXPECT_TRUE(backend->read(id));
    clock_.advance(40s);
    nvml_.reload_driver(code);
    for (const auto& device : devices(*backend)) {
      const auto reading = backend->read(device.id);
      ASSERT_FALSE(reading);
      EXPECT_EQ(reading.error().code, Errc::unavailable);
    }
    (void)devices(*backend);
    const auto again = backend->read(id);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->temperature, Celsius(40));
    EXPECT_EQ(nvml_.open_sessions(), 1u);
    ASSERT_TRUE(backend->processes(id));
  }
}

TEST_F(NvmlFaultsTest, ALostGpuIsLeftAloneAndTheOthersGoOn) {
  add_gpus(2);
  const auto backend = open();
  const auto listed = devices(*backend);
  for (const auto& device : listed) EXPECT_TRUE(backend->read(device.id));
  for (const int code : {15, 16}) {
    SCOPED_TRACE(code);
    nvml_.lose_gpu(0, code);
    clock_.advance(1s);
    const auto lost = backend->read(listed[0].id);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::unavailable);
    EXPECT_THAT(lost.error().message, StartsWith(code == 15 ? "GPU 0000:10:00.0 is lost: it has fallen off the bus"
                                                            : "GPU 0000:10:00.0 needs a reset"));
    const auto calls = nvml_.calls_of_gpu(0);
    for (int i = 0; i < 9; ++i) {
      clock_.advance(1s);
      EXPECT_FALSE(backend->read(listed[0].id));
      EXPECT_TRUE(backend->read(listed[1].id));
    }
    EXPECT_EQ(nvml_.calls_of_gpu(0), calls);
    EXPECT_EQ(devices(*backend).size(), 2u) << "it is still listed";
    nvml_.find_gpu(0);
    clock_.advance(300s);
    EXPECT_TRUE(backend->read(listed[0].id)) << "and found again without a restart";
  }
}

TEST_F(NvmlFaultsTest, AGpuThatWasLostBeforeTheStartIsListedAndFoundAgain) {
  add_gpus(2);
  nvml_.lose_gpu(0);
  const auto backend = open();
  auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_FALSE(backend->read(listed[0].id));
  EXPECT_TRUE(backend->read(listed[1].id));
  nvml_.find_gpu(0);
  clock_.advance(30s);
  listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_TRUE(backend->read(listed[0].id));
}

TEST_F(NvmlFaultsTest, ThreeUnknownErrorsInARowMakeADeviceUnavailable) {
  add_gpus(1);
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  EXPECT_TRUE(backend->read(id));
  nvml_.fail(Symbol::kAny, 999, 0);
  clock_.advance(1s);
  const auto before = nvml_.calls_of_gpu(0);
  const auto reading = backend->read(id);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::unavailable);
  EXPECT_THAT(reading.error().message, HasSubstr("three times in a row"));
  EXPECT_EQ(nvml_.calls_of_gpu(0) - before, 3u) << "no further call into a sick driver";
}

TEST_F(NvmlFaultsTest, AHotPluggedGpuIsFoundAndOneThatLeftIsGone) {
  add_gpus(1);
  const auto backend = open();
  const auto first = devices(*backend).front().id;
  EXPECT_TRUE(backend->read(first));
  add_gpus(1);
  clock_.advance(5s);
  auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_TRUE(backend->read(listed[1].id));
  EXPECT_TRUE(backend->read(first));
  nvml_.unplug(0);
  files_.remove(folder_of(0));
  clock_.advance(5s);
  listed = devices(*backend);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_TRUE(backend->read(listed[0].id));
  const auto gone = backend->read(first);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::not_found);
}

TEST_F(NvmlFaultsTest, AHangingGpuDelaysNoOther) {
  add_gpus(3);
  const auto backend = open();
  const auto listed = devices(*backend);
  for (const auto& device : listed) (void)backend->read(device.id);
  clock_.advance(1s);
  nvml_.hang(Symbol::nvmlDeviceGetTemperatureV, 1);
  std::thread hanging([&] { (void)backend->read(listed[1].id); });
  wait_until_hanging(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(backend->read(listed[0].id));
    EXPECT_TRUE(backend->read(listed[2].id));
    EXPECT_TRUE(backend->processes(listed[0].id));
    EXPECT_EQ(devices(*backend).size(), 3u);
    clock_.advance(1s);
  }
  nvml_.clear_faults();
  hanging.join();
  EXPECT_TRUE(backend->read(listed[1].id));
}

TEST_F(NvmlFaultsTest, AHangingProcessListDoesNotHoldUpReadings) {
  add_gpus(1);
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  nvml_.hang(Symbol::nvmlDeviceGetRunningProcessDetailList);
  std::thread hanging([&] { (void)backend->processes(id); });
  wait_until_hanging(1);
  EXPECT_TRUE(backend->read(id));
  const auto second = backend->processes(id);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  nvml_.clear_faults();
  hanging.join();
  EXPECT_TRUE(backend->processes(id));
}

TEST_F(NvmlFaultsTest, NoNewSessionBeginsWhileACallHangsInTheOldOne) {
  add_gpus(2);
  const auto backend = open();
  const auto listed = devices(*backend);
  nvml_.hang(Symbol::nvmlDeviceGetUtilizationRates, 0);
  std::thread hanging([&] { (void)backend->read(listed[0].id); });
  wait_until_hanging(1);
  clock_.advance(40s);
  nvml_.reload_driver(1);
  EXPECT_FALSE(backend->read(listed[1].id));
  (void)devices(*backend);
  const auto held = backend->read(listed[1].id);
  ASSERT_FALSE(held);
  EXPECT_THAT(held.error().message, HasSubstr("still hangs inside it"));
  EXPECT_EQ(nvml_.open_sessions(), 1u);
  nvml_.clear_faults();
  hanging.join();
  clock_.advance(5s);
  (void)devices(*backend);
  EXPECT_TRUE(backend->read(listed[1].id));
}

TEST_F(NvmlFaultsTest, AGpuThatHangsBeforeTheStartHidesNoOther) {
  add_gpus(3);
  nvml_.hang(Symbol::kAny, 1);
  const auto backend = open();
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_TRUE(backend->read(listed[0].id));
  EXPECT_TRUE(backend->read(listed[2].id));
  const auto hanging = backend->read(listed[1].id);
  ASSERT_FALSE(hanging);
  EXPECT_EQ(
      hanging.error().message,
      "the driver does not answer for GPU 0000:11:00.0; look for Xid errors in the kernel log (dmesg), then reset "
      "the GPU or reboot");
  clock_.advance(10s);
  (void)devices(*backend);
  EXPECT_EQ(nvml_.hanging(), 1u) << "no second call into it";
  nvml_.clear_faults();
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!backend->read(devices(*backend)[1].id) && std::chrono::steady_clock::now() < deadline) clock_.advance(60s);
  EXPECT_TRUE(backend->read(devices(*backend)[1].id));
}

TEST_F(NvmlFaultsTest, AGpuThatHangsBeforeTheStartIsListedWhereTheKernelsFilesAreHidden) {
  for (int i = 0; i < 3; ++i) nvml_.add_gpu();  // and nothing under /sys, as in a bare container
  nvml_.hang(Symbol::kAny, 1);
  const auto backend = open();
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed.back().id.text, "NVML-1");
  EXPECT_EQ(listed.back().vendor, Vendor::nvidia);
  const auto hanging = backend->read(listed.back().id);
  ASSERT_FALSE(hanging);
  EXPECT_THAT(hanging.error().message,
              StartsWith("the driver does not answer for the GPU that nvidia-smi numbers 1; look for Xid errors"));
  EXPECT_TRUE(backend->read(listed.front().id));
  nvml_.clear_faults();
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (devices(*backend).back().id.text == "NVML-1" && std::chrono::steady_clock::now() < deadline) {
    clock_.advance(60s);
  }
  const auto recovered = devices(*backend);
  EXPECT_EQ(recovered.size(), 3u);
  for (const Device& device : recovered) EXPECT_TRUE(backend->read(device.id)) << device.id.text;
}

TEST_F(NvmlFaultsTest, AGpuThatHangsIsNotAskedForItsMigMode) {
  add_gpus(2);
  nvml_.gpu(0).mig_mode = 0;
  const auto backend = open();
  const auto listed = devices(*backend);
  nvml_.hang(Symbol::kAny, 0);
  std::thread hanging([&] { (void)backend->read(listed[0].id); });
  wait_until_hanging(1);
  clock_.advance(60s);
  EXPECT_EQ(devices(*backend).size(), 2u);
  nvml_.clear_faults();
  hanging.join();
}

TEST_F(NvmlFaultsTest, AHangWhileListingIsAnswered) {
  add_gpus(1);
  const auto backend = open();
  nvml_.hang(Symbol::nvmlInit_v2);
  std::thread hanging([&] { (void)backend->list(); });
  wait_until_hanging(1);
  const auto second = backend->list();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  nvml_.clear_faults();
  hanging.join();
  EXPECT_EQ(devices(*backend).size(), 1u);
}

// Every call into the library fails once, each in turn, with each kind of answer: no crash, no empty message, and all
// is well again afterwards.
TEST_F(NvmlFaultsTest, AnyCallMayFail) {
  add_gpus(2);
  nvml_.add_mig(1, {.gpu_instance = 1, .memory_total = 1 << 30});
  nvml_.gpu(0).links = 2;
  nvml_.set_processes(0, {{.pid = 1, .sm = 5}, {.pid = 2}});
  const auto tick = [&](Backend& backend) {
    const auto listed = backend.list();
    if (!listed) {
      EXPECT_FALSE(listed.error().message.empty());
      return;
    }
    for (const auto& device : *listed) {
      const auto reading = backend.read(device.id);
      if (!reading) {
        EXPECT_FALSE(reading.error().message.empty());
      }
      const auto processes = backend.processes(device.id);
      if (!processes) {
        EXPECT_FALSE(processes.error().message.empty());
      }
    }
  };
  for (const int code : {999, 15, 1, 3, 7}) {
    for (std::uint64_t n = 1;; ++n) {
      SCOPED_TRACE(fmt::format("call {} answers {}", n, code));
      const auto backend = open();
      nvml_.fail_nth(n, code);
      tick(*backend);
      tick(*backend);
      const bool failed = nvml_.state().fail_nth == 0;
      nvml_.clear_faults();
      for (int i = 0; i < 3; ++i) {
        clock_.advance(60s);
        tick(*backend);
      }
      const auto listed = devices(*backend);
      ASSERT_FALSE(listed.empty());
      for (const auto& device : listed) {
        const auto reading = backend->read(device.id);
        EXPECT_TRUE(reading) << reading.error().message;
      }
      if (!failed) break;
      ASSERT_LT(n, 2000u);
    }
  }
}

// The kernel's files may fail as well.
TEST_F(NvmlFaultsTest, AnyFileAccessMayFail) {
  add_gpus(2);
  control(1, "auto");
  nvml_.set_processes(0, {{.pid = 1}});
  for (int n = 1; n < 120; ++n) {
    SCOPED_TRACE(n);
    const auto backend = open();
    files_.fail_nth(n);
    const auto listed = backend->list();
    if (listed) {
      for (const auto& device : *listed) {
        (void)backend->read(device.id);
        (void)backend->processes(device.id);
      }
    }
    files_.fail_nth(0);
    clock_.advance(60s);
    EXPECT_EQ(devices(*backend).size(), 2u);
  }
}

TEST_F(NvmlFaultsTest, AnyFunctionButThreeMayBeMissing) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 1, .memory_bytes = 7}});
  for (const auto name : fake_nvml::kSymbolNames) {
    SCOPED_TRACE(name);
    const auto library = nvml_.library_without({name});
    const auto backend = nvml::open({.library = library.string(), .files = files_, .clock = clock_});
    ASSERT_TRUE(backend) << backend.error().message;
    const auto listed = (*backend)->list();
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 1u);
    const auto reading = (*backend)->read(listed->front().id);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ((*backend)->processes(listed->front().id)->size(), 1u);
  }
}

TEST_F(NvmlFaultsTest, ADriverThatAnswersTooShortIsSurvived) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 1, .memory_bytes = 7}, {.pid = 2}});
  for (const std::uint32_t bytes : {1u, 4u, 8u, 12u}) {
    SCOPED_TRACE(bytes);
    nvml_.cut_answers(Symbol::kAny, bytes);
    const auto backend = open();
    if (const auto listed = backend->list()) {
      for (const auto& device : *listed) {
        (void)backend->read(device.id);
        (void)backend->processes(device.id);
      }
    }
    nvml_.clear_faults();
  }
}

TEST_F(NvmlFaultsTest, ReadingsMayRunBesideEachOtherAndBesideLists) {
  add_gpus(4);
  const auto backend = open();
  const auto listed = devices(*backend);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (const auto& device : listed) {
    threads.emplace_back([&, id = device.id] {
      while (!stop) (void)backend->read(id);
    });
    threads.emplace_back([&, id = device.id] {
      while (!stop) (void)backend->processes(id);
    });
  }
  for (int i = 0; i < 50; ++i) {
    (void)backend->list();
    clock_.advance(1s);
    if (i % 10 == 5) nvml_.reload_driver(1);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  clock_.advance(120s);
  for (int i = 0; i < 2; ++i) (void)backend->list();
  EXPECT_TRUE(backend->read(listed[0].id));
}

}  // namespace
}  // namespace gpukeeper::nvml
