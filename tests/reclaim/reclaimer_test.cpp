#include "reclaim/reclaimer.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booking/reality_of.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/snapshots.hpp"
#include "reclaim/reclaim_json.hpp"

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class NotedHands final : public Hands {
 public:
  Result<HolderReply> perform(const ReclaimAction& action, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    if (hangs) {
      std::condition_variable_any stopped;
      stopped.wait(lock, stop, [] { return false; });
      return fail(Errc::unavailable, "was stopped");
    }
    EXPECT_EQ(action.kind, ReclaimAction::Kind::ask);
    HolderReply reply;
    reply.promised = 3000_MiB;
    return reply;
  }
  void wait_for(int actions) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= actions; });
  }
  int asked() {
    std::scoped_lock lock(mutex_);
    return asked_;
  }
  bool hangs = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
};

class ReclaimerTest : public testing::Test {
 protected:
  ReclaimerTest() : book(Bookkeeper::open({}, {*clock, nullptr, nullptr, {}}).value()) {
    settings.enabled = true;
    see(100);
    LeaseRequest request;
    request.service = "chat";
    request.min = 7000_MiB;
    request.owner = ProcessOwner{7, 0};
    lease = book->reserve(request)->id;
    Holder holder;
    holder.url = "http://127.0.0.1:1/";
    EXPECT_TRUE(holders.set_holder(lease, holder));
    reclaimer = make();
  }
  std::unique_ptr<Reclaimer> make() {
    return std::make_unique<Reclaimer>(Reclaimer::World{.book = [this] { return book.get(); },
                                                        .hands = hands,
                                                        .holders = holders,
                                                        .clock = clock,
                                                        .no_checkpoint = [] { return std::string("none"); },
                                                        .gone = [](const ProcessOwner&) { return false; },
                                                        .own_pids = {}},
                                       settings);
  }
  // A second later the process uses so much.
  void see(std::uint64_t mib) {
    clock->advance(1s);
    Reading reading{Missing::not_supported};
    reading.memory_total = 8000_MiB;
    reading.memory_used = from_mib(mib);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->sequence = ++sequence;
    snapshot->monotonic = clock->now();
    snapshot->devices.push_back(device(0, facts("GPU-0", "NVIDIA H200", "0000:01:00.0"), reading));
    auto processes = std::make_shared<std::vector<GpuProcess>>();
    processes->push_back(process(7, "python3", mib));
    snapshot->devices[0].processes = processes;
    Reality reality = reality_of(*snapshot);
    for (ObservedProcess& each : *reality.devices[0].processes) each.elsewhere = false;
    book->observe(reality);
    if (reclaimer) reclaimer->see(snapshot);
  }
  ReclaimReport last() const { return reclaimer->reports().back(); }

  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::unique_ptr<Bookkeeper> book;
  NotedHands hands;
  HolderBook holders;
  ReclaimSettings settings;
  LeaseId lease{};
  std::uint64_t sequence = 0;
  std::unique_ptr<Reclaimer> reclaimer;  // last: it uses all of the others
};

TEST_F(ReclaimerTest, TheLoopRunsWhenADeviceIsAboveTheThresholdAndNotBefore) {
  see(6800);  // 85 %
  reclaimer->step();
  EXPECT_THAT(reclaimer->reports(), IsEmpty());
  clock->advance(300s);
  see(6900);
  reclaimer->step();
  hands.wait_for(1);
  EXPECT_EQ(last().why, "every 300 s");
  see(3000);
  for (int i = 0; i < 100'000 && !last().finished; ++i) {
    see(3000);
    reclaimer->step();
    std::this_thread::yield();
  }
  EXPECT_TRUE(last().finished);
  EXPECT_EQ(last().returned(), 3900_MiB);
  EXPECT_THAT(report_json(last()), HasSubstr(R"("promised_bytes":3145728000)"));
  EXPECT_THAT(report_json(last()), HasSubstr(R"("returned_bytes":4089446400)"));
}

TEST_F(ReclaimerTest, ItWaitsItsIntervalBetweenTwoRuns) {
  see(7900);
  reclaimer->step();
  hands.wait_for(1);
  for (int i = 0; i < 100'000 && !last().finished; ++i) {
    see(7900);
    reclaimer->step();
    std::this_thread::yield();
  }
  const auto runs = reclaimer->reports().size();
  see(7900);
  reclaimer->step();
  EXPECT_THAT(reclaimer->reports(), SizeIs(runs));
}

TEST_F(ReclaimerTest, WhereItIsNotEnabledNothingHappensByItself) {
  settings.enabled = false;
  reclaimer->configure(settings);
  see(7900);
  reclaimer->step();
  EXPECT_THAT(reclaimer->reports(), IsEmpty());
}

TEST_F(ReclaimerTest, OneRunAtATime) {
  settings.enabled = false;
  reclaimer->configure(settings);
  EXPECT_EQ(reclaimer->order({}, nullptr).value(), 1u);
  EXPECT_EQ(reclaimer->order({}, nullptr).error().message,
            "memory is being reclaimed already; ask again when that is done");
  EXPECT_EQ(reclaimer->order({}, nullptr).error().code, Errc::already_exists);
}

TEST_F(ReclaimerTest, WhoOrderedIsToldEvenWhenItStops) {
  settings.enabled = false;
  reclaimer->configure(settings);
  hands.hangs = true;
  std::atomic<bool> told = false;
  std::string problem;
  ReclaimOrder order;
  order.even_below = true;
  ASSERT_TRUE(reclaimer->order(order, [&](const ReclaimReport& report) {
    problem = report.problem;
    told = true;
  }));
  see(7000);
  reclaimer->step();
  see(7000);
  reclaimer->step();
  hands.wait_for(1);
  reclaimer->ask_to_stop();
  reclaimer->step();
  EXPECT_TRUE(told);
  EXPECT_EQ(problem, "gpukeeper was stopped");
  EXPECT_EQ(reclaimer->order({}, nullptr).error().message, "gpukeeper is stopping");
}

TEST_F(ReclaimerTest, WhereNobodyMonitorsARunHasTheDevicesLookedAtOnceASecond) {
  settings.enabled = false;
  reclaimer->configure(settings);
  int looks = 0;
  reclaimer->look_with([&] { ++looks; });
  see(7000);
  reclaimer->step();
  clock->advance(1h);
  reclaimer->step();
  EXPECT_EQ(looks, 0);  // nothing runs
  ReclaimOrder order;
  order.even_below = true;
  ASSERT_TRUE(reclaimer->order(order, nullptr));
  for (int i = 0; i < 15; ++i) {
    reclaimer->step();
    clock->advance(100ms);
  }
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(hands.asked(), 0);  // what was seen an hour ago is nothing to begin with
  see(6000);
  reclaimer->step();
  hands.wait_for(1);
  EXPECT_THAT(report_json(last()), HasSubstr(R"("used_before_bytes":6291456000)"));
  reclaimer->look_with(nullptr);
  clock->advance(2s);
  reclaimer->step();
  EXPECT_EQ(looks, 2);
}

TEST_F(ReclaimerTest, WhereNoLookCanBeHadItEndsAtItsDeadline) {
  settings.enabled = false;
  reclaimer->configure(settings);
  see(7000);
  reclaimer->step();
  clock->advance(1min);
  ReclaimOrder order;
  order.even_below = true;
  order.deadline = 5s;
  std::string problem;
  ASSERT_TRUE(reclaimer->order(order, [&](const ReclaimReport& report) { problem = report.problem; }));
  reclaimer->step();
  clock->advance(5s);
  reclaimer->step();
  EXPECT_EQ(problem, "no GPU was looked at within 5 s");
  EXPECT_EQ(hands.asked(), 0);
  EXPECT_TRUE(reclaimer->order({}, nullptr));  // the next one may come
}

TEST_F(ReclaimerTest, ItsThreadEndsWhenItIsAskedTo) {
  reclaimer->start();
  see(7900);
  hands.wait_for(1);
  reclaimer->ask_to_stop();
  reclaimer.reset();
}

}  // namespace
}  // namespace gpukeeper::reclaim
