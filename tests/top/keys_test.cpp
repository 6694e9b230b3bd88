#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/display_text.hpp"
#include "sample.hpp"

namespace gpukeeper::top {
namespace {

using testing::HasSubstr;
using testing::Not;
using Code = Key::Code;

News of_daemon(const Picture& picture, May may) {
  News news = picture.model.news();
  news.way = Way::daemon;
  news.may = may;
  return news;
}

TEST(KeysTest, TheCursorStaysOnItsProcessWhenTheOrderChanges) {
  Picture picture(sample_machine(1));
  picture.press(Code::down);
  ASSERT_EQ(picture.ui.process->second, 4001);
  picture.type("r");
  picture.frame();
  EXPECT_EQ(picture.ui.row[0], 0u);
  EXPECT_EQ(picture.ui.process->second, 4001);
}

TEST(KeysTest, AFilterLeavesWhatHasItsTextInItWhateverTheCase) {
  Picture picture(sample_machine(1));
  picture.type("fEPOCHS");
  EXPECT_THAT(picture.text(), HasSubstr("filter: EPOCHS"));
  EXPECT_THAT(picture.text(), HasSubstr("python3 train.py"));
  EXPECT_THAT(picture.text(), Not(HasSubstr("vllm serve")));
  picture.press(Code::escape);
  EXPECT_THAT(picture.text(), HasSubstr("vllm serve"));
}

TEST(KeysTest, ASearchGoesToTheRowThatHasItAndSaysWhenNoneHas) {
  Picture picture(sample_machine(1));
  picture.type("/epochs");
  EXPECT_EQ(picture.ui.process->second, 4001);
  picture.press(Code::enter);
  picture.type("/xyz");
  picture.press(Code::enter);
  EXPECT_EQ(picture.ui.notice, "nothing has 'xyz' in it");
}

TEST(KeysTest, TheTreeHasProcessesBelowWhoTheyBelongTo) {
  Picture picture(sample_machine(1));
  picture.type("t");
  EXPECT_THAT(picture.text(), HasSubstr("bob, bob.service  1"));
  EXPECT_THAT(picture.line_with("vllm"), HasSubstr("└ vllm serve llama"));
}

TEST(KeysTest, QEndsTheViewAndOnOtherScreensGoesBack) {
  Picture picture(sample_machine(1));
  picture.type("g");
  EXPECT_EQ(picture.ui.screen, Screen::gpu);
  EXPECT_FALSE(picture.type("q").quit);
  EXPECT_EQ(picture.ui.screen, Screen::overview);
  EXPECT_TRUE(picture.type("q").quit);
}

TEST(KeysTest, SpaceHoldsTheLivePictureAndARecordingIsPaused) {
  Picture picture(sample_machine(1));
  EXPECT_FALSE(picture.type(" ").play);
  EXPECT_TRUE(picture.model.held());
  Snapshot later = sample_machine(1);
  later.host = "other";
  picture.show(std::move(later));
  EXPECT_THAT(picture.text(), HasSubstr("node1"));
  picture.type(" ");
  EXPECT_THAT(picture.text(), HasSubstr("other"));
  News news = picture.model.news();
  news.playing = Playing{};
  picture.take(std::move(news));
  EXPECT_EQ(picture.type(" ").play->kind, PlayWish::Kind::pause);
  EXPECT_EQ(picture.type("]").play->by, 10s);
}

TEST(KeysTest, ASignalIsSentOnlyAfterItWasChosenAndConfirmed) {
  Picture picture(sample_machine(1));
  picture.type("k");
  EXPECT_THAT(picture.text(), HasSubstr("TERM  asks it to end"));
  picture.press(Code::down);
  EXPECT_FALSE(picture.press(Code::enter).deed);
  EXPECT_THAT(picture.text(), HasSubstr("y does it, Esc does not"));
  const auto deed = picture.type("y").deed;
  ASSERT_TRUE(deed);
  EXPECT_EQ(deed->pid, 4002);
  EXPECT_EQ(deed->signal, SIGINT);
  EXPECT_EQ(deed->start_ticks, 4711u);
  EXPECT_FALSE(picture.ui.dialog);
}

TEST(KeysTest, AnyOtherKeyThanYesDoesNothing) {
  Picture picture(sample_machine(1));
  picture.type("k");
  picture.press(Code::enter);
  EXPECT_FALSE(picture.type("n").deed);
  EXPECT_FALSE(picture.ui.dialog);
}

TEST(KeysTest, ASimulatedProcessCannotBeSignalled) {
  Snapshot snapshot = sample_machine(1);
  auto device = std::make_shared<Device>(*snapshot.devices[0].device);
  device->simulated = true;
  snapshot.devices[0].device = device;
  Picture picture(std::move(snapshot));
  picture.type("k");
  EXPECT_THAT(picture.text(), HasSubstr("Process 4002 is simulated: it is none of this machine."));
  EXPECT_TRUE(picture.ui.dialog->choices.empty());
}

TEST(KeysTest, AProcessOfAnotherMachineCannotBeSignalled) {
  Picture picture(sample_machine(1));
  News news = of_daemon(picture, May::all);
  news.here = false;
  news.origin = "10.0.0.5:8737";
  picture.take(std::move(news));
  picture.type("k");
  EXPECT_THAT(picture.text(), HasSubstr("Process 4002 runs on 10.0.0.5:8737. Signal it there."));
}

TEST(KeysTest, WithoutADaemonLeasesAndThresholdsCannotBeChangedAndThatIsSaid) {
  for (const char key : {'x', 'X', 'a', 'z', 'o', 'T'}) {
    Picture picture(sample_machine(1));
    picture.type(std::string(1, key));
    EXPECT_THAT(picture.text(), HasSubstr("This view looks at the GPUs itself, and no daemon is asked.")) << key;
  }
}

TEST(KeysTest, ARoleThatDoesNotSufficeIsToldSoBeforeAnythingIsAsked) {
  Picture picture(sample_machine(1));
  picture.take(of_daemon(picture, May::look));
  picture.type("x");
  EXPECT_THAT(picture.text(), HasSubstr("The daemon lets this user only look."));
  picture.press(Code::escape);
  picture.take(of_daemon(picture, May::operate));
  picture.type("T");
  EXPECT_THAT(picture.text(), HasSubstr("That takes an admin (docs/security.md)."));
}

TEST(KeysTest, AThresholdIsTypedWithinItsBoundsAndConfirmed) {
  Picture picture(sample_machine(1));
  picture.take(of_daemon(picture, May::all));
  picture.type("T900");
  picture.press(Code::enter);
  EXPECT_FALSE(picture.ui.dialog->confirming);  // no GPU gets so hot
  picture.press(Code::backspace);
  picture.press(Code::enter);
  EXPECT_THAT(picture.text(), HasSubstr("set it to 90 °C"));
  const auto deed = picture.type("y").deed;
  ASSERT_TRUE(deed);
  EXPECT_EQ(deed->method, "PATCH");
  EXPECT_EQ(deed->target, "/api/v1/config");
  EXPECT_EQ(deed->body, R"({"temp_throttle": 90})");
  EXPECT_EQ(deed->done, "temp_throttle is 90 °C now");
}

TEST(KeysTest, AnAlertIsTakenCareOfAndSilenced) {
  Snapshot snapshot = sample_machine(1);
  auto alerts = std::make_shared<AlertList>();
  alerts->push_back(sample_alert());
  snapshot.alerts = alerts;
  Picture picture(std::move(snapshot));
  picture.take(of_daemon(picture, May::operate));
  picture.type("3a");
  picture.press(Code::down);
  picture.press(Code::enter);
  const auto care = picture.type("y").deed;
  ASSERT_TRUE(care);
  EXPECT_EQ(care->target, "/api/v1/alerts/7/ack");
  EXPECT_EQ(care->body, R"({"for": "2h"})");
  picture.type("z");
  picture.press(Code::enter);
  const auto silence = picture.type("y").deed;
  ASSERT_TRUE(silence);
  EXPECT_EQ(silence->target, "/api/v1/silences");
  EXPECT_EQ(silence->body, R"({"rule":"thermal","for":"1h","device":"GPU-00"})");
}

TEST(KeysTest, ALeaseIsGivenBackAndTakenAway) {
  Picture picture(sample_machine(1));
  News news = of_daemon(picture, May::all);
  const auto book = parse_lease_book(
      R"({"leases": [{"id": "7", "service": "embedding", "state": "held", "index": 0, "min_bytes": 1073741824}]})");
  ASSERT_TRUE(book);
  news.leases = std::make_shared<const LeaseBook>(*book);
  picture.take(std::move(news));
  picture.type("2x");
  EXPECT_THAT(picture.text(), HasSubstr("lease 7 of embedding: 1.0 GiB on GPU 0"));
  const auto back = picture.type("y").deed;
  ASSERT_TRUE(back);
  EXPECT_EQ(back->method + " " + back->target, "DELETE /api/v1/leases/7");
  const auto away = picture.type("Xy").deed;
  ASSERT_TRUE(away);
  EXPECT_EQ(away->method + " " + away->target, "POST /api/v1/leases/7/revoke");
}

TEST(KeysTest, OptimizeAsksForTheChosenGpu) {
  Picture picture(sample_machine(2));
  picture.take(of_daemon(picture, May::all));
  picture.press(Code::right);
  const auto deed = picture.type("oy").deed;
  ASSERT_TRUE(deed);
  EXPECT_EQ(deed->target, "/api/v1/reclaim");
  EXPECT_EQ(deed->body, R"({"device":"GPU-01"})");
}

TEST(KeysTest, AClickChoosesGpusTabsRowsAndOrders) {
  Picture picture(sample_machine(8));
  const auto click = [&](std::string_view text) {
    const Frame shown = picture.frame();
    const std::string all = shown.canvas.text();
    const auto at = all.find(text);
    ASSERT_NE(at, std::string::npos) << text;
    const auto row =
        static_cast<std::size_t>(std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    const std::string line = all.substr(all.rfind('\n', at) + 1, at - all.rfind('\n', at) - 1);
    press({.code = Code::click, .x = display_width(line), .y = row}, picture.model, picture.ui, picture.preferences,
          shown);
  };
  click(" 5 H200");
  EXPECT_EQ(picture.ui.gpu, 5u);
  click("PID");
  EXPECT_EQ(picture.preferences.order, ProcessOrder::pid);
  click("vllm");
  EXPECT_EQ(picture.ui.process->second, 4002);
  click("alerts");
  EXPECT_EQ(picture.preferences.pane, Pane::alerts);
}

TEST(KeysTest, ChartsAreOfOneMinuteToADay) {
  Picture picture(sample_machine(1));
  picture.type("c");
  for (int i = 0; i < 9; ++i) picture.type("+");
  EXPECT_EQ(picture.preferences.range, 24h);
  for (int i = 0; i < 9; ++i) picture.type("-");
  EXPECT_EQ(picture.preferences.range, 60s);
}

TEST(KeysTest, HelpNamesEveryKeyAndClosesWithAnyOther) {
  Picture picture(sample_machine(1));
  picture.height = 50;
  picture.type("?");
  for (const auto* word : {"search", "filter", "tree", "signal", "optimize", "silence", "charts", "ASCII", "paused"}) {
    EXPECT_THAT(picture.text(), HasSubstr(word));
  }
  picture.type("x");
  EXPECT_FALSE(picture.ui.help);
  EXPECT_FALSE(picture.ui.dialog);
}

TEST(KeysTest, NoKeyHarmsOnAnyScreenWhateverThereIs) {
  for (const std::uint32_t gpus : {0u, 1u, 9u}) {
    Picture picture(sample_machine(gpus));
    std::uint32_t seed = 1;
    for (int i = 0; i < 600; ++i) {
      seed = seed * 1664525 + 1013904223;
      const auto value = seed >> 16;
      if (value % 3 == 0) {
        picture.press(static_cast<Code>(value / 3 % 18));
      } else {
        picture.press(Code::character, static_cast<char32_t>(32 + value / 3 % 95));
      }
    }
    EXPECT_FALSE(picture.text().empty());
  }
}

}  // namespace
}  // namespace gpukeeper::top
