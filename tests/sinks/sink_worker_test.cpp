#include "sinks/sink_worker.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"
#include "sinks/fake_transport.hpp"
#include "sinks/notices.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::IsEmpty;

using enum AlertNotice::Kind;

// A sink that succeeds or fails as it is told, and remembers what it was given.
struct FakeSink final : Sink {
  struct Record {
    std::vector<std::string> sent;                   // "fired a"
    std::vector<std::vector<std::string>> reminded;  // ids
    std::vector<AlertNotice> notices;
    Result<void> answer;
    std::function<void()> meanwhile;
  };
  Record& record;
  nanoseconds pause;

  FakeSink(Record& where, nanoseconds reminder) : record(where), pause(reminder) {}

  Result<void> send(const AlertNotice& notice, const std::stop_token&) override {
    record.sent.push_back(std::string(to_string(notice.kind)) + " " + notice.alert.id);
    record.notices.push_back(notice);
    if (record.meanwhile) record.meanwhile();
    return record.answer;
  }
  nanoseconds reminder_pause() const override { return pause; }
  Result<void> remind(std::span<const AlertNotice> firing, const std::stop_token&) override {
    std::vector<std::string> ids;
    for (const AlertNotice& each : firing) ids.push_back(each.alert.id);
    record.reminded.push_back(ids);
    record.notices.insert(record.notices.end(), firing.begin(), firing.end());
    return record.answer;
  }
};

class SinkWorkerTest : public testing::Test {
 protected:
  void make(nanoseconds reminder = 0s) {
    worker_ = std::make_unique<SinkWorker>(
        settings_, std::make_unique<FakeSink>(record_, reminder), queue_, world_, [this] { return snapshot_; },
        "gpu-box", 7);
  }
  void put(const std::string& id, AlertNotice::Kind kind = fired) {
    AlertNotice notice = hot_gpu(kind);
    notice.at = clock_.wall();
    notice.alert.id = id;
    queue_.put(std::make_shared<const AlertNotice>(notice));
  }
  std::optional<nanoseconds> work() { return worker_->work(stop_.get_token()); }
  std::vector<std::string> take_sent() { return std::exchange(record_.sent, {}); }

  FakeClock clock_;
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  FakeTransport transport_;
  FakePrograms programs_;
  MemoryFiles files_;
  const SinkWorld world_{transport_, programs_, clock_, log_,
                         Secrets(files_, [](std::string_view) { return std::nullopt; })};
  const SinkSettings settings_{.name = "ops", .labels = {"team=ml", "rack=a=7"}};
  SinkQueue queue_{settings_, {}};
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
  FakeSink::Record record_;
  std::stop_source stop_;
  std::unique_ptr<SinkWorker> worker_;
};

TEST_F(SinkWorkerTest, WhatWaitsIsSentInOrder) {
  make();
  for (const char* id : {"a", "b", "c"}) put(id);
  EXPECT_EQ(work(), std::nullopt);
  EXPECT_THAT(take_sent(), ElementsAre("fired a", "fired b", "fired c"));
  EXPECT_EQ(queue_.size(), 0u);
  const SinkStatus status = worker_->status();
  EXPECT_EQ(status.sent, 3u);
  EXPECT_EQ(status.last_success, clock_.wall());
  EXPECT_EQ(status.error, "");
  EXPECT_THAT(lines_->take(), IsEmpty());
}

TEST_F(SinkWorkerTest, NoticesBearTheLabelsOfTheSettings) {
  make();
  put("a");
  work();
  EXPECT_EQ(record_.notices.at(0).labels, (AlertNotice::Labels{{"team", "ml"}, {"rack", "a=7"}}));
}

TEST_F(SinkWorkerTest, AFailureIsTriedAgainWithPausesThatGrow) {
  make();
  record_.answer = fail(Errc::unavailable, "no route");
  put("a");
  put("b", resolved);  // of nothing that was told
  put("c");
  double expected = 1;
  for (int i = 0; i < 14; ++i) {
    const auto pause = work();
    ASSERT_TRUE(pause);
    const double seconds = std::chrono::duration<double>(*pause).count();
    EXPECT_GE(seconds, expected / 2);
    EXPECT_LE(seconds, expected);
    EXPECT_THAT(take_sent(), ElementsAre("fired a")) << "the order stays";
    clock_.advance(*pause - 1ms);
    EXPECT_EQ(work(), 1ms) << "not before its time, however often it is asked";
    EXPECT_THAT(take_sent(), IsEmpty());
    clock_.advance(1ms);
    expected = std::min(expected * 2, 300.0);
  }
  const SinkStatus status = worker_->status();
  EXPECT_EQ(status.error, "no route");
  EXPECT_EQ(status.waiting, 2u);
  EXPECT_EQ(status.sent, 0u);
  EXPECT_FALSE(status.last_success);
  EXPECT_TRUE(status.last_failure);

  record_.answer = {};
  EXPECT_EQ(work(), std::nullopt);
  EXPECT_THAT(take_sent(), ElementsAre("fired a", "fired c"));
  EXPECT_EQ(worker_->status().error, "");
  EXPECT_THAT(lines_->take(), ElementsAre("warning: the sink ops failed, 2 notices are waiting: no route",
                                          "info: the sink ops works again"));
}

TEST(SinkStatusTest, JsonSaysHowSinksDo) {
  EXPECT_EQ(sinks_json({}), R"({"sinks":[]})");
  EXPECT_EQ(sinks_json({{.name = "ops", .kind = SinkKind::slack, .last_success = kTold, .sent = 2},
                        {.name = "am",
                         .kind = SinkKind::alertmanager,
                         .last_failure = kTold,
                         .error = "no route",
                         .waiting = 3,
                         .dropped = 1,
                         .spool = "no space"}}),
            R"({"sinks":[{"name":"ops","kind":"slack","last_success":"2026-05-28T20:26:40.000Z","last_failure":null,)"
            R"("error":null,"sent":2,"waiting":0,"dropped":0,"spool":null},)"
            R"({"name":"am","kind":"alertmanager","last_success":null,"last_failure":"2026-05-28T20:26:40.000Z",)"
            R"("error":"no route","sent":0,"waiting":3,"dropped":1,"spool":"no space"}]})");
}

TEST_F(SinkWorkerTest, PausesOfTwoMachinesDiffer) {
  record_.answer = fail(Errc::unavailable, "no route");
  make();
  put("a");
  const auto one = work();
  worker_ = std::make_unique<SinkWorker>(
      settings_, std::make_unique<FakeSink>(record_, 0s), queue_, world_, [this] { return snapshot_; }, "other", 8);
  EXPECT_NE(one, work());
}

TEST_F(SinkWorkerTest, WhatIsRefusedForWhatItIsHoldsUpNothing) {
  make();
  record_.answer = fail(Errc::invalid_argument, "POST https://a was answered with status 400");
  put("a");
  EXPECT_EQ(work(), std::nullopt);
  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(worker_->status().dropped, 1u);
  EXPECT_EQ(worker_->status().error, "POST https://a was answered with status 400");
  EXPECT_THAT(
      lines_->take(),
      ElementsAre(
          "warning: the sink ops gave up a notice (thermal fired): POST https://a was answered with status 400"));
}

TEST_F(SinkWorkerTest, WhatIsADayOldIsGivenUp) {
  make();
  put("a");
  clock_.advance(24h + 1s);
  put("b");
  EXPECT_EQ(work(), std::nullopt);
  EXPECT_THAT(take_sent(), ElementsAre("fired b"));
  EXPECT_EQ(worker_->status().dropped, 1u);
  EXPECT_THAT(lines_->take(),
              ElementsAre("warning: the sink ops gave up a notice (thermal fired): it could not be sent "
                          "for 24 hours"));
}

TEST_F(SinkWorkerTest, TheEndOfAnAlertIsTriedForAsLongAsItTakes) {
  make();
  put("a");
  EXPECT_EQ(work(), std::nullopt);
  take_sent();
  record_.answer = fail(Errc::unavailable, "POST https://a: Could not connect");
  put("a", resolved);
  work();
  clock_.advance(48h);
  record_.answer = {};
  take_sent();
  EXPECT_EQ(work(), std::nullopt);
  EXPECT_THAT(take_sent(), ElementsAre("resolved a"));
  EXPECT_EQ(worker_->status().dropped, 0u);
}

TEST_F(SinkWorkerTest, WhatAFullQueueDroppedIsSaidOnce) {
  make();
  for (int i = 0; i < 1002; ++i) put("a" + std::to_string(i));
  work();
  work();
  EXPECT_EQ(worker_->status().dropped, 2u);
  EXPECT_THAT(lines_->take(),
              ElementsAre("warning: more than 1000 notices waited for the sink ops: the 2 oldest were dropped"));
}

TEST_F(SinkWorkerTest, AStopLeavesWhatWaits) {
  make();
  record_.answer = fail(Errc::unavailable, "POST https://a: was stopped");
  record_.meanwhile = [this] { stop_.request_stop(); };
  put("a");
  work();
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_EQ(worker_->status().error, "") << "that is no failure";
  EXPECT_THAT(lines_->take(), IsEmpty());
}

TEST_F(SinkWorkerTest, AReceiverThatForgetsIsToldAgainWhatItKnowsAndStillFires) {
  make(60s);
  for (const char* id : {"a", "b", "silenced"}) put(id);
  EXPECT_EQ(work(), 60s);
  record_.reminded.clear();

  AlertList alerts;
  for (const char* id : {"a", "b", "unknown", "silenced"}) {
    alerts.push_back(hot_gpu().alert);
    alerts.back().id = id;
  }
  alerts[1].phase = AlertPhase::resolved;
  alerts[3].silenced = true;
  auto snapshot = std::make_shared<Snapshot>();
  auto device = std::make_shared<Device>();
  device->id = *alerts[0].device;
  device->simulated = true;
  snapshot->devices.push_back({.device = device});
  snapshot->alerts = std::make_shared<const AlertList>(alerts);
  snapshot_ = snapshot;
  record_.notices.clear();
  clock_.advance(59s);
  EXPECT_EQ(work(), 1s);
  EXPECT_THAT(record_.reminded, IsEmpty());
  clock_.advance(1s);
  EXPECT_EQ(work(), 60s);
  EXPECT_THAT(record_.reminded, ElementsAre(ElementsAre("a")));
  ASSERT_EQ(record_.notices.size(), 1u);
  EXPECT_EQ(record_.notices[0].origin, "simulated");
  EXPECT_EQ(record_.notices[0].host, "gpu-box");
  EXPECT_EQ(record_.notices[0].labels.size(), 2u);

  record_.answer = fail(Errc::unavailable, "no route");
  clock_.advance(60s);
  EXPECT_EQ(work(), 60s);
  EXPECT_EQ(worker_->status().error, "no route");
  EXPECT_THAT(lines_->take(), ElementsAre("warning: the sink ops could not say again what fires: no route"));
}

}  // namespace
}  // namespace gpukeeper
