#include "config/session_options.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper::config {
namespace {

using namespace std::chrono_literals;

TEST(SessionOptionsTest, AllThatIsConfiguredOfASessionIsInThem) {
  Settings settings;
  settings.engine.sample_interval = 5s;
  settings.engine.governor.yield.enabled = true;
  settings.engine.governor.monitor_interval = 7s;
  settings.engine.andon.idle_severity_cap = 100;
  settings.engine.history.step = 10s;
  settings.engine.history.metrics = {"power_watts"};
  const auto session = session_options(settings, true);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->engine.sampler.period, 5s);
  EXPECT_EQ(session->engine.governor, settings.engine.governor);
  EXPECT_EQ(session->engine.andon, settings.engine.andon);
  EXPECT_EQ(session->engine.history.step, 10s);
  EXPECT_EQ(session->engine.history.metrics, settings.engine.history.metrics);
  EXPECT_EQ(session->engine.history.interval, 7s);
  EXPECT_TRUE(session->engine.attribute);
  EXPECT_EQ(session->engine.classifier, nullptr) << "the built-in rules";
}

TEST(SessionOptionsTest, RulesAreReadForWhoAsksWhoTheProcessesAre) {
  const TemporaryFolder folder;
  Settings settings;
  settings.rules = (folder.path() / "rules.yaml").string();
  std::ofstream(*settings.rules) << "rules: [{name: here, class: video, program: 'a'}]";
  const auto session = session_options(settings, true);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_NE(session->engine.classifier, nullptr);

  std::ofstream(*settings.rules) << "rules: [{name: a, class: ml}]";
  const auto mistaken = session_options(settings, true);
  ASSERT_FALSE(mistaken);
  EXPECT_EQ(mistaken.error(), (Error{Errc::invalid_argument,
                                     *settings.rules + ":1:9: rule 'a' would match every process: give it a 'program', "
                                                       "'path', 'arguments' or another condition"}));
  EXPECT_TRUE(session_options(settings, false));
}

}  // namespace
}  // namespace gpukeeper::config
