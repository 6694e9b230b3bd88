#include "report/report_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "days.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;

TEST(ReportTextTest, SaysByGpuByUserAndByService) {
  const Report report = two_gpus().report({}, {.tariff = {.price_per_kwh = 0.5, .currency = "EUR"}});
  EXPECT_EQ(
      report_text(report, 0s),
      "=== GPU Usage ===\n"
      "\n"
      "2026-05-28 20:20:00 to 2026-05-28 22:20:00 (gpu-box)\n"
      "  Held: 2.0 of 4.0 GPU-hours\n"
      "  Energy: 1.2 kWh (0.58 EUR)\n"
      "  Of it while nobody was on a GPU: 0.16 kWh (0.08 EUR)\n"
      "  Alerts: 0\n"
      "\n"
      "By GPU:\n"
      "  GPU 0: NVIDIA H100 80GB HBM3: held 2.0 h, 90.0 % used, 1.0 kWh (0.50 EUR), at most 64 °C, 500 W, held back "
      "for 12 min\n"
      "  GPU 1: NVIDIA H100 80GB HBM3: held 0 s, 0 % used, 0.16 kWh (0.08 EUR), at most 64 °C, 80 W\n"
      "\n"
      "By User:\n"
      "  mara: 1.7 GPU-hours, 1.5 of them used, 0.83 kWh (0.42 EUR)\n"
      "  no name is known: 0.33 GPU-hours, 0.30 of them used, 0.17 kWh (0.08 EUR)\n"
      "\n"
      "By Service:\n"
      "  job 48213: 1.7 GPU-hours, 1.5 of them used, 0.83 kWh (0.42 EUR)\n"
      "  of no service: 0.33 GPU-hours, 0.30 of them used, 0.17 kWh (0.08 EUR)\n"
      "\n"
      "What Stands Out:\n"
      "  ! GPU 0 was held back for 12 min (10 % of its time), for 12 min by heat: look at fans, dust and the air in "
      "front of it.\n"
      "  - GPU 1 was free for 2.0 h of 2.0 h, and drew 0.16 kWh (0.08 EUR) meanwhile.\n");
}

TEST(ReportTextTest, NamesAreHarmlessForATerminal) {
  const Sources sources{.tariff = {.price_per_kwh = 1.0, .currency = "\x1b]0;x\a"}};
  const std::string text = report_text(two_gpus("a\x1b[31m\nb", "\x9b", "c\r").report({}, sources), 0s);
  EXPECT_THAT(text, testing::HasSubstr("  a?[31m?b: 1.7 GPU-hours"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace gpukeeper::report
