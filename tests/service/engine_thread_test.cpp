#include "service/engine_thread.hpp"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

Result<std::unique_ptr<Session>> session_of(const std::shared_ptr<Backend>& backend,
                                            std::chrono::nanoseconds period = 1s) {
  const std::vector<std::string> sources{"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml"};
  SessionOptions options;
  options.engine.sampler.period = period;
  options.prepare = [&](Sources& opened, EngineOptions&) -> Result<void> {
    opened.backends = {backend};
    return {};
  };
  return Session::open(sources, std::make_shared<SystemClock>(), options);
}

TEST(EngineThreadTest, ItRunsUntilAskedToStopAndKeepsTheLastSnapshot) {
  const auto backend = std::make_shared<FakeBackend>();
  backend->plug("GPU-a");
  EngineThread thread([&] { return session_of(backend); });
  while (thread.snapshot()->sequence == 0) std::this_thread::yield();
  thread.ask_to_stop();
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.snapshot()->devices.size(), 1U);
  EXPECT_TRUE(thread.opened().value().has_value());
}

TEST(EngineThreadTest, ACommandRunsOnTheEnginesThreadWithoutWaitingForTheNextTick) {
  const auto backend = std::make_shared<FakeBackend>();
  EngineThread thread([&] { return session_of(backend, 24h); });
  while (thread.snapshot()->sequence == 0) std::this_thread::yield();
  std::promise<std::thread::id> ran_on;
  ASSERT_TRUE(thread.post([&](Engine&) { ran_on.set_value(std::this_thread::get_id()); }));
  auto id = ran_on.get_future();
  ASSERT_EQ(id.wait_for(10s), std::future_status::ready);
  EXPECT_NE(id.get(), std::this_thread::get_id());
  thread.ask_to_stop();
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_FALSE(thread.post([](Engine&) {}));  // there is no engine any more
}

TEST(EngineThreadTest, ARecordingThatIsOverCanStillBeLookedAt) {
  EngineThread thread([] {
    const std::vector<std::string> sources{"replay:" GPUKEEPER_SOURCE_DIR "/examples/recordings/faults.gkr"};
    const auto clock = clock_for(sources, std::nullopt, Speed(), std::make_shared<SystemClock>());
    return Session::open(sources, clock.value(), {});
  });
  while (!thread.played_out()) std::this_thread::yield();
  EXPECT_TRUE(thread.snapshot()->replayed);
  EXPECT_FALSE(thread.snapshot()->devices.empty());
  EXPECT_FALSE(thread.faults()->records.empty());
  EXPECT_EQ(thread.faults_kept_in(), "");
  std::promise<void> ran;
  ASSERT_TRUE(thread.post([&](Engine&) { ran.set_value(); }));
  ran.get_future().wait();
  EXPECT_FALSE(thread.wait(0ns));
  thread.ask_to_stop();
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_FALSE(thread.faults()->records.empty());
}

TEST(EngineThreadTest, WhatCannotBeOpenedSaysWhy) {
  EngineThread thread([]() -> Result<std::unique_ptr<Session>> { return fail(Errc::not_found, "no such file"); });
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.opened().value().error(), (Error{Errc::not_found, "no such file"}));
  EXPECT_EQ(thread.snapshot()->sequence, 0U);
}

TEST(EngineThreadTest, AnExceptionIsAnErrorAndEndsNothingElse) {
  EngineThread thread([]() -> Result<std::unique_ptr<Session>> { throw std::runtime_error("no memory"); });
  EXPECT_TRUE(thread.wait(10s));
  EXPECT_EQ(thread.opened().value().error(), (Error{Errc::internal, "the sampler ended: no memory"}));
}

TEST(EngineThreadTest, ADriverThatHangsWhileItIsOpenedHoldsUpNobody) {
  const auto hang = std::make_shared<std::promise<void>>();
  {
    EngineThread thread([future = hang->get_future().share()]() -> Result<std::unique_ptr<Session>> {
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
