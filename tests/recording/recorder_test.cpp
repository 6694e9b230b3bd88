#include "recording/recorder.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"
#include "fakes/fake_clock.hpp"
#include "recording/frames_of.hpp"

namespace gpukeeper::recording {
namespace {

using namespace std::chrono_literals;

class FakeEvents final : public EventSource {
 public:
  std::string_view name() const override { return "fake events"; }
  Result<std::vector<DeviceEvent>> take_events() override { return std::exchange(next, std::vector<DeviceEvent>{}); }
  Result<std::vector<DeviceEvent>> next = std::vector<DeviceEvent>{};
};

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() {
    fake->plug("GPU-a", test_reading(71.5));
    Recorder::listen(recorder, backends, sources);
  }
  Backend& backend() { return *backends[0]; }
  Frame frame() { return recorder->frame(who); }
  DeviceCalls device() { return frame().state.sources.at(0).devices.at(DeviceId{"GPU-a"}); }

  const std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  const std::shared_ptr<FakeBackend> fake = std::make_shared<FakeBackend>();
  const std::shared_ptr<FakeEvents> events = std::make_shared<FakeEvents>();
  std::vector<std::shared_ptr<Backend>> backends{fake};
  std::vector<std::shared_ptr<EventSource>> sources{events};
  const std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>(*clock);
  ProcessTable who;
};

TEST_F(RecorderTest, BeforeTheFirstAnswerNothingIsKnown) {
  const auto first = frame();
  EXPECT_EQ(first.at, 0ms);
  EXPECT_EQ(first.state.sources.at(0).name, "fake");
  EXPECT_FALSE(first.state.sources.at(0).list.outcome);
  EXPECT_EQ(first.state.event_sources.at(0).name, "fake events");
}

TEST_F(RecorderTest, NotesWhatTheBackendAnsweredAndPassesItOn) {
  const auto answer = backend().read(DeviceId{"GPU-a"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->power, Watts(71.5));
  EXPECT_EQ((*device().reading.outcome)->power, Watts(71.5));
  EXPECT_EQ(backend().name(), "fake");
}

TEST_F(RecorderTest, NotesErrorsWithTheirMessage) {
  const auto answer = backend().read(DeviceId{"GPU-b"});
  ASSERT_FALSE(answer);
  const auto noted = frame().state.sources[0].devices.at(DeviceId{"GPU-b"}).reading.outcome;
  ASSERT_FALSE(*noted);
  EXPECT_EQ(noted->error(), answer.error());
}

TEST_F(RecorderTest, ACallThatDoesNotReturnIsNotedWithItsBegin) {
  fake->block("GPU-a");
  clock->advance(5s);
  std::thread reader([&] { static_cast<void>(backend().read(DeviceId{"GPU-a"})); });
  fake->wait_until_hanging("GPU-a");
  clock->advance(3s);
  EXPECT_EQ(device().reading.pending_since, Offset(5000));
  EXPECT_EQ(frame().at, 8s);
  fake->unblock("GPU-a");
  reader.join();
  EXPECT_EQ(device().reading.pending_since, std::nullopt);
}

TEST_F(RecorderTest, EachEventStandsInOneFrame) {
  events->next = std::vector<DeviceEvent>{{.kind = EventKind::xid, .code = 79}};
  ASSERT_EQ(sources[0]->take_events()->size(), 1u);
  ASSERT_EQ(frame().events.size(), 1u);
  EXPECT_TRUE(frame().events.empty());
}

TEST_F(RecorderTest, AnEventSourceThatFailsIsNoted) {
  events->next = gpukeeper::fail(Errc::not_permitted, "read /dev/kmsg: Operation not permitted");
  EXPECT_FALSE(sources[0]->take_events());
  const auto noted = frame().state.event_sources[0].take.outcome;
  ASSERT_FALSE(*noted);
  EXPECT_EQ(noted->error().message, "read /dev/kmsg: Operation not permitted");
}

TEST_F(RecorderTest, WhoTheProcessesAreIsRecordedWithThem) {
  fake->set_processes("GPU-a", {{.pid = 7, .name = "train"}});
  ASSERT_TRUE(backend().processes(DeviceId{"GPU-a"}));
  auto facts = std::make_shared<ProcessFacts>();
  facts->user = "ada";
  who.add(DeviceId{"GPU-a"}, 7, facts);
  const auto processes = **device().processes.outcome;
  ASSERT_EQ(processes.size(), 1u);
  ASSERT_TRUE(processes[0].facts);
  EXPECT_EQ(processes[0].facts->user, "ada");
}

}  // namespace
}  // namespace gpukeeper::recording
