#include "fakes/nvml/fake_nvml.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fakes/corpus.hpp"
#include "fakes/nvml/abi.hpp"

namespace gpukeeper {
namespace {

using namespace fake_nvml;
using namespace fake_nvml::abi;

/// The library opened as a client does. Calls a function by its name, with the types that nvml.h gives it.
class Client {
 public:
  explicit Client(const std::filesystem::path& library = FakeNvml::library_path())
      : library_(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!library_) throw std::runtime_error(dlerror());
  }
  ~Client() { dlclose(library_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool has(const char* name) const { return dlsym(library_, name) != nullptr; }

  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, name));
    return function ? function(arguments...) : kFunctionNotFound;
  }

  template <class... Arguments>
  std::string text(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<const char* (*)(Arguments...)>(dlsym(library_, name));
    return function ? function(arguments...) : "";
  }

  Device device(unsigned index) const {
    Device found = nullptr;
    EXPECT_EQ(call("nvmlDeviceGetHandleByIndex_v2", index, &found), kSuccess);
    return found;
  }

 private:
  void* library_;
};

/// A machine with GPUs and a client that has initialised NVML.
class FakeNvmlTest : public testing::Test {
 protected:
  FakeNvmlTest() { EXPECT_EQ(initialised, kSuccess); }
  ~FakeNvmlTest() override {
    nvml.clear_faults();
    while (client.call("nvmlShutdown") == kSuccess) {
    }
  }
  int temperature(unsigned index = 0) {
    unsigned celsius = 0;
    return client.call("nvmlDeviceGetTemperature", handles[index], 0, &celsius);
  }

  FakeNvml nvml;
  int slots[2] = {nvml.add_gpu(), nvml.add_gpu()};
  Client client;
  int initialised = client.call("nvmlInit_v2");
  Device handles[2] = {client.device(0), client.device(1)};
};

/// The functions that a library exports, from its table of dynamic symbols.
std::set<std::string> exports(const std::filesystem::path& library) {
  std::ifstream in(library, std::ios::binary);
  const std::string image((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto at = [&]<class T>(std::size_t offset, T) {
    T value;
    std::memcpy(&value, image.data() + offset, sizeof(T));
    return value;
  };
  const auto header = at(0, Elf64_Ehdr{});
  std::set<std::string> names;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto table = at(header.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr{});
    if (table.sh_type != SHT_DYNSYM) continue;
    const auto strings = at(header.e_shoff + table.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr{});
    for (std::size_t s = 0; s < table.sh_size / sizeof(Elf64_Sym); ++s) {
      const auto symbol = at(table.sh_offset + s * sizeof(Elf64_Sym), Elf64_Sym{});
      if (symbol.st_shndx != SHN_UNDEF) names.insert(image.data() + strings.sh_offset + symbol.st_name);
    }
  }
  return names;
}

TEST(FakeNvmlLibraryTest, WithoutAStateThereIsNoDriver) {
  const Client client;
  EXPECT_EQ(client.call("nvmlInit_v2"), kDriverNotLoaded);
  unsigned count = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kUninitialized);
}

TEST(FakeNvmlLibraryTest, ExportsWhatItsListNamesAndNothingElse) {
  std::set<std::string> listed(kSymbolNames.begin(), kSymbolNames.end());
  EXPECT_EQ(exports(FakeNvml::library_path()), listed);
}

TEST(FakeNvmlLibraryTest, EveryExportIsOneOfTheRealLibrary) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "the corpus of recorded machines is not here";
  std::ifstream file(*folder / "other/nvml-symbols/libnvidia-ml-linux-x86_64__590.48.01.txt");
  const std::set<std::string> real(std::istream_iterator<std::string>(file), {});
  ASSERT_FALSE(real.empty());
  for (const auto& name : exports(FakeNvml::library_path())) EXPECT_TRUE(real.contains(name)) << name;
}

TEST(FakeNvmlLibraryTest, OlderBranchesLackWhatCameLater) {
  const Client of_2014(FakeNvml::library_path(340));
  const Client of_2021(FakeNvml::library_path(470));
  const Client of_2025(FakeNvml::library_path(590));
  EXPECT_TRUE(of_2014.has("nvmlDeviceGetComputeRunningProcesses"));
  EXPECT_FALSE(of_2014.has("nvmlDeviceGetComputeRunningProcesses_v2"));
  EXPECT_FALSE(of_2014.has("nvmlDeviceGetFieldValues"));
  EXPECT_TRUE(of_2021.has("nvmlDeviceGetComputeRunningProcesses_v2"));
  EXPECT_FALSE(of_2021.has("nvmlDeviceGetComputeRunningProcesses_v3"));
  EXPECT_FALSE(of_2021.has("nvmlDeviceGetMemoryInfo_v2"));
  EXPECT_TRUE(of_2025.has("nvmlDeviceGetMemoryInfo_v2"));
}

TEST(FakeNvmlLibraryTest, ChosenFunctionsCanBeTakenAway) {
  FakeNvml nvml;
  nvml.add_gpu();
  const Client client(nvml.library_without({"nvmlDeviceGetFieldValues", "nvmlInit"}));
  EXPECT_FALSE(client.has("nvmlDeviceGetFieldValues"));
  EXPECT_FALSE(client.has("nvmlInit"));
  ASSERT_TRUE(client.has("nvmlInit_v2"));
  EXPECT_EQ(client.call("nvmlInit_v2"), kSuccess);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
  EXPECT_THROW(nvml.library_without({"nvmlNoSuchFunction"}), std::invalid_argument);
}

TEST(FakeNvmlLibraryTest, InitialisationsAreCounted) {
  FakeNvml nvml;
  nvml.add_gpu();
  const Client client;
  ASSERT_EQ(client.call("nvmlInit_v2"), kSuccess);
  ASSERT_EQ(client.call("nvmlInit"), kSuccess);
  EXPECT_EQ(nvml.open_sessions(), 1U);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
  unsigned count = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kSuccess);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kUninitialized);
  EXPECT_EQ(client.call("nvmlShutdown"), kUninitialized);
}

TEST(FakeNvmlLibraryTest, AnInitialisationCanBeRefused) {
  FakeNvml nvml;
  nvml.add_gpu();
  nvml.refuse_init(kLibRmVersionMismatch);
  const Client client;
  EXPECT_EQ(client.call("nvmlInit_v2"), kLibRmVersionMismatch);
  nvml.accept_init();
  EXPECT_EQ(client.call("nvmlInit_v2"), kSuccess);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
}

TEST(FakeNvmlLibraryTest, WhileAnInitialisationHangsNothingIsInitialised) {
  FakeNvml nvml;
  nvml.add_gpu();
  nvml.hang(Symbol::nvmlInit_v2);
  const Client client;
  std::thread caller([&] { client.call("nvmlInit_v2"); });
  while (nvml.hanging() == 0) std::this_thread::yield();
  unsigned count = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kUninitialized);
  nvml.release();
  caller.join();
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kSuccess);
  client.call("nvmlShutdown");
}

TEST(FakeNvmlLibraryTest, AGpuIsFoundByTheNextInitialisation) {
  FakeNvml nvml;
  const int first = nvml.add_gpu();
  const Client client;
  unsigned count = 0;
  client.call("nvmlInit_v2");
  nvml.add_gpu();
  client.call("nvmlDeviceGetCount_v2", &count);
  EXPECT_EQ(count, 1U);
  client.call("nvmlShutdown");
  client.call("nvmlInit_v2");
  client.call("nvmlDeviceGetCount_v2", &count);
  EXPECT_EQ(count, 2U);
  client.call("nvmlShutdown");
  nvml.unplug(first);
  client.call("nvmlInit_v2");
  char uuid[96];
  ASSERT_EQ(client.call("nvmlDeviceGetUUID", client.device(0), uuid, 96U), kSuccess);
  EXPECT_STREQ(uuid, "GPU-5eed0001-0000-4000-8000-000000000001");
  client.call("nvmlShutdown");
}

TEST_F(FakeNvmlTest, AValueChangedByTheTestIsSeenByTheNextCall) {
  unsigned celsius = 0;
  ASSERT_EQ(client.call("nvmlDeviceGetTemperature", handles[0], 0, &celsius), kSuccess);
  EXPECT_EQ(celsius, 40U);
  nvml.gpu(0).temperature = 71;
  ASSERT_EQ(client.call("nvmlDeviceGetTemperature", handles[0], 0, &celsius), kSuccess);
  EXPECT_EQ(celsius, 71U);
}

TEST_F(FakeNvmlTest, CallsAreCountedPerFunctionAndGpu) {
  nvml.reset_counters();
  temperature(0);
  temperature(1);
  temperature(1);
  EXPECT_EQ(nvml.calls(Symbol::nvmlDeviceGetTemperature), 3U);
  EXPECT_EQ(nvml.calls(Symbol::nvmlDeviceGetTemperature, 1), 2U);
  EXPECT_EQ(nvml.calls_of_gpu(0), 1U);
  EXPECT_EQ(nvml.total_calls(), 3U);
}

TEST_F(FakeNvmlTest, AValueThatTheGpuLacksIsNotSupported) {
  nvml.gpu(0).temperature = kAbsent;
  EXPECT_EQ(temperature(0), kNotSupported);
  unsigned percent = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetFanSpeed", handles[0], &percent), kNotSupported);  // passively cooled
}

TEST_F(FakeNvmlTest, NullPointersAndForeignHandlesAreInvalid) {
  unsigned* none = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetPowerUsage", handles[0], none), kInvalidArgument);
  unsigned value = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetPowerUsage", Device(nullptr), &value), kInvalidArgument);
  EXPECT_EQ(client.call("nvmlDeviceGetPowerUsage", reinterpret_cast<Device>(&value), &value), kInvalidArgument);
  char name[8];
  EXPECT_EQ(client.call("nvmlDeviceGetName", handles[0], name, 8U), kInsufficientSize);
}

TEST_F(FakeNvmlTest, AWrongVersionWordIsRefused) {
  MemoryV2 memory{};
  memory.version = 2;  // without the size: the mistake of nvtop up to 3.2
  EXPECT_EQ(client.call("nvmlDeviceGetMemoryInfo_v2", handles[0], &memory), kArgumentVersionMismatch);
  memory.version = version_word<MemoryV2>(2);
  EXPECT_EQ(client.call("nvmlDeviceGetMemoryInfo_v2", handles[0], &memory), kSuccess);
  nvml.refuse_versions(Symbol::nvmlDeviceGetMemoryInfo_v2);
  EXPECT_EQ(client.call("nvmlDeviceGetMemoryInfo_v2", handles[0], &memory), kArgumentVersionMismatch);
}

TEST_F(FakeNvmlTest, ReservedMemoryIsUsedInTheFirstFormAndApartInTheSecond) {
  nvml.gpu(0).memory_total = 1000;
  nvml.gpu(0).memory_reserved = 100;
  nvml.gpu(0).memory_used = 300;
  Memory first{};
  ASSERT_EQ(client.call("nvmlDeviceGetMemoryInfo", handles[0], &first), kSuccess);
  EXPECT_EQ(first.used, 400U);
  EXPECT_EQ(first.free, 600U);
  MemoryV2 second{};
  second.version = version_word<MemoryV2>(2);
  ASSERT_EQ(client.call("nvmlDeviceGetMemoryInfo_v2", handles[0], &second), kSuccess);
  EXPECT_EQ(second.used, 300U);
  EXPECT_EQ(second.reserved, 100U);
  EXPECT_EQ(second.free, 600U);
}

TEST_F(FakeNvmlTest, AListThatDoesNotFitTellsItsLength) {
  for (unsigned pid = 10; pid < 13; ++pid) nvml.add_process(0, {.pid = pid, .memory_bytes = pid * 100});
  nvml.add_process(0, {.pid = 20, .kinds = kGraphics});
  unsigned count = 0;
  ProcessInfoV2* none = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, none), kInsufficientSize);
  EXPECT_EQ(count, 3U);
  ProcessInfoV2 processes[3];
  ASSERT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, processes), kSuccess);
  EXPECT_EQ(processes[2].pid, 12U);
  EXPECT_EQ(processes[2].memory, 1200U);
  EXPECT_EQ(processes[2].gpu_instance, kAbsent);
  nvml.remove_process(0, 11);
  ASSERT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, processes), kSuccess);
  EXPECT_EQ(count, 2U);
}

TEST_F(FakeNvmlTest, NoProcessesNeedNoRoom) {
  unsigned count = 0;
  ProcessInfoV2* none = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, none), kSuccess);
  EXPECT_EQ(count, 0U);
}

TEST_F(FakeNvmlTest, TheThreeFormsOfTheListHaveTheirOwnEntries) {
  nvml.add_process(0, {.pid = 10, .memory_bytes = 1, .gpu_instance = 7, .compute_instance = 0});
  nvml.add_process(0, {.pid = 11, .memory_bytes = 2, .protected_memory_bytes = 9});
  unsigned count = 2;
  ProcessInfoV1 first[2];
  ASSERT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses", handles[0], &count, first), kSuccess);
  EXPECT_EQ(first[1].pid, 11U);
  nvml.state().process_entry_bytes = 32;  // as the drivers 535.43 to 535.86
  ProcessDetail detail[2];
  ASSERT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, detail), kSuccess);
  EXPECT_EQ(detail[0].gpu_instance, 7U);
  EXPECT_EQ(detail[1].pid, 11U);
  EXPECT_EQ(detail[1].protected_memory, 9U);
}

TEST_F(FakeNvmlTest, TheDetailListHoldsEveryKindAtOnce) {
  nvml.set_processes(0, {{.pid = 10}, {.pid = 11, .kinds = kGraphics}, {.pid = 12, .kinds = kMps}});
  ProcessDetail entries[4];
  ProcessDetailList list{version_word<ProcessDetailList>(1), 3, 4, entries};
  ASSERT_EQ(client.call("nvmlDeviceGetRunningProcessDetailList", handles[0], &list), kSuccess);
  EXPECT_EQ(list.count, 3U);
  list.mode = 1;
  ASSERT_EQ(client.call("nvmlDeviceGetRunningProcessDetailList", handles[0], &list), kSuccess);
  EXPECT_EQ(list.count, 1U);
  EXPECT_EQ(entries[0].pid, 11U);
}

TEST_F(FakeNvmlTest, AListThatChangesMeanwhileIsTheOldOneOrTheNewOne) {
  const auto list_of = [](unsigned kind) {
    std::vector<Process> list(20 + kind);
    for (auto& process : list) process.pid = kind;
    return list;
  };
  nvml.set_processes(0, list_of(1));
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!stop) {
      unsigned count = 64;
      ProcessInfoV2 seen[64];
      if (client.call("nvmlDeviceGetComputeRunningProcesses_v3", handles[0], &count, seen) != kSuccess) ++torn;
      for (unsigned i = 0; i < count; ++i) torn += seen[i].pid != count - 20;
    }
  });
  for (unsigned i = 0; i < 2000; ++i) nvml.set_processes(0, list_of(1 + i % 3));
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(FakeNvmlTest, ProcessUtilizationOfAnIdleGpuIsNotFound) {
  nvml.add_process(0, {.pid = 10});
  unsigned count = 8;
  ProcessUtilizationSample samples[8];
  EXPECT_EQ(client.call("nvmlDeviceGetProcessUtilization", handles[0], samples, &count, 0ULL), kNotFound);
}

TEST_F(FakeNvmlTest, ProcessUtilizationHasOnlyWhatIsNewerThanAsked) {
  nvml.add_process(0, {.pid = 10, .sm = 40, .sample_time_us = 1000});
  nvml.add_process(0, {.pid = 11, .sm = 50, .encoder = 5, .sample_time_us = 2000});
  unsigned count = 0;
  ProcessUtilizationSample* none = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetProcessUtilization", handles[0], none, &count, 0ULL), kInsufficientSize);
  EXPECT_EQ(count, 2U);
  ProcessUtilizationSample samples[2];
  ASSERT_EQ(client.call("nvmlDeviceGetProcessUtilization", handles[0], samples, &count, 1000ULL), kSuccess);
  ASSERT_EQ(count, 1U);
  EXPECT_EQ(samples[0].pid, 11U);
  EXPECT_EQ(samples[0].encoder, 5U);
  EXPECT_EQ(client.call("nvmlDeviceGetProcessUtilization", handles[0], samples, &count, 2000ULL), kNotFound);
}

TEST_F(FakeNvmlTest, EveryFieldValueHasItsOwnCode) {
  nvml.gpu(0).memory_temperature = 66;
  nvml.fail_field(0, 230, kNoPermission);
  FieldValue values[4] = {};
  values[0].field = 82;
  values[1].field = 230;
  values[2].field = 91;  // this GPU has no NVLink
  values[3].field = 193;
  ASSERT_EQ(client.call("nvmlDeviceGetFieldValues", handles[0], 4, values), kSuccess);
  EXPECT_EQ(values[0].code, kSuccess);
  EXPECT_EQ(values[0].value.u, 66U);
  EXPECT_EQ(values[1].code, kNoPermission);
  EXPECT_EQ(values[2].code, kNotSupported);
  EXPECT_EQ(values[3].value.i, -8);
}

TEST_F(FakeNvmlTest, EnergyGrowsWithPowerAndTime) {
  nvml.run_counters(0, false);
  nvml.gpu(0).energy_mj = 5000;
  unsigned long long energy = 0;
  ASSERT_EQ(client.call("nvmlDeviceGetTotalEnergyConsumption", handles[0], &energy), kSuccess);
  EXPECT_EQ(energy, 5000U);
  nvml.set_power(0, 100'000);
  nvml.run_counters(0, true);
  nvml.gpu(0).counters_since_ns -= 2'000'000'000U;  // as if two seconds had passed
  ASSERT_EQ(client.call("nvmlDeviceGetTotalEnergyConsumption", handles[0], &energy), kSuccess);
  EXPECT_GE(energy, 205'000U);
}

TEST_F(FakeNvmlTest, ALostGpuAnswersSoAndTheOthersGoOn) {
  nvml.lose_gpu(0);
  EXPECT_EQ(temperature(0), kGpuIsLost);
  EXPECT_EQ(temperature(1), kSuccess);
  nvml.find_gpu(0);
  EXPECT_EQ(temperature(0), kSuccess);
}

TEST_F(FakeNvmlTest, AReloadedDriverNeedsANewInitialisation) {
  nvml.reload_driver(kUnknown);
  EXPECT_EQ(temperature(), kUnknown);
  while (client.call("nvmlShutdown") == kSuccess) {
  }
  ASSERT_EQ(client.call("nvmlInit_v2"), kSuccess);
  EXPECT_EQ(temperature(), kSuccess);
}

TEST_F(FakeNvmlTest, AFaultHoldsForItsFunctionGpuAndNumberOfTimes) {
  nvml.fail(Symbol::nvmlDeviceGetTemperature, kNoPermission, 0, 2);
  EXPECT_EQ(temperature(1), kSuccess);
  EXPECT_EQ(temperature(0), kNoPermission);
  EXPECT_EQ(temperature(0), kNoPermission);
  EXPECT_EQ(temperature(0), kSuccess);
}

TEST_F(FakeNvmlTest, TheNthCallFailsAndNoOther) {
  nvml.fail_nth(2, kTimeout);
  EXPECT_EQ(temperature(), kSuccess);
  EXPECT_EQ(temperature(), kTimeout);
  EXPECT_EQ(temperature(), kSuccess);
}

TEST_F(FakeNvmlTest, AHangingCallGoesOnWhenReleased) {
  nvml.hang(Symbol::kAny, 0);
  int answer = -1;
  std::thread caller([&] { answer = temperature(0); });
  while (nvml.hanging() == 0) std::this_thread::yield();
  EXPECT_EQ(temperature(1), kSuccess);
  nvml.release();
  caller.join();
  EXPECT_EQ(answer, kSuccess);
  EXPECT_EQ(nvml.hanging(), 0U);
}

TEST_F(FakeNvmlTest, ADelayCountsAsTimeInside) {
  nvml.delay(Symbol::nvmlDeviceGetTemperature, std::chrono::milliseconds(2));
  temperature();
  EXPECT_GE(nvml.time_inside(Symbol::nvmlDeviceGetTemperature), std::chrono::milliseconds(2));
}

TEST_F(FakeNvmlTest, AShortStructLeavesTheRestAsItWas) {
  nvml.cut_answers(Symbol::nvmlDeviceGetMemoryInfo, 8);
  Memory memory{1, 2, 3};
  ASSERT_EQ(client.call("nvmlDeviceGetMemoryInfo", handles[0], &memory), kSuccess);
  EXPECT_EQ(memory.total, 85520809984U);
  EXPECT_EQ(memory.free, 2U);
  EXPECT_EQ(memory.used, 3U);
}

TEST_F(FakeNvmlTest, MigInstancesHaveHandlesNamesAndMemoryOfTheirOwn) {
  MigInstance mig;
  mig.gpu_instance = 7;
  mig.memory_total = 5000;
  mig.memory_used = 1200;
  mig.memory_reserved = 100;
  std::strcpy(mig.profile_name, "1g.10gb");
  const int index = nvml.add_mig(0, mig);
  nvml.add_process(0, {.pid = 10, .gpu_instance = 7, .compute_instance = 0});
  nvml.add_process(0, {.pid = 11, .gpu_instance = 8, .compute_instance = 0});

  Device instance = nullptr;
  ASSERT_EQ(client.call("nvmlDeviceGetMigDeviceHandleByIndex", handles[0], static_cast<unsigned>(index), &instance),
            kSuccess);
  unsigned id = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetGpuInstanceId", instance, &id), kSuccess);
  EXPECT_EQ(id, 7U);
  char name[96];
  EXPECT_EQ(client.call("nvmlDeviceGetName", instance, name, 96U), kSuccess);
  EXPECT_STREQ(name, "NVIDIA H100 80GB HBM3 MIG 1g.10gb");
  Memory memory{};
  EXPECT_EQ(client.call("nvmlDeviceGetMemoryInfo", instance, &memory), kSuccess);
  EXPECT_EQ(memory.used, 1300U);
  unsigned count = 4;
  ProcessInfoV2 processes[4];
  EXPECT_EQ(client.call("nvmlDeviceGetComputeRunningProcesses_v3", instance, &count, processes), kSuccess);
  EXPECT_EQ(count, 1U);
  Device parent = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", instance, &parent), kSuccess);
  EXPECT_EQ(parent, handles[0]);

  EXPECT_EQ(client.call("nvmlDeviceGetMigDeviceHandleByIndex", handles[0], 3U, &instance), kNotFound);
  nvml.remove_mig(0, index);
  EXPECT_EQ(client.call("nvmlDeviceGetMemoryInfo", instance, &memory), kInvalidArgument);
}

TEST_F(FakeNvmlTest, AGpuInMigModeHasNoUtilization) {
  nvml.add_mig(0, {});
  nvml.add_process(0, {.pid = 10, .sm = 50});
  Utilization rates{};
  EXPECT_EQ(client.call("nvmlDeviceGetUtilizationRates", handles[0], &rates), kNotSupported);
  unsigned percent = 0, period = 0, count = 1;
  EXPECT_EQ(client.call("nvmlDeviceGetEncoderUtilization", handles[0], &percent, &period), kNotSupported);
  ProcessUtilizationSample sample;
  EXPECT_EQ(client.call("nvmlDeviceGetProcessUtilization", handles[0], &sample, &count, 0ULL), kNotSupported);
  EXPECT_EQ(client.call("nvmlDeviceGetUtilizationRates", handles[1], &rates), kSuccess);
}

TEST_F(FakeNvmlTest, AnEventReachesWhoRegisteredForIt) {
  EventSet set = nullptr;
  ASSERT_EQ(client.call("nvmlEventSetCreate", &set), kSuccess);
  nvml.post_event(0, 8, 13);  // before the registration: not told
  ASSERT_EQ(client.call("nvmlDeviceRegisterEvents", handles[0], 8ULL, set), kSuccess);
  EventData event{};
  EXPECT_EQ(client.call("nvmlEventSetWait_v2", set, &event, 0U), kTimeout);
  nvml.post_event(1, 8, 31);  // of another GPU
  nvml.post_event(0, 1, 0);   // of another type
  nvml.post_event(0, 8, 48);
  ASSERT_EQ(client.call("nvmlEventSetWait_v2", set, &event, 1000U), kSuccess);
  EXPECT_EQ(event.device, handles[0]);
  EXPECT_EQ(event.type, 8U);
  EXPECT_EQ(event.data, 48U);
  EXPECT_EQ(event.gpu_instance, kAbsent);
  EXPECT_EQ(client.call("nvmlEventSetFree", set), kSuccess);
}

TEST_F(FakeNvmlTest, AWaitingThreadIsWokenByAnEvent) {
  EventSet set = nullptr;
  client.call("nvmlEventSetCreate", &set);
  client.call("nvmlDeviceRegisterEvents", handles[1], 8ULL, set);
  EventData event{};
  std::thread waiter([&] { client.call("nvmlEventSetWait_v2", set, &event, 60'000U); });
  nvml.post_event(1, 8, 79);
  waiter.join();
  EXPECT_EQ(event.data, 79U);
  client.call("nvmlEventSetFree", set);
}

TEST_F(FakeNvmlTest, PerformanceMetricsComeFromTwoSamples) {
  nvml.gpu(0).gpm[2] = 73.5;
  nvml.gpu(0).gpm[3] = -1;
  GpmSample first = nullptr, second = nullptr;
  client.call("nvmlGpmSampleAlloc", &first);
  client.call("nvmlGpmSampleAlloc", &second);
  ASSERT_EQ(client.call("nvmlGpmSampleGet", handles[0], first), kSuccess);
  ASSERT_EQ(client.call("nvmlGpmSampleGet", handles[0], second), kSuccess);
  GpmMetricsGet get{};
  get.count = 2;
  get.first = first;
  get.second = second;
  get.metrics[0].id = 2;
  get.metrics[1].id = 3;
  EXPECT_EQ(client.call("nvmlGpmMetricsGet", &get), kArgumentVersionMismatch);
  get.version = 1;
  ASSERT_EQ(client.call("nvmlGpmMetricsGet", &get), kSuccess);
  EXPECT_EQ(get.metrics[0].value, 73.5);
  EXPECT_EQ(get.metrics[1].code, kNotSupported);
  client.call("nvmlGpmSampleFree", first);
  client.call("nvmlGpmSampleFree", second);
}

TEST_F(FakeNvmlTest, LinksAndTheirCountersAreThoseOfTheState) {
  nvml.run_counters(0, false);
  nvml.gpu(0).links = 2;
  nvml.gpu(0).link[0] = {.active = 1, .remote_type = 0, .remote_gpu = 1, .tx_kib = 100};
  nvml.gpu(0).link[1] = {.tx_kib = 11};
  unsigned active = 7;
  ASSERT_EQ(client.call("nvmlDeviceGetNvLinkState", handles[0], 0U, &active), kSuccess);
  EXPECT_EQ(active, 1U);
  EXPECT_EQ(client.call("nvmlDeviceGetNvLinkState", handles[0], 2U, &active), kInvalidArgument);
  EXPECT_EQ(client.call("nvmlDeviceGetNvLinkState", handles[1], 0U, &active), kNotSupported);
  PciInfo far{};
  ASSERT_EQ(client.call("nvmlDeviceGetNvLinkRemotePciInfo_v2", handles[0], 0U, &far), kSuccess);
  EXPECT_STREQ(far.bus_id, "00000000:11:00.0");
  FieldValue values[2] = {};
  values[0].field = values[1].field = 138;
  values[0].scope = kAbsent;  // all links
  values[1].scope = 1;
  ASSERT_EQ(client.call("nvmlDeviceGetFieldValues", handles[0], 2, values), kSuccess);
  EXPECT_EQ(values[0].value.ull, 111U);
  EXPECT_EQ(values[1].value.ull, 11U);
}

TEST_F(FakeNvmlTest, SettingsNeedPermissionAndShowInTheState) {
  nvml.state().setters_permitted = 0;
  EXPECT_EQ(client.call("nvmlDeviceSetPowerManagementLimit", handles[0], 300'000U), kNoPermission);
  nvml.state().setters_permitted = 1;
  EXPECT_EQ(client.call("nvmlDeviceSetPowerManagementLimit", handles[0], 10U), kInvalidArgument);
  EXPECT_EQ(client.call("nvmlDeviceSetPowerManagementLimit", handles[0], 300'000U), kSuccess);
  EXPECT_EQ(nvml.gpu(0).power_limit_mw, 300'000U);
}

TEST_F(FakeNvmlTest, GpusAreFoundByUuidAndByPciAddressInAnyForm) {
  Device found = nullptr;
  EXPECT_EQ(client.call("nvmlDeviceGetHandleByUUID", "GPU-5eed0001-0000-4000-8000-000000000001", &found), kSuccess);
  EXPECT_EQ(found, handles[1]);
  for (const char* address : {"00000000:11:00.0", "0000:11:00.0", "11:00.0", "0:11:0"}) {
    found = nullptr;
    EXPECT_EQ(client.call("nvmlDeviceGetHandleByPciBusId_v2", address, &found), kSuccess) << address;
    EXPECT_EQ(found, handles[1]) << address;
  }
  EXPECT_EQ(client.call("nvmlDeviceGetHandleByPciBusId_v2", "0000:99:00.0", &found), kNotFound);
}

TEST_F(FakeNvmlTest, ErrorsHaveNvmlsWords) {
  EXPECT_EQ(client.text("nvmlErrorString", 15), "GPU is lost");
  EXPECT_EQ(client.text("nvmlErrorString", 18), "Driver/library version mismatch");
  EXPECT_EQ(client.text("nvmlErrorString", 12345), "Unknown Error");
}

}  // namespace
}  // namespace gpukeeper
