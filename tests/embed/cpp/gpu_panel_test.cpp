#include "gpukeeper/gpu_panel.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "gpukeeper/mock_gpu_backend.hpp"

namespace gpukeeper {
namespace {

TEST(ProgressBarTest, FillsItsShareRounded) {
  EXPECT_EQ(render_progress_bar(0, 10), "░░░░░░░░░░");
  EXPECT_EQ(render_progress_bar(50, 10), "█████░░░░░");
  EXPECT_EQ(render_progress_bar(100, 10), "██████████");
  EXPECT_EQ(render_progress_bar(44.9, 10), "████░░░░░░");
  EXPECT_EQ(render_progress_bar(45, 10), "█████░░░░░");
}

TEST(ProgressBarTest, WhatIsBeyondStandsAtTheEnd) {
  EXPECT_EQ(render_progress_bar(-5, 4), "░░░░");
  EXPECT_EQ(render_progress_bar(250, 4), "████");
  EXPECT_EQ(render_progress_bar(std::numeric_limits<double>::infinity(), 4), "████");
  EXPECT_EQ(render_progress_bar(std::numeric_limits<double>::quiet_NaN(), 4), "░░░░");
}

TEST(ProgressBarTest, HasExactlyItsWidth) {
  EXPECT_EQ(render_progress_bar(50, 0), "");
  for (std::size_t width = 0; width < 50; ++width) {
    EXPECT_EQ(render_progress_bar(33, width).size(), 3 * width);  // three bytes a glyph
  }
}

TEST(GpuPanelTest, SaysTheMostImportantInFourLines) {
  EXPECT_EQ(format_gpu_panel(mock_gpu_metrics(0), 35),
            "───── GPU 0: Mock GPU 0 ─────\n"
            "Util: ████████░░  75%  │  Temp: 65°C\n"
            "VRAM: ███░░░░░░░ 8.0/24.0 GB (33%)\n"
            "Pow:  ██████░░░░ 250W/450W\n");
}

TEST(GpuPanelTest, ANarrowOneHasNoBarsAndNoName) {
  for (const std::size_t width : {0U, 1U, 19U, 20U}) {
    EXPECT_EQ(format_gpu_panel(mock_gpu_metrics(0), width),
              "───── GPU 0:  ─────\n"
              "Util:   75%  │  Temp: 65°C\n"
              "VRAM:  8.0/24.0 GB (33%)\n"
              "Pow:   250W/450W\n");
  }
}

TEST(GpuPanelTest, TheNameIsCutToItsRoom) {
  const std::string panel = format_gpu_panel({.name = "NVIDIA GeForce RTX 4090 Laptop GPU"}, 30);
  EXPECT_EQ(panel.substr(0, panel.find('\n')), "───── GPU 0: NVIDIA Ge… ─────");
}

TEST(GpuPanelTest, ANameCannotSpeakToTheTerminal) {
  const std::string panel = format_gpu_panel({.name = "a\x1b[2J\nb"}, 80);
  EXPECT_EQ(panel.substr(0, panel.find('\n')), "───── GPU 0: a?[2J?b ─────");
}

TEST(GpuPanelTest, WhatIsNotKnownIsNotZero) {
  EXPECT_EQ(format_gpu_panel({.name = "lost", .available = false}, 27),
            "───── GPU 0: lost ─────\n"
            "Util: ░░ n/a  │  Temp: n/a\n"
            "VRAM: ░░ n/a\n"
            "Pow:  ░░ n/a\n");
}

TEST(GpuPanelTest, PowerWithoutALimitStandsAlone) {
  const std::string panel = format_gpu_panel({.power_watts = 71.5}, 20);
  EXPECT_NE(panel.find("Pow:   72W\n"), std::string::npos) << panel;
}

TEST(GpuPanelTest, NoMemoryAtAllIsNotDividedBy) {
  const std::string panel = format_gpu_panel({.memory_used_bytes = 0, .memory_total_bytes = 0}, 20);
  EXPECT_NE(panel.find("VRAM:  0.0/0.0 GB (0%)\n"), std::string::npos) << panel;
}

}  // namespace
}  // namespace gpukeeper
