#include "cli/render.hpp"

#include <gtest/gtest.h>

#include "cli/table.hpp"

namespace gpukeeper::cli {
namespace {

std::string text(const std::vector<Span>& spans) {
  std::string result;
  for (const Span& span : spans) result += span.text;
  return result;
}

TEST(RenderTest, ABarIsFilledToItsShareAndAlwaysAsLong) {
  EXPECT_EQ(text(bar(0, 4, Ink::good, true)), "────");
  EXPECT_EQ(text(bar(50, 4, Ink::good, true)), "━━──");
  EXPECT_EQ(text(bar(62, 4, Ink::good, true)), "━━╸─");
  EXPECT_EQ(text(bar(100, 4, Ink::good, true)), "━━━━");
  EXPECT_EQ(text(bar(250, 4, Ink::good, true)), "━━━━");
  EXPECT_EQ(text(bar(50, 4, Ink::good, false)), "==--");
}

TEST(RenderTest, ColourIsOnlyWrittenWhenAsked) {
  EXPECT_EQ(paint({{"hot", Ink::bad}, {" day"}}, {.colour = false}), "hot day");
  EXPECT_EQ(paint({{"hot", Ink::bad}, {" day"}}, {.colour = true}), "\x1b[1;31mhot\x1b[0m day");
}

TEST(TableTest, TheLeastImportantColumnsGoFirstAndNothingIsWrapped) {
  Table table({{.header = "NAME", .shrinks_to = 4},
               {.header = "EXTRA", .priority = 1},
               {.header = "LOW", .priority = 20},
               {.header = "HIGH", .priority = 21}});
  table.add_row({{"long name"}, {"x"}, {"1"}, {"22"}});
  EXPECT_EQ(table.render({.width = 40}).at(1), "long name  x      1    22");
  EXPECT_EQ(table.render({.width = 24}).at(1), "long name  1    22");  // an extra goes before a name is cut
  EXPECT_EQ(table.render({.width = 15}).at(1), "lon…  1    22");
  EXPECT_EQ(table.render({.width = 14}).at(1), "long na…  22");
  EXPECT_EQ(table.render({.width = 6}).at(1), "long…");
}

TEST(TableTest, ColumnsOfOnePriorityGoTogether) {
  Table table({{.header = "A"}, {.header = "RX", .priority = 3}, {.header = "TX", .priority = 3}});
  table.add_row({{"1"}, {"2"}, {"3"}});
  EXPECT_EQ(table.render({.width = 9}).front(), "A  RX  TX");
  EXPECT_EQ(table.render({.width = 8}).front(), "A");
}

TEST(TableTest, AColumnThatNothingFillsIsLeftOut) {
  Table table({{.header = "A"}, {.header = "EMPTY", .only_if_filled = true}, {.header = "B"}});
  table.add_row({{"1"}, {"-"}, {"2"}});
  table.add_row({{"1"}, {}, {"2"}});
  EXPECT_EQ(table.render({.width = 40}).front(), "A  B");
}

TEST(TableTest, WideCharactersKeepTheColumnsStraight) {
  Table table({{.header = "N"}, {.header = "V", .align = Column::Align::right}});
  table.add_row({{"深度"}, {"1"}});
  table.add_row({{"abcd"}, {"22"}});
  EXPECT_EQ(table.render({.width = 40}).at(1), "深度   1");
  EXPECT_EQ(table.render({.width = 40}).at(2), "abcd  22");
}

}  // namespace
}  // namespace gpukeeper::cli
