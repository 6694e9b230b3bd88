#include "events/event_ring.hpp"

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::events {
namespace {

Happening fault(std::string payload = R"({"id":1})") {
  return {.type = EventType::fault, .at = kThen, .devices = {"GPU-aaaa"}, .payload = std::move(payload)};
}

class EventRingTest : public testing::Test {
 protected:
  EventRing ring_{100};
};

TEST_F(EventRingTest, NumbersBeginWhereItIsTold) {
  EXPECT_EQ(ring_.last(), 100U);
  EXPECT_EQ(ring_.first(), 101U);
  ring_.add(fault());
  ring_.add(fault());
  EXPECT_EQ(ring_.first(), 101U);
  EXPECT_EQ(ring_.last(), 102U);
  EXPECT_EQ(ring_.at(102).id(), 102U);
}

TEST_F(EventRingTest, AnEventIsWrittenOnceForAll) {
  ring_.add(fault());
  const Text text = ring_.at(101).text(Form::message, {});
  EXPECT_EQ(*text, R"({"id":101,"type":"fault","timestamp":"2026-05-28T20:26:40.000Z","payload":{"id":1}})");
  EventFilter other;
  other.devices = {"GPU-aaaa"};
  EXPECT_EQ(ring_.at(101).text(Form::message, other), text);
  EXPECT_EQ(*ring_.at(101).text(Form::stream, {}), "id: 101\nevent: fault\ndata: " + *text + "\n\n");
}

TEST_F(EventRingTest, ASnapshotIsWrittenForWhatItsReaderMaySee) {
  ring_.add(std::make_shared<const Snapshot>(four_gpus()));
  Event& event = ring_.at(101);
  EventFilter one;
  one.devices = {"GPU-bbbb"};
  EventFilter admin;
  admin.command_lines = true;
  const Text all = event.text(Form::message, {});
  EXPECT_EQ(event.text(Form::message, {}), all);
  EXPECT_NE(event.text(Form::message, admin), all);
  EXPECT_EQ(Json::parse(*all)["payload"]["devices"].size(), 4U);
  const Json of_one = Json::parse(*event.text(Form::message, one));
  ASSERT_EQ(of_one["payload"]["devices"].size(), 1U);
  EXPECT_EQ(of_one["payload"]["devices"][0]["uuid"], "GPU-bbbb");
}

TEST_F(EventRingTest, OnlyTheLatestSnapshotsAreKept) {
  ring_.add(fault());
  const auto snapshot = std::make_shared<const Snapshot>(four_gpus());
  for (std::size_t i = 0; i < EventRing::kSnapshots + 5; ++i) ring_.add(snapshot);
  EXPECT_FALSE(ring_.at(101).forgotten());
  EXPECT_TRUE(ring_.at(106).forgotten());
  EXPECT_EQ(ring_.at(106).type(), EventType::snapshot);
  EXPECT_FALSE(ring_.at(107).forgotten());
  EXPECT_EQ(ring_.before_latest_snapshot(), ring_.last() - 1);
}

TEST_F(EventRingTest, WhatHappensIsBoundedInBytes) {
  const std::string large(EventRing::kBytes / 4, 'x');
  for (int i = 0; i < 6; ++i) ring_.add(fault(large));
  EXPECT_TRUE(ring_.at(102).forgotten());
  EXPECT_FALSE(ring_.at(103).forgotten());
  EXPECT_FALSE(ring_.at(106).forgotten());
}

TEST_F(EventRingTest, TheLatestIsKeptHoweverLarge) {
  ring_.add(fault());
  ring_.add(fault(std::string(EventRing::kBytes + 1, 'x')));
  EXPECT_TRUE(ring_.at(101).forgotten());
  EXPECT_FALSE(ring_.at(102).forgotten());
}

TEST_F(EventRingTest, ItsEventsAreBoundedInNumber) {
  for (std::size_t i = 0; i < EventRing::kEvents + 3; ++i) ring_.add(fault());
  EXPECT_EQ(ring_.first(), 104U);
  EXPECT_EQ(ring_.last() - ring_.first() + 1, EventRing::kEvents);
  EXPECT_EQ(ring_.at(104).id(), 104U);
}

}  // namespace
}  // namespace gpukeeper::events
