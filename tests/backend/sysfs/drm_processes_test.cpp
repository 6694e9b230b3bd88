#include "backend/sysfs/drm_processes.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

const PciAddress kGpu{0, 3, 0, 0};
const PciAddress kOtherGpu{0, 4, 0, 0};

class DrmProcessesTest : public ::testing::Test {
 protected:
  void process(int pid, const std::string& name) {
    files_.write(fmt::format("/proc/{}/comm", pid), name + "\n");
    files_.link(fmt::format("/proc/{}/fd/0", pid), "/dev/null");
  }
  void descriptor(int pid, int fd, const std::string& target, const std::string& text) {
    files_.link(fmt::format("/proc/{}/fd/{}", pid, fd), target);
    files_.write(fmt::format("/proc/{}/fdinfo/{}", pid, fd), text);
  }
  static std::string amdgpu(int client, int vram_kib, std::int64_t gfx_ns, const std::string& pdev = "0000:03:00.0") {
    return fmt::format(
        "drm-driver:\tamdgpu\ndrm-client-id:\t{}\ndrm-pdev:\t{}\ndrm-memory-vram:\t{} KiB\ndrm-memory-gtt:\t8 KiB\n"
        "drm-engine-gfx:\t{} ns\n",
        client, pdev, vram_kib, gfx_ns);
  }

  MemoryFiles files_;
  FakeClock clock_;
  DrmProcesses processes_{files_, clock_, {.sweep = {.holders = {.own_pid = 77}}}};
};

TEST_F(DrmProcessesTest, ListsEveryProcessWithItsMemoryByDevice) {
  process(10, "compositor");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  descriptor(10, 6, "/dev/dri/card1", amdgpu(2, 50, 0, "0000:04:00.0"));
  process(9, "game");
  descriptor(9, 3, "/dev/dri/renderD128", amdgpu(3, 200, 0));
  const auto scan = processes_.scan();
  ASSERT_TRUE(scan->valid);
  EXPECT_TRUE(scan->complete);
  const auto list = drm_processes_of(*scan, kGpu, false);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].pid, 9);
  EXPECT_EQ((*list)[0].name, "game");
  EXPECT_EQ((*list)[0].memory, from_kib(200));
  EXPECT_EQ((*list)[0].type.to_string(), "unknown");
  EXPECT_EQ((*list)[1].pid, 10);
  EXPECT_EQ((*list)[1].type.to_string(), "graphics");
  EXPECT_EQ(scan->device(kGpu).device_memory, from_kib(300));
  EXPECT_EQ(scan->device(kGpu).system_memory, from_kib(16));
  EXPECT_EQ(scan->device(kOtherGpu).processes.size(), 1u);
}

TEST_F(DrmProcessesTest, SystemMemoryCountsWhereTheGpuHasNoOther) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  const auto list = drm_processes_of(*processes_.scan(), kGpu, true);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at(0).memory, from_kib(108));
}

TEST_F(DrmProcessesTest, ASharedClientIsCountedOnceForTheLowestPid) {
  process(10, "parent");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  descriptor(10, 7, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  process(11, "child");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  const auto scan = processes_.scan();
  ASSERT_EQ(scan->device(kGpu).processes.size(), 1u);
  EXPECT_EQ(scan->device(kGpu).processes[0].pid, 10);
  EXPECT_EQ(scan->device(kGpu).device_memory, from_kib(100));
}

TEST_F(DrmProcessesTest, TheSameClientNumberOnTwoDevicesIsTwoClients) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  descriptor(10, 6, "/dev/dri/renderD129", amdgpu(1, 100, 5, "0000:04:00.0"));
  const auto scan = processes_.scan();
  EXPECT_EQ(scan->device(kGpu).processes.size(), 1u);
  EXPECT_EQ(scan->device(kOtherGpu).processes.size(), 1u);
}

TEST_F(DrmProcessesTest, WeDoNotListOurselves) {
  process(1, "init");
  process(77, "gpukeeper");
  descriptor(77, 5, "/dev/dri/renderD128", amdgpu(1, 100, 5));
  const auto list = drm_processes_of(*processes_.scan(), kGpu, false);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->empty());
}

TEST_F(DrmProcessesTest, AnAcceleratorsClientIsNotListed) {
  process(10, "npu");
  descriptor(10, 5, "/dev/dri/renderD128",
             "drm-driver: amdxdna_accel_driver\ndrm-client-id: 1\ndrm-pdev: 0000:03:00.0\n");
  EXPECT_TRUE(processes_.scan()->devices.empty());
}

TEST_F(DrmProcessesTest, BusyIsTheDifferenceOverTheTimeBetween) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  process(12, "other");
  descriptor(12, 5, "/dev/dri/renderD128", amdgpu(2, 100, 0));
  auto scan = processes_.scan();
  EXPECT_EQ(scan->device(kGpu).busy[EngineClass::render], Metric<Percent>(missing(Missing::not_yet_read)));
  EXPECT_EQ(scan->device(kGpu).busy[EngineClass::compute], Metric<Percent>(missing(Missing::not_supported)));
  clock_.advance(2s);
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 500'000'000));
  descriptor(12, 5, "/dev/dri/renderD128", amdgpu(2, 100, 200'000'000));
  scan = processes_.scan();
  EXPECT_EQ(scan->device(kGpu).processes[0].busy.busiest(), Percent(25));
  EXPECT_EQ(scan->device(kGpu).processes[1].busy.busiest(), Percent(10));
  EXPECT_EQ(scan->device(kGpu).busy[EngineClass::render], Percent(35));
}

TEST_F(DrmProcessesTest, CyclesAreAShareOfAllCyclesAndOfTheEnginesOfThatName) {
  const auto xe = [](int cycles, int total) {
    return fmt::format(
        "drm-driver: xe\ndrm-client-id: 3\ndrm-pdev: 0000:03:00.0\ndrm-resident-vram0: 4 KiB\n"
        "drm-cycles-ccs: {}\ndrm-total-cycles-ccs: {}\ndrm-engine-capacity-ccs: 4\n",
        cycles, total);
  };
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", xe(100, 1000));
  processes_.scan();
  clock_.advance(1s);
  descriptor(10, 5, "/dev/dri/renderD128", xe(500, 1500));
  const auto scan = processes_.scan();
  EXPECT_EQ(scan->device(kGpu).busy[EngineClass::compute], Percent(20));
  EXPECT_TRUE(scan->device(kGpu).processes[0].type.compute);
  EXPECT_EQ(scan->device(kGpu).device_memory, from_kib(4));
}

TEST_F(DrmProcessesTest, ACounterThatWentBackwardsIsNoNegativeWork) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 900));
  processes_.scan();
  clock_.advance(1s);
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 100));
  EXPECT_EQ(processes_.scan()->device(kGpu).busy[EngineClass::render], Percent(0));
  clock_.advance(1s);
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 900 + 100'000'000));
  EXPECT_EQ(processes_.scan()->device(kGpu).busy[EngineClass::render], Percent(10));
}

TEST_F(DrmProcessesTest, MoreThanAllTheTimeIsAllOfIt) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  clock_.advance(1s);
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 3'000'000'000));
  EXPECT_EQ(processes_.scan()->device(kGpu).busy[EngineClass::render], Percent(100));
}

TEST_F(DrmProcessesTest, OneScanServesAllWhoAskWithinItsPeriod) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  files_.take_accesses();
  clock_.advance(999ms);
  processes_.scan();
  EXPECT_TRUE(files_.take_accesses().empty());
}

TEST_F(DrmProcessesTest, BetweenTwoLooksAtAllProcessesOnlyKnownDescriptorsAreRead) {
  for (int pid = 100; pid < 200; ++pid) process(pid, "bystander");
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  descriptor(10, 6, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  EXPECT_THAT(files_.take_accesses(), AllOf(Contains("/proc"), Each(Not(HasSubstr("/proc/100/fdinfo")))));
  clock_.advance(1s);
  processes_.scan();
  EXPECT_EQ(files_.take_accesses(), std::vector<std::string>{"/proc/10/fdinfo/5"}) << "a shared client is read once";
  clock_.advance(4s);
  processes_.scan();
  EXPECT_THAT(files_.take_accesses(), Contains("/proc"));
}

TEST_F(DrmProcessesTest, AProcessThatEndsBetweenIsGoneFromTheList) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  files_.remove("/proc/10");
  clock_.advance(1s);
  EXPECT_TRUE(processes_.scan()->device(kGpu).processes.empty());
}

TEST_F(DrmProcessesTest, WhenTheOwnerOfASharedClientClosesItTheNextOneHasIt) {
  process(10, "parent");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  process(11, "child");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  files_.remove("/proc/10/fdinfo/5");
  clock_.advance(1s);
  const auto scan = processes_.scan();
  ASSERT_EQ(scan->device(kGpu).processes.size(), 1u);
  EXPECT_EQ(scan->device(kGpu).processes[0].pid, 11);
}

TEST_F(DrmProcessesTest, AnEmptyListIsNotClaimedWhenNotAllCouldBeLookedAt) {
  process(10, "secret");
  files_.fail("/proc/10/fd", Errc::not_permitted);
  const auto scan = processes_.scan();
  EXPECT_FALSE(scan->complete);
  const auto list = drm_processes_of(*scan, kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::not_permitted);
  EXPECT_EQ(list.error().message,
            "list the processes on 0000:03:00.0: 1 process could not be looked at: run as root, or grant "
            "CAP_SYS_PTRACE (setcap cap_sys_ptrace+ep gpukeeper)");
  process(11, "own");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  clock_.advance(5s);
  EXPECT_TRUE(drm_processes_of(*processes_.scan(), kGpu, false)) << "what was seen is told";
}

TEST_F(DrmProcessesTest, AProcessThatIsHiddenDescriptorByDescriptorCountsOnce) {
  process(10, "other user's");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  descriptor(10, 6, "/dev/dri/renderD128", amdgpu(2, 100, 0));
  files_.fail("/proc/10/fdinfo/5", Errc::not_permitted);
  files_.fail("/proc/10/fdinfo/6", Errc::not_permitted);
  process(11, "strange");
  files_.link("/proc/11/fd/1", "/dev/null");
  files_.fail("/proc/11/fd/0", Errc::not_permitted);
  files_.fail("/proc/11/fd/1", Errc::not_permitted);
  const auto scan = processes_.scan();
  EXPECT_EQ(scan->hidden, 2u);
  EXPECT_FALSE(scan->complete);
}

TEST_F(DrmProcessesTest, WhereProcListsNobodyElseAnEmptyListIsNotClaimedEither) {
  process(77, "gpukeeper");
  const auto scan = processes_.scan();
  EXPECT_FALSE(scan->complete);
  EXPECT_EQ(scan->why_incomplete(), Missing::not_permitted);
  const auto list = drm_processes_of(*scan, kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::not_permitted);
  EXPECT_EQ(list.error().message,
            "list the processes on 0000:03:00.0: /proc hides those of other users (it is mounted with hidepid): run as "
            "root, or grant CAP_SYS_PTRACE (setcap cap_sys_ptrace+ep gpukeeper)");
}

TEST_F(DrmProcessesTest, APieceOfTheFirstWalkIsNoCompleteScan) {
  process(10, "app");
  process(11, "other");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  DrmProcesses processes(files_, clock_, {.sweep = {.holders = {.first_piece = 0ns}}});  // one process a piece
  auto scan = processes.scan();
  EXPECT_FALSE(scan->complete);
  EXPECT_EQ(scan->why_incomplete(), Missing::not_yet_read);
  const auto list = drm_processes_of(*scan, kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::unavailable);
  EXPECT_EQ(list.error().message, "list the processes on 0000:03:00.0: 1 process was not looked at yet");
  scan = processes.scan();
  EXPECT_TRUE(scan->complete);
  EXPECT_EQ(scan->device(kGpu).processes.size(), 1u);
}

TEST_F(DrmProcessesTest, WhoWasFoundInAPieceOfTheFirstWalkIsNoWholeList) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  process(11, "other");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(2, 100, 0));
  DrmProcesses processes(files_, clock_, {.sweep = {.holders = {.first_piece = 0ns}}});  // one process a piece
  const auto list = drm_processes_of(*processes.scan(), kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message, "list the processes on 0000:03:00.0: 1 process was not looked at yet");
  EXPECT_EQ(drm_processes_of(*processes.scan(), kGpu, false)->size(), 2u);
}

TEST_F(DrmProcessesTest, AnotherClientUnderAKnownDescriptorIsAnotherProgram) {
  process(10, "first");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  processes_.scan();
  process(10, "second");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(2, 100, 0));
  clock_.advance(1s);
  EXPECT_EQ(processes_.scan()->device(kGpu).processes.at(0).name, "second");
}

TEST_F(DrmProcessesTest, WithoutProcTheProcessesAreNotKnown) {
  const auto list = drm_processes_of(*processes_.scan(), kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::not_supported);
  EXPECT_EQ(list.error().message, "the processes are not known: there is no /proc here");
}

TEST_F(DrmProcessesTest, AHolderOfKfdComputes) {
  process(10, "train");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  files_.link("/proc/10/fd/6", "/dev/kfd");
  const auto scan = processes_.scan();
  EXPECT_TRUE(scan->kfd_pids.contains(10));
  EXPECT_EQ(scan->device(kGpu).processes[0].type.to_string(), "compute");
}

TEST_F(DrmProcessesTest, AnySingleFailureLeavesAScanThatHolds) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  process(11, "child");
  descriptor(11, 5, "/dev/dri/renderD128", amdgpu(2, 100, 0));
  bool all_walked = false;
  for (int n = 1; !all_walked; ++n) {
    SCOPED_TRACE(n);
    DrmProcesses fresh(files_, clock_, {});
    files_.take_accesses();
    files_.fail_nth(n);
    const auto scan = fresh.scan();
    if (n == 1) {
      EXPECT_EQ(scan->error.code, Errc::internal);
    } else {
      EXPECT_TRUE(scan->valid);
    }
    EXPECT_LE(scan->device(kGpu).processes.size(), 2u);
    all_walked = files_.take_accesses().size() < static_cast<std::size_t>(n);
    files_.fail_nth(0);
  }
}

// Files that stand still inside one read until they are released, as a hung driver's fdinfo does.
class HangingFiles final : public Files {
 public:
  explicit HangingFiles(const Files& files) : files_(files) {}
  Result<std::string> read(std::string_view path) const override {
    if (path.find("/fdinfo/") != std::string_view::npos && hang) {
      hanging = true;
      hanging.notify_all();
      hang.wait(true);
    }
    return files_.read(path);
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override { return files_.list(folder); }
  Result<std::string> read_link(std::string_view path) const override { return files_.read_link(path); }
  Result<FileFacts> stat(std::string_view path) const override { return files_.stat(path); }

  void release() {
    hang = false;
    hang.notify_all();
  }
  std::atomic<bool> hang = false;
  mutable std::atomic<bool> hanging = false;

 private:
  const Files& files_;
};

TEST_F(DrmProcessesTest, AHungScanHoldsUpNobodyElse) {
  process(10, "app");
  descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  HangingFiles hanging(files_);
  DrmProcesses processes(hanging, clock_, {});
  processes.scan();
  clock_.advance(2s);
  hanging.hang = true;
  std::jthread stuck([&] { processes.scan(); });
  hanging.hanging.wait(false);
  EXPECT_EQ(processes.scan()->device(kGpu).processes.size(), 1u) << "the last finished scan";
  clock_.advance(10s);
  const auto list = drm_processes_of(*processes.scan(), kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message, "the kernel does not finish telling about the processes: a GPU driver hangs");
  hanging.release();
  stuck.join();
  EXPECT_TRUE(processes.scan()->valid);
}

// With a thread of its own. Its clock is a fake one, whose time a sleep moves on: so the thread looks as fast as it can
// until nobody is interested any more, and nobody waits in real time for anything but it.
class DrmProcessesThreadTest : public DrmProcessesTest {
 protected:
  DrmProcessesThreadTest() {
    process(10, "app");
    descriptor(10, 5, "/dev/dri/renderD128", amdgpu(1, 100, 0));
  }
  static std::size_t looks(const std::vector<std::string>& accesses) {
    return static_cast<std::size_t>(std::count(accesses.begin(), accesses.end(), "/proc/10/fdinfo/5"));
  }
  // The thread has nothing more to do once the fake time is here: `interest` after somebody asked.
  void await(MonotonicTime time) const {
    while (own_clock_->now() < time) std::this_thread::yield();
  }

  std::shared_ptr<FakeClock> own_clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<HangingFiles> hanging_ = std::make_shared<HangingFiles>(files_);
  DrmProcesses::Options options_{.patience = std::chrono::minutes(10)};  // a slow machine fails no test
};

TEST_F(DrmProcessesThreadTest, TheFirstWhoAsksWaitsForAScan) {
  DrmProcesses processes(hanging_, own_clock_, options_);
  EXPECT_TRUE(files_.take_accesses().empty()) << "nobody has asked yet";
  const auto scan = processes.scan();
  EXPECT_TRUE(scan->valid);
  EXPECT_EQ(scan->device(kGpu).processes.size(), 1u);
}

TEST_F(DrmProcessesThreadTest, ItLooksOnceASecondWhileSomebodyIsInterestedAndRestsAfter) {
  const auto begin = own_clock_->now();
  DrmProcesses processes(hanging_, own_clock_, options_);
  processes.scan();
  await(begin + 10s);
  own_clock_->advance(1h);
  files_.take_accesses();
  const auto scan = processes.scan();
  EXPECT_GE(scan->taken_at, begin + 1h) << "the old one does not speak of now";
  await(begin + 1h + 20s);
  EXPECT_EQ(own_clock_->now(), begin + 1h + 20s) << "it does not go on";
  EXPECT_EQ(looks(files_.take_accesses()), 10u);
}

TEST_F(DrmProcessesThreadTest, WhileADriverHangsTheLastScanIsGivenAndThenTheNews) {
  const auto begin = own_clock_->now();
  options_.patience = 9s;  // by the fake clock, on which the look has lasted for longer when it matters
  DrmProcesses processes(hanging_, own_clock_, options_);
  processes.scan();
  await(begin + 10s);
  hanging_->hang = true;
  processes.scan();  // wakes it
  hanging_->hanging.wait(false);
  EXPECT_EQ(processes.scan()->device(kGpu).processes.size(), 1u);
  own_clock_->advance(10s);
  const auto list = drm_processes_of(*processes.scan(), kGpu, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message, "the kernel does not finish telling about the processes: a GPU driver hangs");
  hanging_->release();
}

TEST_F(DrmProcessesThreadTest, AThreadThatHangsIsLetGoAndKeepsWhatItUses) {
  options_.patience = 0ms;
  hanging_->hang = true;
  auto processes = std::make_unique<DrmProcesses>(hanging_, own_clock_, options_);
  const auto list = drm_processes_of(*processes->scan(), kGpu, false);
  ASSERT_FALSE(list) << "nobody waits longer than the patience";
  EXPECT_EQ(list.error().message, "the processes were not looked at yet");
  hanging_->hanging.wait(false);
  processes.reset();
  EXPECT_GT(hanging_.use_count(), 1);
  hanging_->release();
  while (hanging_.use_count() > 1) std::this_thread::yield();
}

TEST_F(DrmProcessesThreadTest, WhereNoThreadCanBeMadeTheOneWhoAsksLooks) {
  int tried = 0;
  DrmProcesses processes(hanging_, own_clock_, options_, [&](const std::function<void()>&) -> std::thread {
    ++tried;
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  EXPECT_TRUE(processes.scan()->valid);
  own_clock_->advance(1s);
  EXPECT_TRUE(processes.scan()->valid);
  EXPECT_EQ(tried, 2) << "it is tried again";
  EXPECT_EQ(looks(files_.take_accesses()), 2u);
}

}  // namespace
}  // namespace gpukeeper
