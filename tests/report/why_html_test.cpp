#include "report/why_html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string why(const Snapshot& snapshot) {
  return why_html(snapshot, diagnose(snapshot), 0s);
}

TEST(WhyHtmlTest, AnswersStandBesideWhatTheyRestOn) {
  const std::string page = why(four_gpus());
  for (const char* text : {"GPU 0 · NVIDIA H100 80GB HBM3", "Why is the fan running?", ">64 °C</text>",
                           ">612 of 700 W</text>", ">97 %</text>", "60.5 GiB of 79.6 GiB", "▲ look"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(WhyHtmlTest, WhatADeviceDoesNotTellHasNoMeter) {
  const std::string page = why(four_gpus());
  const std::string silent = page.substr(page.find("GPU 3 · "));
  EXPECT_THAT(silent, Not(HasSubstr("<svg")));
}

TEST(WhyHtmlTest, WhatIsSimulatedSaysSo) {
  EXPECT_THAT(why(simulated_gpu()), HasSubstr("<span class=\"label\">Simulated</span>"));
  EXPECT_THAT(why(four_gpus()), Not(HasSubstr("class=\"label\"")));
}

TEST(WhyHtmlTest, ANameChangesNoMarkup) {
  Snapshot snapshot = simulated_gpu();
  Device named = *snapshot.devices[0].device;
  named.name = "<script>alert(1)</script>\"'";
  snapshot.devices[0].device = std::make_shared<const Device>(named);
  set_processes(snapshot.devices[0], {process(1, "<script>x</script>", 60'000)});
  snapshot.host = "</title><script>";
  EXPECT_THAT(why(snapshot), Not(HasSubstr("<script")));
}

}  // namespace
}  // namespace gpukeeper::report
