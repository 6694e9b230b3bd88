#include "telemetry/runner.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

class Door {
 public:
  void open() {
    std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

struct Work : Task {
  explicit Work(std::function<void()> b, std::chrono::nanoseconds p = 10s) : body(std::move(b)) { patience = p; }
  void run() override { body(); }
  std::function<void()> body;
};

void wait_for(const Task& task) {
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  while (!task.done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    std::this_thread::yield();
  }
}

TEST(RunnerTest, EveryTaskHasEndedWhenRunReturns) {
  ThreadRunner runner;
  for (int round = 0; round < 100; ++round) {
    int sum = 0;
    std::mutex mutex;
    std::vector<std::shared_ptr<Task>> tasks;
    for (int i = 1; i <= 8; ++i) {
      tasks.push_back(std::make_shared<Work>([&, i] {
        std::scoped_lock lock(mutex);
        sum += i;
      }));
    }
    runner.run(tasks);
    EXPECT_EQ(sum, 36);
    for (const auto& task : tasks) EXPECT_TRUE(task->done());
  }
  EXPECT_LE(runner.threads(), 8u);
}

TEST(RunnerTest, OneThatHangsIsLeftBehindAndTheOthersEnd) {
  const auto door = std::make_shared<Door>();
  ThreadRunner runner;
  int others = 0;
  const auto hung = std::make_shared<Work>([door] { door->pass(); }, 1ms);
  runner.run(std::vector<std::shared_ptr<Task>>{hung, std::make_shared<Work>([&] { ++others; }),
                                                std::make_shared<Work>([&] { ++others; })});
  EXPECT_EQ(others, 2);
  EXPECT_FALSE(hung->done());
  runner.run(std::vector<std::shared_ptr<Task>>{std::make_shared<Work>([&] { ++others; })});
  EXPECT_EQ(others, 3) << "later batches are not held up either";
  door->open();
  wait_for(*hung);
}

TEST(RunnerTest, EvenWhenAllButOneHang) {
  const auto door = std::make_shared<Door>();
  ThreadRunner runner;
  std::vector<std::shared_ptr<Task>> tasks;
  for (int i = 0; i < 7; ++i) tasks.push_back(std::make_shared<Work>([door] { door->pass(); }, 1ms));
  bool ran = false;
  tasks.push_back(std::make_shared<Work>([&] { ran = true; }));
  runner.run(tasks);
  EXPECT_TRUE(ran);
  door->open();
  for (const auto& task : tasks) wait_for(*task);
}

TEST(RunnerTest, AMachineWithoutThreadsLeftIsReadAllTheSame) {
  int allowed = 0;
  ThreadRunner runner([&](std::function<void()> body) {
    if (allowed-- <= 0) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    return std::thread(std::move(body));
  });
  int done = 0;
  const std::vector<std::shared_ptr<Task>> tasks = {std::make_shared<Work>([&] { ++done; }),
                                                    std::make_shared<Work>([&] { ++done; })};
  runner.run(tasks);
  EXPECT_EQ(done, 2);
  EXPECT_EQ(runner.threads(), 0u);
  allowed = 1;
  runner.run(tasks);
  EXPECT_EQ(done, 4);
  EXPECT_EQ(runner.threads(), 1u);
}

TEST(RunnerTest, DestructionDoesNotWaitForWhatHangsAndWhatHangsKeepsItsThings) {
  const auto door = std::make_shared<Door>();
  const auto hung = std::make_shared<Work>([door] { door->pass(); }, 1ms);
  {
    ThreadRunner runner;
    runner.run(std::vector<std::shared_ptr<Task>>{hung});
  }
  EXPECT_FALSE(hung->done());
  door->open();
  wait_for(*hung);
}

}  // namespace
}  // namespace gpukeeper
