#include "service/background_worker.hpp"

#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

TEST(BackgroundWorkerTest, WorkIsDoneInOrderOnAThreadOfItsOwn) {
  BackgroundWorker worker;
  std::vector<int> done;  // by its thread alone, until the last is told
  std::promise<std::thread::id> last;
  ASSERT_TRUE(worker.post([&] { done.push_back(1); }));
  ASSERT_TRUE(worker.post([&] { done.push_back(2); }));
  ASSERT_TRUE(worker.post([&] { last.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(last.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(done, (std::vector{1, 2}));
}

TEST(BackgroundWorkerTest, SeveralThreadsWorkAtTheSameTime) {
  std::promise<void> here;
  std::promise<void> there;
  std::promise<void> both;
  BackgroundWorker worker(2);
  ASSERT_TRUE(worker.post([&] {
    here.set_value();
    there.get_future().wait();
    both.set_value();
  }));
  ASSERT_TRUE(worker.post([&] {
    here.get_future().wait();
    there.set_value();
  }));
  both.get_future().wait();
}

TEST(BackgroundWorkerTest, OnlySoMuchMayWaitAndWhatWaitsAtTheEndIsDropped) {
  std::promise<void> begun;
  std::promise<void> go;
  std::jthread opener;
  int done = 0;
  {
    BackgroundWorker worker;
    ASSERT_TRUE(worker.post([&] {
      begun.set_value();
      go.get_future().wait();
    }));
    begun.get_future().wait();
    for (std::size_t i = 0; i < BackgroundWorker::kMost; ++i) EXPECT_TRUE(worker.post([&] { ++done; }));
    EXPECT_FALSE(worker.post([&] { ++done; }));
    opener = std::jthread([&] { go.set_value(); });
  }
  EXPECT_LE(done, static_cast<int>(BackgroundWorker::kMost));
}

}  // namespace
}  // namespace gpukeeper::service
