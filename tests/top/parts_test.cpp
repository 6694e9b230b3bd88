#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample.hpp"
#include "top/columns.hpp"
#include "top/lease_book.hpp"
#include "top/meter.hpp"

namespace gpukeeper::top {
namespace {

using testing::ElementsAre;

std::string drawn(std::size_t width, const auto& draw_it, bool utf8 = true) {
  Canvas canvas(width, 1, utf8);
  draw_it(Area(canvas, {0, 0, width, 1}));
  std::string text = canvas.text();
  text.pop_back();
  return text;
}

TEST(MeterTest, OnePartEndsInAnEighthOfAColumn) {
  const auto meter = [](double share) {
    return drawn(4, [&](const Area& area) { draw_meter(area, 0, 0, 4, {{share}}); });
  };
  EXPECT_EQ(meter(0), "░░░░");
  EXPECT_EQ(meter(0.5), "██░░");
  EXPECT_EQ(meter(0.53125), "██▏░");
  EXPECT_EQ(meter(1), "████");
  EXPECT_EQ(meter(7), "████");
  EXPECT_EQ(meter(-1), "░░░░");
  EXPECT_EQ(meter(std::numeric_limits<double>::quiet_NaN()), "░░░░");
}

TEST(MeterTest, SeveralPartsAreAllSeenHoweverSmall) {
  EXPECT_EQ(drawn(8,
                  [](const Area& area) {
                    draw_meter(area, 0, 0, 8, {{0.5, U'█'}, {0.001, U'▓'}, {0.1, U'▒'}});
                  }),
            "████▓▒░░");
}

TEST(MeterTest, AMarkStandsOverTheBar) {
  EXPECT_EQ(drawn(5, [](const Area& area) { draw_meter(area, 0, 0, 5, {{1}}, {{0.5, U'┃'}}); }), "██┃██");
}

TEST(ColumnsTest, TheLeastImportantLeaveFirstAndRoomIsSharedOut) {
  const ColumnWish wishes[] = {{3, 4, 4}, {1, 6, 6}, {2, 5, 20}};
  EXPECT_THAT(share_out(wishes, 17), ElementsAre(4u, 6u, 5u));
  EXPECT_THAT(share_out(wishes, 16), ElementsAre(4u, 0u, 11u));
  EXPECT_THAT(share_out(wishes, 5), ElementsAre(4u, 0u, 0u));
  EXPECT_THAT(share_out(wishes, 3), ElementsAre(0u, 0u, 0u));
  EXPECT_THAT(share_out(wishes, 90), ElementsAre(4u, 6u, 20u));
}

TEST(CanvasTest, TextStaysInItsAreaAndWideCharactersAreNotHalved) {
  Canvas canvas(6, 2);
  const Area area(canvas, {1, 0, 4, 1});
  area.put(0, 0, "日本語です");
  area.put(0, 1, "outside");
  EXPECT_EQ(canvas.text(), " 日…\n\n");
}

TEST(CanvasTest, ControlCharactersBecomeQuestionMarks) {
  EXPECT_EQ(drawn(9, [](const Area& area) { area.put(0, 0, "a\x1b[2Jb\n"); }), "a?[2Jb?");
}

TEST(CanvasTest, WithoutUtf8SignsAreSpelled) {
  EXPECT_EQ(drawn(
                12, [](const Area& area) { area.put(0, 0, "●▲■ 64°C – é"); }, false),
            "*!X 64C - ?");
}

TEST(TrailTest, AbsentValuesStayAbsentAndWhatIsGoneIsForgotten) {
  Trail trail;
  Snapshot snapshot = sample_machine(1);
  trail.add(snapshot);
  snapshot.devices[0].reading.utilization = missing(Missing::failed);
  trail.add(snapshot);
  EXPECT_THAT(trail.of({"GPU-00"}, Curve::utilization, 9), ElementsAre(std::optional(50.0), std::nullopt));
  EXPECT_THAT(trail.memory_of({"GPU-00"}, 4001, 1), ElementsAre(std::optional(20.0)));
  snapshot.devices.clear();
  trail.add(snapshot);
  EXPECT_THAT(trail.of({"GPU-00"}, Curve::utilization, 9), ElementsAre());
  EXPECT_THAT(trail.memory_of({"GPU-00"}, 4001, 9), ElementsAre());
}

TEST(TrailTest, ItKeepsTheLatest) {
  Trail trail;
  Snapshot snapshot = sample_machine(1);
  for (std::size_t i = 0; i < Trail::kLength + 5; ++i) {
    snapshot.devices[0].reading.power = Watts(static_cast<double>(i));
    trail.add(snapshot);
  }
  EXPECT_THAT(trail.of({"GPU-00"}, Curve::power, 2), ElementsAre(std::optional(243.0), std::optional(244.0)));
  EXPECT_EQ(trail.of({"GPU-00"}, Curve::power, 9999).size(), Trail::kLength);
}

TEST(LeaseBookTest, WhatIsNoListOfLeasesIsRefused) {
  EXPECT_EQ(parse_lease_book("[]").error().message, "the daemon's answer is no list of leases");
  EXPECT_EQ(parse_lease_book("{\"leases\": 7}").error().message, "the daemon's answer is no list of leases");
  EXPECT_EQ(parse_lease_book("\xff{").error().message, "the daemon's answer is no list of leases");
}

TEST(LeaseBookTest, MembersOfAnotherTypeAreAbsent) {
  const auto book = parse_lease_book(
      R"({"leases": [{"id": 7, "service": ["x"], "min_bytes": -1, "owner": 3}, null], "waiting": {}})");
  ASSERT_TRUE(book);
  ASSERT_EQ(book->leases.size(), 1u);
  EXPECT_EQ(book->leases[0].id, "");
  EXPECT_EQ(book->leases[0].least, Bytes(0));
  EXPECT_EQ(book->leases[0].observed, std::nullopt);
}

}  // namespace
}  // namespace gpukeeper::top
