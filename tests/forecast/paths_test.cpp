#include "forecast/paths.hpp"

#include <gtest/gtest.h>

#include "curves.hpp"

namespace gpukeeper::forecast {
namespace {

Series series_of(const std::vector<TimedValue>& values, Merged merged = Merged::middle) {
  return {values, values.back().at, merged};
}

TEST(PathTest, IsAStraightLineAndAnApproach) {
  const Path straight{.value = 50, .per_second = 0.1};
  EXPECT_NEAR(straight.at(60), 56, 1e-9);
  const Path approach{.value = 50, .rest = 20, .tau = 60};
  EXPECT_EQ(approach.at(0), 50);
  EXPECT_NEAR(approach.at(60), 50 + 20 * 0.63212, 1e-3);
  EXPECT_NEAR(approach.at(1e6), 70, 1e-9);
}

TEST(PathsTest, EachCourseByWhatWasKnownThen) {
  const Series series = series_of(curve(0, 3600, [](int i) { return 40 + i * 0.01; }));
  const Paths paths(series, nullptr);
  const std::size_t last = series.size() - 1;
  const double value = series.at(last);
  EXPECT_EQ(paths.path({Course::stays, 0, 0}, last)->at(3600), value);
  EXPECT_NEAR(paths.path({Course::straight, 30, 0}, last)->at(600), value + 6, 1e-6);
  EXPECT_NEAR(paths.path({Course::levels_off, 6, 100}, last)->at(1e6), value + 1, 1e-6);
  EXPECT_NEAR(paths.path({Course::returns, 360, 600}, last)->at(1e6), 58, 0.1);
  EXPECT_FALSE(paths.path({Course::power, 3, 0}, last));
}

TEST(PathsTest, WhoLacksWhatItGoesByIsSilent) {
  const Series series = series_of(curve(0, 100, [](int) { return 50; }));
  const Paths paths(series, nullptr);
  EXPECT_FALSE(paths.starts(9));
  EXPECT_FALSE(paths.path({Course::straight, 30, 0}, 9));
  EXPECT_FALSE(paths.path({Course::returns, 360, 600}, 9));
  EXPECT_TRUE(paths.path({Course::stays, 0, 0}, 9));
}

TEST(PathsTest, LearnsWherePowerLeadsAndHowFast) {
  constexpr int kPeriod = 600;
  const Series celsius = series_of(curve(0, 7200, [](int i) { return work_and_rest(i, kPeriod); }));
  // Work begins ten seconds before the end: the temperature hardly knows of it.
  const auto power = [](int i) { return watts_of_work(i, kPeriod); };
  const Series watts = series_of(curve(0, 7200, power), Merged::mean);
  const Paths paths(celsius, &watts);
  const auto path = paths.path({Course::power, 3, 0}, 125);  // 55 s into work
  ASSERT_TRUE(path);
  EXPECT_NEAR(path->at(1e6), 80, 1.5);
  EXPECT_NEAR(path->tau, 60, 10);
}

TEST(PathsTest, PowerThatDoesNotChangeTeachesNothing) {
  const Series celsius = series_of(curve(0, 7200, [](int i) { return work_and_rest(i, 600); }));
  const Series watts = series_of(curve(0, 7200, [](int) { return 200; }), Merged::mean);
  EXPECT_FALSE(Paths(celsius, &watts).path({Course::power, 3, 0}, celsius.size() - 1));
}

TEST(PathsTest, PowerThatIsKnownForAShorterTimeIsUsedWhereItIs) {
  const Series celsius = series_of(curve(0, 7200, [](int i) { return work_and_rest(i, 600); }));
  const Series watts = series_of(curve(3600, 7200, [](int i) { return watts_of_work(i, 600); }), Merged::mean);
  const Paths paths(celsius, &watts);
  EXPECT_FALSE(paths.path({Course::power, 3, 0}, 100));
  EXPECT_TRUE(paths.path({Course::power, 3, 0}, celsius.size() - 1));
}

}  // namespace
}  // namespace gpukeeper::forecast
