#include "gpukeeper/andon_system.hpp"

#include <cmath>
#include <csignal>
#include <cstdint>
#include <limits>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class AndonSystemTest : public testing::Test {
 protected:
  std::unique_ptr<AndonSystem> make(AndonConfig config) {
    return std::make_unique<AndonSystem>(
        config, [this](std::string_view said) { log.emplace_back(said); }, [this] { return now; });
  }
  std::chrono::system_clock::time_point now{std::chrono::milliseconds(1'780'000'000'250)};
  std::vector<std::string> log;
  std::unique_ptr<AndonSystem> line = make({});
};

TEST_F(AndonSystemTest, LevelsAreOrdered) {
  EXPECT_LT(AlertLevel::info, AlertLevel::warning);
  EXPECT_LT(AlertLevel::warning, AlertLevel::error);
  EXPECT_LT(AlertLevel::error, AlertLevel::critical);
}

TEST_F(AndonSystemTest, LevelsHaveTheirWordsAndSigns) {
  EXPECT_EQ(to_string(AlertLevel::info), "INFO");
  EXPECT_EQ(to_string(AlertLevel::warning), "WARNING");
  EXPECT_EQ(to_string(AlertLevel::error), "ERROR");
  EXPECT_EQ(to_string(AlertLevel::critical), "CRITICAL");
  EXPECT_EQ(emoji(AlertLevel::info), "ℹ️");
  EXPECT_EQ(emoji(AlertLevel::warning), "⚠️");
  EXPECT_EQ(emoji(AlertLevel::error), "❌");
  EXPECT_EQ(emoji(AlertLevel::critical), "🛑");
}

TEST_F(AndonSystemTest, DefaultsAreTheDocumentedOnes) {
  const AndonConfig config;
  EXPECT_TRUE(config.stop_on_error);
  EXPECT_TRUE(config.stop_on_critical);
  EXPECT_TRUE(config.log_alerts);
}

TEST_F(AndonSystemTest, AnAlertHasASourceAndAValueWhereGiven) {
  const auto alert = Alert::warning("it spikes").with_source("loss").with_value(12.5);
  EXPECT_EQ(alert, (Alert{AlertLevel::warning, "it spikes", "loss", 0, 12.5}));
  EXPECT_EQ(Alert::info("x"), (Alert{AlertLevel::info, "x", "", 0, std::nullopt}));
}

TEST_F(AndonSystemTest, TheTimeIsWhenItWasTriggered) {
  line->info("x");
  EXPECT_EQ(line->history()[0].timestamp, 1'780'000'000'250);
  line->trigger({.message = "older", .timestamp = 5});
  EXPECT_EQ(line->history()[1].timestamp, 5);
}

TEST_F(AndonSystemTest, InformationAndWarningsDoNotStop) {
  line->info("x");
  line->warning("y");
  EXPECT_FALSE(line->should_stop());
}

TEST_F(AndonSystemTest, ErrorsStop) {
  line->error("x");
  EXPECT_TRUE(line->should_stop());
}

TEST_F(AndonSystemTest, CriticalOnesStop) {
  line->critical("x");
  EXPECT_TRUE(line->should_stop());
}

TEST_F(AndonSystemTest, WhatStopsIsConfigured) {
  line = make({.stop_on_error = false});
  line->error("x");
  EXPECT_FALSE(line->should_stop());
  line->critical("x");
  EXPECT_TRUE(line->should_stop());
  line = make({.stop_on_critical = false});
  line->critical("x");
  EXPECT_FALSE(line->should_stop());
}

TEST_F(AndonSystemTest, OneIsMadeOfItsConfiguration) {
  AndonSystem quiet = AndonSystem::with_config({.stop_on_critical = false, .log_alerts = false});
  quiet.critical("x");
  EXPECT_FALSE(quiet.should_stop());
}

TEST_F(AndonSystemTest, TheFlagIsSharedAndOutlivesTheLine) {
  const auto flag = line->stop_flag();
  line->error("x");
  line.reset();
  EXPECT_TRUE(flag->load());
}

TEST_F(AndonSystemTest, ResetLetsItRunAgainAndForgetsNothing) {
  line->critical("x");
  line->reset();
  EXPECT_FALSE(line->should_stop());
  EXPECT_THAT(line->history(), SizeIs(1));
}

TEST_F(AndonSystemTest, HistoryIsInOrderAndByLevel) {
  line->warning("a");
  line->alert(AlertLevel::info, "b");
  line->warning("c");
  EXPECT_THAT(line->get_alerts(), SizeIs(3));
  const auto warnings = line->alerts_by_level(AlertLevel::warning);
  ASSERT_THAT(warnings, SizeIs(2));
  EXPECT_EQ(warnings[0].message, "a");
  EXPECT_EQ(warnings[1].message, "c");
  EXPECT_THAT(line->alerts_by_level(AlertLevel::critical), IsEmpty());
}

TEST_F(AndonSystemTest, HistoryIsBounded) {
  line = make({.log_alerts = false});
  for (std::size_t i = 0; i <= AndonSystem::kMostHistory; ++i) line->info(std::to_string(i));
  EXPECT_THAT(line->history(), SizeIs(AndonSystem::kMostHistory));
  EXPECT_EQ(line->history().front().message, "1");
}

TEST_F(AndonSystemTest, EachIsLoggedInALineUnlessNobodyWantsThat) {
  line->trigger(Alert::warning("it spikes").with_source("loss").with_value(12.5));
  line->critical("out of memory");
  EXPECT_THAT(log, ElementsAre("⚠️ [WARNING] loss: it spikes (12.5)", "🛑 [CRITICAL] out of memory"));
  log.clear();
  line = make({.log_alerts = false});
  line->critical("x");
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(AndonSystemTest, WhoStopsTheJobIsCalledOnceForEachStop) {
  std::vector<std::string> stopped;
  line->on_stop([&](const Alert& alert) { stopped.push_back(alert.message); });
  line->warning("a");
  line->error("b");
  line->critical("c");  // it stands already
  EXPECT_THAT(stopped, ElementsAre("b"));
  line->reset();
  line->critical("d");
  EXPECT_THAT(stopped, ElementsAre("b", "d"));
}

TEST_F(AndonSystemTest, ACallbackMayAskTheLine) {
  bool stops = false;
  line->on_stop([&](const Alert&) { stops = line->should_stop() && !line->history().empty(); });
  line->critical("x");
  EXPECT_TRUE(stops);
}

TEST_F(AndonSystemTest, ALossThatIsNoNumberStops) {
  EXPECT_TRUE(line->check_loss(0.5));
  EXPECT_FALSE(line->check_loss(std::nan("")));
  EXPECT_TRUE(line->should_stop());
  EXPECT_EQ(line->history().back().message, "loss is NaN");
  line = make({.stop_on_inf = false});
  EXPECT_FALSE(line->check_loss(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(line->should_stop());
  EXPECT_EQ(line->history().back().level, AlertLevel::warning);
  EXPECT_EQ(line->history().back().message, "loss is infinite");
}

TEST_F(AndonSystemTest, ALossThatSpikesIsAWarning) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(line->check_loss(2));
  EXPECT_TRUE(line->check_loss(20));  // ten times the mean is not above it
  EXPECT_FALSE(line->check_loss(60));
  EXPECT_EQ(line->history().back().message, "it is 12.0 times the mean of those before");
  EXPECT_EQ(line->history().back().value, 60);
  EXPECT_FALSE(line->should_stop());
}

TEST_F(AndonSystemTest, GradientsThatAreNoNumbersStop) {
  const double fine[] = {0.1, -3};
  const double broken[] = {0.1, std::nan("")};
  EXPECT_TRUE(line->check_gradients(fine));
  EXPECT_FALSE(line->check_gradients(broken));
  EXPECT_EQ(line->history().back().message, "gradient is NaN");
}

TEST_F(AndonSystemTest, NobodyIsSignalledByAPidThatMeansMany) {
  for (const std::int64_t pid : {-1, 0, 1}) {
    line->on_stop(signal_on_stop(pid, 0));
    line->reset();
    line->critical("x");  // signal 0 reaches nobody; a test that ends is what shows it
  }
  EXPECT_TRUE(line->should_stop());
}

volatile std::sig_atomic_t signals = 0;

TEST_F(AndonSystemTest, APidThatIsTooLargeIsNotCutToAnother) {
  const auto before = std::signal(SIGUSR1, [](int) { signals = signals + 1; });
  line->on_stop(signal_on_stop((std::int64_t{1} << 32) + ::getpid(), SIGUSR1));  // cut to 32 bits: this process
  line->critical("x");
  EXPECT_EQ(signals, 0);
  line->reset();
  line->on_stop(signal_on_stop(::getpid(), SIGUSR1));
  line->critical("x");
  EXPECT_EQ(signals, 1);
  std::signal(SIGUSR1, before);
}

}  // namespace
}  // namespace gpukeeper
