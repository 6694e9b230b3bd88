#include "core/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using namespace std::string_view_literals;

TEST(TextTest, TrimTakesBlanksLineEndsAndNulsFromBothEnds) {
  EXPECT_EQ(trim(" a b\n"), "a b");
  EXPECT_EQ(trim("42\n\0\0\0"sv), "42");
  EXPECT_EQ(trim("\n"), "");
}

TEST(TextTest, SplitKeepsEmptyPieces) {
  EXPECT_THAT(split("a::b", ':'), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ':'), ElementsAre(""));
}

TEST(TextTest, LinesKnowBothLineEndsAndNoLastEmptyLine) {
  EXPECT_THAT(lines("a\r\n\nb\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines(""), ElementsAre());
}

TEST(TextTest, ANumberIsTheWholeTextOrNone) {
  EXPECT_EQ(parse_u64(" 42\n"), 42u);
  EXPECT_EQ(parse_u64("0x10de", 16), 0x10deu);
  EXPECT_EQ(parse_i64("-1"), -1);
  EXPECT_EQ(parse_double("3.25"), 3.25);
  for (const auto* text : {"", "N/A", "12 W", "18446744073709551616", "-1", "1.5"}) {
    EXPECT_EQ(parse_u64(text), std::nullopt) << text;
  }
  for (const auto* text : {"", "nan", "inf", "1e999"}) EXPECT_EQ(parse_double(text), std::nullopt) << text;
}

TEST(TextTest, ALeadingNumberMayBeFollowedByItsUnit) {
  EXPECT_EQ(leading_number("255.00 W"), 255.0);
  EXPECT_EQ(leading_number("-5 C"), -5.0);
  for (const auto* text : {"", "N/A", "[N/A]", "Not Found", "nan", "infinity", "-", ".5 W"}) {
    EXPECT_EQ(leading_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gpukeeper
