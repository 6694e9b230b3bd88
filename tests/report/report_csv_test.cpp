#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "days.hpp"
#include "report/figures.hpp"
#include "report/report_json.hpp"

namespace gpukeeper::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The cells of a line, as RFC 4180 has them.
std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> result(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      result.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

TEST(ReportCsvTest, HasARowForEachGpuUserAndService) {
  const std::string text = report_csv(two_gpus().report());
  const auto rows = lines(text);
  EXPECT_THAT(std::string(rows[0]), StartsWith("host,from,to,origin,by,name,gpu_hours,busy_gpu_hours,"));
  EXPECT_THAT(std::string(rows[1]), StartsWith("gpu-box,2026-05-28T20:20:00.000Z,2026-05-28T22:20:00.000Z,,gpu,"
                                               "0 NVIDIA H100 80GB HBM3,"));
  std::vector<std::string> by;
  for (const auto row : rows) by.push_back(cells(row)[4]);
  EXPECT_THAT(
      by, testing::ElementsAre("by", "gpu", "gpu", "user", "user", "service", "service", "container", "pod", "job"));
}

TEST(ReportCsvTest, EveryRowHasAsManyCellsAsTheHead) {
  const std::string text = report_csv(two_gpus("a \"b\", c", "d\r\ne").report());
  for (const auto row : lines(text))
    EXPECT_EQ(cells(row).size(), 6 + usage_figures().size() + device_figures().size()) << row;
}

TEST(ReportCsvTest, ANameThatASpreadsheetWouldTakeForAFormulaIsNone) {
  for (const std::string name : {"=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", " =1", "\t=1", "|x", "%x"}) {
    const std::string text = report_csv(two_gpus(name, name, name).report());
    for (const auto row : lines(text)) {
      const std::string cell = cells(row)[5];
      const auto first = cell.find_first_not_of(" \t");
      if (first == std::string::npos) continue;  // of no name
      EXPECT_EQ(std::string("=+-@|%\t").find(cell[first]), std::string::npos) << cell;
    }
  }
  EXPECT_THAT(report_csv(two_gpus("=1").report()), HasSubstr(",user,'=1,"));
}

TEST(ReportCsvTest, LineEndsAndEscapesInNamesBreakNoRow) {
  const std::string text = report_csv(two_gpus("evil\n1,2,3\x1b[31m\r", "x").report());
  EXPECT_EQ(lines(text).size(), 10u);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(ReportCsvTest, WhatWasNotMeasuredIsAnEmptyCell) {
  Day day = two_gpus();
  for (auto& slot : day.account.slots) {
    auto changed = std::make_shared<account::Slot>(*slot);
    for (auto& [places, usage] : changed->parties) {
      usage.joules = 0;
      usage.joules_unknown_seconds = usage.gpu_seconds;
    }
    slot = changed;
  }
  const std::string text = report_csv(day.report());
  const auto rows = lines(text);
  const auto head = cells(rows[0]);
  const auto column = static_cast<std::size_t>(std::ranges::find(head, "energy_kwh") - head.begin());
  const auto mara = std::ranges::find_if(rows, [](std::string_view row) { return cells(row)[5] == "mara"; });
  EXPECT_EQ(cells(*mara)[column], "");
  EXPECT_EQ(cells(*mara)[column + 1], "1.66667") << "and for how long";
}

}  // namespace
}  // namespace gpukeeper::report
