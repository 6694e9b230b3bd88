#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "sample.hpp"

namespace gpukeeper::top {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ViewTest, OneGpuOnASmallTerminalIsABlockOverItsProcesses) {
  Picture picture(sample_machine(1));
  EXPECT_EQ(picture.text(), R"( ● gpukeeper · node1 · lamp green                     live  2026-05-28 20:26:40
▶● 0 NVIDIA H200  optimal
   use    ████████████▌░░░░░░░░░░░░ 50%                                     ▅
   memory ████████████▌░░░░░░░░░░░░ 70.0/140.0 GiB                          ▅
   power  ████████████▌░░░░░░░░░░░░ 350/700 W  1980 MHz                     ▅
   heat   ████████████▌░░░░░░░╎░┃░░ 60°C                                    ▅
─▶1 processes 2  2 leases  3 alerts 0  4 why  5 charts ─────────────────────────
 GPU        PID user        memory▾  SM % CPU %  since command
 0         4002 bob        50.0 GiB    40   100    2 h vllm serve llama
 0         4001 mara       20.0 GiB    40   100    2 h python3 train.py --epoch…













 q quit  ? help  ← → GPU  g details  s sort  / search  f filter  t tree  k sign…
)");
}

TEST(ViewTest, EverySizeAndNumberOfGpusFillsTheScreenAndNotMore) {
  for (const auto& [width, height] :
       {std::pair<std::size_t, std::size_t>{80, 24}, {200, 50}, {300, 100}, {40, 8}, {47, 13}, {120, 30}}) {
    for (const std::uint32_t gpus : {0u, 1u, 2u, 8u, 64u}) {
      for (const Pane pane : {Pane::processes, Pane::leases, Pane::alerts, Pane::why, Pane::charts}) {
        Picture picture(sample_machine(gpus));
        picture.width = width;
        picture.height = height;
        picture.preferences.pane = pane;
        const std::string text = picture.text();
        const auto rows = lines(text);
        ASSERT_EQ(rows.size(), height);
        for (const auto row : rows)
          ASSERT_LE(display_width(row), width) << width << "x" << height << ", " << gpus << " GPUs:\n" << text;
        EXPECT_THAT(std::string(rows.front()), HasSubstr("gpukeeper"));
        EXPECT_FALSE(rows.back().empty());
      }
    }
  }
}

TEST(ViewTest, SixtyFourGpusStandInColumnsWhereOneWouldNotDo) {
  Picture picture(sample_machine(64));
  picture.width = 300;
  picture.height = 100;
  const std::string text = picture.text();
  for (int i = 0; i < 64; ++i) EXPECT_THAT(text, HasSubstr(fmt::format("● {} ", i))) << i;
}

TEST(ViewTest, OfManyGpusOnASmallTerminalTheChosenOneIsSeen) {
  Picture picture(sample_machine(64));
  EXPECT_EQ(picture.line_with("● 60"), "");
  for (int i = 0; i < 60; ++i) picture.press(Key::Code::right);
  EXPECT_THAT(picture.line_with("● 60"), HasSubstr("▶● 60"));
}

TEST(ViewTest, WhatIsAbsentIsADashAndNeverZero) {
  Snapshot snapshot = sample_machine(1);
  Reading nothing{Missing::not_supported};
  snapshot.devices[0].reading = nothing;
  Picture picture(std::move(snapshot));
  EXPECT_THAT(picture.line_with("use "), HasSubstr(" –"));
  EXPECT_THAT(picture.line_with("power "), HasSubstr(" –"));
  EXPECT_THAT(picture.line_with("use "), Not(HasSubstr("0%")));
}

TEST(ViewTest, AGpuThatIsLostSaysWhyWhereItsFiguresWere) {
  Snapshot snapshot = sample_machine(8);
  snapshot.devices[3].available = false;
  snapshot.devices[3].state = State::unavailable;
  snapshot.devices[3].reading = Reading{Missing::failed};
  snapshot.devices[3].reason = "it has fallen off the bus";
  Picture picture(std::move(snapshot));
  EXPECT_EQ(picture.line_with("fallen"), " ○ 3 H200   unavaila… it has fallen off the bus");
}

TEST(ViewTest, SimulatedDevicesAreLabelledOnEveryScreen) {
  Snapshot snapshot = sample_machine(2);
  for (DeviceSnapshot& d : snapshot.devices) {
    auto device = std::make_shared<Device>(*d.device);
    device->simulated = true;
    d.device = device;
  }
  Picture picture(std::move(snapshot));
  for (const Screen screen : {Screen::overview, Screen::gpu, Screen::process}) {
    picture.ui.screen = screen;
    EXPECT_THAT(picture.text(), HasSubstr("simulated"));
  }
}

TEST(ViewTest, MemoryIsDividedIntoLeasesWhatIsUsedWithoutOneAndPromises) {
  Snapshot snapshot = sample_machine(1);
  Booked booked;
  BookedDevice account{.id = {"GPU-00"}};
  account.unmanaged = Bytes(35ull << 30);  // a quarter of all; a quarter is leases', of which half as much is promised
  account.charged = Bytes(70ull << 30);
  account.leases = 2;
  booked.devices.push_back(account);
  snapshot.booked = std::make_shared<const Booked>(booked);
  Picture picture(std::move(snapshot));
  EXPECT_THAT(picture.line_with("memory "), HasSubstr("██████▓▓▓▓▓▓▓▒▒▒▒▒▒░░░░░░ 70.0/140.0 GiB  2 leased"));
}

TEST(ViewTest, WithoutUtf8EverySignIsOneOfAscii) {
  Snapshot snapshot = sample_machine(8);
  snapshot.devices[1].state = State::throttled;
  auto alerts = std::make_shared<AlertList>();
  alerts->push_back(sample_alert());
  snapshot.alerts = alerts;
  Picture picture(std::move(snapshot));
  picture.preferences.ascii = true;
  for (const Pane pane : {Pane::processes, Pane::leases, Pane::alerts, Pane::why, Pane::charts}) {
    picture.preferences.pane = pane;
    const std::string text = picture.text();
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); })) << text;
    EXPECT_THAT(text, Not(HasSubstr("?G")));
  }
  EXPECT_THAT(picture.line_with(" 1 H200"), HasSubstr(" ! 1 H200"));
}

TEST(ViewTest, HostileNamesAndCommandsReachTheScreenHarmless) {
  Snapshot snapshot = sample_machine(1);
  auto device = std::make_shared<Device>(*snapshot.devices[0].device);
  device->name = "evil\x1b[2J\ngpu\xff";
  snapshot.devices[0].device = device;
  snapshot.devices[0].processes = std::make_shared<const std::vector<GpuProcess>>(
      std::vector{sample_process(1, 1, "\x1b]0;owned\a", std::string("a\nb\x9b") + std::string(5000, 'x'))});
  Picture picture(std::move(snapshot));
  for (const Screen screen : {Screen::overview, Screen::gpu, Screen::process}) {
    picture.ui.screen = screen;
    picture.ui.process = {"GPU-00", 1};
    const std::string text = picture.text();
    EXPECT_EQ(lines(text).size(), 24u);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\a")));
  }
}

TEST(ViewTest, APictureThatIsOldSaysHowOldItIs) {
  Picture picture(sample_machine(1));
  picture.model.look_at(MonotonicTime(), kNow + 42s, 0s);
  EXPECT_THAT(draw({picture.model, picture.ui, picture.preferences}, 80, 24).canvas.text(), HasSubstr("42 s old"));
}

TEST(ViewTest, TroubleWithTheDaemonStandsAtTheFoot) {
  Picture picture(sample_machine(1));
  News news = picture.model.news();
  news.trouble = "the gpukeeper daemon at /run/gpukeeper/gpukeeper.sock does not answer";
  picture.take(std::move(news));
  EXPECT_THAT(picture.text(), HasSubstr("\n the gpukeeper daemon at /run/gpukeeper/gpukeeper.sock does not answer\n"));
}

TEST(ViewTest, ARecordingSaysWhereItStands) {
  Picture picture(sample_machine(1));
  News news = picture.model.news();
  news.way = Way::replay;
  news.playing = Playing{.begin = kNow - 90s, .end = kNow + 1h, .at = kNow, .speed = 10};
  picture.take(news);
  EXPECT_THAT(picture.text(), HasSubstr("▶ 10×  1:30 of 1:01:30"));
  news.playing->paused = true;
  picture.take(news);
  EXPECT_THAT(picture.text(), HasSubstr("paused  1:30 of 1:01:30"));
}

TEST(ViewTest, ATerminalThatIsTooSmallIsToldSo) {
  Picture picture(sample_machine(1));
  picture.width = 70;
  picture.height = 5;
  EXPECT_THAT(picture.text(), HasSubstr("This needs 40 columns and 8 rows; here are 70 and 5."));
}

TEST(ViewTest, AlertsStandWithWhatToDoAboutThem) {
  Snapshot snapshot = sample_machine(1);
  auto alerts = std::make_shared<AlertList>();
  alerts->push_back(sample_alert());
  snapshot.alerts = alerts;
  Picture picture(std::move(snapshot));
  picture.preferences.pane = Pane::alerts;
  EXPECT_EQ(picture.line_with("91"), " ■ critical GPU 0    5 min  GPU 0 is at 91 °C.");
  EXPECT_EQ(picture.line_with("fans."), " → Look at its fans.");
}

TEST(ViewTest, LeasesStandWithWhoWaits) {
  Picture picture(sample_machine(1));
  News news = picture.model.news();
  const auto book = parse_lease_book(R"({"leases": [
    {"id": "9", "service": "late", "state": "waiting", "min_bytes": 4294967296, "user": "bob"},
    {"id": "7", "service": "embedding", "state": "held", "device": "GPU-00", "index": 0, "min_bytes": 1073741824,
     "max_bytes": 2147483648, "observed_bytes": 536870912, "user": "mara", "created": "2026-05-28T20:21:40Z"}],
    "waiting": ["9"]})");
  ASSERT_TRUE(book);
  news.leases = std::make_shared<const LeaseBook>(*book);
  picture.take(std::move(news));
  picture.preferences.pane = Pane::leases;
  EXPECT_THAT(picture.line_with("embedding"), HasSubstr("7 0     embedding"));
  EXPECT_THAT(picture.line_with("embedding"), HasSubstr("1.0 GiB-2.0 GiB   512 MiB mara"));
  EXPECT_THAT(picture.text(), HasSubstr("2 leases 2"));
  EXPECT_THAT(picture.text(), HasSubstr(" 1 waiting "));
  EXPECT_LT(picture.text().find("embedding"), picture.text().find("late"));
}

TEST(ViewTest, TheGpuScreenTellsFactsWithReasonsForWhatIsAbsent) {
  Picture picture(sample_machine(1));
  picture.height = 40;
  picture.ui.screen = Screen::gpu;
  EXPECT_THAT(picture.line_with("fan "), HasSubstr("– not reported by this device"));
  EXPECT_THAT(picture.text(), HasSubstr("GPU-00"));
}

TEST(ViewTest, ChartsShowTheirThresholdsAndTimesOnScalesThatCanBeCompared) {
  Picture picture(sample_machine(1));
  News news = picture.model.news();
  HistoryView view{.from = kNow - 300s, .to = kNow, .step = 3s};
  view.devices.push_back({.index = "0", .id = "GPU-00"});
  HistoryBucket bucket{.count = 3, .min = 59, .avg = 60, .max = 61, .last = 60};
  view.devices[0].metrics.push_back(
      {"temperature_celsius", "celsius", std::vector<std::optional<HistoryBucket>>(100, bucket)});
  view.devices[0].metrics[0].buckets[50].reset();
  news.past = std::make_shared<const HistoryView>(view);
  picture.take(std::move(news));
  picture.height = 30;
  picture.preferences.pane = Pane::charts;
  const std::string text = picture.text();
  EXPECT_THAT(text, HasSubstr(" temperature  60 °C  from 59 to 61, 60 on average"));
  EXPECT_THAT(text, HasSubstr("   100 ┤"));
  EXPECT_THAT(text, HasSubstr("· · · · ·"));  // where work slows down
  EXPECT_THAT(text, HasSubstr("20:22:00"));   // when
  EXPECT_THAT(text, HasSubstr("GPU 0 · 5 min"));
}

TEST(ViewTest, AlertsThatAreForTheRecordAreNotCounted) {
  Snapshot snapshot = sample_machine(1);
  auto alerts = std::make_shared<AlertList>();
  alerts->push_back(sample_alert());
  alerts->push_back(sample_alert());
  alerts->back().level = AlertLevel::info;
  snapshot.alerts = alerts;
  Picture picture(std::move(snapshot));
  EXPECT_THAT(picture.text(), HasSubstr("3 alerts 1"));
}

TEST(ViewTest, ParentsOfAProcessStandWithTheirNames) {
  Snapshot snapshot = sample_machine(1);
  auto processes = *snapshot.devices[0].processes;
  auto facts = std::make_shared<ProcessFacts>(*processes[0].facts);
  facts->forebears = {77, 1};
  processes[0].facts = facts;
  snapshot.devices[0].processes = std::make_shared<const std::vector<GpuProcess>>(processes);
  Picture picture(std::move(snapshot));
  News news = picture.model.news();
  news.names = {{77, "bash\x1b"}};
  picture.take(std::move(news));
  picture.ui.screen = Screen::process;
  picture.ui.process = {"GPU-00", 4001};
  EXPECT_THAT(picture.line_with("parents"), HasSubstr("bash? 77 ← 1"));
}

TEST(ViewTest, TheProcessScreenSaysWhenItsProcessIsGone) {
  Picture picture(sample_machine(1));
  picture.ui.screen = Screen::process;
  picture.ui.process = {"GPU-00", 4001};
  EXPECT_THAT(picture.text(), HasSubstr("python3 train.py --epochs 3"));
  Snapshot later = sample_machine(1);
  later.devices[0].processes = std::make_shared<const std::vector<GpuProcess>>();
  picture.show(std::move(later));
  EXPECT_THAT(picture.text(), HasSubstr("Process 4001 is gone."));
}

}  // namespace
}  // namespace gpukeeper::top
