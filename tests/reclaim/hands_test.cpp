#include "reclaim/hands.hpp"

#include <csignal>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_signals.hpp"
#include "fake_transport.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"
#include "reclaim/mps_control.hpp"

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class HandsTest : public testing::Test {
 protected:
  HandsTest() {
    Reality reality;
    DeviceReality& device = reality.devices.emplace_back();
    device.id = "GPU-0";
    device.total = 8000_MiB;
    device.used = Bytes(0);
    device.processes.emplace();
    book = Bookkeeper::open({}, {clock, nullptr, nullptr, {}}).value();
    book->observe(reality);
    LeaseRequest request;
    request.service = "batch";
    request.min = 1000_MiB;
    request.owner = ProcessOwner{7, 70};
    lease = book->reserve(request)->id;
    ObservedProcess& process = device.processes->emplace_back();
    process.pid = 7;
    process.start_ticks = 70;
    process.memory = 1000_MiB;
    device.used = 1000_MiB;
    book->observe(reality);
    files.write("/proc/7/stat", stat_line(7, "python3", 70));
    files.write("/proc/meminfo", "MemTotal: 64000000 kB\nMemAvailable: 32000000 kB\n");
  }
  ReclaimAction action(ReclaimAction::Kind kind) const {
    ReclaimAction a;
    a.kind = kind;
    a.lease = lease;
    a.process = {7, 70};
    a.patience = 10s;
    return a;
  }
  std::string done(const ReclaimAction& a) {
    const auto reply = hands.perform(a, {});
    return reply ? reply->note : "failed: " + reply.error().message;
  }
  LeaseState state() const {
    LeaseState s = LeaseState::ended;
    book->look([&](const Ledger& ledger) {
      if (const Lease* l = ledger.find(lease)) s = l->state;
    });
    return s;
  }
  void dies_of(int deadly) {
    signals.takes = [this, deadly](const ProcessName&, int signal) -> Result<void> {
      if (signal == deadly) files.remove("/proc/7/stat");
      return {};
    };
  }

  FakeClock clock;
  FakeTransport http;
  FakeSignals signals;
  FakePrograms programs;
  MemoryFiles files;
  std::unique_ptr<Bookkeeper> book;
  LeaseId lease{};
  RealHands hands{{[this] { return book.get(); }, http, signals, programs, files, clock}};
};

TEST_F(HandsTest, TheDeadAreReapedAndTheLivingAreNot) {
  ReclaimAction a = action(ReclaimAction::Kind::reap);
  a.reason = EndReason::owner_died;
  EXPECT_EQ(done(a), "it was over already, or its owner was heard of again");
  EXPECT_EQ(state(), LeaseState::active);
  files.write("/proc/7/stat", stat_line(7, "another", 71));  // its pid was given again
  EXPECT_EQ(done(a), "");
  EXPECT_EQ(state(), LeaseState::draining);
}

TEST_F(HandsTest, SigtermIsEnoughForWhoHeedsIt) {
  dies_of(SIGTERM);
  EXPECT_EQ(done(action(ReclaimAction::Kind::terminate)), "it ended after SIGTERM");
  EXPECT_THAT(signals.sent, ElementsAre("15 to 7 of 70"));
}

TEST_F(HandsTest, WhoDoesNotHeedItIsKilledAfterItsGrace) {
  dies_of(SIGKILL);
  const auto began = clock.now();
  EXPECT_EQ(done(action(ReclaimAction::Kind::terminate)), "it ended after SIGKILL, 10 s after SIGTERM");
  EXPECT_THAT(signals.sent, ElementsAre("15 to 7 of 70", "9 to 7 of 70"));
  EXPECT_EQ(clock.now() - began, 10s);
}

TEST_F(HandsTest, AProcessThatHangsInTheKernelIsSaid) {
  EXPECT_EQ(done(action(ReclaimAction::Kind::terminate)), "failed: process 7 hangs in the kernel after SIGKILL");
}

TEST_F(HandsTest, AnotherProcessWithItsPidIsNeverMet) {
  files.write("/proc/7/stat", stat_line(7, "python3", 71));
  EXPECT_EQ(done(action(ReclaimAction::Kind::terminate)), "failed: process 7 has ended by itself");
  EXPECT_THAT(signals.sent, IsEmpty());
}

TEST_F(HandsTest, WhatMustRunIsNotTerminatedWhateverItWasCalledBefore) {
  files.write("/proc/7/stat", stat_line(7, "nvidia-persiste", 70));
  EXPECT_EQ(done(action(ReclaimAction::Kind::terminate)), "failed: nvidia-persiste must run");
  EXPECT_THAT(signals.sent, IsEmpty());
}

TEST_F(HandsTest, MpsLetsAClientGoBeforeItIsTerminated) {
  std::string told;
  programs.answer_with([&](const ProgramCall& call, const std::stop_token&) -> Result<ProgramOutput> {
    told += call.input;
    if (call.input == "get_server_list\n") return ProgramOutput{0, "900\n901\n", ""};
    if (call.input == "get_client_list 900\n") return ProgramOutput{0, "5\n", ""};
    if (call.input == "get_client_list 901\n") return ProgramOutput{0, "6\n7\n", ""};
    EXPECT_THAT(signals.sent, IsEmpty()) << "nobody was killed before";
    return ProgramOutput{0, "", ""};
  });
  dies_of(SIGTERM);
  ReclaimAction a = action(ReclaimAction::Kind::terminate);
  a.mps = true;
  EXPECT_EQ(done(a), "MPS let it go first; it ended after SIGTERM");
  EXPECT_EQ(told, "get_server_list\nget_client_list 900\nget_client_list 901\nterminate_client 901 7\n");
}

TEST_F(HandsTest, AClientThatMpsDoesNotLetGoLives) {
  ReclaimAction a = action(ReclaimAction::Kind::terminate);
  a.mps = true;
  programs.answer_with([](const ProgramCall& call, const std::stop_token&) -> Result<ProgramOutput> {
    if (call.input.starts_with("get")) return ProgramOutput{0, call.input == "get_server_list\n" ? "900" : "7", ""};
    return fail(Errc::deadline_exceeded, "nvidia-cuda-mps-control took more than 30 s");
  });
  EXPECT_EQ(done(a),
            "failed: it was not terminated, as MPS did not let it go: nvidia-cuda-mps-control took more than 30 s; its "
            "server hangs: end all its clients and start MPS anew");
  programs.answer({0, "900\n", ""});
  EXPECT_EQ(done(a),
            "failed: it was not terminated, as MPS did not let it go: no MPS server has process 7 as a client");
  programs.uninstall();
  EXPECT_EQ(
      done(a),
      "failed: it was not terminated, as MPS did not let it go: the program nvidia-cuda-mps-control was not found "
      "in PATH");
  EXPECT_THAT(signals.sent, IsEmpty());
}

TEST_F(HandsTest, ASuspendedProcessKeepsItsLeaseAsSuspended) {
  EXPECT_EQ(done(action(ReclaimAction::Kind::suspend)),
            "its process 7 waits at its next CUDA call until the lease is woken");
  EXPECT_THAT(programs.take_runs(), ElementsAre("/usr/bin/cuda-checkpoint --action lock --pid 7 --timeout 10000",
                                                "/usr/bin/cuda-checkpoint --action checkpoint --pid 7"));
  EXPECT_EQ(state(), LeaseState::suspended);
  EXPECT_TRUE(hands.restore({7, 70}, {}));
  EXPECT_THAT(programs.take_runs(), ElementsAre("/usr/bin/cuda-checkpoint --action restore --pid 7",
                                                "/usr/bin/cuda-checkpoint --action unlock --pid 7"));
}

TEST_F(HandsTest, WhoCannotBeCheckpointedRunsOn) {
  programs.answer_with([](const ProgramCall& call, const std::stop_token&) -> Result<ProgramOutput> {
    if (call.arguments[1] == "checkpoint") return ProgramOutput{1, "", "OS call failed or operation not supported\n"};
    return ProgramOutput{0, "", ""};
  });
  EXPECT_EQ(done(action(ReclaimAction::Kind::suspend)),
            "failed: cuda-checkpoint --action checkpoint --pid 7 ended with 1: OS call failed or operation not "
            "supported; it runs on");
  EXPECT_THAT(programs.take_runs(), testing::Contains("/usr/bin/cuda-checkpoint --action unlock --pid 7"));
  EXPECT_EQ(state(), LeaseState::active);
}

TEST_F(HandsTest, NothingIsCopiedToAHostWithoutRoom) {
  files.write("/proc/meminfo", "MemAvailable: 1000 kB\n");
  EXPECT_EQ(done(action(ReclaimAction::Kind::suspend)),
            "failed: its 1000 MiB would have to be copied to the host, which has 1000 KiB");
  EXPECT_THAT(programs.take_runs(), IsEmpty());
}

TEST_F(HandsTest, AHolderIsAskedInItsUsersName) {
  ReclaimAction a = action(ReclaimAction::Kind::ask);
  a.holder.kind = HolderKind::webhook;
  a.holder.url = "http://127.0.0.1:8000/";
  EXPECT_EQ(done(a), "");
  a.lease = LeaseId{99};
  EXPECT_EQ(done(a), "failed: the lease was over before its holder was asked");
}

TEST(MpsControlTest, PidsAreReadOutOfWhateverItPrints) {
  EXPECT_THAT(parse_mps_pids("900\n 901 worker\n\nNo server found\n1\n-5\n99999999999999999999\n"),
              ElementsAre(900, 901));
}

}  // namespace
}  // namespace gpukeeper::reclaim
