#include "storage/history_tier.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::history_file {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;

const Layout kLayout{{"temperature_celsius", "memory_used_bytes"}};

struct Sample {
  milliseconds at;
  std::optional<double> celsius;
  std::optional<std::uint64_t> bytes;
};

Ticks ticks(const std::vector<Sample>& samples) {
  Ticks result;
  result.metrics.resize(2);
  for (const Sample& sample : samples) {
    result.times.push_back(sample.at);
    result.metrics[0].push_back(sample.celsius);
    result.metrics[1].push_back(sample.bytes ? std::optional(static_cast<double>(*sample.bytes)) : std::nullopt);
  }
  return result;
}

struct Piece {
  milliseconds at;
  HistoryBucket bucket;
};

std::vector<Piece> pieces(const StoredBlock& block, std::size_t metric) {
  std::vector<Piece> result;
  EXPECT_TRUE(read_metric(block, metric, kLayout, [&](milliseconds at, const HistoryBucket& bucket) {
    result.push_back({at, bucket});
  }));
  return result;
}

TEST(HistoryTierTest, ColumnsComeBackAndForeignBytesAreNone) {
  ColumnWriter writer;
  const PackedBytes longer(300, 7);
  writer.add(longer);
  writer.add({});
  writer.add(PackedBytes{1, 2});
  PackedBytes bytes = writer.bytes();
  const auto reader = ColumnReader::parse(bytes);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->size(), 3u);
  EXPECT_TRUE(std::ranges::equal((*reader)[0], longer));
  EXPECT_THAT((*reader)[1], SizeIs(0));
  EXPECT_EQ((*reader)[2][1], 2);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ColumnReader::parse(std::span(bytes).first(length))) << length;
  }
  bytes.push_back(0);
  EXPECT_FALSE(ColumnReader::parse(bytes));
}

TEST(HistoryTierTest, ALayoutIsALineOfText) {
  EXPECT_EQ(kLayout.text(), "temperature_celsius,memory_used_bytes");
  EXPECT_EQ(Layout::parse(kLayout.text()).metrics, kLayout.metrics);
  EXPECT_EQ(kLayout.find("memory_used_bytes"), 1u);
  EXPECT_FALSE(kLayout.find("power_watts"));
}

TEST(HistoryTierTest, TicksComeBackAtTheirDates) {
  const auto block = stored_block(ticks({{5s, 40.5, 1ull << 40}, {6s, std::nullopt, 7}, {7500ms, 41.0, {}}}), 1000s);
  EXPECT_EQ(block.first, 1005s);
  EXPECT_EQ(block.last, 1007500ms);
  EXPECT_EQ(block.offset(), 1000s);
  const auto celsius = pieces(block, 0);
  ASSERT_THAT(celsius, SizeIs(2));
  EXPECT_EQ(celsius[1].at, 1007500ms);
  EXPECT_EQ(celsius[1].bucket, (HistoryBucket{1, 41, 41, 41, 41}));
  const auto bytes = pieces(block, 1);
  ASSERT_THAT(bytes, SizeIs(2));
  EXPECT_EQ(bytes[0].bucket.last, static_cast<double>(1ull << 40));
}

// Noise of the sort that sensors give, with holes, over an hour and a bit.
std::vector<Sample> noise(std::uint32_t seed, milliseconds begin) {
  std::mt19937 random(seed);
  std::vector<Sample> samples;
  for (int i = 0; i < 4000; ++i) {
    Sample sample{begin + i * 1000ms + milliseconds(random() % 40), std::nullopt, std::nullopt};
    if (random() % 10 != 0) sample.celsius = static_cast<double>(400 + random() % 200) / 10;
    if (random() % 7 != 0) sample.bytes = std::uint64_t{random()} << 6;
    samples.push_back(sample);
  }
  return samples;
}

class TierSumTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(TierSumTest, APieceIsWhatItsValuesAre) {
  const auto samples = noise(GetParam(), 7s);
  std::map<milliseconds, std::optional<HistoryBucket>> expected;
  TierSum sum(1, kLayout);
  for (std::size_t i = 0; i < samples.size(); i += 60) {
    const std::vector<Sample> part(samples.begin() + static_cast<std::ptrdiff_t>(i),
                                   samples.begin() + static_cast<std::ptrdiff_t>(std::min(i + 60, samples.size())));
    ASSERT_TRUE(sum.add(stored_block(ticks(part), 100'000s)));
    for (const Sample& sample : part) {
      if (!sample.celsius) continue;
      auto& bucket = expected[floor_to(sample.at + 100'000s, 10s)];
      merge(bucket, {1, *sample.celsius, *sample.celsius, *sample.celsius, *sample.celsius});
    }
  }
  const auto block = sum.block();
  ASSERT_TRUE(block);
  EXPECT_EQ(block->offset(), 100'000s);
  const auto found = pieces(*block, 0);
  ASSERT_EQ(found.size(), expected.size());
  auto each = expected.begin();
  for (const Piece& piece : found) {
    EXPECT_EQ(piece.at, each->first);
    EXPECT_EQ(piece.bucket.count, each->second->count);
    EXPECT_EQ(piece.bucket.min, each->second->min);
    EXPECT_EQ(piece.bucket.max, each->second->max);
    EXPECT_EQ(piece.bucket.last, each->second->last);
    EXPECT_NEAR(piece.bucket.avg, each->second->avg, 0.0051);  // a tenth of what a temperature is kept to
    ++each;
  }
}

TEST_P(TierSumTest, SumsOfSumsAreThoseOfTheValues) {
  const auto samples = noise(GetParam(), 0s);
  std::vector<StoredBlock> tens;
  for (std::size_t i = 0; i < 4; ++i) {
    TierSum sum(1, kLayout);
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(i * 1000);
    ASSERT_TRUE(sum.add(stored_block(ticks({begin, begin + 1000}), 0s)));
    tens.push_back(*sum.block());
  }
  TierSum minutes(2, kLayout);
  for (const StoredBlock& block : tens) ASSERT_TRUE(minutes.add(block));
  std::map<milliseconds, std::optional<HistoryBucket>> expected;
  for (const Sample& sample : samples) {
    if (!sample.bytes) continue;
    const auto value = static_cast<double>(*sample.bytes);
    merge(expected[floor_to(sample.at, 60s)], {1, value, value, value, value});
  }
  const auto found = pieces(*minutes.block(), 1);
  ASSERT_EQ(found.size(), expected.size());
  auto each = expected.begin();
  for (const Piece& piece : found) {
    EXPECT_EQ(piece.bucket.count, each->second->count);
    EXPECT_EQ(piece.bucket.min, each->second->min);
    EXPECT_EQ(piece.bucket.max, each->second->max);
    EXPECT_NEAR(piece.bucket.avg, each->second->avg, 2);  // bytes
    ++each;
  }
}

INSTANTIATE_TEST_SUITE_P(Noise, TierSumTest, testing::Values(1, 2, 3));

TEST(HistoryTierTest, WhatIsNoBlockIsNotSummedUp) {
  TierSum sum(1, kLayout);
  StoredBlock block = stored_block(ticks({{5s, 40.5, 1}}), 0s);
  block.bytes.pop_back();
  EXPECT_FALSE(sum.add(block));
  EXPECT_FALSE(sum.block());
}

}  // namespace
}  // namespace gpukeeper::history_file
