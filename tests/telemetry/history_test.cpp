#include "telemetry/history.hpp"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/metric_fields.hpp"
#include "fakes/past.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const DeviceId kGpu{"GPU-a"};

std::vector<double> numbers(const Result<std::vector<TimedValue>>& values) {
  std::vector<double> result;
  for (const TimedValue& v : values.value()) result.push_back(v.value);
  return result;
}

std::vector<double> temperatures(const History& history, double from = 0, double to = 1e9,
                                 const DeviceId& device = kGpu) {
  return numbers(history.values(device, "temperature_celsius", Past::at(from), Past::at(to)));
}

// One GPU once a second, whose temperature counts the seconds, in tenths.
void live(History& history, int from, int to) {
  for (int second = from; second < to; ++second) history.add(Past::one(second, second / 10.0));
}

TEST(HistoryTest, TheDefaultMetricsAreNumbersOfTheMetricTable) {
  EXPECT_EQ(HistorySettings().metrics.size(), 24u);
  const History history;
  const auto stored = history.metrics();
  EXPECT_EQ(std::vector<std::string>(stored.begin(), stored.end()), HistorySettings().metrics);
}

TEST(HistoryTest, WhatCannotBeStoredIsLeftOut) {
  const History history({.metrics = {"performance_state", "ecc_enabled", "no_such_metric", "throttle_reasons",
                                     "power_watts", "power_watts"}});
  EXPECT_THAT(history.metrics(), ElementsAre("ecc_enabled", "power_watts"));
}

TEST(HistoryTest, ValuesComeBackInOrderWhetherPackedOrNot) {
  History history;
  live(history, 0, 1000);  // more than three blocks
  const auto values = history.values(kGpu, "temperature_celsius", Past::at(0));
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 1000u);
  for (int second = 0; second < 1000; ++second) {
    EXPECT_EQ((*values)[static_cast<std::size_t>(second)], (TimedValue{Past::at(second), second / 10.0}));
  }
}

TEST(HistoryTest, EveryStoredMetricComesBack) {
  for (const MetricField& field : metric_fields()) {
    if (field.kind == FieldKind::text || field.kind == FieldKind::throttle_reasons) continue;
    History history({.metrics = {std::string(field.name)}});
    for (int second = 0; second < 300; ++second) {
      auto snapshot = Past::one(second, 50);
      const auto value = field.kind == FieldKind::flag ? MetricValue(second % 2 == 1) : MetricValue(1.0 + second % 2);
      field.set(snapshot.devices[0].reading, value);
      history.add(snapshot);
    }
    const auto values = numbers(history.values(kGpu, field.name, Past::at(0)));
    ASSERT_EQ(values.size(), 300u) << field.name;
    const auto* row = find_metric(field.name);
    for (std::size_t i = 0; i < 300; ++i) {
      auto snapshot = Past::one(0, 50);
      field.set(snapshot.devices[0].reading, field.kind == FieldKind::flag
                                                 ? MetricValue(i % 2 == 1)
                                                 : MetricValue(1.0 + static_cast<double>(i % 2)));
      const auto expected = to_number(row->value(*snapshot.devices[0].device, snapshot.devices[0].reading));
      ASSERT_EQ(values[i], std::floor(*expected / 1000) * 1000 == values[i] ? values[i] : *expected) << field.name;
    }
  }
}

TEST(HistoryTest, ARangeHoldsItsBeginAndNotItsEnd) {
  History history;
  live(history, 0, 300);
  EXPECT_THAT(temperatures(history, 100, 103), ElementsAre(10.0, 10.1, 10.2));
  EXPECT_THAT(temperatures(history, 298.5), ElementsAre(29.9));
  EXPECT_TRUE(temperatures(history, 300).empty());
}

TEST(HistoryTest, AMetricThatIsNotStoredIsNamedWithThoseThatAre) {
  const History history({.metrics = {"power_watts", "fan_percent"}});
  const auto values = history.values(kGpu, "temperature_celsius", Past::at(0));
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error(), (Error{Errc::not_found,
                                   "no history is kept of 'temperature_celsius'; it is kept of "
                                   "power_watts, fan_percent (history.metrics in the configuration)"}));
}

TEST(HistoryTest, AnAbsentValueIsAbsentAndNotZero) {
  History history;
  for (int second = 0; second < 300; ++second) {
    auto snapshot = Past::one(second, 50);
    if (second % 3 != 0) snapshot.devices[0].reading.utilization = missing(Missing::failed);
    history.add(snapshot);
  }
  const auto values = numbers(history.values(kGpu, "utilization_percent", Past::at(0)));
  EXPECT_EQ(values, std::vector<double>(100, 97.4));
  EXPECT_TRUE(numbers(history.values(kGpu, "power_watts", Past::at(0))).empty());
}

TEST(HistoryTest, ALostDeviceLeavesAGapAndGoesOnWhenItIsBack) {
  History history;
  live(history, 0, 3);
  for (int second = 3; second < 6; ++second) {
    auto snapshot = Past::one(second, 0);
    snapshot.devices[0].available = false;
    snapshot.devices[0].reading = Reading{Missing::failed};
    history.add(snapshot);
  }
  history.add(Past::snapshot(6, {}));  // not even listed
  live(history, 7, 9);
  EXPECT_THAT(temperatures(history), ElementsAre(0.0, 0.1, 0.2, 0.7, 0.8));
}

TEST(HistoryTest, AReadingThatIsOnlyRepeatedCountsOnce) {
  History history;
  history.add(Past::one(0, 50));
  auto again = Past::one(1, 50);
  again.devices[0].read_at = kThen;  // the device was slow
  history.add(again);
  history.add(Past::one(2, 50));
  EXPECT_EQ(temperatures(history).size(), 2u);
}

TEST(HistoryTest, ACounterThatWasResetIsKeptAsItWas) {
  History history;
  for (int second = 0; second < 300; ++second) {
    auto snapshot = Past::one(second, 50);
    snapshot.devices[0].reading.energy = Joules(second < 150 ? 1e9 + second : second - 150);
    history.add(snapshot);
  }
  const auto values = numbers(history.values(kGpu, "energy_joules", Past::at(148), Past::at(152)));
  EXPECT_THAT(values, ElementsAre(1e9 + 148, 1e9 + 149, 0, 1));
}

TEST(HistoryTest, PartitionsHaveAHistoryOfTheirOwn) {
  History history;
  auto snapshot = split_gpu();
  snapshot.monotonic = Past::at(0);
  history.add(snapshot);
  EXPECT_THAT(numbers(history.values(DeviceId{"MIG-1"}, "memory_used_bytes", Past::at(0))),
              ElementsAre(2000.0 * (1 << 20)));
}

TEST(HistoryTest, TimeThatDoesNotGoOnAddsNothing) {
  History history;
  history.add(Past::one(5, 50));
  history.add(Past::one(5, 51));
  history.add(Past::one(4, 52));
  EXPECT_THAT(temperatures(history), ElementsAre(50));
}

TEST(HistoryTest, TicksThatComeFasterThanTheStepAreLeftOut) {
  History history;
  for (int tick = 0; tick < 500; ++tick) history.add(Past::one(tick * 0.1, 50));
  EXPECT_EQ(temperatures(history).size(), 51u);  // a tenth of a step early is early enough
}

// --- The documented list ---------------------------------------------------------------------------------------------

TEST(HistoryTest, TheDocumentedListHasASampleEveryIntervalForEachDevice) {
  History history;
  for (int second = 0; second < 700; ++second) {
    history.add(Past::snapshot(second, {Past::gpu(50, "GPU-a", 0), Past::gpu(60, "GPU-b", 1)}));
  }
  const auto samples = history.samples(DeviceId{"GPU-b"});
  ASSERT_EQ(samples.size(), 200u);  // of each: 10 minutes, however many GPUs there are
  EXPECT_EQ(samples.back().at, Past::at(699));
  EXPECT_EQ(samples.front().at, Past::at(699 - 199 * 3));
  EXPECT_EQ(samples.back().index, 1u);
  EXPECT_EQ(samples.back().temperature_celsius, 60);
  EXPECT_EQ(samples.back().load_percent, 97.4);
  EXPECT_EQ(samples.back().memory_percent, 50);
  EXPECT_EQ(samples.back().state, State::optimal);
  EXPECT_EQ(samples.back().wall, kThen + 699s);
}

TEST(HistoryTest, TheLastSamplesOldestFirst) {
  History history({.interval = 1s});
  live(history, 0, 10);
  const auto samples = history.samples(kGpu, 2);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].temperature_celsius, 0.8);
  EXPECT_EQ(samples[1].temperature_celsius, 0.9);
  EXPECT_EQ(history.samples(kGpu, 1000).size(), 10u);
  EXPECT_TRUE(history.samples(DeviceId{"GPU-none"}).empty());
}

TEST(HistoryTest, ANewSizeHoldsAtOnce) {
  History history;
  live(history, 0, 700);
  history.resize({.size = 10});
  const auto samples = history.samples(kGpu);
  ASSERT_EQ(samples.size(), 10u);
  EXPECT_EQ(samples.back().at, Past::at(699));
  history.resize({.size = 12});
  live(history, 700, 800);
  EXPECT_EQ(history.samples(kGpu).size(), 12u);
}

// --- Bounds ----------------------------------------------------------------------------------------------------------

TEST(HistoryTest, WhatIsOlderThanTheSpanGoes) {
  History history({.span = 10min});
  live(history, 0, 3000);
  const auto values = history.values(kGpu, "temperature_celsius", Past::at(0));
  EXPECT_GE(values->size(), 600u);
  EXPECT_LE(values->size(), 600u + 2 * OpenBlock::kTicks);  // whole blocks go
  EXPECT_EQ(values->back().at, Past::at(2999));
}

TEST(HistoryTest, AboveItsMemoryTheOldestGoes) {
  History history({.memory = Bytes(4'000)});
  for (int second = 0; second < 5000; ++second) {
    history.add(Past::snapshot(second, {Past::gpu(50 + second % 7, "GPU-a", 0), Past::gpu(50, "GPU-b", 1)}));
  }
  const HistoryFacts facts = history.facts();
  const std::size_t open = 2 * OpenBlock::kTicks * (24 + 2) * 8;
  EXPECT_LE(facts.bytes, 4'000u + open + 2 * 200 * sizeof(HistorySample));
  EXPECT_EQ(facts.devices, 2u);
  EXPECT_GT(temperatures(history).size(), 1000u);
  EXPECT_EQ(temperatures(history, 4'999).size(), 1u);
  EXPECT_GT(*facts.oldest, Past::at(0));
}

TEST(HistoryTest, DevicesThatNeverComeBackAreForgotten) {
  History history({.span = 20min});
  for (int second = 0; second < 10'000; ++second) {  // as when MIG instances are made anew all the time
    history.add(Past::one(second, 50, "MIG-" + std::to_string(second / 500)));
  }
  EXPECT_LE(history.facts().devices, 5u);
  EXPECT_TRUE(temperatures(history, 0, 1e9, DeviceId{"MIG-3"}).empty());
}

TEST(HistoryTest, AnHourOfABusyGpuTakesFewBytes) {
  History history;
  for (int second = 0; second < 3600; ++second) {
    auto snapshot = Past::one(second, 60 + second * 7919 % 40 / 10.0);
    snapshot.devices[0].reading.power = Watts(500 + second * 7919 % 3001 / 100.0);
    history.add(snapshot);
  }
  const HistoryFacts facts = history.facts();
  EXPECT_EQ(facts.samples, 3600u);
  EXPECT_EQ(facts.oldest, Past::at(0));
  const std::size_t open = OpenBlock::kTicks * (24 + 2) * 8 + 200 * sizeof(HistorySample);
  EXPECT_LE(facts.bytes - open, 3600u * 4);  // two values that change, and many that do not
}

// --- Ranges ----------------------------------------------------------------------------------------------------------

TEST(HistoryTest, ARangeIsSummedUpInBuckets) {
  History history;
  live(history, 0, 100);
  const auto range = history.range(kGpu, "temperature_celsius", Past::at(0), Past::at(25), 10s);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->from, Past::at(0));
  EXPECT_EQ(range->step, 10s);
  ASSERT_EQ(range->buckets.size(), 3u);
  ASSERT_TRUE(range->buckets[1]);
  EXPECT_EQ(range->buckets[1]->count, 10u);
  EXPECT_EQ(range->buckets[1]->min, 1.0);
  EXPECT_EQ(range->buckets[1]->max, 1.9);
  EXPECT_EQ(range->buckets[1]->last, 1.9);
  EXPECT_NEAR(range->buckets[1]->avg, 1.45, 1e-12);
  EXPECT_EQ(range->buckets[2]->count, 5u);  // the last one is shorter
}

TEST(HistoryTest, ABucketWithoutASampleIsNothing) {
  History history;
  live(history, 0, 5);
  live(history, 20, 25);
  const auto range = history.range(kGpu, "temperature_celsius", Past::at(-10), Past::at(30), 10s);
  ASSERT_TRUE(range);
  std::vector<bool> there;
  for (const auto& bucket : range->buckets) there.push_back(bucket.has_value());
  EXPECT_THAT(there, ElementsAre(false, true, false, true));
}

TEST(HistoryTest, ARangeNeedsAStepAndALength) {
  const History history;
  const Error no_length{Errc::invalid_argument, "a range of the history needs a step and a length above zero"};
  const auto ask = [&](double from, double to, std::chrono::nanoseconds step) {
    return history.range(kGpu, "temperature_celsius", Past::at(from), Past::at(to), step).error();
  };
  EXPECT_EQ(ask(0, 10, 0s), no_length);
  EXPECT_EQ(ask(10, 10, 1s), no_length);
  EXPECT_EQ(ask(0, 1e6, 1s),
            (Error{Errc::invalid_argument, "that are more than 100000 steps: take a longer step or a shorter time"}));
}

TEST(HistoryTest, ReadersOfAnyThreadSeeWholeRows) {
  History history;
  std::jthread writer([&](std::stop_token stop) {
    for (int second = 0; second < 5000 && !stop.stop_requested(); ++second) {
      auto snapshot = Past::one(second, second % 100);
      snapshot.devices[0].reading.fan = Percent(second % 100);
      history.add(snapshot);
    }
  });
  for (int look = 0; look < 50; ++look) {
    const auto temperature = history.values(kGpu, "temperature_celsius", Past::at(0), Past::at(4000));
    const auto fan = history.values(kGpu, "fan_percent", Past::at(0), Past::at(4000));
    ASSERT_LE(temperature->size(), fan->size());  // asked later
    for (std::size_t i = 0; i < temperature->size(); ++i) ASSERT_EQ((*temperature)[i], (*fan)[i]);
    history.resize({.size = static_cast<std::size_t>(look)});
    static_cast<void>(history.samples(kGpu));
    static_cast<void>(history.facts());
  }
}

}  // namespace
}  // namespace gpukeeper
