#include "service/engine_thread.hpp"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

Result<std::unique_ptr<Engine>> engine_of(std::shared_ptr<Backend> backend) {
  Sources sources;
  sources.backends.push_back(std::move(backend));
  return std::make_unique<Engine>(std::move(sources), std::make_shared<SystemClock>(), EngineOptions{});
}

TEST(EngineThreadTest, ItRunsUntilAskedToStopAndKeepsTheLastSnapshot) {
  const auto backend = std::make_shared<FakeBackend>();
  backend->plug("GPU-a");
  EngineThread thread([&] { return engine_of(backend); });
  while (thread.snapshot()->sequence == 0) std::this_thread::yield();
  thread.ask_to_stop();
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.snapshot()->devices.size(), 1U);
  EXPECT_TRUE(thread.opened().value().has_value());
}

TEST(EngineThreadTest, ACommandRunsOnTheEnginesThreadWithoutWaitingForTheNextTick) {
  const auto backend = std::make_shared<FakeBackend>();
  EngineThread thread([&]() -> Result<std::unique_ptr<Engine>> {
    Sources sources;
    sources.backends.push_back(backend);
    return std::make_unique<Engine>(std::move(sources), std::make_shared<SystemClock>(),
                                    EngineOptions{.sampler = {.period = 24h}});
  });
  while (thread.snapshot()->sequence == 0) std::this_thread::yield();
  std::promise<std::thread::id> ran_on;
  ASSERT_TRUE(thread.post([&] { ran_on.set_value(std::this_thread::get_id()); }));
  auto id = ran_on.get_future();
  ASSERT_EQ(id.wait_for(10s), std::future_status::ready);
  EXPECT_NE(id.get(), std::this_thread::get_id());
  thread.ask_to_stop();
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_FALSE(thread.post([] {}));  // there is no engine any more
}

TEST(EngineThreadTest, WhatCannotBeOpenedSaysWhy) {
  EngineThread thread([]() -> Result<std::unique_ptr<Engine>> { return fail(Errc::not_found, "no such file"); });
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.opened().value().error(), (Error{Errc::not_found, "no such file"}));
  EXPECT_EQ(thread.snapshot()->sequence, 0U);
}

TEST(EngineThreadTest, AnExceptionIsAnErrorAndEndsNothingElse) {
  EngineThread thread([]() -> Result<std::unique_ptr<Engine>> { throw std::runtime_error("no memory"); });
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.opened().value().error(), (Error{Errc::internal, "the sampler ended: no memory"}));
}

TEST(EngineThreadTest, ADriverThatHangsWhileItIsOpenedHoldsUpNobody) {
  const auto hang = std::make_shared<std::promise<void>>();
  {
    EngineThread thread([future = hang->get_future().share()]() -> Result<std::unique_ptr<Engine>> {
      future.wait();
      return fail(Errc::unavailable, "too late");
    });
    EXPECT_FALSE(thread.opened().has_value());
    EXPECT_EQ(thread.snapshot()->sequence, 0U);
    thread.ask_to_stop();
    EXPECT_FALSE(thread.wait(1ms));
  }
  hang->set_value();  // the thread lives on with what it owns, and ends by itself
}

}  // namespace
}  // namespace gpukeeper::service
