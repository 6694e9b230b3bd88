#include "attribution/background.hpp"

#include <future>
#include <memory>
#include <system_error>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(BackgroundTest, RunsOneJobAfterTheOther) {
  Background background;
  int done = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(background.start([&] { ++done; }));
    ASSERT_TRUE(background.wait(1min));
  }
  EXPECT_EQ(done, 100);
}

TEST(BackgroundTest, WaitsForNothingBeforeTheFirstJob) {
  Background background;
  EXPECT_TRUE(background.wait(0s));
}

TEST(BackgroundTest, JobThatHangsTakesNoOther) {
  auto end = std::make_shared<std::promise<void>>();
  auto hang = std::make_shared<std::shared_future<void>>(end->get_future().share());
  Background background;
  ASSERT_TRUE(background.start([hang] { hang->wait(); }));
  EXPECT_FALSE(background.wait(0s));
  EXPECT_FALSE(background.start([] {}));
  end->set_value();
  EXPECT_TRUE(background.wait(1min));
  EXPECT_TRUE(background.start([] {}));
}

TEST(BackgroundTest, JobThatHangsIsLetGo) {
  auto end = std::make_shared<std::promise<void>>();
  auto hang = std::make_shared<std::shared_future<void>>(end->get_future().share());
  auto ended = std::make_shared<std::promise<void>>();
  auto later = ended->get_future();
  {
    Background background;
    auto begun = std::make_shared<std::promise<void>>();
    ASSERT_TRUE(background.start([hang, ended, begun] {
      begun->set_value();
      hang->wait();
      ended->set_value();
    }));
    begun->get_future().wait();
  }  // returns, although the job does not
  end->set_value();
  later.wait();  // what it owns is still there
}

TEST(BackgroundTest, WithoutThreadsNothingIsStarted) {
  Background background([](std::function<void()>) -> std::thread {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  EXPECT_FALSE(background.start([] { FAIL(); }));
  EXPECT_TRUE(background.wait(1min));
}

}  // namespace
}  // namespace gpukeeper
