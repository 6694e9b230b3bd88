#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "top/preferences.hpp"

namespace gpukeeper::top {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PreferencesTest, WhatIsWrittenIsReadAgain) {
  Preferences preferences;
  preferences.theme = "contrast";
  preferences.ascii = true;
  preferences.mouse = false;
  preferences.pane = Pane::charts;
  preferences.gpus = GpuSize::line;
  preferences.order = ProcessOrder::user;
  preferences.reversed = true;
  preferences.tree = true;
  preferences.aside = false;
  preferences.range = std::chrono::hours(24);
  std::vector<std::string> troubles;
  EXPECT_EQ(read_preferences(write_preferences(preferences), troubles), preferences);
  EXPECT_THAT(troubles, IsEmpty());
}

TEST(PreferencesTest, ADamagedLineIsSaidAndTheOthersCount) {
  std::vector<std::string> troubles;
  const auto preferences =
      read_preferences("theme: purple\n# a remark\n\nsort: pid\ncolour: red\n\x1b[2J\nrange_seconds: 7\n", troubles);
  EXPECT_EQ(preferences.order, ProcessOrder::pid);
  EXPECT_EQ(preferences.theme, "standard");
  EXPECT_THAT(troubles, ElementsAre("line 1: theme takes standard, light, colour-blind, contrast or mono, not 'purple'",
                                    "line 5: 'colour' is no setting of the terminal view",
                                    "line 6: '?[2J' is no setting of the terminal view",
                                    "line 7: range_seconds takes 60, 300, 900, 3600, 21600 or 86400, not '7'"));
}

TEST(PreferencesTest, OfManyTroublesTenAreTold) {
  std::vector<std::string> troubles;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "nonsense\n";
  read_preferences(text, troubles);
  EXPECT_EQ(troubles.size(), 10u);
}

TEST(PreferencesTest, TheFileIsWhereXdgSaysAndElseBelowTheHome) {
  const auto path = [](std::optional<std::string> xdg, std::optional<std::string> home) {
    return preferences_path([=](std::string_view name) {
      return name == "HOME" ? home : name == "XDG_CONFIG_HOME" ? xdg : std::nullopt;
    });
  };
  EXPECT_EQ(path("/cfg", "/home/mara"), "/cfg/gpukeeper/top.yaml");
  EXPECT_EQ(path("relative", "/home/mara"), "/home/mara/.config/gpukeeper/top.yaml");
  EXPECT_EQ(path({}, {}), std::nullopt);
}

TEST(PreferencesTest, AFileIsMadeWithItsFolderAndNoneIsNoTrouble) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "gpukeeper/top.yaml").string();
  std::vector<std::string> troubles;
  EXPECT_EQ(load_preferences(path, troubles), Preferences());
  Preferences preferences;
  preferences.tree = true;
  ASSERT_TRUE(save_preferences(path, preferences));
  EXPECT_EQ(load_preferences(path, troubles), preferences);
  EXPECT_THAT(troubles, IsEmpty());
}

TEST(PreferencesTest, WhatCannotBeReadIsATrouble) {
  const TemporaryFolder folder;
  std::vector<std::string> troubles;
  EXPECT_EQ(load_preferences(folder.path().string(), troubles), Preferences());
  EXPECT_THAT(troubles, ElementsAre(folder.path().string() + " cannot be read"));
}

}  // namespace
}  // namespace gpukeeper::top
