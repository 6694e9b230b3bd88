#include "cli/stretch.hpp"

#include <gtest/gtest.h>

#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

const std::string kHeating = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml";
const std::string kRecording = "replay:" GPUKEEPER_SOURCE_DIR "/examples/recordings/two-gpus.gkr";

std::size_t remembered(Session& session) {
  return session.engine().history()->facts().samples;
}

TEST(StretchTest, ASimulatedMachineIsPlayedForTenMinutes) {
  PlayedWorld world(kHeating);
  const auto session = watch_stretch({.sources = world.sources}, world.context);
  ASSERT_TRUE(session);
  EXPECT_EQ(remembered(**session), 601u);
  EXPECT_TRUE(world.remarks.empty());
}

TEST(StretchTest, AsLongAsIsAsked) {
  PlayedWorld world(kHeating);
  const auto session = watch_stretch({.sources = world.sources, .length = 30s}, world.context);
  EXPECT_EQ(remembered(**session), 31u);
}

TEST(StretchTest, ARecordingIsPlayedToItsEnd) {
  PlayedWorld world(kRecording);
  const auto session = watch_stretch({.sources = world.sources}, world.context);
  ASSERT_TRUE(session);
  EXPECT_TRUE((*session)->ended());
  EXPECT_GT(remembered(**session), 100u);
}

TEST(StretchTest, AMomentIsShownWithWhatCameBeforeIt) {
  PlayedWorld world(kRecording);
  world.context.open_session = [&, open = world.context.open_session](SessionOptions options) {
    options.at = "60";
    return open(std::move(options));
  };
  const auto session = watch_stretch({.sources = world.sources, .length = 0s}, world.context);
  ASSERT_TRUE(session);
  const Engine& engine = (*session)->engine();
  EXPECT_EQ(engine.snapshot()->monotonic - *engine.history()->facts().oldest, 60s);
  EXPECT_GE(remembered(**session), 60u);
}

TEST(StretchTest, AnInterruptEndsItWithWhatIsKnown) {
  using enum Interrupts::Event;
  PlayedWorld world(kHeating, {due, resized, due, suspend, due, stop});
  const auto session = watch_stretch({.sources = world.sources}, world.context);
  ASSERT_TRUE(session);
  EXPECT_EQ(remembered(**session), 4u);
}

TEST(StretchTest, WhoSeesEnoughEndsIt) {
  PlayedWorld world(kHeating);
  int seen = 0;
  const auto session = watch_stretch(
      {.sources = world.sources, .each = [&](const Snapshot&, Session&) { return ++seen < 5; }}, world.context);
  EXPECT_EQ(remembered(**session), 5u);
}

TEST(StretchTest, AMachineThatLivesIsWatchedForTenSecondsAndThatIsSaid) {
  PlayedWorld world(kHeating);  // which stands for it
  const auto session = watch_stretch({.sources = {}}, world.context);
  EXPECT_EQ(remembered(**session), 11u);
  EXPECT_EQ(world.remarks,
            std::vector<std::string>{"watching for 10 s (Ctrl-C ends it); `gpukeeper serve` remembers a day"});
}

TEST(StretchTest, ASourceThatCannotBeOpenedIsAnError) {
  PlayedWorld world("simulated:/no/such/file.yaml");
  const auto session = watch_stretch({.sources = world.sources}, world.context);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper::cli
