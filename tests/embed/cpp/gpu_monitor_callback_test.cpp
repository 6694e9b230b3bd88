#include "gpukeeper/gpu_monitor_callback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Time = GpuMonitorCallback::Time;

class GpuMonitorCallbackTest : public testing::Test {
 protected:
  void temperature(std::uint32_t celsius) {
    monitor.set_mock_metrics({{.utilization_percent = 50, .temperature_celsius = celsius}});
  }
  LoopAction at(std::chrono::seconds time) { return callback.on_step(Time(time)); }

  GpuMonitor monitor = GpuMonitor::mock(0);
  std::vector<std::string> told;
  GpuMonitorCallback callback = GpuMonitorCallback(monitor).with_interval_secs(10).with_thermal_threshold(80).on_alert(
      [this](const GpuAlert& alert) { told.push_back(message(alert)); });
};

TEST_F(GpuMonitorCallbackTest, LooksOnlyOnceInAnInterval) {
  temperature(85);
  EXPECT_EQ(at(0s), LoopAction::go_on);
  EXPECT_THAT(told, ElementsAre("GPU 0 thermal throttling: 85°C exceeds 80°C threshold"));
  temperature(60);
  at(9s);
  EXPECT_EQ(callback.metrics()[0].temperature_celsius, 85U);
  at(10s);
  EXPECT_EQ(callback.metrics()[0].temperature_celsius, 60U);
}

TEST_F(GpuMonitorCallbackTest, AnAlertIsToldOnceForAsLongAsItHolds) {
  temperature(85);
  at(0s);
  temperature(86);
  at(10s);
  EXPECT_THAT(told, ElementsAre("GPU 0 thermal throttling: 85°C exceeds 80°C threshold"));
  temperature(60);
  at(20s);
  temperature(81);
  at(30s);
  EXPECT_THAT(told, ElementsAre("GPU 0 thermal throttling: 85°C exceeds 80°C threshold",
                                "GPU 0 thermal throttling: 81°C exceeds 80°C threshold"));
}

TEST_F(GpuMonitorCallbackTest, ItIsToldOnceMoreWhenItBecomesCritical) {
  temperature(85);
  at(0s);
  temperature(91);
  at(10s);
  temperature(85);
  at(20s);
  temperature(92);  // it has been critical before, and never ceased
  at(30s);
  EXPECT_THAT(told, ElementsAre("GPU 0 thermal throttling: 85°C exceeds 80°C threshold",
                                "GPU 0 thermal throttling: 91°C exceeds 80°C threshold"));
}

TEST_F(GpuMonitorCallbackTest, AHandlerMayPauseTheLoopAsLongAsTheAlertHolds) {
  callback.on_alert([](const GpuAlert&) { return LoopAction::pause; });
  temperature(85);
  EXPECT_EQ(at(0s), LoopAction::pause);
  EXPECT_EQ(at(5s), LoopAction::pause);
  temperature(84);
  EXPECT_EQ(at(10s), LoopAction::pause);
  temperature(79);
  EXPECT_EQ(at(15s), LoopAction::pause);  // nobody has looked since
  EXPECT_EQ(at(20s), LoopAction::go_on);
}

TEST_F(GpuMonitorCallbackTest, AHandlerMayStopItForGood) {
  callback.on_alert([](const GpuAlert&) { return LoopAction::stop; });
  temperature(85);
  EXPECT_EQ(at(0s), LoopAction::stop);
  temperature(40);
  EXPECT_EQ(at(10s), LoopAction::stop);
}

TEST_F(GpuMonitorCallbackTest, ItMayPauseWhileSomethingIsCritical) {
  callback.with_pause_while_critical();
  temperature(85);
  EXPECT_EQ(at(0s), LoopAction::go_on);
  temperature(90);
  EXPECT_EQ(at(10s), LoopAction::pause);
  temperature(89);
  EXPECT_EQ(at(20s), LoopAction::go_on);
}

TEST_F(GpuMonitorCallbackTest, EveryHandlerIsCalledAndThresholdsAreTaken) {
  int calls = 0;
  callback.on_alert([&](const GpuAlert&) { ++calls; }).with_config({.thermal_threshold = 60, .memory_threshold = 50});
  temperature(60);
  at(0s);
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(told, ElementsAre("GPU 0 thermal throttling: 60°C exceeds 60°C threshold"));
}

TEST_F(GpuMonitorCallbackTest, AnIdleGpuIsToldAfterFiveMinutes) {
  monitor.set_mock_metrics({{.utilization_percent = 0}});
  for (int i = 0; i < 30; ++i) at(i * 10s);
  EXPECT_THAT(told, IsEmpty());
  at(300s);
  at(310s);  // longer idle is the same alert
  EXPECT_THAT(told, ElementsAre("GPU 0 idle for 300 seconds (possible hang)"));
}

TEST_F(GpuMonitorCallbackTest, WhatCannotBeLookedAtChangesNothing) {
  class Failing final : public GpuBackend {
   public:
    std::uint32_t num_devices() override { return 1; }
    std::vector<GpuMetrics> collect_metrics() override {
      if (fails) throw Error(GK_UNAVAILABLE, "the driver does not answer");
      return {{.temperature_celsius = 85}};
    }
    bool fails = false;
  };
  const auto backend = std::make_shared<Failing>();
  callback.with_monitor(GpuMonitor(backend)).on_alert([](const GpuAlert&) { return LoopAction::pause; });
  EXPECT_EQ(at(0s), LoopAction::pause);
  EXPECT_EQ(callback.trouble(), "");
  backend->fails = true;
  EXPECT_EQ(at(10s), LoopAction::pause);
  EXPECT_EQ(callback.trouble(), "the driver does not answer");
  EXPECT_EQ(callback.metrics().size(), 1U);
}

TEST_F(GpuMonitorCallbackTest, KeepGoingWaitsUntilTheLoopMayGoOn) {
  Time now{};
  std::vector<Time> waited;
  temperature(85);
  callback.on_alert([](const GpuAlert&) { return LoopAction::pause; })
      .with_time([&] { return now; },
                 [&](Time until, const std::stop_token&) {
                   waited.push_back(until);
                   now = until;
                   if (waited.size() == 2) temperature(70);
                 });
  EXPECT_TRUE(callback.keep_going());
  EXPECT_THAT(waited, ElementsAre(Time(10s), Time(20s)));
}

TEST_F(GpuMonitorCallbackTest, KeepGoingEndsWithAStop) {
  Time now{};
  std::stop_source stop;
  temperature(85);
  callback.on_alert([](const GpuAlert&) { return LoopAction::pause; })
      .with_time([&] { return now; }, [&](Time, const std::stop_token&) { stop.request_stop(); });
  EXPECT_FALSE(callback.keep_going(stop.get_token()));
  callback.on_alert([](const GpuAlert&) { return LoopAction::stop; });
  temperature(60);
  now = Time(10s);
  EXPECT_TRUE(callback.keep_going());
  temperature(85);
  now = Time(20s);
  EXPECT_FALSE(callback.keep_going());
}

TEST_F(GpuMonitorCallbackTest, AWaitEndsWhenAStopIsRequested) {
  GpuMonitorCallback paused(MockGpuBackend().with_temperature(85));
  paused.with_interval(std::chrono::hours(1)).on_alert([](const GpuAlert&) { return LoopAction::pause; });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(paused.on_step(), LoopAction::pause);
  EXPECT_FALSE(paused.keep_going(stop.get_token()));
}

}  // namespace
}  // namespace gpukeeper
