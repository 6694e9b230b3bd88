#include "cli/status_table.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A page as it stands in the source: without the line end that opens it.
std::string text(std::string_view page) {
  return std::string(page.substr(1));
}

RenderOptions page(std::size_t width) {
  RenderOptions options;
  options.width = width;
  options.now = kThen + std::chrono::milliseconds(300);
  return options;
}

std::string rendered(const Snapshot& snapshot, std::size_t width = 80) {
  return render_status(snapshot, {}, page(width));
}

TEST(StatusTableTest, EightyColumnsHoldWhatMatters) {
  EXPECT_EQ(rendered(four_gpus(), 80), text(R"(
gpukeeper · gpu-box · 4 GPUs: 1 critical, 1 unavailable, 1 asleep, 1 optimal

GPU  NAME            TEMP  FAN  UTIL    MEM GiB       POWER W   MHz  SLOWED BY
● 0  H100 80GB HBM3  64°C  45%   97%  60.5/79.6  76%  612/700  1980
■ 1  H100 80GB HBM3  83°C  45%   97%  77.1/79.6  97%  612/700  1980  power cap
◌ 2  Radeon RX 9070     -    -     -          -    -        -     -  -
     asleep (runtime-suspended); it is not woken to be looked at
○ 3  H100 80GB HBM3     -    -     -          -    -        -     -  -
     driver did not answer

GPU   PID  TYPE     UTIL    MEMORY  PROCESS
  0  5000  compute     -  48.8 GiB  vllm
  0  4242  compute     -  11.7 GiB  python3
)"));
}

TEST(StatusTableTest, SixtyColumnsGiveUpTheLesserOnes) {
  EXPECT_EQ(rendered(four_gpus(), 60), text(R"(
gpukeeper · gpu-box · 4 GPUs: 1 critical, 1 unavailable, 1…

GPU  NAME            TEMP  UTIL    MEM GiB  SLOWED BY
● 0  H100 80GB HBM3  64°C   97%  60.5/79.6
■ 1  H100 80GB HBM3  83°C   97%  77.1/79.6  power cap
◌ 2  Radeon RX 9070     -     -          -  -
     asleep (runtime-suspended); it is not woken to be
     looked at
○ 3  H100 80GB HBM3     -     -          -  -
     driver did not answer

GPU   PID  TYPE     UTIL    MEMORY  PROCESS
  0  5000  compute     -  48.8 GiB  vllm
  0  4242  compute     -  11.7 GiB  python3
)"));
}

Snapshot booked_gpus() {
  Snapshot snapshot = four_gpus();
  Booked book;
  book.devices = {{.id = DeviceId{"GPU-aaaa"}, .available = from_mib(7'168), .ours = {}, .foreign = {}},
                  {.id = DeviceId{"GPU-bbbb"}, .available = from_mib(512), .ours = {}, .foreign = {}},
                  {.id = DeviceId{"GPU-dddd"}, .available = missing(Missing::failed), .ours = {}, .foreign = {}}};
  book.devices[0].booked = from_mib(51'200);
  book.devices[0].leases = 2;
  snapshot.booked = std::make_shared<const Booked>(std::move(book));
  return snapshot;
}

TEST(StatusTableTest, WhatIsBookedAndWhatMayBeStandsBesideTheMemoryInGib) {
  EXPECT_THAT(rendered(booked_gpus(), 80), HasSubstr(text(R"(
GPU  NAME            TEMP  UTIL    MEM GiB  BOOKED  TO BOOK  POWER W  SLOWED BY
● 0  H100 80GB HBM3  64°C   97%  60.5/79.6    50.0      7.0  612/700
■ 1  H100 80GB HBM3  83°C   97%  77.1/79.6     0.0      0.5  612/700  power cap
◌ 2  Radeon RX 9070     -     -          -                         -  -
     asleep (runtime-suspended); it is not woken to be looked at
○ 3  H100 80GB HBM3     -     -          -     0.0        -        -  -
)")));
}

TEST(StatusTableTest, NothingIsSaidOfABookWithoutLeases) {
  Snapshot snapshot = booked_gpus();
  Booked book = *snapshot.booked;
  book.devices[0].booked = Bytes(0);
  book.devices[0].leases = 0;
  snapshot.booked = std::make_shared<const Booked>(book);
  EXPECT_EQ(rendered(snapshot), rendered(four_gpus()));
  book.closed = "the ledger cannot be written: No space left on device";
  snapshot.booked = std::make_shared<const Booked>(book);
  EXPECT_THAT(rendered(snapshot, 120),
              HasSubstr("\nNo memory is granted now: the ledger cannot be written: No space left on device\n"));
}

TEST(StatusTableTest, AdviceThatTheStateDoesNotSayStandsBelowTheRow) {
  Snapshot snapshot = machine({device(0, facts("GPU-a", "H100", "0000:01:00.0"), busy())});
  snapshot.devices[0].throttling = {.state = State::optimal,
                                    .speed_multiplier = 0,
                                    .requests = {{.cause = ThrottleCause::thermal,
                                                  .multiplier = 0,
                                                  .reason = "64 °C; pausing for 60 s since it was critical"}}};
  EXPECT_THAT(rendered(snapshot, 80),
              HasSubstr("\n     work should pause: 64 °C; pausing for 60 s since it was critical\n"));
  snapshot.devices[0].state = State::critical;
  EXPECT_THAT(rendered(snapshot, 80), Not(HasSubstr("work should pause"))) << "the row says it";
}

TEST(StatusTableTest, AWideTerminalShowsBarsAndMore) {
  EXPECT_EQ(rendered(split_gpu(), 120), text(R"(
gpukeeper · gpu-box · 1 GPU: optimal                                                                 2026-05-28 20:26:40

GPU    NAME                        STATE    TEMP  FAN  UTIL    MEM GiB                   POWER W   MHz  PROCS
● 0    A100-SXM4-80GB              optimal  64°C  45%     -  60.5/79.6  76%  ━━━━━━━╸──  612/700  1980      1
● 0:0  └ 3g.40gb (GPU instance 1)  optimal     -    -     -   1.0/39.2   2%  ──────────        -     -      0
● 0:1  └ 3g.40gb (GPU instance 2)  optimal     -    -     -   2.0/39.2   5%  ╸─────────        -     -      1

GPU    PID  TYPE     UTIL   MEMORY  PROCESS
  0:1   77  compute     -  900 MiB  trainer
)"));
}

TEST(StatusTableTest, TwoHundredColumnsShowNamesInFull) {
  EXPECT_THAT(rendered(four_gpus(), 200),
              AllOf(HasSubstr("NVIDIA H100 80GB HBM3"), HasSubstr("Navi 48 [Radeon RX 9070]"), HasSubstr("unavailable"),
                    HasSubstr("0000:02:00.0")));
}

TEST(StatusTableTest, MadeUpDevicesSaySoOnEveryLineOfTheirs) {
  Snapshot snapshot = simulated_gpu();
  snapshot.devices[0].reason =
      "the last reading failed: a sentence that is long enough to need a second line of the page";
  snapshot.devices[0].processes_reason = "not known";
  for (const std::size_t width : {60u, 80u, 120u, 200u}) {
    const std::string shown = rendered(snapshot, width);
    const auto all = lines(shown);
    for (std::size_t i = 2; i < all.size(); ++i) {  // below the title
      if (all[i].empty() || all[i].starts_with("GPU")) continue;
      EXPECT_THAT(std::string(all[i]), HasSubstr("simulated")) << width;
    }
  }
  Device recorded = facts("GPU-r", "NVIDIA H100", "0000:01:00.0");
  recorded.recorded = true;
  EXPECT_THAT(rendered(machine({device(0, recorded, busy())})), HasSubstr("recorded"));
}

TEST(StatusTableTest, TheNarrowestPageStillSaysWhatIsMadeUp) {
  const std::string shown = rendered(simulated_gpu(), 22);
  EXPECT_THAT(shown, AllOf(HasSubstr("  simulated"), Not(HasSubstr("……"))));
}

TEST(StatusTableTest, WithoutUtf8AllIsAscii) {
  RenderOptions options = page(120);
  options.utf8 = false;
  EXPECT_EQ(render_status(split_gpu(), {}, options), text(R"(
gpukeeper - gpu-box - 1 GPU: optimal                                                                 2026-05-28 20:26:40

GPU    NAME                        STATE    TEMP  FAN  UTIL    MEM GiB                   POWER W   MHz  PROCS
* 0    A100-SXM4-80GB              optimal   64C  45%     -  60.5/79.6  76%  ========--  612/700  1980      1
* 0:0  - 3g.40gb (GPU instance 1)  optimal     -    -     -   1.0/39.2   2%  ----------        -     -      0
* 0:1  - 3g.40gb (GPU instance 2)  optimal     -    -     -   2.0/39.2   5%  =---------        -     -      1

GPU    PID  TYPE     UTIL   MEMORY  PROCESS
  0:1   77  compute     -  900 MiB  trainer
)"));
}

TEST(StatusTableTest, NoLineIsEverWiderThanThePage) {
  Snapshot nasty = four_gpus();
  auto odd =
      device(4, facts("GPU-eeee", "深度学习 🚀 Beschleuniger mit einem sehr langen Namen", "0000:05:00.0"), busy());
  set_processes(odd, {process(4'194'304, "画像処理プロセス-with-a-long-name-🚀🚀🚀", 1)});
  odd.reason = "eine_sehr_lange_Begründung_ohne_ein_einziges_Leerzeichen_darin_das_zum_Umbruch_taugte_深度学习深度学习";
  nasty.devices.push_back(odd);
  nasty.sources[0].message =
      "a message that goes on and on, longer than any terminal that one would like to read it on";
  for (const Snapshot& snapshot : {nasty, split_gpu(), simulated_gpu(), machine({})}) {
    for (std::size_t width = 20; width <= 240; ++width) {
      const std::string shown = rendered(snapshot, width);
      for (const auto line : lines(shown)) EXPECT_LE(display_width(line), width) << line;
    }
  }
}

TEST(StatusTableTest, NamesCannotWriteToTheTerminal) {
  auto d = device(0, facts("GPU-a", "evil\x1b[2Jname", "0000:01:00.0"), busy());
  set_processes(d, {process(1, "\x1b]0;owned\x07", 1)});
  d.reason = "bad\rreason";
  EXPECT_THAT(rendered(machine({d})),
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r")), HasSubstr("evil?[2Jname"), HasSubstr("?]0;owned?")));
}

TEST(StatusTableTest, ColourIsNeverTheOnlySign) {
  RenderOptions coloured = page(80);
  coloured.colour = true;
  std::string shown = render_status(four_gpus(), {}, coloured);
  EXPECT_THAT(shown, HasSubstr("\x1b[32m●\x1b[0m"));
  EXPECT_THAT(shown, HasSubstr("\x1b[1;31m■\x1b[0m"));
  for (auto at = shown.find('\x1b'); at != std::string::npos; at = shown.find('\x1b')) {
    shown.erase(at, shown.find('m', at) - at + 1);
  }
  EXPECT_EQ(shown, rendered(four_gpus(), 80));
}

TEST(StatusTableTest, WhatIsHotIsColouredByTheThresholdsThatHoldForTheGpu) {
  auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
  d.reading.temperature = Celsius(62);
  d.reading.memory_used = from_mib(6'000);
  d.reading.memory_total = from_mib(10'000);
  RenderOptions coloured = page(80);
  coloured.colour = true;
  const std::string usual = render_status(machine({d}), {}, coloured);
  EXPECT_THAT(usual, AllOf(Not(HasSubstr("m62°C")), Not(HasSubstr("m60%"))));
  d.throttling.thresholds.temp_normal = Celsius(55);
  d.throttling.thresholds.temp_throttle = Celsius(60);
  d.throttling.thresholds.memory_normal = Percent(50);
  const std::string set = render_status(machine({d}), {}, coloured);
  EXPECT_THAT(set, AllOf(HasSubstr("\x1b[1;31m62°C"), HasSubstr("\x1b[33m60%")));
}

TEST(StatusTableTest, AlertsThatTakeTwoLinesAreCountedOnce) {
  Snapshot snapshot = machine({device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy())});
  Alert alert{.id = "1", .rule = "thermal"};
  alert.phase = AlertPhase::firing;
  alert.level = AlertLevel::warning;
  alert.message = "GPU 0 is somewhat hotter than it was meant to be when it was built and installed";
  snapshot.alerts = std::make_shared<const AlertList>(AlertList{alert});
  EXPECT_THAT(rendered(snapshot),
              HasSubstr("\n1 warning: GPU 0 is somewhat hotter than it was meant to be when it was built\n"
                        "           and installed (gpukeeper alerts says what to do)\n"));
}

TEST(StatusTableTest, ALowScreenShortensTheProcessesFirst) {
  auto d = device(0, facts("GPU-a", "A100", "0000:01:00.0"), busy());
  std::vector<GpuProcess> many;
  for (int i = 1; i <= 30; ++i) many.push_back(process(i, "worker", 100));
  set_processes(d, many);
  RenderOptions options = page(80);
  options.height = 10;
  const std::string shown = render_status(machine({d}), {}, options);
  EXPECT_EQ(lines(shown).size(), 10u);
  EXPECT_THAT(shown, AllOf(HasSubstr("● 0"), HasSubstr("  … 27 more\n")));
  options.height = 3;
  EXPECT_EQ(lines(render_status(machine({d}), {}, options)).size(), 3u);
}

TEST(StatusTableTest, OnALowScreenAGpuWithManyProcessesHidesNoOthers) {
  std::vector<DeviceSnapshot> devices;
  for (std::uint32_t gpu = 0; gpu < 3; ++gpu) {
    auto d = device(gpu, facts(fmt::format("GPU-{}", gpu), "A100", fmt::format("0000:0{}:00.0", gpu + 1)), busy());
    std::vector<GpuProcess> own;
    const std::uint32_t count = gpu == 1 ? 1 : 30;
    for (std::uint32_t i = 1; i <= count; ++i) own.push_back(process(100 * gpu + i, "worker", 100 + i));
    set_processes(d, own);
    devices.push_back(d);
  }
  RenderOptions options = page(80);
  options.height = 13;
  const std::string shown = render_status(machine(devices), {}, options);
  EXPECT_EQ(lines(shown).size(), 13u);
  EXPECT_THAT(shown, AllOf(HasSubstr("  0   30  compute"), HasSubstr("  0   29  compute"), HasSubstr("  1  101  "),
                           HasSubstr("  2  230  "), HasSubstr("  … 57 more\n")));
}

TEST(StatusTableTest, AFanThatTellsOnlyItsSpeedIsShownWithIt) {
  Reading r = busy();
  r.fan = missing(Missing::not_supported);
  r.fan_speed = Rpm(1395);
  const std::string shown = rendered(machine({device(0, facts("AMD-a", "Radeon", "0000:01:00.0", Vendor::amd), r)}));
  EXPECT_THAT(shown, AllOf(HasSubstr("FAN"), HasSubstr("1395rpm")));
}

TEST(StatusTableTest, PagesInARowDoNotJump) {
  RenderOptions options = page(100);
  options.steady = true;
  Snapshot calm = simulated_gpu();
  Snapshot later = calm;
  Reading& r = later.devices[0].reading;
  r.memory_used = from_mib(400);
  r.power = Watts(45);
  r.throttle_reasons = ThrottleReasons(Throttle::software_power_cap);
  const auto heads = [&](const Snapshot& snapshot) {
    const std::string shown = render_status(snapshot, {}, options);
    return std::string(lines(shown).at(2));
  };
  EXPECT_EQ(heads(calm), heads(later));
}

TEST(StatusTableTest, WhatEndangersDataIsSaidBelowTheDevice) {
  Reading r = busy();
  r.remapped_rows_failed = true;
  r.ecc_uncorrected_volatile = Count(3);
  r.xid_last = Count(79);
  EXPECT_THAT(rendered(machine({device(0, facts("GPU-a", "A", "0000:01:00.0"), r)})),
              AllOf(HasSubstr("     a memory row could not be remapped: the board needs service\n"),
                    HasSubstr("     3 uncorrected memory errors since the driver was loaded\n"),
                    HasSubstr("     the driver reported XID 79\n")));
}

TEST(StatusTableTest, TheDoctorIsNamedForThisMachinesGpusOnly) {
  Reading r = busy();
  r.power = missing(Missing::not_permitted);
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), r);
  EXPECT_THAT(rendered(machine({d})), HasSubstr("this user may not read 1 of its values: gpukeeper doctor says how\n"));
  auto made_up = simulated_gpu();
  made_up.devices[0].reading.power = missing(Missing::not_permitted);
  EXPECT_THAT(rendered(made_up),
              AllOf(HasSubstr("simulated: 1 of its values may not be read"), Not(HasSubstr("doctor"))));
}

TEST(StatusTableTest, AnOldReadingSaysItsAge) {
  RenderOptions options = page(80);
  options.now = kThen + std::chrono::seconds(42);
  EXPECT_THAT(render_status(split_gpu(), {}, options), HasSubstr("this reading is 42 s old"));
}

TEST(StatusTableTest, ProcessesThatAreNotKnownAreNotNone) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  EXPECT_THAT(rendered(machine({d})), HasSubstr("No process uses a GPU."));
  d.processes_reason = "nvidia-smi does not list them here";
  EXPECT_THAT(rendered(machine({d})),
              AllOf(Not(HasSubstr("No process")), HasSubstr("\nGPU 0: nvidia-smi does not list them here\n")));
}

TEST(StatusTableTest, NothingFoundSaysWhatWasLookedForAndWhatToDo) {
  const Finding findings[] = {{"NVIDIA", "libnvidia-ml.so.1 cannot be loaded.", "sudo apt install libnvidia-ml1"},
                              {"AMD", "No card of the driver amdgpu is in /sys/class/drm.", ""}};
  EXPECT_EQ(render_status(machine({}), findings, page(60)), text(R"(
No GPU was found.

  NVIDIA
    libnvidia-ml.so.1 cannot be loaded.
    sudo apt install libnvidia-ml1

  AMD
    No card of the driver amdgpu is in /sys/class/drm.

gpukeeper doctor looks closer.
)"));
  EXPECT_EQ(render_status(machine({}), {}, page(60)), text(R"(
No GPU was found.

  nvml: it lists no device

gpukeeper doctor looks closer.
)"));
}

}  // namespace
}  // namespace gpukeeper::cli
