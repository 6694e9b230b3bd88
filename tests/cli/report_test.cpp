#include "cli/report.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/report_pdf.hpp"
#include "cli/why.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/json_text.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using enum ReportOptions::Form;

const std::string kFaults = "replay:" GPUKEEPER_SOURCE_DIR "/examples/recordings/faults.gkr";
const std::string kDay = "replay:" GPUKEEPER_SOURCE_DIR "/examples/recordings/day.gkr";

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ReportCommandTest, ADayOfARecordingIsSummedUp) {
  PlayedWorld world(kDay);
  const auto exit = report({.form = json, .desk = {.daemon = "", .sources = world.sources}}, world.context);
  ASSERT_TRUE(exit) << exit.error().message;
  const Json document = Json::parse(world.output());
  EXPECT_EQ(document["basis"], "recording");
  EXPECT_EQ(document["simulated"], true);
  ASSERT_EQ(document["devices"].size(), 8u);
  EXPECT_NEAR(document["total"]["watched_hours"].get<double>() + document["total"]["away_hours"].get<double>(), 192,
              0.5);
  // Four GPUs that train for 13.3 h at some 640 W are 34 kWh of it.
  EXPECT_GT(document["total"]["energy_kwh"].get<double>(), 40);
  EXPECT_LT(document["total"]["energy_kwh"].get<double>(), 90);
  EXPECT_EQ(document["users"][0]["name"], "mara");
  EXPECT_NEAR(document["users"][0]["gpu_hours"].get<double>(), 4 * 13.33, 0.5);
  EXPECT_EQ(document["services"][0]["name"], "job 48213");
  EXPECT_GT(document["devices"][3]["slowed_by_heat_hours"].get<double>(), 2);
  EXPECT_NEAR(document["devices"][6]["away_hours"].get<double>(), 0.67, 0.05);
  // Shares of users and of nobody, and what it is not known whose it was, add up to what was drawn.
  double kwh = document["total"]["free_energy_kwh"].get<double>();
  kwh += document["total"]["unattributed_energy_kwh"].get<double>();
  for (const Json& user : document["users"]) kwh += user["energy_kwh"].get<double>();
  EXPECT_NEAR(kwh, document["total"]["energy_kwh"].get<double>(), 1e-4);
}

TEST(ReportCommandTest, TheTextBeginsWithTheDocumentedOne) {
  PlayedWorld world(kFaults);
  ASSERT_TRUE(report({.desk = {.daemon = "", .sources = world.sources}}, world.context));
  EXPECT_THAT(world.output(), StartsWith("=== GPU Resource Report ===\n\nSystem Overview:\n  Total GPUs: "));
  EXPECT_THAT(world.output(), HasSubstr("\nRecommendations:\n"));
  EXPECT_THAT(world.output(), HasSubstr("\n=== GPU Usage ===\n"));
  EXPECT_THAT(world.output(), HasSubstr("simulated)\n"));
}

TEST(ReportCommandTest, SinceAndUntilCutItDown) {
  PlayedWorld world(kDay);
  ASSERT_TRUE(report({.form = json, .since = "6h", .until = "4h", .desk = {.daemon = "", .sources = world.sources}},
                     world.context));
  const Json document = Json::parse(world.output());
  EXPECT_NEAR(document["total"]["watched_hours"].get<double>(), 16, 2.8) << "two hours of eight, widened to slots";
}

TEST(ReportCommandTest, APageIsWrittenIntoAFile) {
  const TemporaryFolder folder;
  PlayedWorld world(kFaults);
  const std::string file = (folder.path() / "report.html").string();
  const auto exit = report({.html = file, .desk = {.daemon = "", .sources = world.sources}}, world.context);
  ASSERT_TRUE(exit) << exit.error().message;
  EXPECT_EQ(world.output(), "Wrote " + file + "\n");
  EXPECT_THAT(slurp(file), StartsWith("<!doctype html>\n"));
  EXPECT_THAT(slurp(file), HasSubstr("<span class=\"label\">Simulated"));
}

TEST(ReportCommandTest, CsvHasTheTariffOfTheConfiguration) {
  PlayedWorld world(kFaults);
  world.context.settings.tariff = {.price_per_kwh = 0.3, .currency = "EUR", .carbon_g_per_kwh = 380.0};
  ASSERT_TRUE(report({.form = csv, .desk = {.daemon = "", .sources = world.sources}}, world.context));
  EXPECT_THAT(world.output(), StartsWith("host,from,to,origin,by,name,"));
  EXPECT_THAT(world.output(), HasSubstr(",simulated,gpu,0 "));
}

TEST(ReportCommandTest, WhatIsWrongIsRefused) {
  const auto refusal = [](ReportOptions options) {
    PlayedWorld world(kFaults);
    options.desk.sources = world.sources;
    const auto exit = report(options, world.context);
    return exit ? "none" : exit.error().message;
  };
  EXPECT_THAT(refusal({.form = json, .since = "yesterday"}), HasSubstr("yesterday"));
  EXPECT_THAT(refusal({.form = json, .until = "30d"}), StartsWith("there is nothing to report from "));
  EXPECT_THAT(refusal({.html = "/proc/no/file.html"}), HasSubstr("/proc/no/file.html"));
}

TEST(ReportPdfTest, APageIsPrintedByTheBrowserThatThereIs) {
  FakePrograms programs;
  std::string seen;
  programs.answer_with([&](const ProgramCall& call, const std::stop_token&) -> Result<ProgramOutput> {
    for (const std::string& argument : call.arguments) {
      if (argument.starts_with("file://")) seen = slurp(argument.substr(7));
      if (argument.starts_with("--print-to-pdf=")) std::ofstream(argument.substr(15)) << "%PDF-1.4 …";
    }
    return ProgramOutput{};
  });
  const auto pdf = pdf_of("<p>hello</p>", programs);
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_EQ(*pdf, "%PDF-1.4 …");
  EXPECT_EQ(seen, "<p>hello</p>");
  const auto runs = programs.take_runs();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_THAT(runs[0], StartsWith("/usr/bin/chromium --headless "));
}

TEST(ReportPdfTest, WithoutABrowserItSaysWhatToDo) {
  FakePrograms programs;
  programs.uninstall();
  const auto pdf = pdf_of("<p></p>", programs);
  ASSERT_FALSE(pdf);
  EXPECT_EQ(
      pdf.error().message,
      "--pdf prints the page by Chromium, and neither chromium nor google-chrome is in PATH: install it, or write "
      "the page with --html and print it from a browser");
}

TEST(ReportPdfTest, ABrowserThatPrintsNothingIsNamedWithWhatItSaid) {
  FakePrograms programs;
  programs.answer({.exit_status = 133, .out = "", .err = "cannot open display\x1b[31m\n"});
  EXPECT_EQ(pdf_of("<p></p>", programs).error().message,
            "/usr/bin/chromium printed no PDF (exit status 133): cannot open display?[31m");
}

TEST(WhyPageTest, IsWrittenIntoAFile) {
  const TemporaryFolder folder;
  Captured world({four_gpus()});
  const std::string file = (folder.path() / "why.html").string();
  ASSERT_TRUE(why({.topic = {}, .html = file}, world.context));
  EXPECT_EQ(world.out.text, "Wrote " + file + "\n");
  EXPECT_THAT(slurp(file), HasSubstr("<h1>Why the GPUs are as they are</h1>"));
}

}  // namespace
}  // namespace gpukeeper::cli
