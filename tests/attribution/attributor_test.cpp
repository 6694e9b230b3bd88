#include "attribution/attributor.hpp"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "proc_tree.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const Classifier> rules() {
  return {std::shared_ptr<void>(), &Classifier::built_in()};
}

Snapshot snapshot_of(std::vector<GpuProcess> processes, bool simulated = false) {
  Snapshot snapshot;
  DeviceSnapshot& device = snapshot.devices.emplace_back();
  auto described = std::make_shared<Device>();
  described->id = DeviceId{"GPU-a"};
  described->simulated = simulated;
  device.device = std::move(described);
  device.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
  return snapshot;
}

const ProcessFacts* who(const Snapshot& snapshot, std::int64_t pid) {
  return snapshot.who->find(DeviceId{"GPU-a"}, pid);
}

/// A tree whose reads of one file hang, as for a process in uninterruptible sleep.
class HangingFiles final : public Files {
 public:
  explicit HangingFiles(std::string path) : path_(std::move(path)) {}

  Result<std::string> read(std::string_view path) const override {
    std::unique_lock lock(mutex_);
    if (path == path_ && hanging_) {
      entered_ = true;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !hanging_; });
    }
    return tree.files.read(path);
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override { return tree.files.list(folder); }
  Result<std::string> read_link(std::string_view path) const override { return tree.files.read_link(path); }

  void wait_until_hanging() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_; });
  }
  void release() {
    std::scoped_lock lock(mutex_);
    hanging_ = false;
    changed_.notify_all();
  }

  ProcTree tree;

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable bool entered_ = false;
  bool hanging_ = true;
};

class AttributorTest : public testing::Test {
 protected:
  AttributorTest() { tree_->put({}); }

  std::shared_ptr<const Files> files() { return {tree_, &tree_->files}; }

  std::shared_ptr<ProcTree> tree_ = std::make_shared<ProcTree>();
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
};

TEST_F(AttributorTest, WithPatienceTheFirstSnapshotSaysWho) {
  Attributor attributor(files(), clock_, rules(), {.patience = 1min});
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  attributor.complete(snapshot);
  ASSERT_TRUE(who(snapshot, 4711));
  EXPECT_EQ(who(snapshot, 4711)->user, "alice");
  EXPECT_EQ(snapshot.who_reason, "");
}

TEST_F(AttributorTest, SecondLookFollowsTheFirst) {
  Attributor attributor(files(), clock_, rules(), {.patience = 1min, .second_look = 600ms});
  tree_->put({.cpu_ticks = 100});
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  const auto before = clock_->now();
  attributor.complete(snapshot);
  EXPECT_EQ(clock_->now() - before, 600ms);
  EXPECT_EQ(who(snapshot, 4711)->cpu, Percent(0));
  attributor.complete(snapshot);
  EXPECT_EQ(clock_->now() - before, 600ms);  // nothing is due
}

TEST_F(AttributorTest, ThereIsNoSecondLookBeyondThePatience) {
  Attributor attributor(files(), clock_, rules(), {.patience = 1min, .second_look = 2min});
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  const auto before = clock_->now();
  attributor.complete(snapshot);
  EXPECT_EQ(clock_->now(), before);
  EXPECT_EQ(who(snapshot, 4711)->cpu.error(), Missing::not_yet_read);
}

TEST_F(AttributorTest, LooksOncePerPeriodAndAtOnceAtNewProcesses) {
  Attributor attributor(files(), clock_, rules(), {.patience = 1min, .second_look = 2min});
  const auto stats = [&] {
    const auto accesses = tree_->files.take_accesses();
    return std::count(accesses.begin(), accesses.end(), "/proc/4711/stat");
  };
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  attributor.complete(snapshot);
  EXPECT_EQ(stats(), 2);
  clock_->advance(1s);
  attributor.complete(snapshot);
  EXPECT_EQ(stats(), 0);
  clock_->advance(1s);
  attributor.complete(snapshot);
  EXPECT_EQ(stats(), 1);
  tree_->put({.pid = 4712});
  auto more = snapshot_of({GpuProcess{.pid = 4711}, GpuProcess{.pid = 4712}});
  attributor.complete(more);
  EXPECT_EQ(stats(), 1);
  EXPECT_TRUE(who(more, 4712));
}

TEST_F(AttributorTest, ProcessThatHangsHoldsUpNobody) {
  auto hanging = std::make_shared<HangingFiles>("/proc/4711/cmdline");
  hanging->tree.put({});
  std::promise<void> ended;
  const auto make_thread = [&ended](std::function<void()> body) {
    return std::thread([&ended, body = std::move(body)]() mutable {
      std::exchange(body, nullptr)();
      ended.set_value();
    });
  };
  {
    Attributor attributor(hanging, clock_, rules(), {.make_thread = make_thread});
    auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
    attributor.complete(snapshot);
    hanging->wait_until_hanging();
    clock_->advance(1h);
    attributor.complete(snapshot);  // returns
    EXPECT_FALSE(who(snapshot, 4711));
  }  // and so does the destructor
  hanging->release();
  ended.get_future().wait();  // no thread goes on while the program ends
}

TEST_F(AttributorTest, GoesOnWhenTheHangIsOver) {
  auto hanging = std::make_shared<HangingFiles>("/proc/4711/cmdline");
  hanging->tree.put({});
  Attributor attributor(hanging, clock_, rules(), {.patience = 1ns});
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  attributor.complete(snapshot);
  hanging->wait_until_hanging();
  hanging->release();
  while (!who(snapshot, 4711)) {  // the thread gets there; ctest ends a test that does not
    clock_->advance(1s);
    attributor.complete(snapshot);
  }
  EXPECT_EQ(who(snapshot, 4711)->user, "alice");
}

TEST_F(AttributorTest, WithoutThreadsNothingIsLookedUp) {
  Attributor attributor(files(), clock_, rules(),
                        {.patience = 1min, .make_thread = [](std::function<void()>) -> std::thread {
                           throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
                         }});
  tree_->files.take_accesses();
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}});
  attributor.complete(snapshot);
  EXPECT_FALSE(who(snapshot, 4711));
  EXPECT_TRUE(tree_->files.take_accesses().empty());
}

TEST_F(AttributorTest, WithoutALivingMachineThereIsNoThread) {
  Attributor attributor(nullptr, clock_, rules(), {.make_thread = [](std::function<void()>) -> std::thread {
                          ADD_FAILURE() << "a thread was made";
                          return {};
                        }});
  auto facts = std::make_shared<ProcessFacts>();
  facts->user = "bob";
  auto snapshot = snapshot_of({GpuProcess{.pid = 7, .facts = facts}}, true);
  attributor.complete(snapshot);
  EXPECT_EQ(who(snapshot, 7)->user, "bob");
}

TEST_F(AttributorTest, SimulatedPidsAreNotLookedUpBesideALivingMachine) {
  Attributor attributor(files(), clock_, rules(), {.patience = 1min});
  tree_->files.take_accesses();
  auto snapshot = snapshot_of({GpuProcess{.pid = 4711}}, true);
  attributor.complete(snapshot);
  EXPECT_EQ(who(snapshot, 4711)->user.error(), Missing::not_supported);
  EXPECT_TRUE(tree_->files.take_accesses().empty());
}

}  // namespace
}  // namespace gpukeeper
