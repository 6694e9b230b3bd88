#include "forecast/forecast_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curves.hpp"

namespace gpukeeper::forecast {
namespace {

using namespace std::chrono_literals;

constexpr int kSeconds = 1800;

// Two GPUs for half an hour: one warms slowly, the other knows no temperature.
class ForecastViewTest : public testing::Test {
 protected:
  ForecastViewTest() {
    for (int second = 0; second <= kSeconds; second += 5) {
      auto warm = Past::gpu(60 + second * 0.005, "GPU-a", 0);
      warm.reading.temperature_slowdown = Celsius(92);
      warm.reading.memory_reserved = 80_MiB;
      warm.throttling.thresholds.temp_throttle = Celsius(70);
      auto mute = Past::gpu(0, "GPU-b", 1);
      mute.reading.temperature = missing(Missing::not_supported);
      mute.reading.memory_total = missing(Missing::not_supported);
      snapshot_ = Past::snapshot(second, {warm, mute});
      history_.add(snapshot_);
    }
  }
  ForecastView gather(const OlderHistory* older = nullptr, const std::vector<std::string>& devices = {}) const {
    return gather_forecasts(history_, older, snapshot_, devices).value();
  }

  History history_;
  Snapshot snapshot_;
};

// What a file would hold: hours before the history in memory begins.
class FileOfHours final : public OlderHistory {
 public:
  Result<void> read(const Query& query, const Take& take) const override {
    asked = query;
    if (broken) return fail(Errc::unavailable, "history.db: disk I/O error");
    for (WallTime at = query.from; at < query.to; at += 10s) {
      for (std::size_t metric = 0; metric < query.metrics.size(); ++metric) {
        if (query.metrics[metric] != "temperature_celsius") continue;
        take(metric, at, HistoryBucket{.count = 10, .min = 60, .avg = 60, .max = 60, .last = 60});
      }
    }
    return {};
  }
  std::optional<WallTime> oldest() const override { return std::nullopt; }

  bool broken = false;
  mutable Query asked;
};

TEST_F(ForecastViewTest, EachDeviceHasItsTemperatureAndItsMemoryOrAReason) {
  const auto view = gather();
  ASSERT_EQ(view.devices.size(), 2U);
  const auto& hot = view.devices[0].metrics;
  ASSERT_EQ(hot.size(), 2U);
  EXPECT_EQ(hot[0].metric, "temperature_celsius");
  EXPECT_EQ(hot[0].reason, "");
  ASSERT_EQ(hot[0].ahead.size(), kHorizons.size());
  ASSERT_TRUE(hot[0].ahead[1].point);
  EXPECT_NEAR(hot[0].ahead[1].point->expected, 69 + 1.5, 0.3);
  EXPECT_FALSE(hot[0].ahead[3].point);
  EXPECT_EQ(hot[0].ahead[3].reason, "for 15 min ahead 62 min of unbroken readings are needed, and there are 30");
  EXPECT_EQ(hot[1].metric, "memory_used_bytes");
  EXPECT_EQ(hot[1].ahead[0].point->expected, 40'000.0 * 1024 * 1024);

  const auto& mute = view.devices[1].metrics;
  EXPECT_EQ(mute[0].reason, "nothing was measured");
  EXPECT_TRUE(mute[0].ahead.empty());
  EXPECT_EQ(mute[0].limits.at(0).crossing.reach, Reach::unknown);
  EXPECT_TRUE(mute[1].limits.empty());  // nobody knows how much there is
  EXPECT_EQ(gather(nullptr, {"1"}).devices.size(), 1U);
}

TEST_F(ForecastViewTest, TheLimitsAreThoseOfTheDevice) {
  const auto view = gather();
  const auto& limits = view.devices[0].metrics[0].limits;
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0].name, "throttle");
  EXPECT_EQ(limits[0].value, 70);
  EXPECT_EQ(limits[0].crossing.reach, Reach::expected);
  EXPECT_NEAR(static_cast<double>(limits[0].crossing.expected->count()), 200, 30);
  EXPECT_EQ(limits[1].name, "slowdown");
  EXPECT_EQ(limits[1].crossing.reach, Reach::not_within);
  const auto& full = view.devices[0].metrics[1].limits.at(0);
  EXPECT_EQ(full.name, "full");
  EXPECT_EQ(full.value, (80'000.0 - 80) * 1024 * 1024);
  EXPECT_EQ(full.crossing.reach, Reach::not_within);
}

TEST_F(ForecastViewTest, WhereThereIsNoEdgeTheHotspotSpeaks) {
  History history;
  Snapshot snapshot;
  for (int second = 0; second <= 600; second += 5) {
    auto gpu = Past::gpu(0);
    gpu.reading.temperature = missing(Missing::not_supported);
    gpu.reading.temperature_hotspot = Celsius(71);
    snapshot = Past::snapshot(second, {gpu});
    history.add(snapshot);
  }
  const auto view = gather_forecasts(history, nullptr, snapshot, {}).value();
  EXPECT_EQ(view.devices[0].metrics[0].metric, "temperature_hotspot_celsius");
  EXPECT_EQ(view.devices[0].metrics[0].ahead[0].point->expected, 71);
}

TEST_F(ForecastViewTest, WhatIsKeptLongerIsReadWhereMemoryDoesNotReach) {
  FileOfHours file;
  const auto view = gather(&file);
  EXPECT_EQ(file.asked.from, snapshot_.taken_at - 24h);
  EXPECT_EQ(file.asked.to, snapshot_.taken_at - 30min);
  const auto& hot = view.devices[0].metrics[0];
  EXPECT_GT(hot.known, 23h);
  EXPECT_TRUE(hot.ahead[3].point);

  file.broken = true;  // the history in memory is there still
  EXPECT_EQ(gather(&file).devices[0].metrics[0].ahead[0].point.has_value(), true);
}

TEST_F(ForecastViewTest, ADeviceThatFellSilentHasNoForecast) {
  auto lost = Past::gpu(0, "GPU-a", 0);
  lost.available = false;
  lost.reading = Reading{Missing::failed};
  snapshot_ = Past::snapshot(kSeconds + 600, {lost});
  history_.add(snapshot_);
  const auto view = gather();
  EXPECT_EQ(view.devices[0].metrics[0].reason, "nothing was measured for 10 min");
  EXPECT_FALSE(view.devices[0].metrics[0].current);
}

TEST_F(ForecastViewTest, ADeviceThatThereIsNotIsAnError) {
  const auto view = gather_forecasts(history_, nullptr, snapshot_, {"7"});
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper::forecast
