#include "prometheus/self_figures.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::prometheus {
namespace {

using namespace std::chrono_literals;

TEST(SelfFiguresTest, KnowHowLongLooksTakeAndHowLateTheyAre) {
  SelfBook book;
  book.ticked(four_gpus(), 2ms, 30us);
  book.ticked(four_gpus(), 4ms, std::nullopt);  // somebody asked for it: it was not due
  const SelfFigures figures = book.read();
  EXPECT_EQ(figures.tick.count(), 2u);
  EXPECT_NEAR(figures.tick.sum(), 0.006, 1e-9);
  EXPECT_EQ(figures.lag.count(), 1u);
}

TEST(SelfFiguresTest, CountWhatStopsAnsweringOnceUntilItIsBack) {
  SelfBook book;
  Snapshot well = four_gpus();
  Snapshot ill = four_gpus();
  ill.sources[0].available = false;
  ill.devices[0].available = false;
  book.ticked(well, 1ms, 0ms);
  book.ticked(ill, 1ms, 0ms);
  book.ticked(ill, 1ms, 0ms);
  book.ticked(well, 1ms, 0ms);
  book.ticked(ill, 1ms, 0ms);
  const SelfFigures figures = book.read();
  EXPECT_EQ(figures.lost_sources.at("nvml"), 2u);
  EXPECT_EQ(figures.lost_devices.at("nvml"), 2u) << "not the one that never answered";
}

TEST(SelfFiguresTest, WhoSleepsIsNotLost) {
  SelfBook book;
  Snapshot awake = four_gpus();
  awake.devices[2].available = true;
  awake.devices[2].reading.attention = Attention::awake;
  book.ticked(awake, 1ms, 0ms);
  book.ticked(four_gpus(), 1ms, 0ms);
  EXPECT_EQ(book.read().lost_devices.at("nvml"), 0u);
}

TEST(SelfFiguresTest, CountAnswersByStatus) {
  SelfBook book;
  book.answered(200, 1ms);
  book.answered(200, 2ms);
  book.answered(404, 3ms);
  const SelfFigures figures = book.read();
  EXPECT_EQ(figures.answers, (std::map<unsigned, std::uint64_t>{{200, 2}, {404, 1}}));
  EXPECT_EQ(figures.answering, 6ms);
}

}  // namespace
}  // namespace gpukeeper::prometheus
