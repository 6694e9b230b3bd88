#include "backend/replay/replay.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "backend/simulated/simulated_backend.hpp"
#include "contract/backend_contract.hpp"
#include "core/playback_clock.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/temporary_folder.hpp"
#include "recording/recorder.hpp"
#include "recording/writer.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using recording::Frame;
using recording::Offset;

const DeviceId kDevice{"GPU-a"};

Frame frame_at(Offset at, double watts) {
  Device device;
  device.id = kDevice;
  device.name = "NVIDIA Test";
  device.source = "nvml";
  Reading reading{Missing::not_supported};
  reading.power = Watts(watts);
  Frame frame{.at = at, .wall = WallTime(1'780'000'000s) + at};
  recording::SourceCalls source{.name = "nvml"};
  source.list.outcome = std::vector<Device>{device};
  source.devices[kDevice].reading.outcome = reading;
  source.devices[kDevice].processes.outcome = std::vector<GpuProcess>{{.pid = 5, .name = "train"}};
  frame.state.sources.push_back(std::move(source));
  frame.state.event_sources.push_back({.name = "nvml", .take = {.outcome = Result<void>()}});
  return frame;
}

recording::DeviceCalls& calls(Frame& frame) {
  return frame.state.sources[0].devices[kDevice];
}

class ReplayTest : public ::testing::Test {
 protected:
  void record(std::vector<Frame> frames) {
    auto writer = recording::Writer::create(path, {.force = true, .program = "test", .host = "machine"});
    ASSERT_TRUE(writer);
    for (Frame& frame : frames) ASSERT_TRUE(writer->add(std::move(frame)));
    ASSERT_TRUE(writer->close());
  }
  void open() {
    auto opened = Replay::open(path, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    replay = *opened;
    backend = Replay::backends(replay).at(0);
  }
  double watts() {
    const auto reading = backend->read(kDevice);
    return reading ? reading->power->value() : -1;
  }
  void advance(std::chrono::nanoseconds by) { clock->move_to(clock->now() + by); }

  const TemporaryFolder folder;
  const std::string path = (folder.path() / "r.gkr").string();
  const std::shared_ptr<PlaybackClock> clock =
      std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt);
  std::shared_ptr<Replay> replay;
  std::shared_ptr<Backend> backend;
};

TEST_F(ReplayTest, AnswersWhatWasAnsweredByThen) {
  record({frame_at(0ms, 1), frame_at(1s, 2), frame_at(3s, 3)});
  open();
  EXPECT_EQ(watts(), 1);
  advance(999ms);
  EXPECT_EQ(watts(), 1);
  advance(1ms);
  EXPECT_EQ(watts(), 2);
  advance(1s);
  EXPECT_EQ(watts(), 2);
  advance(1h);
  EXPECT_EQ(watts(), 3);
}

TEST_F(ReplayTest, ItsDevicesAreLabelledAndKeepTheirSource) {
  record({frame_at(0ms, 1)});
  open();
  const auto devices = backend->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_TRUE(devices->front().recorded);
  EXPECT_FALSE(devices->front().simulated);
  EXPECT_EQ(devices->front().source, "nvml");
  EXPECT_EQ(backend->name(), "nvml");
}

TEST_F(ReplayTest, KnowsItsTimes) {
  record({frame_at(0ms, 1), frame_at(1s, 2)});
  open();
  const auto begin = clock->now();
  EXPECT_EQ(replay->begin(), 0ms);
  EXPECT_EQ(replay->end(), 1s);
  EXPECT_EQ(replay->next_frame(), begin + 1s);
  EXPECT_EQ(replay->wall(), WallTime(1'780'000'000s));
  advance(1500ms);
  EXPECT_EQ(replay->next_frame(), std::nullopt);
  EXPECT_EQ(replay->wall(), WallTime(1'780'000'001'500ms));
}

TEST_F(ReplayTest, CanBeginInItsMidst) {
  record({frame_at(0ms, 1), frame_at(1s, 2), frame_at(2s, 3)});
  open();
  replay->play_from(1s);
  EXPECT_EQ(watts(), 2);
  EXPECT_EQ(replay->time_of(1s), clock->now());
  advance(1s);
  EXPECT_EQ(watts(), 3);
}

TEST_F(ReplayTest, ErrorsAreThoseThatWereRecorded) {
  auto failed = frame_at(0ms, 1);
  calls(failed).reading.outcome = Result<Reading>(gpukeeper::fail(Errc::not_found, "read GPU-a: fell off the bus"));
  calls(failed).processes.outcome =
      Result<std::vector<GpuProcess>>(gpukeeper::fail(Errc::not_supported, "read processes of GPU-a: cannot be known"));
  failed.state.sources[0].list.outcome =
      Result<std::vector<Device>>(gpukeeper::fail(Errc::unavailable, "load libnvidia-ml.so.1: no such file"));
  record({failed});
  open();
  EXPECT_EQ(backend->read(kDevice).error(), (Error{Errc::not_found, "read GPU-a: fell off the bus"}));
  EXPECT_EQ(backend->processes(kDevice).error(),
            (Error{Errc::not_supported, "read processes of GPU-a: cannot be known"}));
  EXPECT_EQ(backend->list().error(), (Error{Errc::unavailable, "load libnvidia-ml.so.1: no such file"}));
}

TEST_F(ReplayTest, ADeviceThatWasNotAskedAboutIsNotFound) {
  record({frame_at(0ms, 1)});
  open();
  EXPECT_EQ(backend->read(DeviceId{"GPU-z"}).error(),
            (Error{Errc::not_found, "read GPU-z: the recording does not know the answer at this moment"}));
}

TEST_F(ReplayTest, ACallThatHungHangsUntilItsEndWasRecorded) {
  auto hanging = frame_at(1s, 2);
  calls(hanging).reading.pending_since = 1s;
  auto still = frame_at(2s, 2);
  calls(still).reading.pending_since = 1s;
  record({frame_at(0ms, 1), hanging, still, frame_at(3s, 4)});
  open();
  advance(1s);
  std::optional<double> answer;
  std::thread reader([&] { answer = watts(); });
  for (int second = 0; second < 2; ++second) {
    clock->await([](std::size_t waiting) { return waiting == 1; });
    EXPECT_FALSE(answer);
    advance(1s);
  }
  reader.join();
  EXPECT_EQ(answer, 4);
}

// A slow call at one frame and another one at the next are two calls, none of which hung for long.
TEST_F(ReplayTest, AnotherCallThatGoesOnIsNotTheSameHang) {
  auto first = frame_at(1s, 2);
  calls(first).reading.pending_since = 1s;
  auto second = frame_at(2s, 3);
  calls(second).reading.pending_since = 2s;
  record({frame_at(0ms, 1), first, second});
  open();
  advance(1s);
  std::optional<double> answer;
  std::thread reader([&] { answer = watts(); });
  clock->await([](std::size_t waiting) { return waiting == 1; });
  advance(1s);
  reader.join();
  EXPECT_EQ(answer, 3);
}

TEST_F(ReplayTest, AtTheEndOfThePlayAHangIsEnded) {
  auto hanging = frame_at(0ms, 2);
  calls(hanging).reading.pending_since = 0ms;
  record({hanging});
  open();
  std::optional<Error> error;
  std::thread reader([&] { error = backend->read(kDevice).error(); });
  clock->await([](std::size_t waiting) { return waiting == 1; });
  clock->end_waits();
  reader.join();
  EXPECT_EQ(error, (Error{Errc::unavailable, "read GPU-a: the recording ended while the driver hung"}));
}

TEST_F(ReplayTest, EventsAreTakenOnceAndAtTheirTime) {
  auto with_event = frame_at(1s, 1);
  with_event.events.push_back({0, {.kind = EventKind::xid, .code = 79, .source = "nvml"}});
  record({frame_at(0ms, 1), with_event, frame_at(2s, 1)});
  open();
  const auto source = Replay::event_sources(replay).at(0);
  EXPECT_EQ(source->name(), "nvml");
  EXPECT_TRUE(source->take_events()->empty());
  advance(2s);  // past the frame that holds it
  const auto events = source->take_events();
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().code, 79u);
  EXPECT_TRUE(source->take_events()->empty());
}

TEST_F(ReplayTest, WhatCannotBeOpenedIsSaidWithItsPath) {
  EXPECT_EQ(Replay::open("/nowhere/r.gkr", clock).error(),
            (Error{Errc::not_found, "open the recording: /nowhere/r.gkr: No such file or directory"}));
}

// Every shipped scenario as its backend saw it, partitions, sleep and errors included.
TEST_F(ReplayTest, KeepsTheContractOfABackend) {
  for (const char* name : {"eight-gpus", "faults", "mig", "mixed-vendors", "sleeping-laptop"}) {
    SCOPED_TRACE(name);
    const auto real = std::make_shared<FakeClock>();
    auto simulated = simulated::open(std::string(GPUKEEPER_SOURCE_DIR "/examples/scenarios/") + name + ".yaml", *real);
    ASSERT_TRUE(simulated);
    std::vector<std::shared_ptr<Backend>> backends{std::move(*simulated)};
    std::vector<std::shared_ptr<EventSource>> none;
    const auto recorder = std::make_shared<recording::Recorder>(*real);
    recording::Recorder::listen(recorder, backends, none);
    const auto devices = backends[0]->list();
    for (const Device& device : *devices) {
      static_cast<void>(backends[0]->read(device.id));
      if (!device.parent) static_cast<void>(backends[0]->processes(device.id));
    }
    record({recorder->frame({})});
    open();
    check_backend_contract(*backend);
  }
}

}  // namespace
}  // namespace gpukeeper
