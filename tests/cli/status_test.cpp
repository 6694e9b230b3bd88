#include "cli/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using Event = Interrupts::Event;
using Form = StatusOptions::Form;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Snapshot unread() {
  Reading r = busy();
  r.pcie_rx = missing(Missing::not_yet_read);
  return machine({device(0, facts("GPU-a", "A", "0000:01:00.0"), r)});
}

TEST(StatusTest, TheTableTakesASecondLookWhenAValueNeedsTwo) {
  Captured world({unread(), four_gpus()});
  const auto before = world.clock.now();
  EXPECT_EQ(status({}, world.context).value_or(-1), 0);
  EXPECT_EQ(world.ticks, 2u);
  EXPECT_EQ(world.clock.now() - before, 250ms);
  EXPECT_THAT(world.out.text, HasSubstr("4 GPUs"));
}

TEST(StatusTest, ScriptsAreNotKeptWaiting) {
  for (const Form form : {Form::json, Form::csv, Form::query}) {
    Captured world({unread()});
    EXPECT_EQ(status({.form = form, .query = {"index"}}, world.context).value_or(-1), 0);
    EXPECT_EQ(world.ticks, 1u);
  }
}

TEST(StatusTest, AnUnknownMetricIsAMatterOfUsageBeforeAnythingIsRead) {
  Captured world;
  const auto exit = status({.form = Form::query, .query = {"temperatur_celsius"}}, world.context);
  EXPECT_EQ(exit.error().code, Errc::invalid_argument);
  EXPECT_EQ(world.ticks, 0u);
}

TEST(StatusTest, AnUnknownDeviceIsAFailure) {
  Captured world({four_gpus()});
  EXPECT_EQ(status({.devices = {"9"}}, world.context).error().code, Errc::not_found);
}

TEST(StatusTest, AFullDiskIsAFailureAndAReaderThatHasGoneIsNot) {
  Captured full({four_gpus()});
  full.out.full = true;
  EXPECT_EQ(status({}, full.context).error().message, "write to standard output: No space left on device");
  Captured gone({four_gpus()});
  gone.out.gone_after = 0;
  EXPECT_EQ(status({}, gone.context).value_or(-1), 0);
}

TEST(StatusTest, ColourFollowsTerminalNoColorAndWish) {
  const auto coloured = [](bool terminal, ColourChoice choice, std::map<std::string, std::string> variables) {
    Captured world({four_gpus()});
    world.screen.terminal = terminal;
    world.context.colour = choice;
    for (const auto& [name, value] : variables) world.variables[name] = value;
    EXPECT_TRUE(status({}, world.context));
    return world.out.text.find('\x1b') != std::string::npos;
  };
  EXPECT_TRUE(coloured(true, ColourChoice::automatic, {}));
  EXPECT_FALSE(coloured(false, ColourChoice::automatic, {}));
  EXPECT_FALSE(coloured(true, ColourChoice::automatic, {{"NO_COLOR", "1"}}));
  EXPECT_TRUE(coloured(true, ColourChoice::automatic, {{"NO_COLOR", ""}}));
  EXPECT_FALSE(coloured(true, ColourChoice::automatic, {{"TERM", "dumb"}}));
  EXPECT_FALSE(coloured(true, ColourChoice::never, {}));
  EXPECT_TRUE(coloured(false, ColourChoice::always, {{"NO_COLOR", "1"}}));
}

TEST(StatusTest, ALocaleWithoutUtf8GetsAsciiOnly) {
  for (const char* locale : {"C", "de_DE.ISO-8859-1"}) {
    Captured world({four_gpus()});
    world.variables["LANG"] = locale;
    EXPECT_TRUE(status({}, world.context));
    EXPECT_TRUE(std::ranges::all_of(world.out.text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  }
  Captured world({four_gpus()});
  world.variables["LC_ALL"] = "en_US.UTF-8";
  world.variables["LANG"] = "C";
  EXPECT_TRUE(status({}, world.context));
  EXPECT_THAT(world.out.text, HasSubstr("●"));
}

TEST(WatchTest, JsonIsAnObjectALine) {
  Captured world({four_gpus()}, {Event::due, Event::due});
  EXPECT_EQ(status({.form = Form::json, .watch = 2s}, world.context).value_or(-1), 0);
  EXPECT_EQ(lines(world.out.text).size(), 3u);
  EXPECT_EQ(world.ticks, 3u);
}

TEST(WatchTest, CsvHasOneHead) {
  Captured world({simulated_gpu()}, {Event::due, Event::due});
  EXPECT_EQ(status({.form = Form::csv, .watch = 2s}, world.context).value_or(-1), 0);
  const auto all = lines(world.out.text);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(all[0].starts_with("taken_at,"));
  EXPECT_TRUE(all[3].starts_with("2026-"));
}

TEST(WatchTest, AResizeAppendsNothingToAPipe) {
  Captured world({four_gpus()}, {Event::resized, Event::resized});
  EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
  EXPECT_EQ(world.out.writes, 1u + 0u);
  EXPECT_EQ(world.ticks, 1u);
}

TEST(WatchTest, ATerminalIsDrawnOverAndGivenBackWithTheLastPageOnIt) {
  Captured world({four_gpus()}, {Event::due});
  world.screen = {.terminal = true, .width = 80, .height = 24};
  world.context.colour = ColourChoice::never;
  EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
  EXPECT_THAT(world.out.text, StartsWith("\x1b[?1049h\x1b[?25l"));
  EXPECT_THAT(world.out.text, Not(HasSubstr("\x1b[2J\x1b[H\x1b[2J")));
  const auto left = world.out.text.rfind("\x1b[?7h\x1b[?25h\x1b[?1049l");
  ASSERT_NE(left, std::string::npos);
  EXPECT_THAT(world.out.text.substr(left), HasSubstr("gpukeeper · gpu-box"));
  EXPECT_THAT(world.out.text, EndsWith("\n"));
  EXPECT_EQ(world.ticks, 2u);
}

TEST(WatchTest, AResizeDrawsAgainWithoutReading) {
  Captured world({four_gpus()}, {Event::resized});
  world.screen = {.terminal = true, .width = 80, .height = 24};
  EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
  EXPECT_EQ(world.ticks, 1u);
  EXPECT_EQ(world.out.writes, 4u);  // drawn, drawn again, given back, left behind
}

TEST(WatchTest, APageNeverScrollsTheScreen) {
  for (std::size_t height : {1u, 2u, 5u, 9u, 12u}) {
    Captured world({four_gpus()});
    world.screen = {.terminal = true, .width = 80, .height = height};
    EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
    const auto drawn = world.out.text.substr(0, world.out.text.find("\x1b[J"));
    EXPECT_LT(static_cast<std::size_t>(std::ranges::count(drawn, '\n')), height);
  }
}

TEST(WatchTest, ClearingTheRestOfALineLeavesItsLastCharacter) {
  Captured world({four_gpus()});
  world.screen = {.terminal = true, .width = 80, .height = 24};
  world.context.colour = ColourChoice::never;
  EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
  const auto drawn = world.out.text.substr(0, world.out.text.find("\x1b[?7h"));
  // The cursor of a terminal that does not wrap stays on the last column, which clearing from it on would empty.
  for (const char* clear : {"\x1b[K", "\x1b[J"}) {
    for (auto at = drawn.find(clear); at != std::string::npos; at = drawn.find(clear, at + 1)) {
      EXPECT_THAT(drawn.substr(0, at), AnyOf(EndsWith("\n"), EndsWith("\x1b[H")));
    }
  }
  EXPECT_THAT(drawn, HasSubstr("\x1b[K"));
  EXPECT_THAT(drawn, HasSubstr("\x1b[J"));
}

TEST(WatchTest, CtrlZGivesTheTerminalBackAndForegroundTakesItAgain) {
  Captured world({four_gpus()}, {Event::suspend});
  world.screen = {.terminal = true, .width = 80, .height = 24};
  EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
  const auto first = world.out.text.find("\x1b[?1049l");
  const auto again = world.out.text.find("\x1b[?1049h", first);
  EXPECT_NE(again, std::string::npos);
}

TEST(WatchTest, AppendedPagesEndWhileADaemonIsGoneWhichIsSaidOnce) {
  Captured world({four_gpus()}, {Event::due, Event::due, Event::due, Event::due});
  world.troubles = {"", "it is gone", "it is gone", ""};
  std::vector<std::string> remarks;
  world.context.remark = [&](std::string_view sentence) { remarks.emplace_back(sentence); };
  EXPECT_EQ(status({.form = Form::query, .query = {"uuid"}, .devices = {"0"}, .watch = 2s}, world.context).value_or(-1),
            0);
  EXPECT_EQ(world.out.text, "GPU-aaaa\nGPU-aaaa\nGPU-aaaa\n");
  EXPECT_EQ(remarks, (std::vector<std::string>{"it is gone", "it answers again"}));
}

TEST(WatchTest, ADrawnPageSaysBelowThatTheDaemonIsGone) {
  for (const std::size_t height : {8u, 24u}) {
    Captured world({four_gpus()}, {Event::due});
    world.screen = {.terminal = true, .width = 80, .height = height};
    world.context.colour = ColourChoice::never;
    world.troubles = {"it is gone"};
    EXPECT_EQ(status({.watch = 2s}, world.context).value_or(-1), 0);
    const auto drawn = world.out.text.substr(0, world.out.text.find("\x1b[J") + 20);
    EXPECT_THAT(drawn, HasSubstr("\x1b[Jit is gone"));
    EXPECT_LT(static_cast<std::size_t>(std::ranges::count(drawn, '\n')), height);
  }
}

TEST(StatusTest, AnotherMachineIsNamedWithItsPlaceAndItsTimeIsItsOwn) {
  Captured world({four_gpus()});
  world.origin = "10.0.0.5:8737";
  world.clock.sleep_until(world.clock.now() + 1h, {});
  EXPECT_EQ(status({}, world.context).value_or(-1), 0);
  EXPECT_THAT(world.out.text, StartsWith("gpukeeper · gpu-box at 10.0.0.5:8737 · 4 GPUs"));
  EXPECT_THAT(world.out.text, Not(HasSubstr(" old")));
}

TEST(WatchTest, AReaderThatHasGoneEndsItQuietly) {
  Captured world({four_gpus()}, {Event::due, Event::due, Event::due});
  world.out.gone_after = 2;
  EXPECT_EQ(status({.form = Form::json, .watch = 2s}, world.context).value_or(-1), 0);
  EXPECT_EQ(world.ticks, 3u);
}

}  // namespace
}  // namespace gpukeeper::cli
