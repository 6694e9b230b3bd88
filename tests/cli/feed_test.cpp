#include "cli/feed.hpp"

#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper::cli {
namespace {

class FeedTest : public testing::Test {
 protected:
  FeedOptions options() const {
    FeedOptions result{.sources = {"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/hot-training.yaml"},
                       .attribute = true};
    result.settings.rules = (folder_.path() / "rules.yaml").string();
    return result;
  }
  void write_rules(const std::string& text) const { std::ofstream(folder_.path() / "rules.yaml") << text; }

  const std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
  const TemporaryFolder folder_;
};

TEST_F(FeedTest, TheUsersRulesJudgeFirst) {
  write_rules("rules: [{name: everything-here, class: video, arguments: ['*a*']}]");
  auto feed = open_feed(options(), clock_);
  ASSERT_TRUE(feed) << feed.error().message;
  const auto snapshot = (*feed)->next();
  std::size_t judged = 0;
  for (const DeviceSnapshot& device : snapshot->devices) {
    for (const GpuProcess& process : *device.processes) {
      const ProcessFacts* facts = snapshot->who->find(device.device->id, process.pid);
      judged += facts && facts->classification.rule.find("everything-here") != std::string::npos;
    }
  }
  EXPECT_GT(judged, 0u);
}

TEST_F(FeedTest, MistakeInTheUsersRulesIsSaid) {
  write_rules("rules: [{name: a, class: ml}]");
  const auto feed = open_feed(options(), clock_);
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error(),
            (Error{Errc::invalid_argument, *options().settings.rules +
                                               ":1:9: rule 'a' would match every process: give it a 'program', "
                                               "'path', 'arguments' or another condition"}));
  auto unasked = options();
  unasked.attribute = false;  // then nobody needs them
  EXPECT_TRUE(open_feed(unasked, clock_));
}

}  // namespace
}  // namespace gpukeeper::cli
