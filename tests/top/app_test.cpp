#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "sample.hpp"
#include "top/app.hpp"

namespace gpukeeper::top {
namespace {

using testing::HasSubstr;
using Kind = Happening::Kind;

class FakeFeeder final : public Feeder {
 public:
  int descriptor() const override { return -1; }
  News news() override { return now; }
  void need(const Needs& needs) override { needed = needs; }
  void play(const PlayWish& wish) override { played.push_back(wish.kind); }
  void act(const Deed& deed) override { acted.push_back(deed.method + deed.target); }

  News now;
  Needs needed;
  std::vector<PlayWish::Kind> played;
  std::vector<std::string> acted;
};

// Plays what happens; the time passes while it waits.
class FakeTerminal final : public Terminal {
 public:
  explicit FakeTerminal(FakeClock& clock) : clock_(clock) {}
  Size size() const override { return now; }
  void show(const Canvas& canvas, const Theme& theme) override {
    shown.push_back(canvas.text());
    theme_name = theme.name;
  }
  Happening wait(MonotonicTime until, int) override {
    if (happens.empty()) return {Kind::stop, {}};
    const Happening next = happens.front();
    happens.pop_front();
    if (next.kind == Kind::nothing) clock_.advance(until - clock_.now());
    if (next.kind == Kind::resized) now = {100, 40};
    return next;
  }
  void suspend() override { ++suspended; }

  void type(std::string_view letters) {
    for (const char c : letters) happens.push_back({Kind::key, {.character = static_cast<char32_t>(c)}});
  }

  Size now;
  std::deque<Happening> happens;
  std::vector<std::string> shown;
  std::string theme_name;
  int suspended = 0;

 private:
  FakeClock& clock_;
};

struct AppTest : testing::Test {
  FakeClock clock;
  FakeFeeder feeder;
  FakeTerminal terminal{clock};
  AppOptions options;

  AppTest() { feeder.now.snapshot = std::make_shared<const Snapshot>(sample_machine(2)); }
  Result<Preferences> run() { return top::run(options, feeder, terminal, clock); }
};

TEST_F(AppTest, ThePictureIsThereBeforeTheFirstSnapshot) {
  feeder.now.snapshot = nullptr;
  ASSERT_TRUE(run());
  ASSERT_EQ(terminal.shown.size(), 1u);
  EXPECT_THAT(terminal.shown[0], HasSubstr("Looking at the GPUs…"));
}

TEST_F(AppTest, AFeederThatCannotBeginEndsTheViewWithItsError) {
  feeder.now.failed = Error{Errc::not_found, "no such scenario"};
  const auto ended = run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "no such scenario");
  EXPECT_TRUE(terminal.shown.empty());
}

TEST_F(AppTest, KeysChangeThePreferencesThatAreReturned) {
  terminal.type("tCq");
  const auto left = run();
  ASSERT_TRUE(left);
  EXPECT_TRUE(left->tree);
  EXPECT_EQ(left->theme, "light");
  EXPECT_EQ(terminal.theme_name, "light");
}

TEST_F(AppTest, AResizeIsDrawnAtItsSizeAndASuspensionComesBack) {
  terminal.happens = {{Kind::resized, {}}, {Kind::suspend, {}}};
  ASSERT_TRUE(run());
  EXPECT_EQ(std::ranges::count(terminal.shown.at(0), '\n'), 24);
  EXPECT_EQ(std::ranges::count(terminal.shown.at(1), '\n'), 40);
  EXPECT_EQ(terminal.suspended, 1);
}

TEST_F(AppTest, TheAgeGrowsWhileNothingComes) {
  for (int i = 0; i < 7; ++i) terminal.happens.push_back({Kind::nothing, {}});
  feeder.now.here = false;  // its clock is not ours: what counts is when it came
  feeder.now.came = clock.now();
  ASSERT_TRUE(run());
  EXPECT_THAT(terminal.shown.back(), HasSubstr("7 s old"));
}

TEST_F(AppTest, HistoryIsWantedOnlyWhileItIsLookedAt) {
  ASSERT_TRUE(run());
  EXPECT_FALSE(feeder.needed.past);
  terminal.type("c");
  ASSERT_TRUE(run());
  EXPECT_TRUE(feeder.needed.past);
  EXPECT_EQ(feeder.needed.device, "GPU-00");
  EXPECT_EQ(feeder.needed.range, 5min);
}

TEST_F(AppTest, WhatIsConfirmedIsDoneAndItsOutcomeStandsAtTheFootForAWhile) {
  feeder.now.way = Way::daemon;
  feeder.now.may = May::all;
  terminal.type("oy");
  ASSERT_TRUE(run());
  ASSERT_EQ(feeder.acted, std::vector<std::string>{"POST/api/v1/reclaim"});
  feeder.now.reply = {1, false, "memory is being reclaimed already"};
  for (int i = 0; i < 7; ++i) terminal.happens.push_back({Kind::nothing, {}});
  terminal.shown.clear();
  ASSERT_TRUE(run());
  EXPECT_THAT(terminal.shown.front(), HasSubstr("memory is being reclaimed already"));
  EXPECT_THAT(terminal.shown.back(), testing::Not(HasSubstr("reclaimed already")));
}

TEST_F(AppTest, ARecordingIsPaused) {
  feeder.now.playing = Playing{};
  terminal.type(" .");
  ASSERT_TRUE(run());
  EXPECT_EQ(feeder.played, (std::vector{PlayWish::Kind::pause, PlayWish::Kind::step}));
}

TEST_F(AppTest, WhatWasWrongWithThePreferencesIsSaid) {
  options.remarks = {"top.yaml, line 3: 'x' is no setting of the terminal view"};
  ASSERT_TRUE(run());
  EXPECT_THAT(terminal.shown.front(), HasSubstr("line 3: 'x' is no setting"));
}

}  // namespace
}  // namespace gpukeeper::top
