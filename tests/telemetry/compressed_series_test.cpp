#include "telemetry/compressed_series.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gpukeeper {
namespace {

using Reals = std::vector<std::optional<double>>;
using Wholes = std::vector<std::optional<std::uint64_t>>;

// NaN is not equal to itself, and -0.0 is to 0.0: what counts here is every bit.
std::vector<std::optional<std::uint64_t>> bits(const Reals& values) {
  std::vector<std::optional<std::uint64_t>> result;
  for (const auto& value : values) {
    result.push_back(value ? std::optional(std::bit_cast<std::uint64_t>(*value)) : std::nullopt);
  }
  return result;
}

PackedBytes packed(const auto& values) {
  PackedBytes bytes;
  pack(values, bytes);
  return bytes;
}

Reals again(const Reals& values) {
  return unpack_reals(packed(values), values.size());
}

Wholes again(const Wholes& values) {
  return unpack_wholes(packed(values), values.size());
}

double bytes_a_value(const auto& values) {
  return static_cast<double>(packed(values).size()) / static_cast<double>(values.size());
}

Reals from(double (*value)(int), int count = 256) {
  Reals values;
  for (int i = 0; i < count; ++i) values.emplace_back(value(i));
  return values;
}

TEST(CompressedSeriesTest, RealNumbersComeBackBitByBit) {
  const double nan = std::bit_cast<double>(0x7ff8'0000'dead'beefULL);
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Reals> runs = {
      {},
      {std::nullopt},
      {71.2},
      {0.0, -0.0, 0.0},
      {71.2, 71.3, std::nullopt, 71.3, 70.9},
      {nan, 1, inf, -inf, std::nullopt, nan},
      {-273.15, 1e300, -1e300, 5e-324, 0.1 + 0.2},
      {0x1p53, 0x1p53 - 1, -0x1p53, 9.5},
      {1e9, 0.000'000'001},  // each alone is a short decimal; together they are too long
      from([](int i) { return 1.0 / (i + 1); }),
      from([](int i) { return std::sin(i); }),
      from([](int i) { return 1000.0 * i / 3.0; }),
  };
  for (const Reals& run : runs) EXPECT_EQ(bits(again(run)), bits(run));
}

TEST(CompressedSeriesTest, WholeNumbersComeBackWhatTheirSize) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::vector<Wholes> runs = {
      {},
      {std::nullopt, std::nullopt},
      {0, kMost, 0, kMost - 1, 1},
      {kMost, kMost},
      {5, std::nullopt, 7, 12, 1ULL << 63},
      {(1ULL << 53) + 1, (1ULL << 53) + 3},  // which a double would not hold
      {1'000'000, 0, 12, 25},                // a counter that was reset
  };
  for (const Wholes& run : runs) EXPECT_EQ(again(run), run);
}

// Values of a generator, some of them absent.
template <class T>
rc::Gen<std::vector<std::optional<T>>> with_gaps(rc::Gen<T> values) {
  const auto there = rc::gen::map(std::move(values), [](T value) { return std::optional(value); });
  return rc::gen::container<std::vector<std::optional<T>>>(
      rc::gen::weightedOneOf<std::optional<T>>({{1, rc::gen::just(std::optional<T>())}, {5, there}}));
}

RC_GTEST_PROP(CompressedSeriesProperty, AnyBitsOfRealNumbersComeBack, ()) {
  const auto words = *with_gaps(rc::gen::arbitrary<std::uint64_t>());
  Reals values;
  for (const auto& word : words) values.push_back(word ? std::optional(std::bit_cast<double>(*word)) : std::nullopt);
  RC_ASSERT(bits(again(values)) == bits(values));
}

RC_GTEST_PROP(CompressedSeriesProperty, AnyRealNumbersComeBack, ()) {
  const auto values = *with_gaps(rc::gen::arbitrary<double>());
  RC_ASSERT(bits(again(values)) == bits(values));
}

RC_GTEST_PROP(CompressedSeriesProperty, AnyWholeNumbersComeBack, ()) {
  const auto values = *with_gaps(rc::gen::arbitrary<std::uint64_t>());
  RC_ASSERT(again(values) == values);
}

// As sensors give them: a walk in steps of a short decimal, with gaps.
RC_GTEST_PROP(CompressedSeriesProperty, AnyWalkInDecimalsComesBack, ()) {
  const double power = std::pow(10, *rc::gen::inRange(0, 10));
  const auto steps = *with_gaps(rc::gen::inRange(-5000, 5000));
  Reals values;
  double walker = *rc::gen::inRange(-1'000'000, 1'000'000);
  for (const auto& step : steps) {
    if (step) walker += *step;
    values.push_back(step ? std::optional(walker / power) : std::nullopt);
  }
  RC_ASSERT(bits(again(values)) == bits(values));
}

RC_GTEST_PROP(CompressedSeriesProperty, AnyBytesUnpackWithoutHarm, (const PackedBytes& bytes)) {
  RC_ASSERT(unpack_reals(bytes, 256).size() == 256u);
  RC_ASSERT(unpack_wholes(bytes, 256).size() == 256u);
}

TEST(CompressedSeriesTest, WhatIsPackedOneBehindTheOtherIsReadAlone) {
  PackedBytes bytes;
  pack(Reals{1.5, 2.5}, bytes);
  const std::size_t first = bytes.size();
  pack(Wholes{7, 9}, bytes);
  const std::span<const std::uint8_t> all(bytes);
  EXPECT_EQ(unpack_reals(all.first(first), 2), (Reals{1.5, 2.5}));
  EXPECT_EQ(unpack_wholes(all.subspan(first), 2), (Wholes{7, 9}));
}

TEST(CompressedSeriesTest, WhatDoesNotChangeCostsNextToNothing) {
  EXPECT_LE(bytes_a_value(from([](int) { return 71.2; })), 0.05);
  EXPECT_LE(bytes_a_value(Reals(256)), 0.01);  // never there
  EXPECT_LE(bytes_a_value(Wholes(256, std::uint64_t{80} << 30)), 0.05);
  Wholes one_step(256, std::uint64_t{2} << 30);
  std::fill(one_step.begin() + 100, one_step.end(), std::uint64_t{17} << 30);
  EXPECT_LE(bytes_a_value(one_step), 0.25);  // a run with one step in it
}

TEST(CompressedSeriesTest, WhatChangesCostsAtMostTwoBytes) {
  const std::pair<const char*, Reals> curves[] = {
      {"a ramp in tenths", from([](int i) { return std::floor(400 + i * 1.833) / 10; })},
      {"a sine in tenths", from([](int i) { return std::floor(500 + 400 * std::sin(i / 14.0)) / 10; })},
      {"noise of power in hundredths", from([](int i) { return 300 + (i * 7919 % 2003) / 100.0; })},
      {"energy in tenths", from([](int i) { return 1e7 + i * 300.0 + (i * 31 % 97) / 10.0; })},
      {"clocks in steps of 15", from([](int i) { return 1500.0 + 15 * (i * 11 % 30); })},
      {"bytes a second, in thousands", from([](int i) { return 1000.0 * (i * 7919 % 30'011); })},
  };
  for (const auto& [name, values] : curves) EXPECT_LE(bytes_a_value(values), 2) << name;
}

TEST(CompressedSeriesTest, RandomBitsCostLittleMoreThanTheyAre) {
  std::uint64_t state = 1;
  Reals values;
  for (int i = 0; i < 256; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.emplace_back(std::bit_cast<double>(state));
  }
  EXPECT_LE(bytes_a_value(values), 8.5);
}

}  // namespace
}  // namespace gpukeeper
