#include "backend/sysfs/drm_holders.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNode = "/dev/dri/renderD128";

class DrmHoldersTest : public ::testing::Test {
 protected:
  // A process with one descriptor that is no GPU's.
  void process(int pid, const std::string& name = "app") {
    files_.write(fmt::format("/proc/{}/comm", pid), name + "\n");
    files_.link(fmt::format("/proc/{}/fd/0", pid), "/dev/null");
  }
  void crowd(int first, int count) {
    for (int pid = first; pid < first + count; ++pid) process(pid);
  }
  void descriptor(int pid, int fd, const std::string& target = kNode) {
    files_.link(fmt::format("/proc/{}/fd/{}", pid, fd), target);
  }
  void update_after(std::chrono::nanoseconds passed) {
    clock_.advance(passed);
    const auto updated = holders_.update();
    EXPECT_TRUE(updated) << updated.error().message;
  }
  std::vector<std::int64_t> pids() {
    std::vector<std::int64_t> result;
    for (const auto& [pid, holder] : holders_.holders()) result.push_back(pid);
    return result;
  }
  // Of these accesses, how many followed a descriptor.
  static std::size_t followed(const std::vector<std::string>& accesses) {
    return static_cast<std::size_t>(std::count_if(accesses.begin(), accesses.end(), [](const std::string& path) {
      return path.find("/fd/") != std::string::npos;
    }));
  }

  MemoryFiles files_;
  FakeClock clock_;
  DrmHolders holders_{files_, clock_, {.own_pid = 77}};
};

TEST_F(DrmHoldersTest, FindsWhoHasAGpusFileOpen) {
  crowd(10, 3);
  descriptor(11, 4);
  descriptor(11, 9, "/dev/dri/card0");
  descriptor(12, 5, "/dev/kfd");
  update_after(0s);
  EXPECT_THAT(pids(), ElementsAre(11, 12));
  EXPECT_EQ(holders_.holders().at(11).name, "app");
  EXPECT_EQ(holders_.holders().at(11).descriptors.size(), 2u);
  EXPECT_FALSE(holders_.holders().at(11).kfd);
  EXPECT_TRUE(holders_.holders().at(12).kfd);
  EXPECT_EQ(holders_.processes(), 3u);
}

TEST_F(DrmHoldersTest, BetweenTwoRoundsNothingIsTouched) {
  crowd(10, 3);
  update_after(0s);
  files_.take_accesses();
  update_after(4999ms);
  EXPECT_THAT(files_.take_accesses(), IsEmpty());
  update_after(1ms);
  EXPECT_THAT(files_.take_accesses(), Contains("/proc"));
}

TEST_F(DrmHoldersTest, AnOldProcessIsOnlyAskedForItsFactsUntilItsTurn) {
  crowd(100, 240);
  update_after(0s);
  EXPECT_EQ(followed(files_.take_accesses()), 240u);
  update_after(5s);
  const auto accesses = files_.take_accesses();
  EXPECT_EQ(followed(accesses), 10u) << "the 24th part of them: all in 120 s";
  EXPECT_THAT(accesses, Contains("/proc/339/fd"));
}

TEST_F(DrmHoldersTest, AProcessThatOpensAGpuIsFoundByItsNumberOfDescriptors) {
  crowd(100, 240);
  update_after(0s);
  descriptor(339, 3);
  update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(339));
  files_.remove("/proc/339/fd/3");
  update_after(5s);
  EXPECT_THAT(pids(), IsEmpty());
}

TEST_F(DrmHoldersTest, ADescriptorThatTookAnothersPlaceIsFoundInItsTurn) {
  crowd(100, 240);
  update_after(0s);
  descriptor(339, 0);
  update_after(5s);
  EXPECT_THAT(pids(), IsEmpty()) << "the number is the same, and it is not its turn";
  for (int round = 1; round < 24; ++round) update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(339));
}

TEST_F(DrmHoldersTest, WhereTheKernelDoesNotCountAllHaveTheirTurnWithinTwentySeconds) {
  files_.count_names(false);
  crowd(100, 240);
  update_after(0s);
  descriptor(339, 3);
  files_.take_accesses();
  update_after(5s);
  EXPECT_EQ(followed(files_.take_accesses()), 60u);
  EXPECT_THAT(pids(), IsEmpty());
  for (int round = 1; round < 4; ++round) update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(339));
}

TEST_F(DrmHoldersTest, ANewProcessIsLookedAtAtOnceAndWatchedCloselyForAMinute) {
  files_.count_names(false);
  crowd(100, 240);
  update_after(0s);
  process(500);
  descriptor(500, 3);
  process(600);
  update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(500));
  update_after(50s);
  descriptor(600, 3);  // 50 s after it was first seen
  update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(500, 600));
}

TEST_F(DrmHoldersTest, AHolderIsLookedAtInEveryRound) {
  process(10);
  descriptor(10, 3);
  update_after(0s);
  descriptor(10, 0, "/dev/dri/renderD129");  // in another's place
  files_.write("/proc/10/comm", "exec'd\n");
  update_after(5s);
  EXPECT_EQ(holders_.holders().at(10).descriptors.size(), 2u);
  EXPECT_EQ(holders_.holders().at(10).name, "exec'd");
}

TEST_F(DrmHoldersTest, APidThatIsGivenAgainIsAnotherProcess) {
  crowd(100, 240);
  process(400, "first");
  update_after(0s);
  files_.remove("/proc/400");
  process(400, "second");
  descriptor(400, 0);  // as many descriptors as the first had
  update_after(5s);
  ASSERT_THAT(pids(), ElementsAre(400));
  EXPECT_EQ(holders_.holders().at(400).name, "second");
  files_.remove("/proc/400");
  process(400, "third");
  update_after(5s);
  EXPECT_THAT(pids(), IsEmpty());
}

TEST_F(DrmHoldersTest, AProcessThatEndsIsForgotten) {
  crowd(10, 2);
  descriptor(10, 3);
  descriptor(11, 3);
  update_after(0s);
  files_.remove("/proc/10");
  update_after(5s);
  EXPECT_THAT(pids(), ElementsAre(11));
  EXPECT_EQ(holders_.processes(), 1u);
}

TEST_F(DrmHoldersTest, AProcessThatEndsBetweenTheListAndTheLookIsNobody) {
  process(10);
  descriptor(10, 3);
  files_.fail("/proc/10/fd", Errc::not_found);
  process(11);
  descriptor(11, 3);
  files_.fail("/proc/11/fd/3", Errc::not_found);
  update_after(0s);
  EXPECT_THAT(pids(), IsEmpty());
  EXPECT_EQ(holders_.hidden(), 0u);
}

TEST_F(DrmHoldersTest, OurselvesWeDoNotCount) {
  process(1);
  process(77);
  descriptor(77, 3);
  update_after(0s);
  EXPECT_THAT(pids(), IsEmpty());
  EXPECT_EQ(holders_.processes(), 1u);
  EXPECT_FALSE(holders_.others_unlisted());
}

TEST_F(DrmHoldersTest, AProcessOfAnotherUserIsHiddenUntilItIsGivenToUs) {
  process(10);
  process(11);
  files_.fail("/proc/10/fd", Errc::not_permitted);  // EACCES
  files_.fail("/proc/11/fd", Errc::unavailable);    // EPERM: /proc mounted with hidepid=1
  update_after(0s);
  EXPECT_EQ(holders_.hidden(), 2u);
  update_after(5s);
  EXPECT_EQ(holders_.hidden(), 2u);
  files_.remove("/proc/10");
  process(10);
  files_.give_to("/proc/10/fd", 1000);
  update_after(5s);
  EXPECT_EQ(holders_.hidden(), 1u);
}

TEST_F(DrmHoldersTest, AProcThatListsUsButNotTheFirstProcessHidesTheOthers) {
  process(77);
  update_after(0s);
  EXPECT_TRUE(holders_.others_unlisted());
  process(1);
  update_after(5s);
  EXPECT_FALSE(holders_.others_unlisted());
}

TEST_F(DrmHoldersTest, AProcThatCannotBeListedIsAnErrorAndTheHoldersStayAsTheyWere) {
  const auto without = holders_.update();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, Errc::not_supported);
  EXPECT_EQ(without.error().message, "the processes are not known: there is no /proc here");
  process(10);
  descriptor(10, 3);
  update_after(0s);
  files_.fail("/proc", Errc::internal);
  clock_.advance(5s);
  const auto failed = holders_.update();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "list /proc: injected");
  EXPECT_THAT(pids(), ElementsAre(10));
}

// Files that know no facts, as a decorator that forgets to pass stat() on.
class Factless final : public Files {
 public:
  explicit Factless(const Files& files) : files_(files) {}
  Result<std::string> read(std::string_view path) const override { return files_.read(path); }
  Result<std::vector<std::string>> list(std::string_view folder) const override { return files_.list(folder); }
  Result<std::string> read_link(std::string_view path) const override { return files_.read_link(path); }

 private:
  const Files& files_;
};

TEST_F(DrmHoldersTest, WithoutFactsEveryProcessIsLookedAtInEveryRound) {
  crowd(100, 240);
  const Factless factless(files_);
  DrmHolders holders(factless, clock_, {});
  ASSERT_TRUE(holders.update());
  descriptor(339, 0);
  clock_.advance(5s);
  ASSERT_TRUE(holders.update());
  EXPECT_TRUE(holders.holders().contains(339));
}

// A machine with very many processes, whose every access takes its time: as measured on Linux 6.18.
class BigMachine final : public Files {
 public:
  BigMachine(FakeClock& clock, int processes, int descriptors)
      : clock_(clock), processes_(processes), descriptors_(descriptors) {}

  Result<std::string> read(std::string_view) const override {
    spend(6us);
    return std::string("app\n");
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override {
    const bool root = folder == "/proc";
    const int count = root ? processes_ : descriptors_of(pid_in(folder));
    spend(root ? 1us * count : 12us + 1us * count);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(std::to_string(root ? i + 1 : i));
    return names;
  }
  Result<std::string> read_link(std::string_view path) const override {
    spend(4us);
    const int pid = pid_in(path);
    if (path.ends_with("/fd/0")) followed[pid] = clock_.now();
    const auto last = fmt::format("/fd/{}", descriptors_of(pid) - 1);
    return std::string(on_gpu.contains(pid) && path.ends_with(last) ? kNode : "/dev/null");
  }
  Result<FileFacts> stat(std::string_view path) const override {
    spend(3us);
    const int pid = pid_in(path);
    asked[pid] = clock_.now();
    return FileFacts{static_cast<std::uint64_t>(pid), static_cast<std::uint64_t>(descriptors_of(pid)), 0};
  }
  int descriptors_of(int pid) const {
    const auto found = more.find(pid);
    return found == more.end() ? descriptors_ : found->second;
  }

  std::set<int> on_gpu;
  std::map<int, int> more;  // processes with another number of descriptors
  mutable std::map<int, MonotonicTime> asked, followed;
  mutable std::chrono::nanoseconds spent{0};

 private:
  static int pid_in(std::string_view path) {
    int pid = 0;
    std::from_chars(path.data() + sizeof("/proc/") - 1, path.data() + path.size(), pid);
    return pid;
  }
  void spend(std::chrono::nanoseconds time) const {
    clock_.advance(time);
    spent += time;
  }

  FakeClock& clock_;
  const int processes_, descriptors_;
};

// Lets a second pass between two looks, as the sweep does; a piece of the first walk follows on the one before.
struct Watch {
  void until(MonotonicTime end) {
    while (clock.now() < end) {
      EXPECT_TRUE(holders.update());
      if (holders.unseen() == 0) clock.advance(1s);
    }
  }
  FakeClock& clock;
  DrmHolders& holders;
};

TEST(DrmHoldersLoadTest, TheFirstWalkIsHandedOutInPieces) {
  FakeClock clock;
  BigMachine machine(clock, 11000, 10);
  machine.on_gpu = {10, 10990};
  DrmHolders holders(machine, clock, {});
  const auto begin = clock.now();
  ASSERT_TRUE(holders.update());
  EXPECT_LT(clock.now() - begin, 360ms);
  EXPECT_GT(holders.unseen(), 0u);
  EXPECT_TRUE(holders.holders().contains(10));
  EXPECT_FALSE(holders.holders().contains(10990));
  ASSERT_TRUE(holders.update());
  EXPECT_GT(holders.unseen(), 0u);
  ASSERT_TRUE(holders.update());
  EXPECT_EQ(holders.unseen(), 0u);
  EXPECT_TRUE(holders.holders().contains(10990));
  EXPECT_LT(clock.now() - begin, 800ms);
}

struct Load {
  const char* name;
  int processes;
  int descriptors;
  std::chrono::seconds asked_within;     // every process is asked for its facts in this time …
  std::chrono::seconds followed_within;  // … and looked at in full in this
};

class DrmHoldersLoads : public ::testing::TestWithParam<Load> {};

TEST_P(DrmHoldersLoads, ManyProcessesDelayTheNewsButDoNotRaiseThePrice) {
  const Load& load = GetParam();
  FakeClock clock;
  BigMachine machine(clock, load.processes, load.descriptors);
  for (int i = 1; i <= 50; ++i) machine.on_gpu.insert(i * load.processes / 50);
  DrmHolders holders(machine, clock, {});
  Watch watch{clock, holders};
  while (machine.followed.size() < static_cast<std::size_t>(load.processes)) ASSERT_TRUE(holders.update());
  EXPECT_EQ(holders.holders().size(), 50u);

  machine.spent = 0ns;
  const auto begin = clock.now();
  watch.until(begin + 2 * load.followed_within);
  const double share = static_cast<double>(machine.spent.count()) / static_cast<double>((clock.now() - begin).count());
  EXPECT_LT(share, 0.0065);
  for (int pid = 1; pid <= load.processes; ++pid) {
    ASSERT_LT(clock.now() - machine.asked[pid], load.asked_within) << pid;
    ASSERT_LT(clock.now() - machine.followed[pid], load.followed_within) << pid;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DrmHoldersLoads,
                         ::testing::Values(Load{"usual", 300, 15, 6s, 130s}, Load{"many", 5'000, 10, 16s, 180s},
                                           Load{"very_many", 20'000, 10, 120s, 900s}),
                         [](const auto& load) { return std::string(load.param.name); });

TEST(DrmHoldersLoadTest, AProcessWithTenThousandDescriptorsHoldsUpNobodyForLong) {
  FakeClock clock;
  BigMachine machine(clock, 500, 10);
  machine.on_gpu = {5, 250};
  machine.more[250] = 10'000;
  DrmHolders holders(machine, clock, {});
  Watch watch{clock, holders};
  const auto begin = clock.now();
  watch.until(begin + 60s);
  EXPECT_TRUE(holders.holders().contains(250)) << "its last descriptor is the GPU's";
  machine.more[400] = 11;
  machine.on_gpu.insert(400);
  machine.spent = 0ns;
  watch.until(begin + 90s);
  EXPECT_TRUE(holders.holders().contains(400));
  watch.until(begin + 660s);
  EXPECT_LT(machine.spent, 4s) << "of 600 s";
}

TEST(DrmHoldersLoadTest, AStopEndsAWalkAtTheNextProcess) {
  FakeClock clock;
  BigMachine machine(clock, 5000, 10);
  DrmHolders holders(machine, clock, {});
  std::stop_source stop;
  stop.request_stop();
  ASSERT_TRUE(holders.update(stop.get_token()));
  EXPECT_EQ(holders.unseen(), 4999u);
}

}  // namespace
}  // namespace gpukeeper
