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

TEST(TextTest, PrintableKeepsUtf8AndNothingThatATerminalObeys) {
  EXPECT_EQ(printable("Plex Transcoder"), "Plex Transcoder");
  EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(printable(std::string_view("a\x1b[31m\n\tb\0\x7f", 11)), "a [31m  b  ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            " 31m")
      << "U+009B begins a terminal sequence too";
  EXPECT_EQ(printable("\xff\x80"), "??");
  EXPECT_EQ(printable("\xc0\xaf"), "??") << "an overlong form";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "above U+10FFFF";
  EXPECT_EQ(printable("x\xe2\x82"), "x??") << "cut off";
}

TEST(TextTest, APlaceIsALineAndAColumn) {
  EXPECT_EQ(place_in("", 0), "line 1, column 1");
  EXPECT_EQ(place_in("ab\ncd\n", 1), "line 1, column 2");
  EXPECT_EQ(place_in("ab\ncd\n", 3), "line 2, column 1");
  EXPECT_EQ(place_in("ab\ncd\n", 99), "line 3, column 1");
}

}  // namespace
}  // namespace gpukeeper
