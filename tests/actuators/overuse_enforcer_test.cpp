#include "actuators/overuse_enforcer.hpp"

#include <csignal>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class FakeSignals final : public Signals {
 public:
  Result<void> send(const ProcessName& process, int signal) override {
    if (fails) return tl::make_unexpected(*fails);
    sent.emplace_back(process.pid, signal);
    return {};
  }
  std::vector<std::pair<std::int64_t, int>> sent;
  std::optional<Error> fails;
};

class OveruseEnforcerTest : public testing::Test {
 protected:
  OveruseEnforcerTest() {
    files_->link("/proc/self", std::to_string(::getpid()));
    run(10, "train");
  }

  void run(std::int64_t pid, const std::string& name, std::uint64_t start = 100) {
    files_->write(
        fmt::format("/proc/{}/stat", pid),
        fmt::format("{} ({}) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 {} 4096 1 99 1 1 0 0\n", pid, name, start));
  }
  void policy(OverusePolicy policy) { enforcer_.configure({.policy = policy}); }
  void after(std::chrono::seconds time, std::vector<OverusedLease> leases) {
    clock_->advance(time);
    enforcer_.look(leases);
  }
  static OverusedLease lease(std::vector<ProcessOwner> processes = {{10, 100}}) {
    return {.id = LeaseId{7},
            .service = "embed\n",
            .device = "GPU-a",
            .observed = 5000_MiB,
            .most = 4000_MiB,
            .processes = std::move(processes)};
  }
  static constexpr const char* kWhat =
      R"(warning: lease 7 of embed? holds 5000 MiB, but may hold no more than 4000 MiB: )";

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  const std::shared_ptr<FakeSignals> signals_ = std::make_shared<FakeSignals>();
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{*clock_, target_};
  OveruseEnforcer enforcer_{{}, files_, signals_, clock_, log_};
};

TEST_F(OveruseEnforcerTest, ByItselfItDoesNothing) {
  after(0s, {lease()});
  after(3600s, {lease()});
  EXPECT_THAT(signals_->sent, IsEmpty());
  EXPECT_THAT(target_->take(), IsEmpty());
}

TEST_F(OveruseEnforcerTest, AHolderIsAskedOnceAndNobodyIsEnded) {
  policy(OverusePolicy::ask);
  std::vector<LeaseId> asked;
  enforcer_.ask_with([&](const OverusedLease& one) {
    asked.push_back(one.id);
    return true;
  });
  after(0s, {lease()});
  after(29s, {lease()});
  EXPECT_THAT(asked, IsEmpty());
  after(1s, {lease()});
  after(3600s, {lease()});
  EXPECT_THAT(asked, ElementsAre(LeaseId{7}));
  EXPECT_THAT(signals_->sent, IsEmpty());
  EXPECT_THAT(target_->take(), ElementsAre(std::string(kWhat) + "its holder is asked for it"));
}

TEST_F(OveruseEnforcerTest, WhoCannotBeAskedNowIsAskedAtTheNextLookAndNotEndedBefore) {
  policy(OverusePolicy::terminate);
  bool busy = true;
  enforcer_.ask_with([&](const OverusedLease&) { return !busy; });
  after(0s, {lease()});
  after(30s, {lease()});
  after(3600s, {lease()});
  EXPECT_THAT(target_->take(), IsEmpty());
  busy = false;
  after(1s, {lease()});
  EXPECT_THAT(target_->take(), ElementsAre(std::string(kWhat) + "its holder is asked for it"));
  EXPECT_THAT(signals_->sent, IsEmpty());
}

TEST_F(OveruseEnforcerTest, WhereItIsConfiguredProcessesAreToldToEndAndThenEnded) {
  policy(OverusePolicy::terminate);
  after(0s, {lease()});
  after(30s, {lease()});
  EXPECT_THAT(signals_->sent, IsEmpty());
  after(10s, {lease()});
  EXPECT_THAT(signals_->sent, ElementsAre(std::pair(std::int64_t{10}, SIGTERM)));
  after(10s, {lease()});
  after(3600s, {lease()});
  EXPECT_THAT(signals_->sent, ElementsAre(std::pair(std::int64_t{10}, SIGTERM), std::pair(std::int64_t{10}, SIGKILL)));
  EXPECT_THAT(target_->take(), ElementsAre(std::string(kWhat) + "nobody is there who could be asked for it",
                                           std::string(kWhat) + "process 10 (train) is told to end (SIGTERM)",
                                           std::string(kWhat) + "process 10 (train) is ended (SIGKILL)"));
}

TEST_F(OveruseEnforcerTest, WhoGivesBackIsForgivenAndBeginsAnew) {
  policy(OverusePolicy::terminate);
  after(0s, {lease()});
  after(30s, {lease()});
  after(5s, {});
  after(5s, {lease()});
  after(29s, {lease()});
  EXPECT_THAT(signals_->sent, IsEmpty());
  EXPECT_EQ(target_->take().size(), 1u);
}

TEST_F(OveruseEnforcerTest, SomeAreNeverEnded) {
  policy(OverusePolicy::terminate);
  run(::getpid(), "gpukeeper");
  run(11, "Xorg");
  run(12, "nvidia-cuda-mps-server");
  run(13, "reused", 999);
  const auto all = lease({{1, 1}, {::getpid(), 100}, {11, 100}, {12, 100}, {13, 100}, {14, 100}});
  run(1, "systemd", 1);
  after(0s, {all});
  after(30s, {all});
  target_->take();
  after(10s, {all});
  EXPECT_THAT(signals_->sent, IsEmpty());
  EXPECT_THAT(
      target_->take(),
      ElementsAre(
          std::string(kWhat) + "process 1 (systemd) is left alone: it is the machine's first",
          fmt::format("{}process {} (gpukeeper) is left alone: it is gpukeeper itself", kWhat, ::getpid()),
          std::string(kWhat) + "process 11 (Xorg) is left alone: others cannot work without it",
          std::string(kWhat) + "process 12 (nvidia-cuda-mps-server) is left alone: others cannot work without it"));
}

TEST_F(OveruseEnforcerTest, WhatHindersItIsSaid) {
  policy(OverusePolicy::terminate);
  after(0s, {lease()});
  after(30s, {lease()});
  target_->take();
  signals_->fails = Error{Errc::not_permitted, "signal process 10: Operation not permitted"};
  after(10s, {lease()});
  EXPECT_THAT(target_->take(), ElementsAre("error: lease 7 of embed? holds 5000 MiB, but may hold no more than 4000 "
                                           "MiB: signal process 10: Operation not permitted"));
  after(10s, {lease({})});
  EXPECT_THAT(target_->take(),
              ElementsAre(std::string(kWhat) + "no process is ended: none is known that uses this lease alone"));
}

TEST_F(OveruseEnforcerTest, WherePidsCountOtherwiseNobodyIsMet) {
  policy(OverusePolicy::terminate);
  files_->link("/proc/self", "999999");
  after(0s, {lease()});
  after(30s, {lease()});
  target_->take();
  after(10s, {lease()});
  EXPECT_THAT(signals_->sent, IsEmpty());
  EXPECT_THAT(target_->take(),
              ElementsAre(std::string(kWhat) + "its processes are left alone: their pids are not counted as ours are"));
}

}  // namespace
}  // namespace gpukeeper
