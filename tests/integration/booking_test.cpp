#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "booking/bookkeeper.hpp"
#include "booking/pidfd_watch.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/sleeping_child.hpp"
#include "storage/sqlite_journal.hpp"

// Real processes that die, and a bookkeeper that is killed: what needs a kernel.

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

ProcessOwner owner_of(const SleepingChild& child) {
  return process_now(child.pid()).value();
}

/// Who was told to be gone.
class Told {
 public:
  void hear(const ProcessOwner& owner) {
    std::scoped_lock lock(mutex_);
    gone_.push_back(owner);
    changed_.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return gone_.size() >= count; });
  }
  std::vector<ProcessOwner> gone() {
    std::scoped_lock lock(mutex_);
    return gone_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ProcessOwner> gone_;
};

TEST(PidfdWatchTest, ADeathIsToldOnceHoweverOftenTheProcessIsWatched) {
  const auto watch = PidfdWatch::start().value();
  Told told;
  watch->on_gone([&](const ProcessOwner& owner) { told.hear(owner); });
  SleepingChild child;
  SleepingChild lives;
  const ProcessOwner owner = owner_of(child);
  EXPECT_TRUE(watch->watch(owner));
  EXPECT_TRUE(watch->watch(owner));
  EXPECT_TRUE(watch->watch(owner_of(lives)));
  EXPECT_EQ(watch->size(), 2u);
  child.kill();
  ASSERT_TRUE(told.wait_for(1));
  EXPECT_EQ(told.gone(), std::vector{owner});
  EXPECT_EQ(watch->size(), 1u);
  EXPECT_FALSE(watch->watch(owner));
}

TEST(PidfdWatchTest, AnotherProcessWithThePidIsNotTheOwner) {
  const auto watch = PidfdWatch::start().value();
  const SleepingChild child;
  ProcessOwner other = owner_of(child);
  ++other.start_ticks;
  EXPECT_FALSE(watch->watch(other));
}

TEST(PidfdWatchTest, WhoIsForgottenIsNotTold) {
  const auto watch = PidfdWatch::start().value();
  Told told;
  watch->on_gone([&](const ProcessOwner& owner) { told.hear(owner); });
  SleepingChild forgotten;
  SleepingChild kept;
  const ProcessOwner owner = owner_of(kept);
  ASSERT_TRUE(watch->watch(owner_of(forgotten)));
  ASSERT_TRUE(watch->watch(owner));
  watch->keep_only({owner});
  forgotten.kill();
  kept.kill();
  ASSERT_TRUE(told.wait_for(1));
  EXPECT_EQ(told.gone(), std::vector{owner});
}

Reality one_gpu() {
  Reality reality;
  DeviceReality& device = reality.devices.emplace_back();
  device.id = "GPU-0";
  device.total = from_mib(1'000'000);
  device.used = Bytes(0);
  device.processes.emplace();
  return reality;
}

std::unique_ptr<Bookkeeper> open_in(const std::string& folder, Clock& clock) {
  auto journal = SqliteJournal::open(folder, "boot");
  if (!journal) return nullptr;
  auto keeper =
      Bookkeeper::open({}, {.clock = clock, .journal = std::move(*journal), .owners = nullptr, .boot_id = "boot"});
  if (!keeper) return nullptr;
  (*keeper)->observe(one_gpu());
  return std::move(*keeper);
}

// What the writer says on its pipe once it has its answer: the lease, and its MiB; 0 when it is over, 1 when it
// may be over from now on.
struct Acknowledged {
  std::uint64_t id;
  std::uint64_t mib;
};

[[noreturn]] void book_for_ever(const std::string& folder, int pipe_end, std::uint32_t seed) {
  SystemClock clock;
  const auto keeper = open_in(folder, clock);
  if (!keeper) ::_exit(1);
  std::mt19937 random(seed);
  const auto say = [&](Acknowledged what) {
    if (::write(pipe_end, &what, sizeof what) != sizeof what) ::_exit(2);
  };
  for (;;) {
    const auto leases = keeper->leases();
    if (leases.size() > 20 || (!leases.empty() && random() % 3 == 0)) {
      const LeaseId id = leases[random() % leases.size()].id;
      say({number(id), 1});
      if (!keeper->release(id)) ::_exit(3);
      say({number(id), 0});
    } else {
      LeaseRequest request;
      request.service = "embedding";
      request.min = from_mib(random() % 1000 + 2);
      // Standing, or of the test that outlives this process.
      if (random() % 2 == 0) request.owner = ProcessOwner{::getppid(), 1};
      const auto booking = keeper->reserve(request);
      if (!booking) ::_exit(4);
      say({number(booking->id), request.min.value() >> 20});
    }
  }
}

TEST(BookkeeperKillTest, NoAcknowledgedLeaseIsLostAndNoneThatWasReleasedComesBack) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  std::mt19937 random(11);
  std::map<std::uint64_t, std::uint64_t> books;  // MiB by lease, as acknowledged
  std::uint64_t last = 0;
  for (std::uint32_t round = 0; round < 25; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      book_for_ever(folder, pipe_ends[1], round);
    }
    ::close(pipe_ends[1]);
    std::uint64_t ending = 0;  // the lease whose release was asked for and not answered
    const auto hear = [&] {
      Acknowledged what{};
      if (::read(pipe_ends[0], &what, sizeof what) != sizeof what) return false;
      ending = 0;
      if (what.mib == 1) {
        ending = what.id;
      } else if (what.mib == 0) {
        books.erase(what.id);
      } else {
        EXPECT_GT(what.id, last) << "an id was given out twice";
        last = what.id;
        books[what.id] = what.mib;
      }
      return true;
    };
    if (round % 5 != 0) hear();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (hear()) {
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed with " << WEXITSTATUS(status);

    SystemClock clock;
    const auto keeper = open_in(folder, clock);
    ASSERT_TRUE(keeper);
    ASSERT_EQ(keeper->closed(), std::nullopt);
    std::map<std::uint64_t, std::uint64_t> found;
    for (const Lease& lease : keeper->leases()) found[number(lease.id)] = lease.min.value() >> 20;
    if (ending != 0 && !found.contains(ending)) books.erase(ending);
    // One that was granted in the last moment is there although nobody heard of it.
    if (!found.empty() && found.rbegin()->first > last) {
      last = found.rbegin()->first;
      books.insert(*found.rbegin());
    }
    EXPECT_EQ(found, books) << "round " << round;
  }
  EXPECT_GT(last, 25u);
}

}  // namespace
}  // namespace gpukeeper
