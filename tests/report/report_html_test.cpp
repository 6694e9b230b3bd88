#include "report/report_html.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "days.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string html(const Day& day, Sources sources = {}) {
  return report_html(day.report({}, std::move(sources)), 0s);
}

std::size_t count(std::string_view text, char c) {
  return static_cast<std::size_t>(std::ranges::count(text, c));
}

TEST(ReportHtmlTest, HasTheSumsTheChartsAndHowItWasCounted) {
  const std::string page = html(two_gpus(), {.leases = hardly_used_lease()});
  for (const char* text :
       {"<h1>GPU report</h1>", "gpu-box · 2026-05-28 20:20 to 2026-05-28 22:20 (UTC)", ">1.2 kWh</b>",
        "Energy over time, by user", "Use of every GPU", "mara", "job 48213", "hardly used",
        "divided among the processes on it in proportion to the use", "No alert was raised in that time."}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(ReportHtmlTest, NeedsNothingElse) {
  const std::string page = html(two_gpus());
  for (const char* text : {"<script", "http://", "https://", "url(", "@import", "src="})
    EXPECT_THAT(page, Not(HasSubstr(text)));
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'"));
}

TEST(ReportHtmlTest, EveryChartHasATitleADescriptionAndAnIdOfItsOwn) {
  const std::string page = html(two_gpus());
  std::size_t charts = 0;
  for (auto at = page.find("<svg class=\"chart\""); at != std::string::npos;
       at = page.find("<svg class=\"chart\"", at + 1)) {
    const auto from = page.find("<title id=\"", at) + 11;
    const std::string id = page.substr(from, page.find('"', from) - from);
    EXPECT_EQ(page.find("id=\"" + id + "\"", from), std::string::npos) << id;
    EXPECT_LT(page.find("<desc ", at), page.find("</svg>", at));
    ++charts;
  }
  EXPECT_EQ(charts, 2u + 2 * 2);
}

TEST(ReportHtmlTest, ANameChangesNoMarkup) {
  const std::string plain =
      html(two_gpus("x", "x", "x"),
           {.host = "x", .tariff = {.price_per_kwh = 1.0, .currency = "x"}, .leases = hardly_used_lease("x")});
  const std::string hostile = "</title></style><script>alert(1)</script><img src=x onerror=\\\"'`>&lt;--";
  const std::string in_json = "</title><script>alert(1)</script><b>";
  const std::string evil = html(
      two_gpus(hostile, hostile, hostile),
      {.host = hostile, .tariff = {.price_per_kwh = 1.0, .currency = hostile}, .leases = hardly_used_lease(in_json)});
  EXPECT_EQ(count(evil, '<'), count(plain, '<'));
  EXPECT_EQ(count(evil, '>'), count(plain, '>'));
  EXPECT_EQ(count(evil, '"'), count(plain, '"'));
  EXPECT_THAT(evil, Not(HasSubstr("<script")));
}

TEST(ReportHtmlTest, ControlCharactersAndDirectionsOfWritingAreShownAsQuestionMarks) {
  const std::string page =
      html(two_gpus("a\x1b[2J\xe2\x80\xae"
                    "b\xff"));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(page, HasSubstr("a?[2J?b?"));
}

TEST(ReportHtmlTest, WhatIsSimulatedSaysSo) {
  Day day = two_gpus();
  day.account.devices[0].simulated = true;
  EXPECT_THAT(html(day), HasSubstr("<span class=\"label\">Simulated</span> These GPUs are made up by a scenario."));
  day.account.devices[0].simulated = false;
  day.account.devices[0].recorded = true;
  EXPECT_THAT(html(day), HasSubstr("<span class=\"label\">Recorded</span>"));
  EXPECT_THAT(html(two_gpus()), Not(HasSubstr("class=\"label\"")));
}

TEST(ReportHtmlTest, CostAndCarbonStandThereWhereTheTariffSaysThem) {
  EXPECT_THAT(html(two_gpus()), Not(HasSubstr("CO₂")));
  EXPECT_THAT(html(two_gpus()), Not(HasSubstr("cost")));
  const std::string page =
      html(two_gpus(), {.tariff = {.price_per_kwh = 0.5, .currency = "EUR", .carbon_g_per_kwh = 400.0}});
  EXPECT_THAT(page, HasSubstr("<b>0.58 EUR</b><span>cost, at 0.5 a kWh</span>"));
  EXPECT_THAT(page, HasSubstr("<b>0.46 kg</b><span>CO₂, at 400 g a kWh</span>"));
}

TEST(ReportHtmlTest, WhatWasNotMeasuredIsADashAndNotZero) {
  Day day;
  const auto gpu = day.add_device("H100", 0);
  account::DeviceUse use;
  use.watched_seconds = use.joules_unknown_seconds = use.busy_unknown_seconds = use.slowed_unknown_seconds = 600;
  use.held_unknown_seconds = 600;
  day.add_slot().devices[gpu] = use;
  const std::string page = html(day);
  EXPECT_THAT(page, HasSubstr("<b>–</b><span>energy: no power was measured</span>"));
  EXPECT_THAT(
      page,
      HasSubstr("<td>0 · H100</td><td class=\"number\">–</td><td class=\"number\">–</td><td class=\"number\">–</td>"
                "<td class=\"number\">–</td><td class=\"number\">–</td><td class=\"number\">–</td><td "
                "class=\"number\">–</td>"));
  EXPECT_THAT(page, HasSubstr("No power was measured."));
}

TEST(ReportHtmlTest, TimesAreTheReaders) {
  const Report report = two_gpus().report();
  EXPECT_THAT(report_html(report, 2h), HasSubstr("2026-05-28 22:20 to 2026-05-29 00:20 (UTC+02:00)"));
  EXPECT_THAT(report_html(report, -(3h + 30min)), HasSubstr("(UTC-03:30)"));
}

}  // namespace
}  // namespace gpukeeper::report
