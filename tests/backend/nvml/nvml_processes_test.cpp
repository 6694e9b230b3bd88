#include "machine.hpp"

namespace gpukeeper::nvml {
namespace {

class NvmlProcessesTest : public NvmlMachine {
 protected:
  void process_files(int pid, const std::string& comm, int start) {
    const auto folder = "/proc/" + std::to_string(pid);
    files_.write(folder + "/stat",
                 fmt::format("{} ({}) S 1 1 1 0 -1 4194304 1 1 0 0 1 1 0 0 20 0 1 0 {} 1 1\n", pid, comm, start));
  }

  std::vector<GpuProcess> list(Backend& backend) {
    auto result = backend.processes(id_);
    EXPECT_TRUE(result) << result.error().message;
    return result ? std::move(*result) : std::vector<GpuProcess>{};
  }

  std::unique_ptr<Backend> open_listed(const std::string& library = FakeNvml::library_path().string()) {
    auto backend = open(library);
    id_ = devices(*backend).front().id;
    return backend;
  }

  DeviceId id_;
};

TEST_F(NvmlProcessesTest, AreMergedByPidWithTheirKindsAndOrdered) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 300, .kinds = fake_nvml::kCompute | fake_nvml::kGraphics, .memory_bytes = 300},
                          {.pid = 100, .kinds = fake_nvml::kMps, .memory_bytes = 100},
                          {.pid = 200, .kinds = fake_nvml::kGraphics}});
  process_files(300, "python3", 5000);
  for (const int branch : {340, 470, 590}) {
    SCOPED_TRACE(branch);
    const auto backend = open_listed(FakeNvml::library_path(branch).string());
    for (int round = 0; round < 3; ++round) {
      const auto processes = list(*backend);
      ASSERT_EQ(processes.size(), branch == 340 ? 2u : 3u) << "an old library knows no MPS list";
      const GpuProcess& last = processes.back();
      EXPECT_EQ(last.pid, 300);
      EXPECT_EQ(last.name, "python3");
      EXPECT_EQ(last.type.to_string(), "compute+graphics");
      EXPECT_EQ(last.memory, Bytes(300)) << "every list gives all of it: not the sum";
      const GpuProcess& second = processes[processes.size() - 2];
      EXPECT_EQ(second.pid, 200);
      EXPECT_EQ(second.name, "");
      EXPECT_EQ(second.type.to_string(), "graphics");
      EXPECT_EQ(second.memory, Metric<Bytes>(missing(Missing::not_supported))) << "all ones is no size";
      if (branch > 340) {
        EXPECT_EQ(processes.front().type.to_string(), "mps");
      }
      clock_.advance(3s);
    }
  }
}

TEST_F(NvmlProcessesTest, TheLongEntriesOfSomeDriversAreUnderstood) {
  add_gpus(1);
  nvml_.set_processes(
      0, {{.pid = 10, .memory_bytes = 1000}, {.pid = 20, .memory_bytes = 2000}, {.pid = 30, .memory_bytes = 3000}});
  // With the telltale functions, and without.
  for (const auto& without : {std::vector<std::string_view>{"nvmlDeviceGetRunningProcessDetailList"},
                              std::vector<std::string_view>{"nvmlDeviceGetRunningProcessDetailList",
                                                            "nvmlDeviceGetConfComputeMemSizeInfo"}}) {
    for (const std::uint32_t size : {24u, 32u}) {
      SCOPED_TRACE(fmt::format("{} bytes, {} functions missing", size, without.size()));
      nvml_.state().process_entry_bytes = size;
      const auto backend = open_listed(nvml_.library_without(without).string());
      const auto processes = list(*backend);
      ASSERT_EQ(processes.size(), 3u);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(processes[i].pid, static_cast<std::int64_t>(10 * (i + 1)));
        EXPECT_EQ(processes[i].memory, Bytes(1000 * (i + 1)));
      }
    }
  }
}

TEST_F(NvmlProcessesTest, AListLongerThanItsBufferIsAskedForAgain) {
  add_gpus(1);
  std::vector<FakeNvml::Process> many;
  for (unsigned i = 0; i < 128; ++i) many.push_back({.pid = 1 + i, .memory_bytes = 1, .sm = 1});
  nvml_.set_processes(0, many);
  const auto backend = open_listed();
  EXPECT_EQ(list(*backend).size(), 128u);
  const auto backend470 = open_listed(FakeNvml::library_path(470).string());
  EXPECT_EQ(list(*backend470).size(), 128u);
}

TEST_F(NvmlProcessesTest, AnEmptyListIsNoError) {
  add_gpus(1);
  const auto backend = open_listed();
  EXPECT_TRUE(list(*backend).empty());
}

TEST_F(NvmlProcessesTest, TheirUseIsShownAndCutAtAHundred) {
  add_gpus(1);
  nvml_.set_processes(
      0, {{.pid = 1, .sm = 60, .memory = 20, .encoder = 5, .decoder = 6}, {.pid = 2, .sm = 130}, {.pid = 3}});
  const auto backend = open_listed();
  for (int round = 0; round < 2; ++round) {
    const auto processes = list(*backend);
    ASSERT_EQ(processes.size(), 3u);
    EXPECT_EQ(processes[0].utilization, Percent(60));
    EXPECT_EQ(processes[0].utilization_memory, Percent(20));
    EXPECT_EQ(processes[0].utilization_encoder, Percent(5));
    EXPECT_EQ(processes[0].utilization_decoder, Percent(6));
    EXPECT_EQ(processes[1].utilization, Percent(100));
    EXPECT_EQ(processes[2].utilization, Percent(0)) << "no sample means idle";
  }
}

TEST_F(NvmlProcessesTest, AGarbageSampleIsNoUseAndHidesNoLaterOne) {
  add_gpus(1);
  const std::uint64_t now = 1'780'000'000'000'000;
  nvml_.set_processes(0, {{.pid = 1, .sm = 60, .sample_time_us = now},
                          {.pid = 2, .sm = 0xfffffff0, .sample_time_us = now + 3'600'000'000}});
  const auto backend = open_listed();
  auto processes = list(*backend);
  EXPECT_EQ(processes[0].utilization, Percent(60));
  EXPECT_EQ(processes[1].utilization, Percent(0));
  nvml_.set_processes(0, {{.pid = 1, .sm = 70, .sample_time_us = now + 3'000'000}, {.pid = 2}});
  clock_.advance(3s);
  EXPECT_EQ(list(*backend)[0].utilization, Percent(70));
}

TEST_F(NvmlProcessesTest, StaleSamplesAreNotShown) {
  add_gpus(1);
  const std::uint64_t now = 1'780'000'000'000'000;
  nvml_.set_processes(
      0, {{.pid = 1, .sm = 60, .sample_time_us = now}, {.pid = 2, .sm = 70, .sample_time_us = now - 60'000'000}});
  const auto backend = open_listed();
  auto processes = list(*backend);
  EXPECT_EQ(processes[0].utilization, Percent(60));
  EXPECT_EQ(processes[1].utilization, Percent(0)) << "a minute old";
  EXPECT_EQ(list(*backend)[0].utilization, Percent(60)) << "there can be no newer one yet";
  clock_.advance(3s);
  EXPECT_EQ(list(*backend)[0].utilization, Percent(0)) << "no newer one though there could be: idle";
}

TEST_F(NvmlProcessesTest, NamesAreReadOnceAndAgainForAReusedPid) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 77}});
  process_files(77, "first", 100);
  const auto backend = open_listed();
  EXPECT_EQ(list(*backend).front().name, "first");
  files_.take_accesses();
  clock_.advance(3s);
  (void)list(*backend);
  EXPECT_TRUE(files_.take_accesses().empty());
  process_files(77, "second", 200);
  clock_.advance(5min);
  EXPECT_EQ(list(*backend).front().name, "second");
}

TEST_F(NvmlProcessesTest, OnSeveralDevicesAreLookedUpOnceForAll) {
  add_gpus(2);
  for (const int gpu : {0, 1}) nvml_.set_processes(gpu, {{.pid = 77}});
  process_files(77, "trainer", 100);
  const auto backend = open();
  const auto both = devices(*backend);
  files_.take_accesses();
  for (const Device& device : both) EXPECT_EQ(backend->processes(device.id)->front().name, "trainer");
  EXPECT_THAT(files_.take_accesses(), testing::Contains("/proc/77/stat").Times(1));
}

TEST_F(NvmlProcessesTest, InsideAPidNamespaceNobodyIsNamed) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 77}});
  process_files(77, "a stranger", 100);
  files_.link("/proc/self/ns/pid", "pid:[4026532500]");
  const auto backend = open_listed();
  EXPECT_EQ(list(*backend).front().name, "");
}

TEST_F(NvmlProcessesTest, OfAMigInstanceSayWhichOne) {
  add_gpus(1);
  nvml_.add_mig(0, {.gpu_instance = 9, .memory_total = 1 << 30});
  nvml_.add_mig(0, {.gpu_instance = 2, .memory_total = 1 << 30});
  nvml_.set_processes(0, {{.pid = 1, .memory_bytes = 5, .gpu_instance = 2, .compute_instance = 0},
                          {.pid = 2, .memory_bytes = 6, .gpu_instance = 9, .compute_instance = 0}});
  const auto backend = open();
  const auto listed = devices(*backend);
  ASSERT_EQ(listed.size(), 3u);
  id_ = listed[0].id;
  const auto check = [&] {
    const auto processes = list(*backend);
    ASSERT_EQ(processes.size(), 2u);
    EXPECT_EQ(processes[0].partition, listed[2].id);
    EXPECT_EQ(processes[1].partition, listed[1].id);
    EXPECT_EQ(processes[1].memory, Bytes(6));
    EXPECT_EQ(processes[1].utilization, Metric<Percent>(missing(Missing::not_supported)));
  };
  check();
  const auto of_instance = backend->processes(listed[1].id);
  ASSERT_FALSE(of_instance);
  EXPECT_EQ(of_instance.error().code, Errc::not_supported);
}

TEST_F(NvmlProcessesTest, InTwoMigInstancesHoldTheMemoryOfBothOnce) {
  add_gpus(1);
  nvml_.add_mig(0, {.gpu_instance = 1, .memory_total = 1 << 30});
  nvml_.add_mig(0, {.gpu_instance = 2, .memory_total = 1 << 30});
  nvml_.set_processes(0, {{.pid = 7, .memory_bytes = 10, .gpu_instance = 1, .compute_instance = 0},
                          {.pid = 7, .memory_bytes = 20, .gpu_instance = 2, .compute_instance = 0}});
  const auto backend = open_listed();
  for (int round = 0; round < 3; ++round) {
    const auto processes = list(*backend);
    ASSERT_EQ(processes.size(), 1u);
    EXPECT_EQ(processes[0].memory, Bytes(30)) << "also where several lists name it";
    clock_.advance(3s);
  }
}

TEST_F(NvmlProcessesTest, ThatThisUserMayNotSeeAreAnErrorOfThatKind) {
  add_gpus(1);
  nvml_.fail(Symbol::nvmlDeviceGetRunningProcessDetailList, 3);
  for (const auto symbol :
       {Symbol::nvmlDeviceGetComputeRunningProcesses_v3, Symbol::nvmlDeviceGetGraphicsRunningProcesses_v3,
        Symbol::nvmlDeviceGetMPSComputeRunningProcesses_v3}) {
    nvml_.fail(symbol, 4);
  }
  const auto backend = open_listed();
  const auto result = backend->processes(id_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::not_permitted);
  EXPECT_THAT(result.error().message, HasSubstr("GPU 0000:10:00.0"));
}

TEST_F(NvmlProcessesTest, GarbageInTheListIsLeftOut) {
  add_gpus(1);
  nvml_.set_processes(0, {{.pid = 0}, {.pid = 0xfffffff0}, {.pid = 12, .memory_bytes = 9}});
  const auto backend = open_listed();
  const auto processes = list(*backend);
  ASSERT_EQ(processes.size(), 1u);
  EXPECT_EQ(processes.front().pid, 12);
}

}  // namespace
}  // namespace gpukeeper::nvml
