#include "kubernetes/pod_namer.hpp"

#include <gmock/gmock.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/fake_programs.hpp"
#include "node.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::kubernetes {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto* kList =
    R"({"schema":"gpukeeper.pod-resources/1","pods":[{"namespace":"ml","name":"trainer-0","containers":[)"
    R"({"name":"main","devices":[{"resource":"nvidia.com/gpu","ids":["GPU-a"]}]}]}]})";

class PodNamerTest : public testing::Test {
 protected:
  PodNamerTest() { programs_->answer({.out = kList}); }

  Snapshot look(std::string uid = "u1") {
    Snapshot snapshot = node({nvidia(0, "GPU-a", {in_pod(1, std::move(uid), "c1")})});
    namer_.complete(snapshot);
    return snapshot;
  }
  static std::optional<PodNames> pod(const Snapshot& snapshot) {
    const DeviceSnapshot& device = snapshot.devices[0];
    return facts_of(snapshot, device, device.processes->front())->place->pod;
  }
  void ask_after(std::chrono::nanoseconds time) {
    clock_->advance(time);
    namer_.ask({});
  }

  const PodNames trainer_{"ml", "trainer-0", "main"};
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<FakePrograms> programs_ = std::make_shared<FakePrograms>();
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{*clock_, lines_};
  PodNamer namer_{{.socket = "/run/kubelet.sock", .helper = "ask"}, programs_, clock_, log_};
};

TEST_F(PodNamerTest, NamesComeWithTheAnswerAfterAPodWasSeen) {
  EXPECT_EQ(pod(look()), std::nullopt);
  ask_after(1ms);
  EXPECT_THAT(programs_->take_runs(), ElementsAre("/usr/bin/ask --socket /run/kubelet.sock --timeout 5"));
  EXPECT_EQ(pod(look()), trainer_);
  EXPECT_EQ(look().who_reason, "");
}

// The pod of the name before may have gone, and this one have its device.
TEST_F(PodNamerTest, AnAnswerFromBeforeAPodWasSeenDoesNotSpeakOfIt) {
  namer_.ask({});
  clock_->advance(1s);
  EXPECT_EQ(pod(look("u2")), std::nullopt);
  ask_after(1s);
  EXPECT_EQ(pod(look("u2")), trainer_);
  clock_->advance(1s);
  EXPECT_EQ(pod(look("u3")), std::nullopt);
}

TEST_F(PodNamerTest, APodThatIsAwayForATickKeepsItsName) {
  look();
  ask_after(1s);
  clock_->advance(1s);
  look("u2");
  clock_->advance(1s);
  EXPECT_EQ(pod(look()), trainer_);
  look("u2");
  clock_->advance(6min);
  look("u2");
  EXPECT_EQ(pod(look()), std::nullopt);  // forgotten: as any that is new
}

TEST_F(PodNamerTest, ItAsksAtOnceForANewPodAndElseEveryTenSeconds) {
  EXPECT_LE(namer_.due(), clock_->now());
  namer_.ask({});
  EXPECT_GT(namer_.due(), clock_->now() + 1h);  // no pod is there
  clock_->advance(1min);
  look();
  EXPECT_LE(namer_.due(), clock_->now());
  namer_.ask({});
  look();
  EXPECT_EQ(namer_.due(), clock_->now() + 10s);
  clock_->advance(1ms);
  look("u2");
  EXPECT_EQ(namer_.due(), clock_->now() + 999ms);
}

TEST_F(PodNamerTest, WithoutAnAnswerItAsksLessAndLessOften) {
  programs_->answer({.exit_status = 1, .err = "there is no socket /run/kubelet.sock\n"});
  look();
  std::vector<std::chrono::seconds> pauses;
  for (int i = 0; i < 7; ++i) {
    namer_.ask({});
    look();
    pauses.push_back(std::chrono::floor<std::chrono::seconds>(namer_.due() - clock_->now()));
    clock_->advance(pauses.back());
  }
  EXPECT_THAT(pauses, ElementsAre(10s, 20s, 40s, 80s, 160s, 300s, 300s));
  programs_->answer({.out = kList});
  namer_.ask({});
  look();
  EXPECT_EQ(namer_.due(), clock_->now() + 10s);
}

TEST_F(PodNamerTest, WhatIsWrongIsSaidOnceAndWhenItIsOver) {
  programs_->answer({.exit_status = 1, .err = "there is no socket /run/kubelet.sock\nmore\n"});
  EXPECT_EQ(look().who_reason, "");  // nobody was asked yet
  ask_after(1s);
  ask_after(1s);
  EXPECT_EQ(look().who_reason, "the names of pods are not known: there is no socket /run/kubelet.sock");
  EXPECT_THAT(lines_->take(),
              ElementsAre("warning: the names of pods are not known: there is no socket /run/kubelet.sock"));
  programs_->answer({.out = kList});
  ask_after(1s);
  EXPECT_EQ(look().who_reason, "");
  EXPECT_THAT(lines_->take(), ElementsAre("info: the kubelet tells the names of pods again"));
}

TEST_F(PodNamerTest, AKubeletThatVanishesLeavesTheNames) {
  look();
  ask_after(1s);
  EXPECT_EQ(pod(look()), trainer_);
  programs_->fail(Errc::deadline_exceeded, "ask did not end within 8 s");
  ask_after(10s);
  EXPECT_EQ(pod(look()), trainer_);
  clock_->advance(1s);
  const Snapshot later = look("u2");
  EXPECT_EQ(pod(later), std::nullopt);
  EXPECT_EQ(later.who_reason, "the names of pods are not known: ask did not end within 8 s");
}

TEST_F(PodNamerTest, AHelperThatIsNotThereOrSpeaksNonsenseIsTold) {
  const auto reason = [&] {
    look();
    ask_after(1s);
    return look().who_reason;
  };
  programs_->answer({.out = "hello"});
  EXPECT_EQ(reason(), "the names of pods are not known: /usr/bin/ask: it printed no JSON object");
  programs_->answer({.exit_status = 139});
  EXPECT_EQ(reason(), "the names of pods are not known: /usr/bin/ask ended with status 139 and said nothing");
  programs_->uninstall();
  EXPECT_EQ(reason(), "the names of pods are not known: the program ask was not found in PATH");
}

TEST_F(PodNamerTest, WhatTheAttributionSaysOfProcessesInNoPodStays) {
  Snapshot snapshot = node({nvidia(0, "GPU-a", {told(process(1, "x", 5), mara_trains(1))})});
  const auto who = snapshot.who;
  namer_.ask({});
  namer_.complete(snapshot);
  EXPECT_EQ(snapshot.who, who);
  EXPECT_GT(namer_.due(), clock_->now() + 1h);
}

TEST_F(PodNamerTest, TheThreadAsksUntilItIsStopped) {
  programs_->answer_with([](const ProgramCall&, const std::stop_token& stop) -> Result<ProgramOutput> {
    while (!stop.stop_requested()) std::this_thread::yield();  // a helper that hangs
    return fail(Errc::unavailable, "stopped");
  });
  namer_.start();
  while (programs_->take_runs().empty()) std::this_thread::yield();
  EXPECT_FALSE(namer_.ended());
  namer_.stop();
  EXPECT_TRUE(namer_.ended());
  EXPECT_THAT(lines_->take(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::kubernetes
