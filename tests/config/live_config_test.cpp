#include "config/live_config.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "inputs.hpp"

namespace gpukeeper::config {
namespace {

using Sentences = std::vector<std::string>;

Sentences sentences(const Result<LiveConfig::Changed>& changed) {
  if (!changed) return {changed.error().message};
  Sentences result;
  for (const Difference& each : changed->differences) result.push_back(to_string(each));
  return result;
}

std::string shown(const LiveConfig& live, std::string_view key) {
  return find_key(key)->show(live.now().settings);
}

class LiveConfigTest : public testing::Test {
 protected:
  void write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string written() const {
    std::ifstream in(path_);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  LiveConfig open() const {
    auto live = LiveConfig::open({.path = path_});
    if (!live) throw std::runtime_error(live.error().message);
    return std::move(*live);
  }

  const TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "f.yaml").string();
};

TEST_F(LiveConfigTest, AReloadSaysWhatHasChangedAndWhatWaits) {
  write("temp_throttle: 85\n");
  auto live = open();
  EXPECT_FALSE(live.file_changed());
  write("temp_throttle: 80\nlisten: 127.0.0.1:1\n");
  EXPECT_TRUE(live.file_changed());
  EXPECT_EQ(sentences(live.reload()),
            (Sentences{"temp_throttle: 85 to 80 °C", "listen: [] to [\"127.0.0.1:1\"], with a restart"}));
  EXPECT_FALSE(live.file_changed());
  EXPECT_EQ(sentences(live.reload()), Sentences());
}

TEST_F(LiveConfigTest, AWrongFileChangesNothing) {
  write("temp_throttle: 80\n");
  auto live = open();
  write("temp_throttle: 10\n");
  EXPECT_EQ(sentences(live.reload()),
            Sentences{path_ + ":1:16: temp_throttle: 10 is not above temp_normal (75); as things stand temp_throttle "
                              "may be 78 to 90"});
  EXPECT_EQ(shown(live, "temp_throttle"), "80");
  std::filesystem::remove(path_);
  EXPECT_TRUE(live.file_changed());
  EXPECT_FALSE(live.reload());
  EXPECT_EQ(shown(live, "temp_throttle"), "80");
}

TEST_F(LiveConfigTest, WhatIsSetStandsUntilTheFileSaysSomethingElseOfIt) {
  write("temp_throttle: 85\n");
  auto live = open();
  EXPECT_EQ(sentences(live.set(assigned({"temp_throttle=80"}, ""), false)), Sentences{"temp_throttle: 85 to 80 °C"});
  write("temp_throttle: 85\nmonitor_interval: 5\n");
  EXPECT_EQ(sentences(live.reload()), Sentences{"monitor_interval: 3 to 5 s"});
  EXPECT_EQ(shown(live, "temp_throttle"), "80");
  write("temp_throttle: 84\n");
  EXPECT_EQ(sentences(live.reload()), (Sentences{"temp_throttle: 80 to 84 °C", "monitor_interval: 5 to 3 s"}));
}

TEST_F(LiveConfigTest, NullTakesBackWhatWasSet) {
  write("temp_throttle: 84\n");
  auto live = open();
  ASSERT_TRUE(live.set(assigned({"temp_throttle=80"}, ""), false));
  const Assignment back{.key = "temp_throttle", .value = {}, .place = {}};
  EXPECT_EQ(sentences(live.set({&back, 1}, false)), Sentences{"temp_throttle: 80 to 84 °C"});
  EXPECT_EQ(sentences(live.set({&back, 1}, true)),
            Sentences{"temp_throttle: null takes back what was set at run time: there is nothing to save"});
}

TEST_F(LiveConfigTest, AWrongRequestChangesNothingAndSavesNothing) {
  write("# mine\n");
  auto live = open();
  EXPECT_EQ(sentences(live.set(assigned({"temp_throttle=60", "monitor_interval=5"}, ""), true)),
            Sentences{"temp_throttle: 60 is not above temp_normal (75); as things stand temp_throttle may be 78 to "
                      "90"});
  EXPECT_EQ(shown(live, "monitor_interval"), "3");
  EXPECT_EQ(written(), "# mine\n");
}

TEST_F(LiveConfigTest, WhatIsSavedIsInTheFileAndNoChangeOfIt) {
  write("# mine\n");
  auto live = open();
  EXPECT_EQ(sentences(live.set(assigned({"temp_throttle=80"}, ""), true)), Sentences{"temp_throttle: 85 to 80 °C"});
  EXPECT_EQ(written(), "# mine\ntemp_throttle: 80\n");
  EXPECT_FALSE(live.file_changed());
  EXPECT_EQ(live.now().origin("temp_throttle").layer, Layer::file);
}

TEST_F(LiveConfigTest, WhatSomebodyWroteMeanwhileIsNotOverwritten) {
  write("temp_throttle: 80\n");
  auto live = open();
  write("temp_throttle: 80\ntemp_normal: seventy\n");
  ASSERT_FALSE(live.reload());
  EXPECT_EQ(sentences(live.set(assigned({"temp_critical=91"}, ""), true)),
            Sentences{path_ + ": it was changed since it was read, and what it says now was not taken: see the log, "
                              "mend the file, then set this again"});
  EXPECT_EQ(written(), "temp_throttle: 80\ntemp_normal: seventy\n");
  EXPECT_EQ(shown(live, "temp_critical"), "90");
}

TEST_F(LiveConfigTest, AKeyThatNeedsARestartIsSavedOnly) {
  write("");
  auto live = open();
  EXPECT_EQ(sentences(live.set(assigned({"state_dir=/x"}, ""), false)),
            Sentences{"state_dir: takes effect with a restart only, so it can only be saved to the file (--save)"});
  EXPECT_EQ(sentences(live.set(assigned({"state_dir=/x"}, ""), true)),
            Sentences{"state_dir: null to \"/x\", with a restart"});
  EXPECT_EQ(written(), "state_dir: /x\n");
}

// Or the next start would fail.
TEST_F(LiveConfigTest, WhatIsSavedMustBeWellWithoutWhatIsNot) {
  write("");
  auto live = open();
  ASSERT_TRUE(live.set(assigned({"temp_optimal=50", "temp_normal=60"}, ""), false));
  EXPECT_EQ(sentences(live.set(assigned({"temp_throttle=70"}, ""), true)),
            Sentences{"it cannot be saved without what else was set at run time: " + path_ +
                      ":1:16: temp_throttle: 70 is not above temp_normal (75); as things stand temp_throttle may be "
                      "78 to 90"});
  EXPECT_EQ(written(), "");
}

TEST_F(LiveConfigTest, WithoutAFileThereIsNothingToSaveTo) {
  auto live = LiveConfig::open({});
  ASSERT_TRUE(live);
  EXPECT_EQ(sentences(live->set(assigned({"temp_throttle=80"}, ""), true)),
            Sentences{"there is no file to save to: it was started without one; name one with --config"});
  EXPECT_FALSE(live->file_changed());
}

TEST_F(LiveConfigTest, AFileThatMustBeThereIsMissed) {
  EXPECT_FALSE(LiveConfig::open({.path = path_}));
  const auto live = LiveConfig::open({.path = path_, .must_be_there = false});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_FALSE(live->file_changed());
  write("temp_throttle: 80\n");
  EXPECT_TRUE(live->file_changed());  // made since
}

TEST_F(LiveConfigTest, TheUsualFileIsTheUsersOwnWhereThereIsOne) {
  const auto environment = variables({{"XDG_CONFIG_HOME", folder_.path().string()}, {"HOME", "/nowhere"}});
  const std::string own = (folder_.path() / "gpukeeper/gpukeeper.yaml").string();
  if (!std::filesystem::exists("/etc/gpukeeper/gpukeeper.yaml")) {
    EXPECT_EQ(usual_file(environment, false).path, own);
    EXPECT_FALSE(usual_file(environment, false).there);
    EXPECT_EQ(usual_file(variables({{"HOME", "/nowhere"}}), false).path, "/nowhere/.config/gpukeeper/gpukeeper.yaml");
  }
  EXPECT_EQ(usual_file(environment, true).path, "/etc/gpukeeper/gpukeeper.yaml");
  std::filesystem::create_directories(folder_.path() / "gpukeeper");
  std::ofstream(own) << "";
  EXPECT_EQ(usual_file(environment, false).path, own);
  EXPECT_TRUE(usual_file(environment, false).there);
}

}  // namespace
}  // namespace gpukeeper::config
